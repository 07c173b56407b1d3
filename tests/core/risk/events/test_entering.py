"""Events by hand, and what they do to the colours at once."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from core.audit.model import AuditEntry
from core.people.documents import DocumentCheckDigitError
from core.people.staff.rules import Area
from core.places.service import CommunityNotFoundError
from core.residents.importing import import_residents
from core.residents.model import Residence
from core.residents.rules import ALWAYS
from core.residents.service import PersonMissingError, count_unplaced, list_unplaced
from core.risk.events import entering
from core.risk.events.entering import (
    EventBirthError,
    EventDayError,
    EventEndError,
    EventEntry,
    EventHomeUnknownError,
    EventKnownError,
    EventNotFoundError,
    EventReasonError,
    EventWithdrawnError,
    enter_event,
    person_id_of,
    place_people,
    withdraw_event,
)
from core.risk.events.importing import import_events
from core.risk.events.model import EpidemicEvent
from core.risk.events.rules import Ending, EventKind
from tests.core.importing_rows import rows_of
from tests.core.residents.conftest import homes
from tests.core.risk.events.conftest import ANNA, BEN, STRANGER

pytestmark = pytest.mark.usefixtures("people")

DAY, DISTRICT, FIRST = date(2020, 3, 27), Area(), Area(community_ids=frozenset({1}))


@pytest.fixture
def rescored(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, dict[str, Any]]]:
    """What was scored again; that it is right is the business of its own tests."""
    found: list[tuple[str, dict[str, Any]]] = []

    def now_(_session: Session, **given: Any) -> list[int]:
        found.append(("now", given))
        return []

    def since(_session: Session, **given: Any) -> list[date]:
        found.append(("since", given))
        return [given["since"]]

    monkeypatch.setattr(entering, "rescore_now", now_)
    monkeypatch.setattr(entering, "rescore_since", since)
    return found


def entry(person_id: str = ANNA, **changes: Any) -> EventEntry:
    values = {"person_id": person_id, "kind": EventKind.CONFIRMED, "reported_on": DAY} | changes
    return EventEntry(**values)


def enter(session: Session, one: EventEntry, *, now: datetime, area: Area = DISTRICT) -> int:
    return enter_event(session, entry=one, area=area, staff_id=7, now=now)


def test_entered_event_is_stored_as_by_its_feed_and_moves_the_colour(
    session: Session, now: datetime, rescored: list[tuple[str, dict[str, Any]]]
) -> None:
    event_id = enter(session, entry(ended_on=date(2020, 3, 28)), now=now, area=FIRST)
    event = session.get_one(EpidemicEvent, event_id)
    assert (event.kind, event.feed, event.entered_by) == ("confirmed", "cases", "staff:7")
    assert event.ending == Ending.RELEASED.value
    assert rescored == [("now", {"community_ids": [1], "now": now})]
    recorded = session.scalars(select(AuditEntry).where(AuditEntry.action == "event_entered")).one()
    assert recorded.facts == {"kind": "confirmed", "reported_on": "2020-03-27"}
    # The same tap again; something else of the same event is not the same.
    assert enter(session, entry(ended_on=date(2020, 3, 28)), now=now) == event_id
    assert len(rescored) == 1
    with pytest.raises(EventKnownError):
        enter(session, entry(), now=now)
    # A file that brings it too changes nothing.
    row = {"person_id": ANNA, "kind": "confirmed", "reported_on": "2020-03-27"}
    assert import_events(session, rows_of([row]), now=now).unchanged_count == 1


@pytest.mark.usefixtures("rescored")
def test_event_that_cannot_be_is_refused(session: Session, now: datetime) -> None:
    for error, one in (
        (EventDayError, entry(reported_on=date(2020, 3, 29))),
        (EventEndError, entry(ended_on=date(2020, 3, 26))),
        (EventEndError, entry(ended_on=date(2020, 3, 29))),
        (EventBirthError, entry(BEN, reported_on=date(2015, 12, 31))),
        # Perhaps the identifier was mistyped: nobody would find such a person again.
        (EventHomeUnknownError, entry(STRANGER)),
    ):
        with pytest.raises(error):
            enter(session, one, now=now)
    with pytest.raises(CommunityNotFoundError):
        enter(session, entry(BEN), now=now, area=FIRST)
    with pytest.raises(CommunityNotFoundError):
        enter(session, entry(STRANGER, community_id=99), now=now)
    with pytest.raises(CommunityNotFoundError):
        enter(session, entry(STRANGER, is_home_unknown=True), now=now, area=FIRST)


def test_somebody_without_a_community_is_placed_and_then_moves_its_colour(
    session: Session, now: datetime, rescored: list[tuple[str, dict[str, Any]]]
) -> None:
    enter(session, entry(STRANGER, is_home_unknown=True), now=now)
    assert (rescored, count_unplaced(session, area=DISTRICT)) == ([], 1)
    (row,) = list_unplaced(session, area=DISTRICT).rows
    given = {"community_id": 3, "area": DISTRICT, "staff_id": 7, "now": now}
    assert place_people(session, residence_id=row.residence_id, **given) == 1
    assert rescored == [("now", {"community_ids": [3], "now": now})]
    # And counts there, should a full register that never named them end where they live.
    assert session.scalar(select(EpidemicEvent.community_id)) == 3
    # Somebody of whom nothing is known moves nothing.
    people = [{"person_id": "quiet", "community_code": "", "community": "江南路1弄"}]
    import_residents(session, rows_of(people), now=now)
    (row,) = list_unplaced(session, area=DISTRICT).rows
    given["community_id"] = 2
    assert place_people(session, residence_id=row.residence_id, **given) == 1
    assert len(rescored) == 1


def test_who_moved_out_and_falls_ill_lives_nowhere_from_that_day_on_and_not_before(
    session: Session, now: datetime, rescored: list[tuple[str, dict[str, Any]]]
) -> None:
    ended = date(2020, 3, 20)
    session.execute(update(Residence).values(until_day=ended))
    enter(session, entry(is_home_unknown=True), now=now)
    assert homes(session) == [(1, ALWAYS, ended), (None, ended, None)]
    assert (rescored, count_unplaced(session, area=DISTRICT)) == ([], 1)


def test_event_that_says_where_somebody_lives_counts_there_though_the_register_does_not_know(
    session: Session, now: datetime, rescored: list[tuple[str, dict[str, Any]]]
) -> None:
    people = [{"person_id": "worded", "community_code": "", "community": "江南路1弄"}]
    import_residents(session, rows_of(people), now=now)
    event_id = enter(session, entry("worded", community_id=3), now=now)
    # What the register wrote of them stays to be placed.
    assert count_unplaced(session, area=DISTRICT) == 1
    withdraw_event(session, event_id=event_id, reason="误报", area=DISTRICT, staff_id=8, now=now)
    assert [given["community_ids"] for _, given in rescored] == [[3], [3]]
    # Who has no words at all needs nobody to place them any more.
    enter(session, entry(STRANGER, is_home_unknown=True), now=now)
    enter(session, entry(STRANGER, kind=EventKind.FEVER, community_id=2), now=now)
    assert homes(session, STRANGER) == [(2, ALWAYS, None)]


def test_withdrawn_event_counts_from_its_first_day_on_no_more(
    session: Session, now: datetime, rescored: list[tuple[str, dict[str, Any]]]
) -> None:
    event_id = enter(session, entry(), now=now)
    rescored.clear()

    def withdraw(reason: str, area: Area = DISTRICT, event: int = event_id) -> list[date]:
        return withdraw_event(
            session, event_id=event, reason=reason, area=area, staff_id=8, now=now
        )

    for reason in (" ", "x" * 201):
        with pytest.raises(EventReasonError):
            withdraw(reason)
    for area, event in ((Area(community_ids=frozenset({2})), event_id), (DISTRICT, 99)):
        with pytest.raises(EventNotFoundError):
            withdraw("误报", area, event)
    assert withdraw(" 误报 ", FIRST) == [DAY]
    assert rescored == [("since", {"community_ids": [1], "since": DAY, "now": now})]
    stored = session.get_one(EpidemicEvent, event_id)
    assert (stored.withdrawn_at, stored.withdrawn_reason) == (now, "误报")
    assert withdraw("误报") == [], "the same tap again"
    with pytest.raises(EventWithdrawnError):
        withdraw("重复")
    recorded = session.scalars(select(AuditEntry).where(AuditEntry.action == "event_withdrawn"))
    assert [(one.actor, "reason" in one.facts) for one in recorded] == [("staff:8", False)]
    # Whoever enters it once more has looked again: it stands, as it was typed now.
    rescored.clear()
    assert enter(session, entry(route="筛查"), now=now) == event_id
    assert (stored.withdrawn_at, stored.withdrawn_reason, stored.route) == (None, "", "筛查")
    assert rescored == [("now", {"community_ids": [1], "now": now})]


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        pytest.param(" 11010519491231002x ", "11010519491231002X", id="a document"),
        pytest.param("110105-19491231-002X", "11010519491231002X", id="in groups"),
        pytest.param("demo-xh0001 00001", "DEMO-XH000100001", id="another kind of identifier"),
        pytest.param("110105999999990021", "110105999999990021", id="no day of birth in it"),
    ],
)
def test_identifier_is_read_as_files_spell_it(typed: str, read: str) -> None:
    assert person_id_of(typed, today=DAY) == read


@pytest.mark.parametrize(
    ("typed", "error"),
    [
        pytest.param("110105194912310021", DocumentCheckDigitError, id="a slip"),
        pytest.param(" ", PersonMissingError, id="nothing"),
    ],
)
def test_identifier_that_cannot_be_is_refused(typed: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        person_id_of(typed, today=DAY)
