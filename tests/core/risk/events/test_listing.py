"""Events as staff see them: which ones, in which order, and never whose."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.audit.model import AuditEntry
from core.people.staff.rules import Area
from core.residents.model import Resident
from core.residents.service import id_hashes
from core.risk.events import listing
from core.risk.events.entering import (
    EventEntry,
    EventNotFoundError,
    enter_event,
    withdraw_event,
)
from core.risk.events.importing import import_events
from core.risk.events.listing import (
    EventQuery,
    EventSource,
    EventState,
    get_event,
    list_events,
    list_steps,
    search_events,
)
from core.risk.events.model import EpidemicEvent
from core.risk.events.rules import EventKind
from tests.core.importing_rows import rows_of
from tests.core.risk.events.conftest import ANNA, BEN, STRANGER
from tests.core.risk.published import add_staff

DISTRICT, TODAY = Area(), date(2020, 3, 28)
ALL = EventSource.ALL


@pytest.fixture
def known(session: Session, now: datetime, people: None) -> dict[str, int]:
    """Two events of a file, of Anna and of Ben; three by hand, one of them withdrawn."""
    staff_id, _ = add_staff(session, count=2)
    cells = {"kind": "fever", "reported_on": "2020-03-20", "ended_on": "", "community_code": ""}
    rows = [{"person_id": ANNA, **cells}, {"person_id": BEN, **cells, "ended_on": "2020-03-21"}]
    import_events(session, rows_of(rows), now=now)
    given = {"session": session, "area": DISTRICT, "staff_id": staff_id, "now": now}

    def enter(person_id: str, **said: Any) -> int:
        entry = EventEntry(person_id=person_id, kind=EventKind.CONFIRMED, reported_on=TODAY, **said)
        return enter_event(entry=entry, **given)

    found = {
        "by hand": enter(ANNA),
        "wrong": enter(BEN),
        "nowhere": enter(STRANGER, is_home_unknown=True),
    }
    withdraw_event(event_id=found["wrong"], reason="误报", **given)
    for name, person_id in (("file of Anna", ANNA), ("file of Ben", BEN)):
        found[name] = session.scalars(
            select(EpidemicEvent.id)
            .join(Resident)
            .where(EpidemicEvent.kind == "fever", Resident.id_hash.in_(id_hashes(person_id)))
        ).one()
    return found


AREAS = {
    "district": DISTRICT,
    "street 1": Area(street_id=1),
    "community 2": Area(community_ids=frozenset({2})),
    "street 2": Area(street_id=2),
}


def test_list_has_what_is_asked_for_and_nothing_outside_of_the_area(
    session: Session, known: dict[str, int]
) -> None:
    names = {identity: name for name, identity in known.items()}
    every = ["nowhere", "wrong", "by hand", "file of Ben", "file of Anna"]
    for area, asked, expected in [
        ("district", {"source": ALL}, every),
        ("district", {}, every[:3]),
        ("street 1", {"source": ALL}, every[1:]),
        ("street 1", {}, every[1:3]),
        ("community 2", {"source": ALL}, ["wrong", "file of Ben"]),
        ("street 2", {"source": ALL}, []),
        ("district", {"source": ALL, "community_id": 1}, ["by hand", "file of Anna"]),
        ("community 2", {"source": ALL, "community_id": 1}, []),
        ("district", {"source": ALL, "kind": EventKind.FEVER}, every[3:]),
        ("district", {"source": ALL, "state": EventState.OVER}, ["file of Ben"]),
        ("district", {"source": ALL, "state": EventState.WITHDRAWN}, ["wrong"]),
        ("street 1", {"source": ALL, "state": EventState.OPEN}, ["by hand", "file of Anna"]),
    ]:
        query = EventQuery(area=AREAS[area], **asked)  # type: ignore[arg-type]
        page = list_events(session, query=query, today=TODAY)
        newest_first = sorted(expected, key=known.__getitem__, reverse=True)
        assert [names[one.id] for one in page.rows] == newest_first, (area, asked)
        assert not page.has_next


def test_pages_follow_one_another(
    session: Session, known: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "PAGE_SIZE", 2)
    query = EventQuery(area=DISTRICT, source=ALL)
    pages = [list_events(session, query=query, today=TODAY, number=one) for one in (0, 2, 3, 99)]
    assert [(one.number, len(one.rows), one.has_next) for one in pages] == [
        (1, 2, True),
        (2, 2, True),
        (3, 1, False),
        (listing.MAX_PAGES, 0, False),
    ]


def test_card_says_where_who_and_when_but_not_whose(
    session: Session, now: datetime, known: dict[str, int]
) -> None:
    wrong = get_event(session, event_id=known["wrong"], area=AREAS["community 2"], today=TODAY)
    assert (wrong.place and wrong.place.id, wrong.entered_by) == (2, "王0")
    assert (wrong.state, wrong.withdrawn_reason) == (EventState.WITHDRAWN, "误报")
    steps = [(one.action, one.name, one.at) for one in list_steps(session, event_id=known["wrong"])]
    assert steps == [("event_entered", "王0", now), ("event_withdrawn", "王0", now)]
    brought = get_event(session, event_id=known["file of Ben"], area=DISTRICT, today=TODAY)
    assert (brought.entered_by, list_steps(session, event_id=brought.id)) == ("", [])
    assert get_event(session, event_id=known["nowhere"], area=DISTRICT, today=TODAY).place is None
    for area, event_id in (
        (AREAS["street 2"], known["wrong"]),
        (AREAS["street 1"], known["nowhere"]),
        (DISTRICT, 999),
    ):
        with pytest.raises(EventNotFoundError):
            get_event(session, event_id=event_id, area=area, today=TODAY)


def test_search_by_person_is_within_the_area_and_recorded_without_the_person(
    session: Session, now: datetime, known: dict[str, int]
) -> None:
    def search(person_id: str, area: Area = DISTRICT) -> list[int]:
        given = {"area": area, "staff_id": 7, "today": TODAY, "now": now + timedelta(hours=1)}
        return [one.id for one in search_events(session, person_id=person_id, **given).rows]

    assert search(ANNA) == [known["by hand"], known["file of Anna"]]
    assert search(ANNA, AREAS["community 2"]) == []
    assert search("nobody") == []
    entries = session.scalars(select(AuditEntry).where(AuditEntry.action == "events_searched"))
    assert [(one.subject, one.facts) for one in entries] == [
        ("events", {"found": count}) for count in (2, 0, 0)
    ]
