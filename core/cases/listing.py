"""Cases as staff see them: the queue, the most urgent first, and one with all that was done."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, Select, and_, case, func, or_, select
from sqlalchemy.orm import Session

from core.audit.service import record
from core.cases.model import Case, CaseEvidence, CaseStep
from core.cases.rules import CaseState, Cause, Finding, StepKind, is_overdue
from core.cases.service import CaseNotFoundError, CaseScope
from core.keyareas.model import KeyArea
from core.people.staff.model import StaffAccount
from core.places.model import Street
from core.registration.answers import Answers, read_answers
from core.registration.cards import RegistrationCard, card_of
from core.registration.model import Registration
from core.workplaces.model import Workplace
from core.workplaces.rules import Face

PAGE_SIZE: Final = 25
_CLOSED: Final = CaseState.CLOSED.value
_STAFF: Final = "staff:"


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseQuery:
    """What cases to list.

    Attributes:
        scope: nothing outside of it is listed.
        states: any of these.
        is_overdue: only those whose deadline is over.
        street_id: of the workplace; None: any.
        workplace_id: None: any.
        text: number of a registration, or part of a workplace's name; empty: any.
    """

    scope: CaseScope
    states: frozenset[CaseState]
    is_overdue: bool = False
    street_id: int | None = None
    workplace_id: int | None = None
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseCard:
    """A case in a list.

    Attributes:
        version: counts every step.
        areas: names of the key areas, in the order in which they were found.
        is_overdue: it should have been closed by now.
        street: where the workplace stands.
        registration: of whom it is about, masked.
    """

    id: int
    state: CaseState
    cause: Cause
    version: int
    opened_count: int
    areas: tuple[str, ...]
    opened_at: datetime
    deadline_at: datetime
    is_overdue: bool
    contacted_at: datetime | None
    escalated_at: datetime | None
    closed_at: datetime | None
    finding: Finding | None
    workplace_id: int
    workplace_name: str
    face: Face
    street: str
    registration: RegistrationCard


@dataclass(frozen=True, slots=True, kw_only=True)
class CasePage:
    """One page of cases; `number` is never behind the last, `page_count` at least 1."""

    rows: list[CaseCard]
    number: int
    page_count: int
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseCounts:
    """How many cases stand, and of these, how many are late; and how many are closed."""

    open_count: int
    contacted_count: int
    overdue_count: int
    closed_count: int

    @property
    def standing_count(self) -> int:
        """Those that somebody has to look after."""
        return self.open_count + self.contacted_count


@dataclass(frozen=True, slots=True, kw_only=True)
class StepCard:
    """One step of a case.

    Attributes:
        by: name of who took it; empty: nobody of the staff did.
        note: what was found; empty: nothing was noted.
    """

    kind: StepKind
    at: datetime
    by: str
    note: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateCard:
    """A certificate that was added; `file_id` is None without a picture of it."""

    id: int
    number: str = field(repr=False)
    issuer: str
    isolated_from: date
    isolated_until: date
    issued_on: date
    file_id: int | None
    added_by: str
    added_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseView:
    """One case as somebody who looks after it sees it.

    Attributes:
        address: of the workplace.
        document_kind: value of a `DocumentKind`.
        answers: what the person reported; None after the end of their registration.
        steps: the newest first.
        certificates: in the order in which they were added.
    """

    card: CaseCard
    address: str
    document_kind: str
    answers: Answers | None = field(repr=False)
    steps: list[StepCard]
    certificates: list[CertificateCard]


def list_cases(
    session: Session,
    *,
    query: CaseQuery,
    now: datetime,
    number: int = 1,
    page_size: int = PAGE_SIZE,
) -> CasePage:
    """Return one page of cases: who stands by deadline, then who is closed, the newest first.

    Args:
        session: may be a reading one.
        query: what to list.
        now: aware instant.
        number: of the page, from 1; a number behind the last page gives the last one.
        page_size: rows at most.
    """
    statement = _rows().where(*conditions_of(query, now=now))
    total = session.scalar(statement.with_only_columns(func.count(Case.id))) or 0
    page_count = max(-(-total // page_size), 1)
    number = min(max(number, 1), page_count)
    is_closed = Case.state == _CLOSED
    found = session.execute(
        statement.order_by(
            case((is_closed, 1), else_=0),
            case((is_closed, None), else_=Case.deadline_at),
            Case.closed_at.desc(),
            Case.id,
        )
        .offset((number - 1) * page_size)
        .limit(page_size)
    ).all()
    names = _names_of_areas(session, [row[0] for row in found])
    rows = [_card_of(row, names, now=now) for row in found]
    return CasePage(rows=rows, number=number, page_count=page_count, total=total)


def count_cases(session: Session, *, scope: CaseScope, now: datetime) -> CaseCounts:
    """Return how many cases somebody looks after, by how they stand."""
    is_late = and_(Case.state != _CLOSED, Case.deadline_at <= now)
    row = session.execute(
        select(
            *(_count_if(Case.state == state.value) for state in CaseState),
            _count_if(is_late),
        )
        .select_from(Case)
        .join(Workplace, Workplace.id == Case.workplace_id)
        .where(*scope.conditions())
    ).one()
    return CaseCounts(
        open_count=row[0], contacted_count=row[1], closed_count=row[2], overdue_count=row[3]
    )


def list_case_streets(session: Session, *, scope: CaseScope) -> list[tuple[int, str]]:
    """Return id and name of the streets in which somebody looks after cases, by name."""
    rows = session.execute(
        select(Street.id, Street.name)
        .join(Workplace, Workplace.street_id == Street.id)
        .join(Case, Case.workplace_id == Workplace.id)
        .where(*scope.conditions())
        .distinct()
        .order_by(Street.name, Street.id)
    )
    return [(row.id, row.name) for row in rows]


def look_at_case(
    session: Session, *, case_id: int, scope: CaseScope, actor: str, now: datetime
) -> CaseView:
    """Return one case with all that was done, and record that somebody looked.

    Raises:
        CaseNotFoundError: there is none, or it is none of theirs.
    """
    row = session.execute(_rows().where(Case.id == case_id, *scope.conditions())).one_or_none()
    if row is None:
        raise CaseNotFoundError
    found, stored = row[0], row[1]
    record(
        session,
        now=now,
        actor=actor,
        action="case_seen",
        subject=f"case:{found.id}",
        workplace_id=found.workplace_id,
    )
    steps = session.scalars(
        select(CaseStep).where(CaseStep.case_id == case_id).order_by(CaseStep.id.desc())
    ).all()
    evidence = session.scalars(
        select(CaseEvidence).where(CaseEvidence.case_id == case_id).order_by(CaseEvidence.id)
    ).all()
    by = _names_of_staff(session, [*(one.actor for one in steps), *(e.added_by for e in evidence)])
    return CaseView(
        card=_card_of(row, _names_of_areas(session, [found]), now=now),
        address=row.address,
        document_kind=stored.document_kind,
        answers=read_answers(stored.answers),
        steps=[_step_of(step, by) for step in steps],
        certificates=[_certificate_of(one, by) for one in evidence],
    )


def conditions_of(query: CaseQuery, *, now: datetime) -> list[ColumnElement[bool]]:
    """Return what a case must be to be listed; joined with `Workplace` and `Registration`."""
    found = [
        *query.scope.conditions(),
        Case.state.in_(sorted(state.value for state in query.states)),
    ]
    if query.is_overdue:
        found += [Case.state != _CLOSED, Case.deadline_at <= now]
    if query.street_id is not None:
        found.append(Workplace.street_id == query.street_id)
    if query.workplace_id is not None:
        found.append(Case.workplace_id == query.workplace_id)
    if query.text:
        found.append(
            or_(
                Registration.number == query.text.upper(),
                Workplace.name.contains(query.text, autoescape=True),
            )
        )
    return found


# ---- what these share ----------------------------------------------------------------------------


def _rows() -> Select[*tuple[Any, ...]]:
    statement: Select[*tuple[Any, ...]] = (
        select(
            Case,
            Registration,
            Workplace.name.label("workplace"),
            Workplace.face,
            Workplace.address,
            Street.name.label("street"),
        )
        .join(Registration, Registration.id == Case.registration_id)
        .join(Workplace, Workplace.id == Case.workplace_id)
        .join(Street, Street.id == Workplace.street_id)
    )
    return statement


def _count_if(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.coalesce(func.sum(case((condition, 1), else_=0)), 0)


def _card_of(row: Row[*tuple[Any, ...]], names: Mapping[str, str], *, now: datetime) -> CaseCard:
    one: Case = row[0]
    state = CaseState(one.state)
    return CaseCard(
        id=one.id,
        state=state,
        cause=Cause(one.cause),
        version=one.version,
        opened_count=one.opened_count,
        areas=tuple(names.get(code, code) for code in one.areas),
        opened_at=one.opened_at,
        deadline_at=one.deadline_at,
        is_overdue=is_overdue(state, one.deadline_at, now=now),
        contacted_at=one.contacted_at,
        escalated_at=one.escalated_at,
        closed_at=one.closed_at,
        finding=Finding(one.finding) if one.finding else None,
        workplace_id=one.workplace_id,
        workplace_name=row.workplace,
        face=Face(row.face),
        street=row.street,
        registration=card_of(row[1], workplace_name=row.workplace),
    )


def _names_of_areas(session: Session, cases: Iterable[Case]) -> dict[str, str]:
    """Return what the areas of cases are called by their newest row of the list, by code."""
    codes = {code for one in cases for code in one.areas}
    if not codes:
        return {}
    rows = session.execute(
        select(KeyArea.code, KeyArea.name)
        .where(KeyArea.code.in_(sorted(codes)))
        .order_by(KeyArea.since, KeyArea.id)
    )
    return dict(rows.all())


def _names_of_staff(session: Session, actors: Collection[str]) -> dict[str, str]:
    """Return the displayed names of those of the staff, by how they are on record."""
    ids = {int(one.removeprefix(_STAFF)) for one in actors if one.startswith(_STAFF)}
    rows: Sequence[Any] = ()
    if ids:
        rows = session.execute(
            select(StaffAccount.id, StaffAccount.display_name).where(
                StaffAccount.id.in_(sorted(ids))
            )
        ).all()
    return {f"{_STAFF}{staff_id}": name for staff_id, name in rows}


def _step_of(step: CaseStep, by: Mapping[str, str]) -> StepCard:
    return StepCard(
        kind=StepKind(step.kind), at=step.at, by=by.get(step.actor, ""), note=step.note or ""
    )


def _certificate_of(row: CaseEvidence, by: Mapping[str, str]) -> CertificateCard:
    return CertificateCard(
        id=row.id,
        number=row.number,
        issuer=row.issuer,
        isolated_from=row.isolated_from,
        isolated_until=row.isolated_until,
        issued_on=row.issued_on,
        file_id=row.file_id,
        added_by=by.get(row.added_by, ""),
        added_at=row.added_at,
    )
