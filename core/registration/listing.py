"""Registrations as staff see them: within their area of duty, masked, each look on record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, Select, func, or_, select
from sqlalchemy.orm import Session

from core.audit.service import record
from core.bulk import table_of
from core.db import keyring
from core.errors import InvalidInputError
from core.people.names import name_key
from core.people.staff.rules import Area
from core.places.model import Community, Street
from core.registration.answers import Answers, read_answers
from core.registration.cards import RegistrationCard, card_of
from core.registration.model import NAME_COLUMN, Registration
from core.registration.rules import Group, Home, RegistrationState
from core.registration.service import RegistrationNotFoundError
from core.registry.model import Company
from core.workplaces.model import Workplace
from core.workplaces.service import answering_id

PAGE_SIZE: Final = 25


class HomeOutsideAreaError(InvalidInputError):
    """An officer enters somebody who neither lives nor works in their area."""

    code = "home_outside_area"


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffQuery:
    """What registrations to list.

    Attributes:
        area: of duty; nothing outside it is listed.
        state: None: any.
        group: None: any.
        street_id: of the workplace; None: any.
        workplace_id: None: any.
        text: number of a registration, or part of a workplace's name or of the code of its
            company; empty: any.
        name: of the person, in full, as `name_of` returns it; empty: any.
    """

    area: Area
    state: RegistrationState | None = None
    group: Group | None = None
    street_id: int | None = None
    workplace_id: int | None = None
    text: str = ""
    name: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffRow:
    """A registration in a list of staff.

    Attributes:
        street: where the workplace stands.
        community: where the person lives; empty if that is not in the district's register.
    """

    card: RegistrationCard
    street: str
    community: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffPage:
    """One page of registrations.

    Attributes:
        rows: of this page.
        number: of this page, from 1; never behind the last.
        page_count: at least 1.
        total: rows of all pages.
    """

    rows: list[StaffRow]
    number: int
    page_count: int
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffView:
    """One registration as staff see it.

    Attributes:
        answers: what the person reported; None after the end.
        document_kind: value of a `DocumentKind`.
        entered_by: who entered it, as `person:7` or `staff:3`.
    """

    row: StaffRow
    answers: Answers | None = field(repr=False)
    document_kind: str
    entered_by: str


def list_registrations(
    session: Session,
    *,
    query: StaffQuery,
    actor: str,
    now: datetime,
    number: int = 1,
    page_size: int = PAGE_SIZE,
) -> StaffPage:
    """Return one page of the registrations that a query asks for, the newest first.

    People were promised that every look is on record: so is this one, with how many it found and
    without what was searched for.

    Args:
        session: the session of the request.
        query: what to list.
        actor: who looks, as `staff:3`.
        now: aware instant.
        number: of the page, from 1; a number behind the last page gives the last one.
        page_size: rows at most.
    """
    total = count_rows(session, query=query)
    page_count = max(-(-total // page_size), 1)
    number = min(max(number, 1), page_count)
    found = session.execute(
        _rows(query)
        .order_by(Registration.id.desc())
        .offset((number - 1) * page_size)
        .limit(page_size)
    )
    rows = [_row_of(row) for row in found]
    record(
        session,
        now=now,
        actor=actor,
        action="registrations_listed",
        subject="registrations:0",
        shown_count=len(rows),
        total=total,
        page=number,
        is_by_name=bool(query.name),
    )
    return StaffPage(rows=rows, number=number, page_count=page_count, total=total)


def count_rows(session: Session, *, query: StaffQuery) -> int:
    """Return how many registrations a query asks for."""
    return session.scalar(_rows(query).with_only_columns(func.count(Registration.id))) or 0


def look_at_registration(
    session: Session, *, registration_id: int, area: Area, actor: str, now: datetime
) -> StaffView:
    """Return one registration of an area of duty, and record that somebody looked.

    Raises:
        RegistrationNotFoundError: there is none, or it is outside the area.
    """
    query = StaffQuery(area=area)
    found = session.execute(_rows(query).where(Registration.id == registration_id)).one_or_none()
    if found is None:
        raise RegistrationNotFoundError
    registration: Registration = found[0]
    record(
        session,
        now=now,
        actor=actor,
        action="registration_seen",
        subject=f"registration:{registration.id}",
        workplace_id=registration.workplace_id,
    )
    return StaffView(
        row=_row_of(found),
        answers=read_answers(registration.answers),
        document_kind=registration.document_kind,
        entered_by=registration.entered_by,
    )


def check_entry_area(session: Session, *, area: Area, street_id: int, home: Home) -> None:
    """Check that an officer enters somebody of their own area: by home, or by workplace.

    Args:
        session: may be a reading one.
        area: of duty.
        street_id: of the workplace.
        home: of the person.

    Raises:
        HomeOutsideAreaError: neither.
    """
    if area.community_ids is None and area.street_id in {None, street_id}:
        return
    community = None if home.community_id is None else session.get(Community, home.community_id)
    if community is None or not area.covers(
        community_id=community.id, street_id=community.street_id
    ):
        raise HomeOutsideAreaError


def conditions_of(query: StaffQuery) -> Sequence[ColumnElement[bool]]:
    """Return what a registration must be to be listed; joined with `Workplace` and `Community`."""
    found = [*_in_area(query.area)]
    if query.state is not None:
        found.append(Registration.state == query.state.value)
    if query.group is not None:
        found.append(Registration.flag_group == query.group.value)
    if query.street_id is not None:
        found.append(Workplace.street_id == query.street_id)
    if query.workplace_id is not None:
        found.append(Registration.workplace_id == query.workplace_id)
    if query.text:
        found.append(
            or_(
                Registration.number == query.text.upper(),
                Workplace.name.contains(query.text, autoescape=True),
                answering_id().in_(_companies_coded(query.text)),
            )
        )
    if query.name:
        # Names are encrypted: found in full or not at all.
        hashes = keyring().lookup_hashes(name_key(query.name), column=NAME_COLUMN)
        found.append(Registration.name_hash.in_(hashes))
    return found


def _in_area(area: Area) -> list[ColumnElement[bool]]:
    if area.community_ids is not None:
        return [Registration.community_id.in_(sorted(area.community_ids))]
    if area.street_id is None:
        return []
    return [or_(Workplace.street_id == area.street_id, Community.street_id == area.street_id)]


def _companies_coded(text: str) -> Select[int]:
    """Return the companies that have a text in their code."""
    return select(table_of(Company).c.id).where(
        Company.uscc.contains(text.upper(), autoescape=True)
    )


def _rows(query: StaffQuery) -> Select[*tuple[Any, ...]]:
    statement: Select[*tuple[Any, ...]] = (
        select(
            Registration,
            Workplace.name.label("workplace"),
            Street.name.label("street"),
            Community.name.label("community"),
        )
        .join(Workplace, Workplace.id == Registration.workplace_id)
        .join(Street, Street.id == Workplace.street_id)
        .outerjoin(Community, Community.id == Registration.community_id)
        .where(*conditions_of(query))
    )
    return statement


def _row_of(row: Row[*tuple[Any, ...]]) -> StaffRow:
    return StaffRow(
        card=card_of(row[0], workplace_name=row.workplace),
        street=row.street,
        community=row.community or "",
    )
