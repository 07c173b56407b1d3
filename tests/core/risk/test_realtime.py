from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import Engine, delete, insert, select, update
from sqlalchemy.orm import Session

from core.notices.model import Notice
from core.people.model import Person
from core.people.staff.rules import Area, Role
from core.people.staff.service import NewStaff, add_account
from core.places.model import Community, CommunityNear, Street
from core.residents.model import Residence, Resident
from core.risk.events.entering import EventEntry, enter_event, withdraw_event
from core.risk.events.model import EpidemicEvent
from core.risk.events.rules import EventKind, Feed
from core.risk.events.service import record_delivery
from core.risk.indicators.computing import compute_indicators
from core.risk.model import IndicatorValue, Publication, RiskScore
from core.risk.pausing import Pause, find_pause
from core.risk.realtime import rescore_now, rescore_since, score_nights
from core.risk.rules import Colour
from core.risk.rulings.model import ColourOverride
from core.risk.scoring import score_day
from core.risk.service import find_card, subscribe
from tests.core.risk.values import (
    DAY,
    HARMLESS,
    RED,
    TODAY,
    VERSION,
    YELLOW,
    count_statements,
    put,
)

CASE = {"confirmed": 1.0, "recency": 14.0}
TOMORROW = TODAY + timedelta(days=1)
ByNow = dict[int, dict[str, float]]


@pytest.fixture
def by_now(session: Session, now: datetime, monkeypatch: pytest.MonkeyPatch) -> ByNow:
    """What is counted of today so far, by community; the night's own counts change nothing."""
    values: ByNow = {}

    def read_values(_session: Session, *, day: date, community_ids: Collection[int]) -> ByNow:
        assert day == TODAY
        return {one: values[one] for one in community_ids if one in values}

    monkeypatch.setattr("core.risk.realtime.read_values", read_values)
    session.add(Resident(id=99, id_hash=bytes(32), changed_at=now))
    session.flush()
    return values


@pytest.fixture
def district(session: Session, places: list[int], now: datetime, by_now: ByNow) -> None:
    """Blue, yellow and red; a night ago."""
    for community_id, values in zip(places, (HARMLESS, YELLOW, RED), strict=True):
        put(session, community_id, values)
    score_day(session, day=DAY, now=now)


def colours(session: Session, *, today: date = TODAY) -> str:
    cards = [find_card(session, community_id=one, today=today) for one in (1, 2, 3)]
    return " ".join(card.colour if card else Colour.GREY for card in cards)


def rows_of_today(session: Session) -> list[tuple[int, str, bool]]:
    rows = session.execute(
        select(RiskScore.community_id, RiskScore.colour, RiskScore.is_provisional)
        .where(RiskScore.day == TODAY)
        .order_by(RiskScore.community_id)
    )
    return [tuple(row) for row in rows]


def test_an_event_raises_the_colour_at_once_as_provisional_and_tells_subscribers(
    session: Session, district: None, now: datetime, by_now: ByNow
) -> None:
    session.add(Person(id=1, openid="o-1", created_at=now))
    session.flush()
    subscribe(session, person_id=1, community_id=1, now=now)
    by_now[1] = HARMLESS | CASE
    assert rescore_now(session, community_ids=[1], now=now) == [1]
    assert colours(session) == "yellow yellow red"
    assert rows_of_today(session) == [(1, "yellow", True)]
    row = session.scalars(select(RiskScore).where(RiskScore.day == TODAY)).one()
    assert (row.score_colour, row.floors, row.score) == ("blue", ["R1"], 24.0)
    assert {part[5] for part in row.parts} == {"fresh"}
    (notice,) = session.scalars(select(Notice)).all()
    assert (notice.values["colour"], notice.values["day"]) == ("yellow", TODAY.isoformat())
    # The same again is no news.
    assert rescore_now(session, community_ids=[1], now=now) == []


