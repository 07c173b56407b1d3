from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import Connection, Engine, delete, event, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core.db import Database
from core.people.model import Person
from core.places.matching import Fit
from core.places.model import Community, Street
from core.places.service import current_book, mark_changed
from core.risk.model import ColourSubscription, IndicatorValue, RiskScore
from core.risk.rules import Colour, Status
from core.risk.service import (
    count_colours,
    find_card,
    find_named_card,
    list_subscriptions,
    score_day,
    subscribe,
    unsubscribe,
)
from core.risk.versions import get_version

DAY = date(2020, 3, 27)
TODAY = date(2020, 3, 28)
VERSION = get_version()
HARMLESS = {one.code: 0.0 for one in VERSION.indicators}
YELLOW = HARMLESS | {"confirmed": 3.0, "recency": 14.0, "suspected": 3.0}
RED = YELLOW | {"close": 10.0, "cluster": 2.0}


@pytest.fixture
def places(session: Session, now: datetime) -> list[int]:
    """Three communities of one street."""
    session.add(Street(id=1, code="310104011", name="田林街道"))
    for number in (1, 2, 3):
        session.add(
            Community(
                id=number, code=f"T{number}", name=f"新村{number}", street_id=1, changed_at=now
            )
        )
    session.flush()
    return [1, 2, 3]


def put(
    session: Session, community_id: int, values: Mapping[str, float], *, day: date = DAY
) -> None:
    session.execute(
        insert(IndicatorValue),
        [
            {"day": day, "community_id": community_id, "indicator": code, "value": value}
            for code, value in values.items()
        ],
    )


def stored(session: Session) -> list[tuple[object, ...]]:
    table = RiskScore.__table__
    return [tuple(row) for row in session.execute(select(table).order_by(table.c.id))]


# ---- score_day ------------------------------------------------------------------------------


def test_score_day_stores_score_colour_and_parts(
    session: Session, places: list[int], now: datetime
) -> None:
    put(session, 1, HARMLESS)
    put(session, 2, YELLOW)
    put(session, 3, RED)
    result = score_day(session, day=DAY, now=now)
    assert result.colours == {Colour.RED: 1, Colour.YELLOW: 1, Colour.BLUE: 1, Colour.GREY: 0}
    assert (result.changed_count, result.version) == (3, "xh-2020.1")
    row = session.scalars(select(RiskScore).where(RiskScore.community_id == 3)).one()
    assert (row.score, row.colour, row.is_published) == (61.0, "red", True)
    assert row.scored_at == now
    assert len(row.parts) == 13
    assert sum(part[4] for part in row.parts if isinstance(part[4], float)) == row.score
    assert row.parts[0] == ["confirmed", 3.0, 100.0, 20.0, 20.0, "fresh"]


def test_score_day_again_leaves_every_row_as_it_was(
    session: Session, places: list[int], now: datetime
) -> None:
    put(session, 1, dict.fromkeys(HARMLESS, 1 / 3))
    put(session, 2, {"fever": 0.1})
    score_day(session, day=DAY, now=now)
    before = stored(session)
    result = score_day(session, day=DAY, now=now + timedelta(hours=1))
    assert result.changed_count == 0
    assert stored(session) == before


def test_score_day_rewrites_only_what_changed(
    session: Session, places: list[int], now: datetime
) -> None:
    for place in places:
        put(session, place, HARMLESS)
    score_day(session, day=DAY, now=now)
    session.execute(
        IndicatorValue.__table__.update()
        .where(IndicatorValue.community_id == 2, IndicatorValue.indicator == "confirmed")
        .values(value=1.0)
    )
    later = now + timedelta(hours=1)
    assert score_day(session, day=DAY, now=later).changed_count == 1
    times = session.execute(
        select(RiskScore.community_id, RiskScore.scored_at).order_by(RiskScore.community_id)
    )
    assert [(place, at) for place, at in times] == [(1, now), (2, later), (3, now)]


def test_score_day_carries_a_value_for_three_days_and_takes_the_newest(
    session: Session, places: list[int], now: datetime
) -> None:
    put(session, 1, HARMLESS | {"confirmed": 3.0}, day=DAY - timedelta(days=3))
    put(session, 1, {"confirmed": 1.0}, day=DAY - timedelta(days=2))
    put(session, 2, HARMLESS, day=DAY - timedelta(days=4))
    score_day(session, day=DAY, now=now)
    card = find_card(session, community_id=1, today=TODAY)
    assert card is not None
    assert card.reasons[0].indicator == "confirmed"
    assert (card.reasons[0].value, card.reasons[0].status) == (1.0, Status.STALE)
    assert find_card(session, community_id=2, today=TODAY) is None


