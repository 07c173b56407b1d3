from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from core.db import Database
from core.people.model import Person
from core.places.matching import Fit
from core.places.model import Community, Street
from core.places.service import current_book, mark_changed
from core.risk.model import ColourSubscription, IndicatorValue, RiskScore
from core.risk.rules import Colour
from core.risk.scoring import score_day
from core.risk.service import (
    count_colours,
    find_card,
    find_named_card,
    list_subscriptions,
    subscribe,
    unsubscribe,
)
from tests.core.risk.values import (
    DAY,
    HARMLESS,
    RED,
    TODAY,
    VERSION,
    YELLOW,
    count_statements,
    put,
    set_by_hand,
)

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


def test_find_card_tells_what_made_the_colour_another_one_than_the_scores(
    session: Session, places: list[int], now: datetime
) -> None:
    put(session, 1, HARMLESS | {"confirmed": 1.0})
    score_day(session, day=DAY, now=now)
    session.execute(update(RiskScore).values(colour="yellow", floors=["R1", "R4"]))
    card = find_card(session, community_id=1, today=TODAY)
    assert card is not None
    assert (card.colour, card.score_colour) == (Colour.YELLOW, Colour.BLUE)
    assert (card.rules, card.override_until, card.is_provisional) == (("R1", "R4"), None, False)


@pytest.mark.parametrize(
    ("state", "until"), [("in_force", TODAY), ("proposed", None), ("ended", None)]
)
def test_find_card_of_a_colour_set_by_hand_tells_until_when(
    session: Session, places: list[int], now: datetime, state: str, until: date | None
) -> None:
    put(session, 1, HARMLESS)
    score_day(session, day=DAY, now=now)
    session.execute(update(RiskScore).values(colour="red", floors=["R5"], is_provisional=True))
    set_by_hand(session, "red", now=now, state=state)
    card = find_card(session, community_id=1, today=TODAY)
    assert card is not None
    assert (card.override_until, card.is_provisional) == (until, True)


@pytest.mark.parametrize(
    ("values", "whole"), [({"confirmed": 0.5}, 8), ({"confirmed": 3.0, "suspected": 3.0}, 32)]
)
def test_whole_score_never_passes_a_cut_that_the_score_does_not(
    session: Session, places: list[int], now: datetime, values: dict[str, float], whole: int
) -> None:
    put(session, 1, HARMLESS | values | {"vuln": 0.29})
    score_day(session, day=DAY, now=now)
    card = find_card(session, community_id=1, today=TODAY)
    assert card is not None
    assert card.score is not None
    assert card.whole_score == whole <= card.score < whole + 1


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