@pytest.mark.parametrize(
    ("values", "changed"),
    [
        pytest.param({}, [], id="nothing has come"),
        pytest.param(dict.fromkeys(HARMLESS, 0.0), [], id="less than the night knew"),
        pytest.param(YELLOW | {"close": 1.0}, [2], id="same colour, higher score"),
    ],
)
def test_what_is_not_worse_than_the_card_changes_nothing(
    session: Session,
    district: None,
    now: datetime,
    by_now: ByNow,
    values: dict[str, float],
    changed: list[int],
) -> None:
    by_now[2] = values
    assert rescore_now(session, community_ids=[2], now=now) == changed
    assert colours(session) == "blue yellow red"


def test_during_the_day_a_raise_is_not_taken_back_but_by_a_correction(
    session: Session, district: None, now: datetime, by_now: ByNow
) -> None:
    by_now[1] = HARMLESS | CASE
    rescore_now(session, community_ids=[1], now=now)
    by_now[1] = HARMLESS
    assert rescore_now(session, community_ids=[1], now=now) == []
    assert colours(session) == "yellow yellow red"
    # The event was withdrawn.
    rescore_since(session, community_ids=[1], since=TODAY, now=now)
    assert colours(session) == "blue yellow red"
    assert rows_of_today(session) == []


def test_the_night_replaces_what_was_provisional(
    session: Session, district: None, now: datetime, by_now: ByNow
) -> None:
    by_now[1] = HARMLESS | CASE
    rescore_now(session, community_ids=[1], now=now)
    for community_id in (1, 2, 3):
        put(session, community_id, HARMLESS, day=TODAY)
    score_nights(session, days=[TODAY], now=now + timedelta(days=1))
    assert rows_of_today(session) == [(1, "blue", False), (2, "blue", False), (3, "yellow", False)]
    assert colours(session, today=TOMORROW) == "blue blue yellow"


def test_on_a_day_that_is_held_a_raise_stands(
    session: Session, district: None, now: datetime, by_now: ByNow
) -> None:
    by_now[1] = HARMLESS | CASE
    rescore_now(session, community_ids=[1], now=now)
    put(session, 1, {"fever": 0.0}, day=TODAY)
    score_nights(session, days=[TODAY], now=now + timedelta(days=1))
    assert colours(session, today=TOMORROW) == "yellow yellow red"


def hold(session: Session, day: date, *, now: datetime) -> None:
    """Let a night be held because too much jumped."""
    values = {"version": VERSION.name, "state": "held", "reason": "jump", "scored_at": now}
    counts = {"community_count": 3, "grey_count": 0, "jump_count": 3}
    session.merge(Publication(day=day, **values, **counts))
    session.flush()


def test_a_night_in_doubt_takes_back_nothing_that_was_raised(
    session: Session, district: None, now: datetime, by_now: ByNow
) -> None:
    session.add(Person(id=1, openid="o-1", created_at=now))
    session.flush()
    subscribe(session, person_id=1, community_id=1, now=now)
    by_now[1] = HARMLESS | CASE
    rescore_now(session, community_ids=[1], now=now)
    hold(session, DAY, now=now)
    score_nights(session, days=[], now=now)
    assert colours(session) == "yellow yellow red"
    # A correction nearby leaves it as well; one of itself does not.
    rescore_since(session, community_ids=[1], since=TODAY, now=now)
    assert colours(session) == "yellow yellow red"
    assert [one.kind for one in session.scalars(select(Notice))] == ["colour_changed"]
    by_now[1] = HARMLESS
    rescore_since(session, community_ids=[1], since=TODAY, now=now)
    assert colours(session) == "blue yellow red"


def test_in_doubt_only_a_known_infection_raises_and_staff_can_see_what_is_left(
    session: Session, district: None, now: datetime, by_now: ByNow
) -> None:
    hold(session, DAY, now=now)
    by_now |= {1: HARMLESS | CASE, 2: YELLOW | {"close": 10.0, "second": 20.0, "keyarea": 10.0}}
    assert rescore_now(session, community_ids=[1, 2], now=now) == [1]
    assert colours(session) == "yellow yellow red"
    pause = find_pause(session, today=TODAY)
    assert pause == Pause(community_count=1, at=now)
    # The same again is no news.
    rescore_now(session, community_ids=[1, 2], now=now + timedelta(hours=1))
    assert find_pause(session, today=TODAY) == pause
    assert find_pause(session, today=TOMORROW) is None