def test_score_day_ignores_values_of_later_days(
    session: Session, places: list[int], now: datetime
) -> None:
    put(session, 1, HARMLESS)
    put(session, 1, RED, day=DAY + timedelta(days=1))
    score_day(session, day=DAY, now=now)
    card = find_card(session, community_id=1, today=TODAY)
    assert card is not None
    assert card.colour is Colour.BLUE


def test_score_day_without_the_confirmed_feed_publishes_nothing(
    session: Session, places: list[int], now: datetime
) -> None:
    put(session, 1, {code: 99.0 for code in HARMLESS if code != "confirmed"})
    result = score_day(session, day=DAY, now=now)
    assert result.colours[Colour.GREY] == 3
    assert find_card(session, community_id=1, today=TODAY) is None
    rows = session.scalars(select(RiskScore).order_by(RiskScore.community_id)).all()
    assert [(row.colour, row.is_published, row.score is None) for row in rows] == [
        ("grey", False, False),
        ("grey", False, True),
        ("grey", False, True),
    ]


def test_score_day_keeps_another_version_beside_the_current_one(
    session: Session, places: list[int], now: datetime
) -> None:
    put(session, 1, RED)
    score_day(session, day=DAY, now=now)
    challenger = replace(VERSION, name="study-1", yellow_cut=1.0, red_cut=99.0)
    score_day(session, day=DAY, now=now, version=challenger)
    rows = session.execute(
        select(RiskScore.version, RiskScore.colour, RiskScore.is_published)
        .where(RiskScore.community_id == 1)
        .order_by(RiskScore.version)
    )
    assert [tuple(row) for row in rows] == [
        ("study-1", "yellow", False),
        ("xh-2020.1", "red", True),
    ]


def test_score_day_takes_the_place_of_a_former_version(
    session: Session, places: list[int], now: datetime
) -> None:
    put(session, 1, RED)
    score_day(session, day=DAY, now=now)
    session.execute(RiskScore.__table__.update().values(version="xh-2019.9", colour="blue"))
    score_day(session, day=DAY, now=now)
    card = find_card(session, community_id=1, today=TODAY)
    assert card is not None
    assert (card.version, card.colour) == ("xh-2020.1", Colour.RED)


def test_only_one_score_of_a_day_can_be_published(
    session: Session, places: list[int], now: datetime
) -> None:
    put(session, 1, RED)
    score_day(session, day=DAY, now=now)
    row = session.scalars(select(RiskScore).where(RiskScore.community_id == 1)).one()
    values = {
        column.name: getattr(row, column.name)
        for column in RiskScore.__table__.c
        if column.name not in {"id", "version"}
    }
    with pytest.raises(IntegrityError), session.begin_nested():
        session.execute(insert(RiskScore), [values | {"version": "other"}])


def count_statements(engine: Engine, work: object) -> int:
    seen: list[str] = []

    def note(_connection: Connection, _cursor: object, statement: str, *_rest: object) -> None:
        if not statement.startswith("PRAGMA"):
            seen.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    try:
        assert callable(work)
        work()
    finally:
        event.remove(engine, "before_cursor_execute", note)
    return len(seen)


def test_number_of_statements_does_not_grow_with_the_district(
    sqlite_database: Database, now: datetime
) -> None:
    counts = []
    for size in (3, 300):
        with sqlite_database.transaction() as session:
            session.merge(Street(id=1, code="1", name="田林街道"))
            session.flush()
            session.execute(Community.__table__.delete())
            session.execute(
                insert(Community),
                [
                    {"id": n, "code": f"{n}", "name": "x", "street_id": 1, "changed_at": now}
                    for n in range(1, size + 1)
                ],
            )
            for place in range(1, size + 1):
                put(session, place, YELLOW)
            counts.append(
                count_statements(
                    sqlite_database.engine,
                    lambda session=session: score_day(session, day=DAY, now=now),
                )
            )
            session.execute(IndicatorValue.__table__.delete())
    assert counts[0] == counts[1] <= 6


# ---- find_card ------------------------------------------------------------------------------


