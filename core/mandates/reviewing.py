"""Reviewers decide on claims: accepted, a company is in the register and its owner bound."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from sqlalchemy import Select, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core.errors import ConflictError, InvalidInputError, NotFoundError
from core.mandates.claims import (
    ClaimCard,
    CompanyRegisteredError,
    claim_card_of,
    record_claim,
    reviewer_name,
)
from core.mandates.model import CompanyClaim
from core.mandates.proving import bind_owner
from core.mandates.rules import (
    CLAIM_HOLD,
    CLAIM_STATE_AFTER,
    MAX_REASON_CHARACTERS,
    ClaimState,
    ClaimVerdict,
    is_held,
)
from core.notices.service import queue_notice
from core.people.model import Person
from core.people.names import name_key
from core.people.staff.rules import Area, AreaKind
from core.registry.model import Company
from core.registry.rules import CompanyState, kind_of
from core.registry.service import CompanyCard, get_company, owner_key_of

PAGE_SIZE: Final = 20


class ClaimNotFoundError(NotFoundError):
    """There is no such claim, or it lies outside of one's area."""

    code = "claim_not_found"


class ClaimHeldError(ConflictError):
    """Another reviewer has the claim open; fact: `by`."""

    code = "claim_held"


class ClaimDecidedError(ConflictError):
    """The claim was decided before; fact: `state`."""

    code = "claim_decided"


class ClaimReasonError(InvalidInputError):
    """A refusal needs a reason; fact: `max`."""

    code = "claim_reason"


class ClaimNameError(InvalidInputError):
    """The name on the licence is not that of the person who claims the company."""

    code = "claim_name"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimQuery:
    """What claims to list.

    Attributes:
        area: of the reviewer; claims outside of it do not exist for them.
        state: only these; None: all.
        text: part of a name, or a code.
    """

    area: Area
    state: ClaimState | None = ClaimState.WAITING
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimPage:
    """One page of claims, the oldest first; `count` is of all pages."""

    claims: tuple[ClaimCard, ...]
    number: int
    page_count: int
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimDecision:
    """What a reviewer decides.

    Attributes:
        reason: why it is refused; the person reads it.
        name_on_licence: the legal person's name as the reviewer reads it from the licence. It is
            compared here, so that no page has to show the name that was typed.
    """

    verdict: ClaimVerdict
    reason: str = ""
    name_on_licence: str = field(default="", repr=False)