def test_a_night_that_comes_late_works_today_out_anew(
    session: Session, places: list[int], now: datetime, by_now: ByNow
) -> None:
    early = DAY - timedelta(days=1)
    for community_id in places:
        put(session, community_id, HARMLESS, day=early)
    score_day(session, day=early, now=now)
    by_now[1] = HARMLESS | CASE
    rescore_now(session, community_ids=[1, 2], now=now)
    assert rows_of_today(session) == [(1, "yellow", True)]
    for community_id in places:
        put(session, community_id, HARMLESS | {"fever": 3.0})
    score_nights(session, days=[DAY], now=now)
    row = session.scalars(select(RiskScore).where(RiskScore.day == TODAY)).one()
    assert (row.colour, row.is_provisional, row.score) == ("yellow", True, 29.0)


def test_what_is_not_known_does_not_become_known_by_nothing_having_come(
    session: Session, places: list[int], now: datetime, by_now: ByNow
) -> None:
    by_now |= {1: HARMLESS, 2: HARMLESS | CASE}
    assert rescore_now(session, community_ids=[1, 2], now=now) == []
    assert colours(session) == "grey grey grey"


def test_neighbours_and_communities_of_the_same_cluster_are_scored_too(
    session: Session, district: None, now: datetime, by_now: ByNow
) -> None:
    session.add(CommunityNear(community_id=3, near_id=2))
    for community_id in (1, 3):
        session.add(Resident(id=community_id, id_hash=bytes([community_id]) * 32, changed_at=now))
        session.flush()
        session.add(Residence(resident_id=community_id, community_id=community_id, from_day=DAY))
        session.add(
            EpidemicEvent(
                resident_id=community_id,
                kind="confirmed",
                reported_on=TODAY,
                cluster="office",
                feed="cases",
                entered_by="operator:import",
                changed_at=now,
            )
        )
    by_now |= {one: RED | {"asym": 3.0} for one in (1, 2, 3)}
    assert rescore_now(session, community_ids=[3], now=now) == [1, 2, 3]


def test_more_raises_in_a_day_than_the_limit_are_left_to_people(
    session: Session, now: datetime, by_now: ByNow
) -> None:
    session.add(Street(id=1, code="1", name="田林街道"))
    session.flush()
    ids = range(1, 31)
    session.execute(
        insert(Community),
        [{"id": n, "code": f"{n}", "name": "x", "street_id": 1, "changed_at": now} for n in ids],
    )
    for community_id in ids:
        put(session, community_id, HARMLESS)
        by_now[community_id] = HARMLESS | CASE
    score_day(session, day=DAY, now=now)
    assert rescore_now(session, community_ids=range(1, 11), now=now) == list(range(1, 11))
    # Eleven more would make 21.
    assert rescore_now(session, community_ids=range(11, 22), now=now) == []
    assert find_pause(session, today=TODAY) == Pause(community_count=11, at=now)
    assert len(rescore_now(session, community_ids=range(11, 21), now=now)) == 10


def test_number_of_statements_does_not_grow_with_the_communities(
    session: Session, district: None, now: datetime, by_now: ByNow
) -> None:
    by_now |= {one: RED | {"asym": 3.0} for one in (1, 2, 3)}
    engine = session.get_bind()
    assert isinstance(engine, Engine)
    counts = [
        count_statements(
            engine,
            lambda ids=ids: rescore_now(session, community_ids=ids, now=now),
        )
        for ids in ([1], [2, 3])
    ]
    assert counts[0] == counts[1] <= 22
    assert len(rows_of_today(session)) == 3


def test_a_corrected_day_is_scored_again_and_so_are_those_after_it(
    session: Session, district: None, now: datetime
) -> None:
    for community_id in (1, 2, 3):
        put(session, community_id, HARMLESS, day=TODAY)
    evening = now + timedelta(days=1)
    score_day(session, day=TODAY, now=evening)
    assert colours(session, today=TOMORROW) == "blue blue yellow"
    session.execute(
        update(IndicatorValue)
        .where(IndicatorValue.community_id == 3, IndicatorValue.day == DAY)
        .values(value=0.0, origin="appeal")
    )
    days = rescore_since(session, community_ids=[3], since=DAY, now=evening)
    assert days == [DAY, TODAY]
    assert colours(session, today=TOMORROW) == "blue blue blue"