def test_find_card_tells_the_reasons_that_weigh_most_first(
    session: Session, places: list[int], now: datetime
) -> None:
    put(session, 1, HARMLESS | {"keyarea": 10.0, "confirmed": 1.0})
    score_day(session, day=DAY, now=now)
    card = find_card(session, community_id=1, today=TODAY)
    assert card is not None
    assert (card.score, card.day, card.coverage, card.scored_at) == (24.0, DAY, 1.0, now)
    assert [reason.indicator for reason in card.reasons[:2]] == ["confirmed", "keyarea"]
    assert [reason.contribution for reason in card.reasons[:3]] == [16.0, 8.0, 0.0]
    assert (card.reasons[1].label, card.reasons[1].unit_label) == ("重点地区来沪人员", "‰")
    # What adds nothing stays in the model's order.
    assert [reason.indicator for reason in card.reasons[2:5]] == ["suspected", "close", "cluster"]


@pytest.mark.parametrize(
    ("today", "colour"),
    [
        (DAY, Colour.RED),
        (DAY + timedelta(days=3), Colour.RED),
        (DAY + timedelta(days=4), Colour.GREY),
        (DAY + timedelta(days=400), Colour.GREY),
    ],
)
def test_find_card_is_grey_when_the_newest_score_is_over_three_days_old(
    session: Session, places: list[int], now: datetime, today: date, colour: Colour
) -> None:
    put(session, 1, RED)
    score_day(session, day=DAY, now=now)
    card = find_card(session, community_id=1, today=today)
    assert card is not None
    assert (card.colour, card.day) == (colour, DAY)


def test_find_card_keeps_the_colour_of_the_day_before_a_day_that_is_held(
    session: Session, places: list[int], now: datetime
) -> None:
    put(session, 1, RED, day=DAY - timedelta(days=1))
    score_day(session, day=DAY - timedelta(days=1), now=now)
    unknown = replace(VERSION, max_stale_days=0)
    score_day(session, day=DAY, now=now, version=unknown)
    card = find_card(session, community_id=1, today=TODAY)
    assert card is not None
    assert (card.colour, card.day) == (Colour.RED, DAY - timedelta(days=1))


def test_find_card_never_shows_a_day_after_today(
    session: Session, places: list[int], now: datetime
) -> None:
    put(session, 1, RED)
    score_day(session, day=DAY, now=now)
    assert find_card(session, community_id=1, today=DAY - timedelta(days=1)) is None


def test_find_card_of_a_version_that_is_gone_names_the_codes(
    session: Session, places: list[int], now: datetime
) -> None:
    put(session, 1, RED)
    score_day(session, day=DAY, now=now)
    session.execute(RiskScore.__table__.update().values(version="xh-1999.1"))
    card = find_card(session, community_id=1, today=TODAY)
    assert card is not None
    assert (card.reasons[0].label, card.reasons[0].unit_label) == ("confirmed", "")


def test_find_card_is_one_statement_on_a_reading_session(database: Database, now: datetime) -> None:
    with database.transaction() as session:
        session.add(Street(id=1, code="1", name="田林街道"))
        session.add(Community(id=1, code="1", name="x", street_id=1, changed_at=now))
        session.flush()
        put(session, 1, RED)
        score_day(session, day=DAY, now=now)
    with database.reading() as session:
        session.connection()  # the first one of an engine asks the database about itself
        assert (
            count_statements(
                database.read_engine, lambda: find_card(session, community_id=1, today=TODAY)
            )
            == 1
        )


@pytest.fixture
def coloured(database: Database, now: datetime) -> Database:
    """A database with one red community, whose register this process has read."""
    with database.transaction() as session:
        session.add(Street(id=1, code="310104011", name="田林街道"))
        session.add(Community(id=1, code="T1", name="云桥苑", street_id=1, changed_at=now))
        session.flush()
        mark_changed(session)
        put(session, 1, RED)
        score_day(session, day=DAY, now=now)
    with database.reading() as session:
        current_book(session)
    return database


def test_find_named_card_is_one_statement_where_the_register_is_known(coloured: Database) -> None:
    def ask() -> None:
        with coloured.reading() as session:
            named = find_named_card(session, text="云桥苑什么颜色", today=TODAY)
            assert named.card is not None
            assert named.card.colour is Colour.RED

    assert count_statements(coloured.read_engine, ask) == 1


