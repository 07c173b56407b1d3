"""Importing events: what is new, what ended, what cannot be, and what the feeds say."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from core.audit.model import AuditEntry
from core.importing import FileRefusedError, ImportOutcome, Manifest
from core.people.staff.rules import Area
from core.residents.model import Residence, Resident
from core.residents.rules import ALWAYS
from core.residents.service import count_unplaced, id_hashes
from core.risk.events.importing import WITHDRAWN, import_events
from core.risk.events.model import EpidemicEvent, FeedDelivery
from core.risk.events.rules import Feed
from core.risk.events.service import feed_states, watermarks
from tests.core.importing_rows import Cells, counts, loader_of, rows_of
from tests.core.residents.conftest import homes
from tests.core.risk.events.conftest import ANNA, BEN, STRANGER

pytestmark = pytest.mark.usefixtures("people")

load = loader_of(import_events)
DAY, TODAY = date(2020, 3, 27), date(2020, 3, 28)


def cells(person_id: str = ANNA, kind: str = "confirmed", **changes: str) -> Cells:
    return {"person_id": person_id, "kind": kind, "reported_on": "2020-03-27"} | changes


def events(session: Session, person_id: str = ANNA) -> list[tuple[object, ...]]:
    rows = session.execute(
        select(
            EpidemicEvent.kind,
            EpidemicEvent.reported_on,
            EpidemicEvent.ended_on,
            EpidemicEvent.ending,
            EpidemicEvent.feed,
        )
        .join(Resident)
        .where(Resident.id_hash.in_(id_hashes(person_id)))
        .order_by(EpidemicEvent.reported_on, EpidemicEvent.kind)
    )
    return [tuple(row) for row in rows]


def deliver(session: Session, rows: list[Cells], now: datetime, **said: object) -> ImportOutcome:
    manifest = Manifest(**said)  # type: ignore[arg-type]
    return import_events(session, rows_of(rows), now=now, manifest=manifest)


def test_new_events_are_stored_with_the_feed_of_their_kind(session: Session, now: datetime) -> None:
    outcome = load(
        session,
        now,
        cells(cluster="某餐厅", route="screening"),
        cells(BEN, "Close", feed="cases"),
        cells(STRANGER, "overseas", community_code="T3"),
    )
    assert counts(outcome) == (3, 0, 0, 0)
    assert outcome.communities == {1, 2, 3}
    assert outcome.days == {DAY}
    assert events(session) == [("confirmed", DAY, None, None, "cases")]
    assert events(session, BEN) == [("close", DAY, None, None, "cases")]
    stored = session.scalars(select(EpidemicEvent).where(EpidemicEvent.kind == "confirmed")).one()
    assert (stored.cluster, stored.route, stored.entered_by) == (
        "某餐厅",
        "screening",
        "operator:import",
    )
    entries = session.scalars(select(AuditEntry.action).order_by(AuditEntry.id))
    assert list(entries) == ["residents_imported", "events_imported"]


def test_same_file_again_changes_nothing(session: Session, now: datetime) -> None:
    rows = [cells(route="x"), cells(BEN, ended_on="2020-03-28"), cells(STRANGER)]
    load(session, now, *rows)
    before = session.execute(text("SELECT * FROM epidemic_event ORDER BY id")).all()
    outcome = load(session, now + timedelta(hours=1), *rows)
    assert counts(outcome) == (0, 0, 3, 0)
    assert (outcome.communities, outcome.days) == (set(), set())
    assert session.execute(text("SELECT * FROM epidemic_event ORDER BY id")).all() == before


def test_suspected_person_who_is_confirmed_is_converted(session: Session, now: datetime) -> None:
    suspected = cells(kind="suspected", reported_on="2020-03-20", cluster="家庭")
    load(session, now, suspected)
    outcome = load(
        session, now, suspected | {"ended_on": "2020-03-26", "ending": "converted"}, cells()
    )
    assert counts(outcome) == (1, 1, 0, 0)
    assert outcome.days == {date(2020, 3, 26)}
    assert events(session) == [
        ("suspected", date(2020, 3, 20), date(2020, 3, 26), "converted", "cases"),
        ("confirmed", DAY, None, None, "cases"),
    ]


def test_ending_and_cluster_stay_where_a_later_file_has_none(
    session: Session, now: datetime
) -> None:
    load(session, now, cells(cluster="家庭", ended_on="2020-03-28"))
    assert counts(load(session, now, cells(cluster="", ended_on=""))) == (0, 0, 1, 0)
    assert events(session)[0][2:4] == (TODAY, "released")
    outcome = load(session, now, cells(cluster="餐厅"))
    assert counts(outcome) == (0, 1, 0, 0)
    assert session.scalar(select(EpidemicEvent.cluster)) == "餐厅"
    assert events(session)[0][2:4] == (TODAY, "released")


def test_withdrawn_event_stays_withdrawn(session: Session, now: datetime) -> None:
    load(session, now, cells())
    session.execute(update(EpidemicEvent).values(withdrawn_at=now))
    outcome = load(session, now, cells(ended_on="2020-03-28"))
    assert counts(outcome) == (0, 0, 1, 0)
    assert outcome.tallies[WITHDRAWN] == 1
    assert events(session)[0][2] is None


IMPOSSIBLE: list[tuple[Cells, str]] = [
    (cells(" "), "cell_empty"),
    (cells(kind="flu"), "event_kind_unknown"),
    (cells(reported_on="2020-03-29"), "day_too_late"),
    (cells(reported_on=""), "cell_empty"),
    (cells(ended_on="2020-03-26"), "ended_before_reported"),
    (cells(ended_on="2020-03-29"), "day_too_late"),
    (cells(ending="released"), "cell_empty"),
    (cells(ended_on="2020-03-28", ending="gone"), "ending_unknown"),
    (cells(community_code="T9"), "community_unknown"),
    (cells(feed="radio"), "feed_unknown"),
    (cells(BEN, reported_on="2015-12-31"), "before_birth"),
    (cells(STRANGER) | {"person_id": STRANGER.lower()}, "event_twice"),
]


def test_rows_that_cannot_be_are_refused_and_the_others_are_kept(
    session: Session, now: datetime
) -> None:
    outcome = load(session, now, cells(STRANGER), *(row for row, _ in IMPOSSIBLE))
    assert counts(outcome) == (1, 0, 0, len(IMPOSSIBLE))
    told = sorted(outcome.rejections, key=lambda one: one.line)
    assert [one.code for one in told] == [code for _, code in IMPOSSIBLE]
    assert [one.line for one in told] == list(range(3, 3 + len(IMPOSSIBLE)))
    assert dict(told[-1].facts) == {"first": 2}
    facts = str([one.facts for one in told])
    assert not any(person in facts for person in (ANNA, BEN, STRANGER))
    delivery = session.scalars(select(FeedDelivery)).one()
    assert (delivery.feed, delivery.row_count) == ("cases", 11)
    assert delivery.rejected_count == 10


def test_whom_nobody_can_place_is_work_until_a_file_says_where(
    session: Session, now: datetime
) -> None:
    outcome = load(session, now, cells(STRANGER, "close"))
    assert (outcome.communities, count_unplaced(session, area=Area())) == (set(), 1)
    outcome = load(session, now, cells(STRANGER, community_code="T3"))
    assert (outcome.communities, count_unplaced(session, area=Area())) == ({3}, 0)
    # And what one event names is good for the next.
    load(session, now, cells("other", "close", community_code="T2"))
    outcome = load(session, now, cells("other"))
    assert (outcome.communities, count_unplaced(session, area=Area())) == ({2}, 0)
    assert session.scalar(select(Residence.id).join(Resident).where(Resident.id == 4)) is None


def test_who_moved_out_and_falls_ill_is_work_until_a_file_says_where(
    session: Session, now: datetime
) -> None:
    ended = date(2020, 3, 20)
    session.execute(update(Residence).values(until_day=ended))
    outcome = load(session, now, cells())
    assert (outcome.communities, count_unplaced(session, area=Area())) == (set(), 1)
    assert homes(session) == [(1, ALWAYS, ended), (None, ended, None)]
    outcome = load(session, now, cells(kind="close", community_code="T3"))
    assert (outcome.communities, count_unplaced(session, area=Area())) == ({3}, 0)
    assert homes(session) == [(1, ALWAYS, ended), (3, ended, None)]


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 0, 2)])
def test_of_several_communities_that_events_name_the_newest_is_taken(
    session: Session, now: datetime, order: tuple[int, ...]
) -> None:
    load(session, now, cells(STRANGER, "fever"))
    told = [("2020-03-24", "T1"), ("2020-03-26", "T3"), ("2020-03-25", "T2")]
    rows = [
        cells(person, "close", reported_on=told[place][0], community_code=told[place][1])
        for person in (STRANGER, "other")
        for place in order
    ]
    load(session, now, *rows, cells("other"))
    # One stood on the work-list, of the other one nothing was known.
    assert homes(session, STRANGER) == [(3, ALWAYS, None)]
    placed = select(EpidemicEvent.community_id).where(
        EpidemicEvent.kind.in_(["confirmed", "fever"])
    )
    assert session.scalars(placed).all() == [3, 3]


def test_what_is_long_over_moves_no_colour_of_today(session: Session, now: datetime) -> None:
    outcome = load(
        session,
        now,
        cells(reported_on="2020-02-01", ended_on="2020-02-20"),
        cells(BEN, "homeq", reported_on="2020-02-01"),
    )
    assert outcome.communities == {2}
    assert outcome.days == {date(2020, 2, 1)}


def test_feed_is_complete_up_to_its_newest_day_that_is_over_or_as_stated(
    session: Session, now: datetime
) -> None:
    deliver(session, [cells(), cells(BEN, "close", reported_on="2020-03-26")], now)
    assert watermarks(session) == {Feed.CASES: DAY, Feed.CONTACTS: date(2020, 3, 26)}
    # An event in the course of today does not complete it.
    deliver(session, [cells(BEN, reported_on="2020-03-28")], now)
    assert watermarks(session)[Feed.CASES] == DAY
    deliver(session, [cells(BEN, "fever", reported_on="2020-03-28")], now)
    assert Feed.FEVER_CLINICS not in watermarks(session)
    deliver(session, [], now, feed="arrivals", watermark=DAY)
    deliver(session, [cells(BEN, "second")], now, watermark=DAY)
    states = {state.feed: state for state in feed_states(session, day=DAY)}
    assert {feed for feed, state in states.items() if state.is_complete} == {
        Feed.CASES,
        Feed.ARRIVALS,
        Feed.CONTACTS,
    }
    assert states[Feed.CONTACTS].watermark == DAY
    arrivals = states[Feed.ARRIVALS]
    assert (arrivals.row_count, arrivals.usual_count, arrivals.received_at) == (0, None, now)
    assert states[Feed.ISOLATION].received_at is None


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({}, "feed_empty"),
        ({"feed": "cases"}, "feed_empty"),
        ({"watermark": DAY}, "feed_empty"),
        ({"feed": "radio", "watermark": DAY}, "feed_unknown"),
        # Today is not over: nobody knows yet what is still to come.
        ({"feed": "cases", "watermark": TODAY}, "watermark_too_late"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_empty_file_is_refused_unless_it_says_that_there_is_nothing_new(
    session: Session, now: datetime, said: dict[str, object], code: str
) -> None:
    with pytest.raises(FileRefusedError) as caught, session.begin_nested():
        deliver(session, [], now, **said)
    assert caught.value.rejection.code == code
    assert session.scalars(select(FeedDelivery)).all() == []


def test_feed_that_is_suddenly_twice_as_large_is_refused_unless_accepted(
    session: Session, now: datetime
) -> None:
    def fevers(count: int, day: int) -> list[Cells]:
        rows = (f"p-{day}-{number}" for number in range(count))
        return [cells(one, "fever", reported_on=f"2020-03-{day}") for one in rows]

    for day, count in ((23, 1), (24, 12), (25, 14), (25, 1), (26, 11)):
        deliver(session, fevers(count, day), now)
    # The usual size is 11 or 12, the median of 1, 12, 14 and 11.
    with pytest.raises(FileRefusedError) as caught, session.begin_nested():
        deliver(session, fevers(24, 27), now)
    rejection = caught.value.rejection
    assert (rejection.code, dict(rejection.facts)) == (
        "feed_too_large",
        {"feed": "fever", "count": 24, "usual": 11},
    )
    assert watermarks(session)[Feed.FEVER_CLINICS] == date(2020, 3, 26)
    outcome = deliver(session, fevers(24, 27), now, is_size_accepted=True)
    assert outcome.created_count == 24
