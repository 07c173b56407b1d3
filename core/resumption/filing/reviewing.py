"""Use cases of the reviewers: their queue, and one reviewer at a time on a filing.

A filing that is opened is held for ten minutes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, Select, false, func, or_, select
from sqlalchemy.orm import Session

from core.audit.service import record
from core.codes.rules import subject_of
from core.errors import ConflictError
from core.people.staff.model import StaffAccount
from core.people.staff.rules import Area
from core.places.model import Street
from core.registry.model import Company
from core.registry.service import get_company
from core.resumption.filing.model import Filing
from core.resumption.filing.rules import FilingState
from core.resumption.filing.service import FilingCard, FilingNotFoundError, card_of

PAGE_SIZE: Final = 25


class FilingHeldError(ConflictError):
    """Another reviewer has it open; facts `by`, their displayed name, and `until`."""

    code = "filing_held"


class FilingChangedError(ConflictError):
    """It is not as it was shown: decided meanwhile, or submitted anew."""

    code = "filing_changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class FilingQuery:
    """What filings to list; drafts are the companies' own and never listed.

    Attributes:
        area: of duty; nothing outside it is listed.
        state: None: any.
        street_id: of the company; None: any.
        text: part of a company's name or code, or of a filing's number; empty: any.
    """

    area: Area
    state: FilingState | None = FilingState.SUBMITTED
    street_id: int | None = None
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """That a reviewer has a filing open."""

    staff_id: int
    name: str
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class FilingRow:
    """A filing of the queue, and who has it open."""

    filing: FilingCard
    hold: Hold | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FilingPage:
    """One page of the queue.

    Attributes:
        rows: of this page.
        number: of this page, from 1; never behind the last.
        page_count: at least 1.
        total: rows of all pages.
    """

    rows: list[FilingRow]
    number: int
    page_count: int
    total: int


# ---- the queue ------------------------------------------------------------------------------


def list_filings(
    session: Session,
    *,
    query: FilingQuery,
    now: datetime,
    number: int = 1,
    page_size: int = PAGE_SIZE,
) -> FilingPage:
    """Return one page of the filings that a query asks for, the oldest submission first.

    Args:
        session: may be a reading one.
        query: what to list.
        now: aware instant; tells which holds are over.
        number: of the page, from 1; a number behind the last page gives the last one.
        page_size: rows at most.
    """
    statement = select(Filing).join(Company, Company.id == Filing.company_id)
    statement = statement.where(*conditions_of(query))
    total = session.scalar(statement.with_only_columns(func.count())) or 0
    page_count = max(-(-total // page_size), 1)
    number = min(max(number, 1), page_count)
    filings = session.scalars(
        statement.order_by(Filing.submitted_at, Filing.id)
        .offset((number - 1) * page_size)
        .limit(page_size)
    ).all()
    return FilingPage(
        rows=_rows(session, filings, now=now), number=number, page_count=page_count, total=total
    )


def count_filings(session: Session, *, area: Area) -> dict[FilingState, int]:
    """Return how many filings of an area are in which state; drafts are not counted."""
    rows = session.execute(
        select(Filing.state, func.count())
        .join(Company, Company.id == Filing.company_id)
        .where(*conditions_of(FilingQuery(area=area, state=None)))
        .group_by(Filing.state)
    )
    counts = {state: 0 for state in FilingState if state is not FilingState.DRAFT}
    return counts | {FilingState(state): count for state, count in rows}


def get_filing_of(session: Session, *, filing_id: int, area: Area, now: datetime) -> FilingRow:
    """Return a filing of an area of duty, and who has it open.

    Raises:
        FilingNotFoundError: there is none, it is a draft, or it is outside the area.
    """
    found = session.scalars(
        select(Filing)
        .join(Company, Company.id == Filing.company_id)
        .where(Filing.id == filing_id, *conditions_of(FilingQuery(area=area, state=None)))
    ).one_or_none()
    if found is None:
        raise FilingNotFoundError
    return _rows(session, [found], now=now)[0]


def list_filing_streets(session: Session, *, area: Area) -> list[tuple[int, str]]:
    """Return id and name of every street with a filing in an area, by code."""
    streets = session.execute(
        select(Street.id, Street.name, Street.code)
        .join(Company, Company.street_id == Street.id)
        .join(Filing, Filing.company_id == Company.id)
        .where(*conditions_of(FilingQuery(area=area, state=None)))
        .distinct()
        .order_by(Street.code)
    )
    return [(street.id, street.name) for street in streets]


# ---- one reviewer at a time -------------------------------------------------------------------


def hold_filing(session: Session, *, filing_id: int, staff_id: int, now: datetime) -> FilingCard:
    """Open a filing: for ten minutes from now it is this reviewer's.

    Raises:
        FilingNotFoundError: there is none in the reviewer's area.
        FilingChangedError: it does not wait for a decision.
        FilingHeldError: another one has it open; see `take_over_filing`.
    """
    filing = _waiting(session, filing_id=filing_id, staff_id=staff_id)
    holder = filing.holder(now=now)
    check_not_held(session, filing, staff_id=staff_id, now=now)
    filing.hold(staff_id=staff_id, now=now)
    if holder is None:
        note(session, filing, "filing_opened", staff_id=staff_id, now=now)
    session.flush()
    return card_of(session, filing=filing)


def take_over_filing(
    session: Session, *, filing_id: int, staff_id: int, now: datetime
) -> FilingCard:
    """Open a filing although another reviewer has it open; that is recorded.

    Raises:
        FilingNotFoundError: there is none in the reviewer's area.
        FilingChangedError: it does not wait for a decision.
    """
    filing = _waiting(session, filing_id=filing_id, staff_id=staff_id)
    holder = filing.holder(now=now)
    filing.hold(staff_id=staff_id, now=now)
    if holder != staff_id:
        action = "filing_opened" if holder is None else "filing_taken_over"
        note(session, filing, action, staff_id=staff_id, now=now, held_by=holder)
    session.flush()
    return card_of(session, filing=filing)


def release_filing(session: Session, *, filing_id: int, staff_id: int) -> None:
    """Close a filing; one that this reviewer has not open is left alone."""
    filing = session.scalar(locked([filing_id]))
    if filing is not None and filing.held_by == staff_id:
        filing.release()
        session.flush()


# ---- what these share -----------------------------------------------------------------------


def conditions_of(query: FilingQuery) -> list[ColumnElement[bool]]:
    """Return what a filing must be to be listed; joined with `Company`."""
    found: list[ColumnElement[bool]] = [Filing.state != FilingState.DRAFT.value]
    if query.area.community_ids is not None:
        # A company has a street, no community: whoever has some of these has no companies.
        found.append(false())
    if query.area.street_id is not None:
        found.append(Company.street_id == query.area.street_id)
    if query.state is not None:
        found.append(Filing.state == query.state.value)
    if query.street_id is not None:
        found.append(Company.street_id == query.street_id)
    if query.text:
        found.append(
            or_(
                Company.name.contains(query.text, autoescape=True),
                Company.uscc.contains(query.text.upper(), autoescape=True),
                Filing.number.contains(query.text.upper(), autoescape=True),
            )
        )
    return found


def _rows(session: Session, filings: Sequence[Filing], *, now: datetime) -> list[FilingRow]:
    _kept = companies_of(session, filings)
    holders = {filing.id: filing.holder(now=now) for filing in filings}
    wanted = {holder for holder in holders.values() if holder is not None}
    accounts = session.execute(
        select(StaffAccount.id, StaffAccount.display_name).where(StaffAccount.id.in_(wanted))
    )
    names = {account.id: account.display_name for account in accounts}
    rows = []
    for filing in filings:
        holder, hold = holders[filing.id], None
        if holder is not None and filing.held_until is not None:
            hold = Hold(staff_id=holder, name=names.get(holder, ""), until=filing.held_until)
        rows.append(FilingRow(filing=card_of(session, filing=filing), hold=hold))
    return rows


def companies_of(session: Session, filings: Sequence[Filing]) -> dict[int, Company]:
    """Return the companies of filings in one statement.

    While they are kept, `get_company` finds them in the session, which alone forgets them.
    """
    company_ids = [filing.company_id for filing in filings]
    rows = session.scalars(select(Company).where(Company.id.in_(company_ids)))
    return {company.id: company for company in rows}


def locked(filing_ids: Iterable[int]) -> Select[Filing]:
    """Return the statement that finds filings and locks them.

    They are read anew: what the session has may be older than the lock.
    """
    return (
        select(Filing)
        .where(Filing.id.in_(list(filing_ids)))
        .with_for_update()
        .execution_options(populate_existing=True)
    )


def reviewed(session: Session, *, filing_id: int, staff_id: int) -> Filing:
    """Return a filing of a reviewer's area, locked.

    Raises:
        FilingNotFoundError: there is none, it is a draft, or it is outside the area.
    """
    account = session.get(StaffAccount, staff_id)
    return in_area(session, session.scalar(locked([filing_id])), account)


def in_area(session: Session, filing: Filing | None, account: StaffAccount | None) -> Filing:
    """Return a filing if it is in a reviewer's area of duty.

    Raises:
        FilingNotFoundError: there is none, it is a draft, or it is outside the area.
    """
    if account is None or filing is None or filing.state == FilingState.DRAFT.value:
        raise FilingNotFoundError
    street_id = get_company(session, company_id=filing.company_id).street_id
    area = account.area
    if area.community_ids is not None or area.street_id not in {None, street_id}:
        raise FilingNotFoundError
    return filing


def _waiting(session: Session, *, filing_id: int, staff_id: int) -> Filing:
    filing = reviewed(session, filing_id=filing_id, staff_id=staff_id)
    if filing.state != FilingState.SUBMITTED.value:
        raise FilingChangedError
    return filing


def check_not_held(session: Session, filing: Filing, *, staff_id: int, now: datetime) -> None:
    """Check that no other reviewer has a filing open.

    Raises:
        FilingHeldError: one has.
    """
    holder = filing.holder(now=now)
    if holder is None or holder == staff_id:
        return
    account = session.get_one(StaffAccount, holder)
    raise FilingHeldError(by=account.display_name, until=filing.held_until)


def note(
    session: Session,
    filing: Filing,
    action: str,
    *,
    staff_id: int,
    now: datetime,
    **facts: int | None,
) -> None:
    """Record what a reviewer did with a filing."""
    record(
        session,
        now=now,
        actor=f"staff:{staff_id}",
        action=action,
        subject=subject_of(filing.company_id),
        filing_id=filing.id,
        revision=filing.revision,
        **facts,
    )