def test_find_named_card_sees_a_register_that_changed_meanwhile(
    coloured: Database, now: datetime
) -> None:
    elsewhere = Database(coloured.url.render_as_string(hide_password=False))
    with elsewhere.transaction() as session:
        session.get_one(Community, 1).name = "云桥旧苑"
        session.add(Community(id=2, code="T2", name="云桥苑", street_id=1, changed_at=now))
        session.flush()
        mark_changed(session)
        put(session, 2, HARMLESS)
        score_day(session, day=DAY, now=now)
    elsewhere.dispose()

    with coloured.reading() as session:
        named = find_named_card(session, text="云桥苑什么颜色", today=TODAY)
    assert named.finding.ids == (2,)
    assert named.card is not None
    assert named.card.colour is Colour.BLUE


def test_find_named_card_sees_a_score_that_changed_meanwhile(
    coloured: Database, now: datetime
) -> None:
    with coloured.reading() as session:
        find_named_card(session, text="云桥苑什么颜色", today=TODAY)
    with coloured.transaction() as session:
        session.execute(update(IndicatorValue).values(value=0.0))
        score_day(session, day=DAY, now=now)

    with coloured.reading() as session:
        card = find_named_card(session, text="云桥苑什么颜色", today=TODAY).card
    assert card is not None
    assert (card.colour, card.reasons[0].contribution) == (Colour.BLUE, 0.0)


@pytest.mark.parametrize(("text", "fit"), [("你好", Fit.NOT_NAMED), ("云桥苑风险", Fit.ONE)])
def test_find_named_card_without_a_score_has_no_card(
    coloured: Database, text: str, fit: Fit
) -> None:
    with coloured.transaction() as session:
        session.execute(delete(RiskScore))

    with coloured.reading() as session:
        named = find_named_card(session, text=text, today=TODAY)
    assert (named.finding.fit, named.card) == (fit, None)


def test_find_card_steps_into_the_index_of_published_scores(
    sqlite_database: Database,
) -> None:
    with sqlite_database.reading() as session:
        plan = session.connection().exec_driver_sql(
            "EXPLAIN QUERY PLAN SELECT parts FROM risk_score"
            " WHERE community_id = 1 AND is_published = 1 AND day <= '2020-03-28'"
            " ORDER BY day DESC LIMIT 1"
        )
        (step,) = plan.all()
    assert "uq_risk_score_published (community_id=? AND day<?)" in step[3]


# ---- count_colours --------------------------------------------------------------------------


def test_count_colours_agrees_with_the_cards(
    session: Session, places: list[int], now: datetime
) -> None:
    put(session, 1, RED, day=DAY - timedelta(days=2))
    put(session, 2, HARMLESS, day=DAY - timedelta(days=2))
    score_day(session, day=DAY - timedelta(days=2), now=now)
    put(session, 2, YELLOW)
    score_day(session, day=DAY, now=now)
    for today in (DAY, TODAY, TODAY + timedelta(days=3), TODAY + timedelta(days=9)):
        cards = [find_card(session, community_id=place, today=today) for place in places]
        colours = [card.colour if card else Colour.GREY for card in cards]
        found = count_colours(session, today=today)
        assert found.counts == {colour: colours.count(colour) for colour in Colour}
    assert count_colours(session, today=TODAY).day == DAY
    assert count_colours(session, today=TODAY + timedelta(days=9)).day is None


# ---- subscriptions --------------------------------------------------------------------------


@pytest.fixture
def person_id(session: Session, now: datetime) -> int:
    person = Person(openid="o-1", created_at=now)
    session.add(person)
    session.flush()
    return person.id


def test_subscribe_twice_is_once(
    session: Session, places: list[int], person_id: int, now: datetime
) -> None:
    assert subscribe(session, person_id=person_id, community_id=2, now=now)
    later = now + timedelta(days=1)
    assert not subscribe(session, person_id=person_id, community_id=2, now=later)
    assert subscribe(session, person_id=person_id, community_id=1, now=later)
    assert list_subscriptions(session, person_id=person_id) == [(2, "新村2"), (1, "新村1")]
    assert session.scalars(
        select(ColourSubscription.created_at).where(ColourSubscription.community_id == 2)
    ).all() == [now]


def test_unsubscribe_ends_one_or_all(
    session: Session, places: list[int], person_id: int, now: datetime
) -> None:
    for place in places:
        subscribe(session, person_id=person_id, community_id=place, now=now)
    assert unsubscribe(session, person_id=person_id, community_id=2) == 1
    assert unsubscribe(session, person_id=person_id, community_id=2) == 0
    assert [one for one, _ in list_subscriptions(session, person_id=person_id)] == [1, 3]
    assert unsubscribe(session, person_id=person_id) == 2
    assert list_subscriptions(session, person_id=person_id) == []