def test_a_correction_of_long_ago_reaches_no_further_back_than_cards_and_windows(
    session: Session, places: list[int], now: datetime
) -> None:
    days = [DAY - timedelta(days=back) for back in (40, 14, 13, 0)]
    for day in days:
        put(session, 1, HARMLESS, day=day)
        score_day(session, day=day, now=now)
    assert rescore_since(session, community_ids=[1], since=days[0], now=now) == days[2:]


# ---- overrides ------------------------------------------------------------------------------


Override = Callable[..., None]


@pytest.fixture
def override(session: Session, now: datetime) -> Override:
    """Puts an override in force for community 1 until tomorrow, or ends it."""
    staff = [
        add_account(
            session,
            staff=NewStaff(name=name, role=Role.DISTRICT_REVIEWER),
            password_hash="x",
            now=now,
        ).id
        for name in ("anna", "bert")
    ]

    def change(colour: Colour | None, *, at: datetime = now) -> None:
        if colour is None:
            session.execute(update(ColourOverride).values(state="ended", ended_at=at))
            return
        session.add(
            ColourOverride(
                community_id=1,
                colour=colour.value,
                reason="核查",
                until_day=TOMORROW,
                state="in_force",
                proposed_by=staff[0],
                proposed_at=at,
                decided_by=staff[1],
                decided_at=at,
            )
        )

    return change


@pytest.mark.parametrize("colour", [Colour.RED, Colour.YELLOW])
def test_an_override_is_shown_at_once_beside_what_was_computed_and_ends_at_once(
    session: Session, district: None, now: datetime, override: Override, colour: Colour
) -> None:
    override(colour)
    assert rescore_now(session, community_ids=[1], now=now) == [1]
    assert colours(session) == f"{colour} yellow red"
    row = session.scalars(select(RiskScore).where(RiskScore.community_id == 1)).one()
    assert (row.computed_colour, row.floors, row.is_provisional) == ("blue", ["R5"], False)
    assert rescore_now(session, community_ids=[1], now=now) == []
    override(None)
    assert rescore_now(session, community_ids=[1], now=now) == [1]
    assert colours(session) == "blue yellow red"


def test_an_override_holds_to_the_end_of_its_last_day_and_leaves_no_trace(
    session: Session, district: None, now: datetime, override: Override
) -> None:
    override(Colour.RED)
    found = []
    for ahead in range(3):
        day = TODAY + timedelta(days=ahead)
        put(session, 1, HARMLESS, day=day)
        score_nights(session, days=[day], now=now + timedelta(days=ahead + 1))
        found.append(colours(session, today=day + timedelta(days=1)).split()[0])
    # It is over with the day after tomorrow; R4 does not hold on to what it never computed.
    assert found == ["red", "blue", "blue"]


def test_an_override_lowers_too_and_real_time_does_not_undo_it(
    session: Session, district: None, now: datetime, override: Override, by_now: ByNow
) -> None:
    override(Colour.BLUE)
    by_now[1] = RED | {"asym": 3.0}
    assert rescore_now(session, community_ids=[1], now=now) == [1]
    row = session.scalars(
        select(RiskScore).where(RiskScore.community_id == 1, RiskScore.day == TODAY)
    ).one()
    assert (row.colour, row.computed_colour, row.floors) == ("blue", "red", ["R5"])
    override(None)
    rescore_now(session, community_ids=[1], now=now)
    assert colours(session) == "red yellow red"


def test_an_override_is_shown_where_nothing_else_is_and_goes_with_it(
    session: Session, places: list[int], now: datetime, override: Override, by_now: ByNow
) -> None:
    override(Colour.RED)
    assert rescore_now(session, community_ids=[1], now=now) == [1]
    assert rows_of_today(session) == [(1, "red", True)]
    override(None)
    rescore_now(session, community_ids=[1], now=now)
    assert session.scalar(select(RiskScore.is_published)) is False


