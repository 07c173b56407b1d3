"""Telling the staff of cases: who looks after a new one at once, the street once it is late."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime
from typing import Final, TypeAlias

from sqlalchemy import ColumnElement, Row, select
from sqlalchemy.orm import Session

from core.cases.model import Case
from core.cases.rules import CaseState, StepKind
from core.cases.steps import note_step
from core.clock import local
from core.notices.rules import Value
from core.notices.staff import queue_for_staff
from core.people.staff.rules import Role
from core.places.model import Street
from core.workplaces.model import Workplace
from core.workplaces.rules import Face

CASE_OPENED: Final = "case_opened"
CASE_OVERDUE: Final = "case_overdue"
QUEUE: Final = "/console/cases"
# One call takes as many, so that it stays short; the next one goes on.
LIMIT: Final = 500
_ACTOR: Final = "system:worker"

_Due: TypeAlias = Row[Case, str, str, int, str]
# Returns the accounts that watch some sites, by site.
Supervisors: TypeAlias = Callable[[Session, Collection[int]], Mapping[int, int]]


def tell_cases(session: Session, *, supervisors: Supervisors, now: datetime) -> int:
    """Tell of new cases and of those that are late; return how many notices were queued.

    Called once a minute, by several workers as they like: each case is told of once for each time
    that it is opened, and once that it is late. People come together, so those of one workplace
    are counted in one notice; nobody is named.

    Args:
        session: a session whose transaction holds nothing but this.
        supervisors: who watches which sites, which this package does not know.
        now: aware instant.
    """
    return _tell_opened(session, supervisors=supervisors, now=now) + _escalate(session, now=now)


def _tell_opened(session: Session, *, supervisors: Supervisors, now: datetime) -> int:
    rows = _list_due(session, Case.state == CaseState.OPEN.value, Case.told_at.is_(None))
    watched = {row[0].workplace_id for row in rows if row.face == Face.SITE.value}
    watching = supervisors(session, sorted(watched)) if watched else {}
    told = 0
    for workplace_id, of_place in _grouped(rows, key=lambda row: row[0].workplace_id).items():
        cases = [row[0] for row in of_place]
        for case in cases:
            case.told_at = now
        told += _queue_opened(
            session, of_place[0], cases, supervisor_id=watching.get(workplace_id), now=now
        )
    session.flush()
    return told


def _queue_opened(
    session: Session,
    place: _Due,
    cases: list[Case],
    *,
    supervisor_id: int | None,
    now: datetime,
) -> int:
    """Tell who watches a site; of a shop, and where that one cannot hear, the street's officers."""
    case = cases[0]
    values: dict[str, Value] = {
        "workplace": place.workplace,
        "face": place.face,
        "count": len(cases),
        "deadline": f"{local(min(one.deadline_at for one in cases)):%Y-%m-%d %H:%M}",
    }
    key = f"{CASE_OPENED}:{case.id}:{case.opened_count}"
    link = f"{QUEUE}/{case.id}" if len(cases) == 1 else f"{QUEUE}?place={case.workplace_id}"
    told = 0
    if supervisor_id is not None:
        told = queue_for_staff(
            session,
            kind=CASE_OPENED,
            roles=(Role.SITE_SUPERVISOR,),
            key=key,
            values=values,
            link=link,
            now=now,
            street_id=place.street_id,
            staff_ids=(supervisor_id,),
        )
    if told:
        return told
    return queue_for_staff(
        session,
        kind=CASE_OPENED,
        roles=(Role.STREET_OFFICER,),
        key=key,
        values=values,
        link=link,
        now=now,
        street_id=place.street_id,
    )


def _escalate(session: Session, *, now: datetime) -> int:
    """Tell the officers of each street which cases are late, once."""
    rows = _list_due(
        session,
        Case.state != CaseState.CLOSED.value,
        Case.deadline_at <= now,
        Case.escalated_at.is_(None),
    )
    told = 0
    for street_id, of_street in _grouped(rows, key=lambda row: row.street_id).items():
        cases = [row[0] for row in of_street]
        for case in cases:
            # Nobody who has the case before them decides unawares of a clock that they see.
            case.escalated_at = now
            note_step(session, case, StepKind.ESCALATED, actor=_ACTOR, now=now)
        places = {row[0].workplace_id for row in of_street}
        only = len(cases) == 1
        told += queue_for_staff(
            session,
            kind=CASE_OVERDUE,
            roles=(Role.STREET_OFFICER,),
            key=f"{CASE_OVERDUE}:{cases[0].id}:{cases[0].opened_count}",
            values={
                "street": of_street[0].street,
                "workplace": of_street[0].workplace if len(places) == 1 else "",
                "count": len(cases),
            },
            link=f"{QUEUE}/{cases[0].id}" if only else f"{QUEUE}?late=1&street={street_id}",
            now=now,
            street_id=street_id,
        )
    session.flush()
    return told


def _list_due(session: Session, *conditions: ColumnElement[bool]) -> list[_Due]:
    """Return cases that no other worker is telling of, by age, with where they are."""
    rows = session.execute(
        select(
            Case,
            Workplace.name.label("workplace"),
            Workplace.face,
            Workplace.street_id,
            Street.name.label("street"),
        )
        .join(Workplace, Workplace.id == Case.workplace_id)
        .join(Street, Street.id == Workplace.street_id)
        .where(*conditions)
        .order_by(Case.id)
        .limit(LIMIT)
        .with_for_update(of=Case, skip_locked=True)
    )
    return list(rows.all())


def _grouped(
    rows: Iterable[_Due],
    *,
    key: Callable[[_Due], int],
) -> dict[int, list[_Due]]:
    groups: defaultdict[int, list[_Due]] = defaultdict(list)
    for row in rows:
        groups[key(row)].append(row)
    return dict(groups)
