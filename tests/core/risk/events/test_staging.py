"""Whatever files, events and officers tell: one home a day, and nobody is lost."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TypeAlias

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.clock import day_of
from core.db import Database
from core.importing import Manifest
from core.people.staff.rules import Area
from core.residents.importing import import_residents
from core.residents.model import Residence, Resident
from core.residents.service import id_hashes, list_unplaced
from core.risk.events import entering
from core.risk.events.entering import EventEntry, EventKnownError, enter_event, place_people
from core.risk.events.importing import import_events
from core.risk.events.model import EpidemicEvent
from core.risk.events.rules import EventKind
from tests.core.importing_rows import rows_of
from tests.core.residents.conftest import add_places, homes

PEOPLE = ("p-1", "p-2", "p-3")
DISTRICT = Area()


@dataclass(frozen=True)
class _Register:
    """A file of people: where (0: words, None: nothing), since how many days; maybe all."""

    places: dict[str, tuple[int | None, int | None]]
    is_full: bool


@dataclass(frozen=True)
class _Event:
    """An event of some days ago that may say where the person lives."""

    person: str
    place: int | None
    days_ago: int
    by_hand: bool


@dataclass(frozen=True)
class _Placing:
    """An officer places the first of the work-list."""

    place: int


_Step: TypeAlias = _Register | _Event | _Placing

communities, few_days = st.integers(1, 3), st.integers(0, 6)
steps = st.lists(
    st.builds(
        _Register,
        st.dictionaries(
            st.sampled_from(PEOPLE),
            st.tuples(st.none() | st.integers(0, 3), st.none() | few_days),
        ),
        st.booleans(),
    )
    | st.builds(_Event, st.sampled_from(PEOPLE), st.none() | communities, few_days, st.booleans())
    | st.builds(_Placing, communities),
    min_size=2,
    max_size=7,
)


ALL_AT_HOME = _Register(dict.fromkeys(PEOPLE, (1, None)), is_full=False)
ALL_GONE = _Register({}, is_full=True)


@example(steps=[ALL_AT_HOME, ALL_GONE, _Event("p-1", None, 3, by_hand=True)])
@example(steps=[ALL_AT_HOME, ALL_GONE, _Event("p-1", None, 3, by_hand=False)])
@example(steps=[ALL_AT_HOME, ALL_GONE, _Event("p-1", None, 3, by_hand=False), _Placing(2)])
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=steps)
def test_whatever_is_told_people_have_one_home_a_day_and_who_has_none_is_on_the_work_list(
    sqlite_database: Database,
    now: datetime,
    monkeypatch: pytest.MonkeyPatch,
    steps: list[_Step],
) -> None:
    monkeypatch.setattr(entering, "rescore_now", lambda *_, **__: [])
    with Session(sqlite_database.engine) as session:
        add_places(session, now)
        for number, step in enumerate(steps):
            _take(session, step, now=now + timedelta(days=number))
            session.flush()
            session.expire_all()
            for person in PEOPLE:
                _check_homes(session, person)
        session.rollback()


def _take(session: Session, step: _Step, *, now: datetime) -> None:
    match step:
        case _Register():
            _import_register(session, step, now=now)
        case _Event():
            _tell(session, step, now=now)
        case _Placing():
            _place_first(session, step, now=now)


def _import_register(session: Session, file: _Register, *, now: datetime) -> None:
    rows = [
        {
            "person_id": person,
            "community_code": f"T{place}" if place else "",
            "community": "" if place is None else "江南路1弄",
            "since": "" if days is None else str(day_of(now) - timedelta(days=days)),
        }
        for person, (place, days) in file.places.items()
    ]
    manifest = Manifest(is_full=file.is_full, is_missing_ended=file.is_full)
    assert import_residents(session, rows_of(rows), now=now, manifest=manifest).rejections == []


def _tell(session: Session, event: _Event, *, now: datetime) -> None:
    day = day_of(now) - timedelta(days=event.days_ago)
    if event.by_hand:
        entry = EventEntry(
            person_id=event.person,
            kind=EventKind.FEVER,
            reported_on=day,
            community_id=event.place,
            is_home_unknown=event.place is None,
        )
        try:
            enter_event(session, entry=entry, area=DISTRICT, staff_id=7, now=now)
        except EventKnownError:
            return
    else:
        row = {"person_id": event.person, "kind": "fever", "reported_on": str(day)}
        code = f"T{event.place}" if event.place else ""
        rows = rows_of([row | {"community_code": code}])
        known = import_events(session, rows, now=now).unchanged_count
        if known:
            return
    _check_found(session, event)


def _place_first(session: Session, placing: _Placing, *, now: datetime) -> None:
    for row in list_unplaced(session, area=DISTRICT).rows[:1]:
        place_people(
            session,
            residence_id=row.residence_id,
            community_id=placing.place,
            area=DISTRICT,
            staff_id=7,
            now=now,
        )


def _check_homes(session: Session, person: str) -> None:
    lived = homes(session, person)
    ends = [until or date.max for _, _, until in lived]
    assert all(begun < end for (_, begun, _), end in zip(lived, ends, strict=True))
    assert all(end <= later[1] for end, later in zip(ends, lived[1:], strict=False))


def _check_found(session: Session, event: _Event) -> None:
    """Somebody of whom an event told lives somewhere, or somebody is asked where."""
    standing = session.scalar(
        select(Residence.id)
        .join(Resident)
        .where(Resident.id_hash.in_(id_hashes(event.person)), Residence.until_day.is_(None))
    )
    assert standing is not None or _is_said(session, event.person)


def _is_said(session: Session, person: str) -> bool:
    """Return whether all events of somebody without a home name a community."""
    said = session.scalars(
        select(EpidemicEvent.community_id)
        .join(Resident)
        .where(Resident.id_hash.in_(id_hashes(person)))
    )
    return all(one is not None for one in said)