def list_claims(session: Session, *, query: ClaimQuery, number: int, now: datetime) -> ClaimPage:
    """Return one page of the claims of an area, the oldest first.

    Args:
        session: may be a reading one.
        query: what to list.
        number: of the page, from 1; one beyond the last is the last.
        now: aware instant, at which claims are held or not.
    """
    found = _in_area(select(CompanyClaim), query.area)
    if query.state is not None:
        found = found.where(CompanyClaim.state == query.state.value)
    if query.text:
        named = CompanyClaim.name.contains(query.text, autoescape=True)
        found = found.where(named | (CompanyClaim.uscc == query.text.upper()))
    count = session.scalar(select(func.count()).select_from(found.subquery())) or 0
    page_count = max(1, -(-count // PAGE_SIZE))
    number = min(max(number, 1), page_count)
    page = found.order_by(CompanyClaim.created_at, CompanyClaim.id)
    rows = session.scalars(page.offset((number - 1) * PAGE_SIZE).limit(PAGE_SIZE))
    return ClaimPage(
        claims=tuple(claim_card_of(session, row, now=now) for row in rows),
        number=number,
        page_count=page_count,
        count=count,
    )


def get_claim(session: Session, *, claim_id: int, area: Area, now: datetime) -> ClaimCard:
    """Return one claim of an area.

    Raises:
        ClaimNotFoundError: there is none.
    """
    return claim_card_of(session, _claim(session, claim_id, area=area), now=now)


def hold_claim(
    session: Session, *, claim_id: int, area: Area, staff_id: int, now: datetime
) -> ClaimCard:
    """Keep a claim for one reviewer for ten minutes; their own hold is renewed.

    Raises:
        ClaimNotFoundError: there is none.
        ClaimHeldError: another reviewer has it open.
        ClaimDecidedError: there is nothing to decide any more.
    """
    claim = _open_claim(session, claim_id, area=area, staff_id=staff_id, now=now)
    claim.held_by, claim.held_until = staff_id, now + CLAIM_HOLD
    session.flush()
    return claim_card_of(session, claim, now=now)


def release_claim(session: Session, *, claim_id: int, staff_id: int) -> None:
    """Give back what one holds; what is another's or nobody's stays as it is."""
    claim = session.get(CompanyClaim, claim_id, with_for_update=True)
    if claim is not None and claim.held_by == staff_id:
        claim.held_by = claim.held_until = None
        session.flush()


def decide_claim(
    session: Session,
    *,
    claim_id: int,
    area: Area,
    decision: ClaimDecision,
    staff_id: int,
    now: datetime,
) -> ClaimCard:
    """Accept a claim, which registers the company and binds its owner, or refuse it.

    Raises:
        ClaimNotFoundError: there is none.
        ClaimHeldError: another reviewer has it open.
        ClaimDecidedError: it was decided before.
        ClaimReasonError: refused without a reason, or with a very long one.
        ClaimNameError: accepted, but the licence names another person.
        CompanyRegisteredError: accepted, but the register has the company meanwhile.
    """
    claim = _open_claim(session, claim_id, area=area, staff_id=staff_id, now=now)
    reason = decision.reason.strip()
    is_refusal = decision.verdict is ClaimVerdict.REFUSE
    if len(reason) > MAX_REASON_CHARACTERS or (is_refusal and not reason):
        raise ClaimReasonError(max=MAX_REASON_CHARACTERS)
    if not is_refusal:
        if name_key(decision.name_on_licence) != name_key(claim.owner_name):
            raise ClaimNameError
        claim.company_id = _register(session, claim, now=now).id
    claim.state, claim.reason = CLAIM_STATE_AFTER[decision.verdict].value, reason
    claim.decided_at, claim.decided_by = now, f"staff:{staff_id}"
    claim.held_by = claim.held_until = None
    session.flush()
    action = f"claim_{claim.state}"
    record_claim(session, claim, action=action, actor=f"staff:{staff_id}", now=now)
    _tell(session, claim, now=now)
    return claim_card_of(session, claim, now=now)


def _register(session: Session, claim: CompanyClaim, *, now: datetime) -> CompanyCard:
    """Add the company to the register, and bind whoever claimed it; an import may change it later.

    What was typed went through the rules of an import when it was submitted.
    """
    owner = owner_key_of(name=claim.owner_name, number=claim.owner_id)
    row = Company(
        uscc=claim.uscc,
        name=claim.name,
        kind=kind_of(claim.uscc).value,
        owner_name=claim.owner_name,
        owner_name_hash=owner.name_hashes[0],
        owner_id_kind=claim.owner_id_kind,
        owner_id=claim.owner_id,
        owner_id_hash=owner.id_hashes[0],
        address=claim.address,
        street_id=claim.street_id,
        industry=claim.industry,
        state=CompanyState.ACTIVE.value,
        changed_at=now,
        first_seen_at=now,
        last_seen_at=now,
    )
    try:
        with session.begin_nested():
            session.add(row)
    except IntegrityError as error:
        raise CompanyRegisteredError from error
    company = get_company(session, company_id=row.id)
    if claim.person_id is not None:
        person = session.get_one(Person, claim.person_id)
        bind_owner(session, person, company, name=claim.owner_name, owner=owner, now=now)
    return company


def _tell(session: Session, claim: CompanyClaim, *, now: datetime) -> None:
    person = None if claim.person_id is None else session.get(Person, claim.person_id)
    if person is not None:
        queue_notice(
            session,
            now=now,
            kind=f"claim_{claim.state}",
            openid=person.openid,
            key=f"claim:{claim.id}:{claim.state}",
            values={"company": claim.name},
            link="/h5/claims",
        )


def _open_claim(
    session: Session, claim_id: int, *, area: Area, staff_id: int, now: datetime
) -> CompanyClaim:
    """Return a claim that this reviewer may decide, locked."""
    claim = _claim(session, claim_id, area=area, is_locked=True)
    if claim.state != ClaimState.WAITING.value:
        raise ClaimDecidedError(state=claim.state)
    if is_held(held_by=claim.held_by, held_until=claim.held_until, staff_id=staff_id, now=now):
        raise ClaimHeldError(by=reviewer_name(session, claim.held_by))
    return claim


def _claim(session: Session, claim_id: int, *, area: Area, is_locked: bool = False) -> CompanyClaim:
    statement = _in_area(select(CompanyClaim).where(CompanyClaim.id == claim_id), area)
    if is_locked:
        statement = statement.with_for_update().execution_options(populate_existing=True)
    claim = session.scalar(statement)
    if claim is None:
        raise ClaimNotFoundError
    return claim


def _in_area(statement: Select[CompanyClaim], area: Area) -> Select[CompanyClaim]:
    if area.kind is AreaKind.DISTRICT:
        return statement
    # A company stands in a street, not in a community: whoever has communities alone sees none.
    return statement.where(CompanyClaim.street_id == (area.street_id or 0))
