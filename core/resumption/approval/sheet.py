"""The sheet of those who decide: everybody who registered, the exceptions told from the rest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, String, cast, func, or_, select
from sqlalchemy.orm import Session, defer

from core.audit.service import record
from core.db import keyring
from core.errors import NotFoundError
from core.mandates.rules import Act, MandateKind, check_may, may
from core.mandates.service import MandateCard, list_mandates
from core.people.names import name_key
from core.registration.cards import (
    OwnRegistration,
    RegistrationCard,
    card_of,
    own_of,
)
from core.registration.model import NAME_COLUMN, Registration
from core.registration.rules import Flag, Group, RegistrationState
from core.registration.service import RegistrationEndedError

PAGE_SIZE: Final = 50


class SheetRowNotFoundError(NotFoundError):
    """The sheet has no such row: another company's, or another department's."""

    code = "sheet_row_not_found"


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetQuery:
    """What rows of a sheet to list.

    Attributes:
        group: None: any.
        state: None: any.
        flag: None: any.
        department: None: any; empty: of those who named none.
        text: a whole name in any spelling, or a registration's number; empty: any. Names are
            encrypted, so a part of one finds nothing.
    """

    group: Group | None = None
    state: RegistrationState | None = RegistrationState.SUBMITTED
    flag: Flag | None = None
    department: str | None = None
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetPage:
    """One page of a sheet.

    Attributes:
        rows: of this page, the longest there first.
        number: of this page, from 1; never behind the last.
        page_count: at least 1.
        total: rows of all pages.
    """

    rows: list[RegistrationCard]
    number: int
    page_count: int
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetSummary:
    """What a sheet holds as a whole.

    Attributes:
        counts: by state and group; what is not there counts 0.
        departments: that somebody named, in order.
    """

    counts: Mapping[tuple[RegistrationState, Group], int]
    departments: tuple[str, ...]

    def count(self, state: RegistrationState, group: Group | None = None) -> int:
        """Return how many rows are in a state, and in a group if one is named."""
        groups = Group if group is None else (group,)
        return sum(self.counts.get((state, one), 0) for one in groups)


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingCount:
    """How many people wait for a decision in one company, or in a manager's part of it.

    Attributes:
        department: a manager's; empty: the whole company.
        may_decide: whether the person decides; a filler only sees.
        counts: by group, every group named.
    """

    company_id: int
    company_name: str
    department: str
    may_decide: bool
    counts: Mapping[Group, int]

    @property
    def total(self) -> int:
        """How many there are in all groups."""
        return sum(self.counts.values())


def list_sheet(
    session: Session,
    *,
    mandate: MandateCard,
    query: SheetQuery,
    number: int = 1,
    page_size: int = PAGE_SIZE,
) -> SheetPage:
    """Return one page of the rows that a query asks for, in the order in which they came.

    Args:
        session: may be a reading one.
        mandate: whose sheet; a manager sees their department alone.
        query: what to list.
        number: of the page, from 1; a number behind the last page gives the last one.
        page_size: rows at most.

    Raises:
        ActForbiddenError: the mandate does not show the sheet.
    """
    check_may(mandate, Act.SEE_SHEET)
    conditions = sheet_conditions(mandate, query)
    total = session.scalar(select(func.count()).where(*conditions)) or 0
    page_count = max(-(-total // page_size), 1)
    number = min(max(number, 1), page_count)
    rows = session.scalars(
        select(Registration)
        # What people reported is read when somebody opens their row.
        .options(defer(Registration.answers))
        .where(*conditions)
        .order_by(Registration.id)
        .offset((number - 1) * page_size)
        .limit(page_size)
    )
    cards = [card_of(row, workplace_name=mandate.company.name) for row in rows]
    return SheetPage(rows=cards, number=number, page_count=page_count, total=total)


def get_sheet_summary(session: Session, *, mandate: MandateCard) -> SheetSummary:
    """Return the counts of a sheet, and the departments in it.

    Raises:
        ActForbiddenError: the mandate does not show the sheet.
    """
    check_may(mandate, Act.SEE_SHEET)
    columns = (Registration.state, Registration.flag_group, Registration.department)
    rows = session.execute(
        select(*columns, func.count()).where(*_scope(mandate)).group_by(*columns)
    )
    counts: dict[tuple[RegistrationState, Group], int] = {}
    departments = set[str]()
    for state, group, department, count in rows:
        key = (RegistrationState(state), Group(group))
        counts[key] = counts.get(key, 0) + count
        departments.add(department)
    return SheetSummary(counts=counts, departments=tuple(sorted(departments - {""})))


def count_sheet(session: Session, *, openid: str) -> list[WaitingCount]:
    """Return how many people wait in each company for which a person acts, by name.

    Args:
        session: may be a reading one.
        openid: who asks; what they may not see is not counted.
    """
    mandates = [one for one in list_mandates(session, openid=openid) if may(one, Act.SEE_SHEET)]
    columns = (Registration.workplace_id, Registration.department, Registration.flag_group)
    rows = session.execute(
        select(*columns, func.count())
        .where(
            Registration.workplace_id.in_([one.company.id for one in mandates]),
            Registration.state == RegistrationState.SUBMITTED.value,
        )
        .group_by(*columns)
    ).all()
    found = []
    for mandate in mandates:
        counts = dict.fromkeys(Group, 0)
        for company_id, department, group, count in rows:
            if company_id == mandate.company.id and _is_in_slice(mandate, department):
                counts[Group(group)] += count
        found.append(
            WaitingCount(
                company_id=mandate.company.id,
                company_name=mandate.company.name,
                department=mandate.department,
                may_decide=may(mandate, Act.DECIDE),
                counts=counts,
            )
        )
    return found


def get_sheet_row(
    session: Session, *, mandate: MandateCard, registration_id: int
) -> RegistrationCard:
    """Return one row of a sheet, masked.

    Raises:
        SheetRowNotFoundError: the sheet of this mandate has none with this id.
        ActForbiddenError: the mandate does not show the sheet.
    """
    row = _get(session, mandate=mandate, registration_id=registration_id)
    return card_of(row, workplace_name=mandate.company.name)


def read_registration(
    session: Session, *, mandate: MandateCard, registration_id: int, now: datetime
) -> OwnRegistration:
    """Return all that somebody reported, for whoever decides about it; the look is recorded.

    Args:
        session: the session of the request.
        mandate: of who looks.
        registration_id: a row of their sheet.
        now: aware instant.

    Raises:
        SheetRowNotFoundError: the sheet of this mandate has none with this id.
        RegistrationEndedError: the person ended it: there is nothing to decide any more.
        ActForbiddenError: the mandate does not decide.
        CompanyNotInBusinessError: nobody decides for this company any more.
    """
    check_may(mandate, Act.DECIDE)
    row = _get(session, mandate=mandate, registration_id=registration_id)
    if row.state == RegistrationState.ENDED.value:
        raise RegistrationEndedError
    record(
        session,
        now=now,
        actor=f"person:{mandate.person_id}",
        action="registration_read",
        subject=f"registration:{row.id}",
        company_id=row.workplace_id,
    )
    return own_of(row, workplace_name=mandate.company.name)


def sheet_conditions(mandate: MandateCard, query: SheetQuery) -> list[ColumnElement[bool]]:
    """Return the conditions of the rows that a query asks for, within what a mandate covers."""
    conditions = [*_scope(mandate)]
    if query.group is not None:
        conditions.append(Registration.flag_group == query.group.value)
    if query.state is not None:
        conditions.append(Registration.state == query.state.value)
    if query.flag is not None:
        # The quotes are part of the stored list, so that no flag is found within another.
        conditions.append(cast(Registration.flags, String).like(f'%"{query.flag.value}"%'))
    if query.department is not None:
        conditions.append(Registration.department == query.department)
    if query.text:
        hashes = keyring().lookup_hashes(name_key(query.text), column=NAME_COLUMN)
        number = query.text.strip().upper()
        conditions.append(or_(Registration.name_hash.in_(hashes), Registration.number == number))
    return conditions


def _scope(mandate: MandateCard) -> list[ColumnElement[bool]]:
    conditions = [Registration.workplace_id == mandate.company.id]
    if mandate.kind is MandateKind.MANAGER:
        conditions.append(Registration.department == mandate.department)
    return conditions


def _is_in_slice(mandate: MandateCard, department: str) -> bool:
    return mandate.kind is not MandateKind.MANAGER or mandate.department == department


def _get(session: Session, *, mandate: MandateCard, registration_id: int) -> Registration:
    check_may(mandate, Act.SEE_SHEET)
    row = session.scalar(
        select(Registration).where(Registration.id == registration_id, *_scope(mandate))
    )
    if row is None:
        raise SheetRowNotFoundError
    return row
