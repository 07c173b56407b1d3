"""Opening cases: with the report that comes up in a screening, and after the list changed.

Whoever waits at a shop or a site because of a key area has an open case; whatever opens one, it
is in the transaction of what it follows from.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Final, TypeAlias

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from core.cases.deciding import let_in
from core.cases.model import Case
from core.cases.rules import (
    CASED_FACES,
    DEADLINE,
    CaseState,
    Cause,
    Finding,
    StepKind,
    has_new_areas,
)
from core.cases.steps import SCREENING, note_step
from core.keyareas.screening import find_hits
from core.registration.answers import read_stay
from core.registration.model import Registration
from core.registration.rules import Flag, RegistrationState, stay_window_of
from core.workplaces.model import Workplace
from core.workplaces.rules import Face

# Ids in one statement; both databases bound how many values one may have.
_CHUNK: Final = 5000
_Cased: TypeAlias = Row[int, int, datetime]
_FACES: Final = tuple(face.value for face in sorted(CASED_FACES))


def open_cases(
    session: Session,
    *,
    areas_by_id: Mapping[int, Sequence[str]],
    cause: Cause = Cause.KEY_AREA,
    screened_at: datetime,
    now: datetime,
) -> list[int]:
    """Open the cases of registrations that came up in a screening; twice is once.

    A registration has one case for each cause. What was closed is opened again if other areas
    matched than it was closed with, if the list had cleared it, or if the person reported anew
    since. People of companies have none: their owner decides before they come.

    Args:
        session: in which the registrations are held.
        areas_by_id: codes of the areas by registration.
        cause: why.
        screened_at: aware instant as of which the list was read.
        now: aware instant.

    Returns:
        The cases that were opened, or opened again.
    """
    opened: list[int] = []
    ids = sorted(areas_by_id)
    for start in range(0, len(ids), _CHUNK):
        batch = ids[start : start + _CHUNK]
        known = _list_cases(session, batch, cause)
        for stored in _list_cased(session, batch):
            areas = list(areas_by_id[stored.id])
            case = known.get(stored.id)
            if case is None:
                case = _new_case(stored, cause, areas, screened_at=screened_at, now=now)
                session.add(case)
                session.flush()
                note_step(session, case, StepKind.OPENED, actor=SCREENING, now=now)
                opened.append(case.id)
            elif _update(session, case, stored, areas, screened_at=screened_at, now=now):
                opened.append(case.id)
    session.flush()
    return opened


def follow_report(
    session: Session, *, stored: Registration, face: Face, actor: str, now: datetime
) -> None:
    """Open the case of what was just reported, or hold what was corrected until it is closed.

    Nobody lets themselves in by correcting away what a case is open for.

    Args:
        session: the session of the report.
        stored: as it stands by now, held; need not be of the session if it is new.
        face: of its workplace.
        actor: who sent it.
        now: aware instant.
    """
    if face not in CASED_FACES:
        return
    opened: list[int] = []
    if Flag.KEY_AREA.value in stored.flags:
        areas_by_id = {stored.id: _codes_of(session, stored)}
        opened = open_cases(session, areas_by_id=areas_by_id, screened_at=now, now=now)
    if stored.version == 1:
        return
    standing = session.scalars(
        select(Case)
        .where(Case.registration_id == stored.id, Case.state != CaseState.CLOSED.value)
        .order_by(Case.id)
        .with_for_update()
    ).all()
    for case in standing:
        if case.id not in opened:
            case.version += 1
            note_step(session, case, StepKind.CORRECTED, actor=actor, now=now)
    if standing and stored.state == RegistrationState.APPROVED.value:
        stored.state, stored.decided_at = RegistrationState.SUBMITTED.value, None
    session.flush()


def follow_rescreening(
    session: Session,
    *,
    flagged: Mapping[int, Sequence[str]],
    cleared: Collection[int],
    now: datetime,
) -> list[int]:
    """Open the cases of whom a changed list concerns, close those whom it clears.

    Args:
        session: the session of the import, in which the registrations are held.
        flagged: codes of the areas by registration, of who is flagged by now.
        cleared: registrations that are flagged no more.
        now: aware instant of the import.

    Returns:
        The cases that were opened, or opened again.
    """
    opened = open_cases(session, areas_by_id=flagged, screened_at=now, now=now)
    ids = sorted(cleared)
    for start in range(0, len(ids), _CHUNK):
        _clear(session, ids[start : start + _CHUNK], now=now)
    session.flush()
    return opened


def list_waiting_for_case(session: Session, *, registration_ids: Collection[int]) -> set[int]:
    """Return which registrations have a case that is not closed: nobody else lets them in."""
    rows = session.scalars(
        select(Case.registration_id).where(
            Case.registration_id.in_(registration_ids), Case.state != CaseState.CLOSED.value
        )
    )
    return set(rows)


def _list_cases(session: Session, ids: Sequence[int], cause: Cause) -> dict[int, Case]:
    rows = session.scalars(
        select(Case)
        .where(Case.registration_id.in_(ids), Case.cause == cause.value)
        .order_by(Case.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return {case.registration_id: case for case in rows}


def _list_cased(session: Session, ids: Sequence[int]) -> Sequence[_Cased]:
    """Return those of some registrations that have cases; nothing of them is decrypted."""
    return session.execute(
        select(Registration.id, Registration.workplace_id, Registration.changed_at)
        .join(Workplace, Workplace.id == Registration.workplace_id)
        .where(Registration.id.in_(ids), Workplace.face.in_(_FACES))
        .order_by(Registration.id)
    ).all()


def _new_case(
    stored: _Cased,
    cause: Cause,
    areas: list[str],
    *,
    screened_at: datetime,
    now: datetime,
) -> Case:
    return Case(
        registration_id=stored.id,
        workplace_id=stored.workplace_id,
        cause=cause.value,
        areas=areas,
        screened_at=screened_at,
        state=CaseState.OPEN.value,
        version=1,
        opened_count=1,
        opened_at=now,
        deadline_at=now + DEADLINE,
    )


def _update(
    session: Session,
    case: Case,
    stored: _Cased,
    areas: list[str],
    *,
    screened_at: datetime,
    now: datetime,
) -> bool:
    """Let a case name the areas of now; return whether it was opened again."""
    if screened_at <= case.screened_at:
        return False
    is_other = set(areas) != set(case.areas)
    is_anew = not case.is_standing and (
        case.finding == Finding.CLEARED.value
        or has_new_areas(areas, known=case.areas)
        or (case.closed_at is not None and stored.changed_at > case.closed_at)
    )
    case.screened_at, case.areas = screened_at, areas
    if is_anew:
        case.reopen(now=now)
        note_step(session, case, StepKind.REOPENED, actor=SCREENING, now=now)
    elif is_other and case.is_standing:
        case.version += 1
        note_step(session, case, StepKind.AREAS, actor=SCREENING, now=now)
    return is_anew


def _clear(session: Session, ids: Sequence[int], *, now: datetime) -> None:
    rows = session.execute(
        select(Case, Registration)
        .join(Registration, Registration.id == Case.registration_id)
        .where(
            Case.registration_id.in_(ids),
            Case.cause == Cause.KEY_AREA.value,
            Case.state != CaseState.CLOSED.value,
        )
        .order_by(Case.id)
        .with_for_update(of=Case)
    ).all()
    for case, stored in rows:
        case.close(Finding.CLEARED, actor=SCREENING, now=now)
        note_step(session, case, StepKind.CLOSED, actor=SCREENING, now=now)
        let_in(session, case, stored, actor=SCREENING, now=now)


def _codes_of(session: Session, stored: Registration) -> list[str]:
    """Return the codes of the key areas in which somebody was, by place and code."""
    stay = read_stay(stored.answers)
    if stay is None:
        return []
    since, until = stay_window_of(stay.returned_on, day=stay.answered_on)
    hits = find_hits(session, places=stay.places, since=since, until=until)
    return list(dict.fromkeys(hit.code for hit in hits))