def test_an_override_is_shown_on_a_day_that_is_held(
    session: Session, district: None, now: datetime, override: Override
) -> None:
    session.execute(delete(RiskScore))
    session.execute(delete(IndicatorValue).where(IndicatorValue.indicator == "confirmed"))
    score_day(session, day=DAY, now=now)
    override(Colour.YELLOW)
    assert rescore_now(session, community_ids=[1], now=now) == [1]
    assert session.execute(
        select(RiskScore.colour, RiskScore.is_published).where(RiskScore.community_id == 1)
    ).all() == [("yellow", True)]
    override(None)
    rescore_now(session, community_ids=[1], now=now)
    assert session.execute(
        select(RiskScore.is_published).where(RiskScore.community_id == 1)
    ).all() == [(False,)]


# ---- from an event to a card and back ---------------------------------------------------------


@pytest.fixture
def staff_id(session: Session, places: list[int], now: datetime) -> int:
    """An officer, and ten people in each community whose night was quiet."""
    staff = NewStaff(name="anna", role=Role.DISTRICT_REVIEWER)
    account = add_account(session, staff=staff, password_hash="x", now=now)
    for number in range(30):
        resident = Resident(id_hash=bytes([number + 1]) * 32, birth_year=1990, changed_at=now)
        session.add(resident)
        session.flush()
        session.add(
            Residence(
                resident_id=resident.id, community_id=number % 3 + 1, from_day=date(2000, 1, 1)
            )
        )
    session.add(CommunityNear(community_id=1, near_id=2))
    session.add(CommunityNear(community_id=2, near_id=1))
    night(session, DAY, now=now)
    return account.id


def night(session: Session, day: date, *, now: datetime) -> None:
    for feed in Feed:
        record_delivery(session, feed=feed, watermark=day, row_count=0, now=now)
    session.flush()
    compute_indicators(session, day=day, now=now)
    score_nights(session, days=[day], now=now)


def cards(session: Session, *, today: date = TODAY) -> list[tuple[Colour, float, date]]:
    found = [find_card(session, community_id=one, today=today) for one in (1, 2, 3)]
    return [(card.colour, round(card.score or 0.0, 6), card.day) for card in found if card]


def test_a_case_is_seen_within_the_day_kept_by_the_night_and_taken_back_when_it_was_none(
    session: Session, staff_id: int, now: datetime
) -> None:
    quiet = [(Colour.BLUE, 0.0, DAY)] * 3
    assert cards(session) == quiet
    session.add(Person(id=1, openid="o-1", created_at=now))
    session.flush()
    subscribe(session, person_id=1, community_id=1, now=now)

    entry = EventEntry(
        person_id="passport-1", kind=EventKind.CONFIRMED, reported_on=TODAY, community_id=1
    )
    event_id = enter_event(session, entry=entry, area=Area(), staff_id=staff_id, now=now)

    # The case is worth 24 points and R1; its neighbour has 0.8 for a case around.
    raised = [(Colour.YELLOW, 24.0, TODAY), (Colour.BLUE, 0.8, TODAY), (Colour.BLUE, 0.0, DAY)]
    assert cards(session) == raised
    rows = session.scalars(select(RiskScore).where(RiskScore.day == TODAY)).all()
    assert [row.is_provisional for row in rows] == [True, True]

    evening = now + timedelta(days=1)
    night(session, TODAY, now=evening)
    assert cards(session, today=TODAY + timedelta(days=1)) == [
        (colour, score, TODAY) for colour, score, _ in raised
    ]
    assert not any(session.scalars(select(RiskScore.is_provisional)))

    days = withdraw_event(
        session, event_id=event_id, reason="另有其人", area=Area(), staff_id=staff_id, now=evening
    )

    assert days == [TODAY]
    assert cards(session, today=TODAY + timedelta(days=1)) == [
        (colour, score, TODAY) for colour, score, _ in quiet
    ]
    told = session.scalars(select(Notice).order_by(Notice.id)).all()
    assert [(one.kind, one.values["colour"]) for one in told] == [
        ("colour_changed", "yellow"),
        ("colour_corrected", "blue"),
    ]
