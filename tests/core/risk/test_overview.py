from __future__ import annotations

from collections import Counter
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import insert
from sqlalchemy.orm import Session

from core.people.staff.rules import Area
from core.risk.model import Publication
from core.risk.overview import (
    Shown,
    Standing,
    counts_of,
    list_movers,
    list_standings,
    moved_first,
    newest_day_of,
    streets_of,
)
from core.risk.rules import Colour
from core.risk.rulings.model import ColourOverride
from core.risk.trend import list_trend
from tests.core.risk.published import SCORED_AT, add_district, add_staff, publish
from tests.core.risk.values import DAY, RED, TODAY, YELLOW, count_statements

DISTRICT = Area()
FIRST = Area(street_id=1)
TWO = Area(community_ids=frozenset({2, 5}))
NONE = Area(community_ids=frozenset())
BEFORE = DAY - timedelta(days=1)


@pytest.fixture
def district(session: Session) -> Session:
    """Two streets: 1 got worse, 2 better, 3 stands, 4 is too old, 5 is of today, 6 never was."""
    add_district(session, streets={1: 1, 2: 1, 3: 1, 4: 2, 5: 2, 6: 2})
    for community, before, now in ((1, {}, RED), (2, RED, YELLOW), (3, YELLOW, YELLOW)):
        for day, values in ((BEFORE, before), (DAY, now)):
            if values:
                publish(session, community, day, values)
            else:
                publish(session, community, day)
    publish(session, 4, TODAY - timedelta(days=4), RED)
    publish(session, 5, DAY)
    publish(session, 5, TODAY, YELLOW, is_provisional=True)
    publish(session, 6, DAY, RED, is_published=False)
    return session


@pytest.mark.parametrize(
    ("area", "found"),
    [(DISTRICT, [1, 2, 3, 4, 5, 6]), (FIRST, [1, 2, 3]), (TWO, [2, 5]), (NONE, [])],
    ids=["district", "street", "communities", "none"],
)
def test_communities_of_the_area_alone_stand_there(
    district: Session, area: Area, found: list[int]
) -> None:
    assert [one.id for one in list_standings(district, area=area, today=TODAY)] == found
    trend = list_trend(district, area=area, today=TODAY, days=14)
    assert {sum(one.counts.values()) for one in trend} == {len(found)}


def test_standing_is_the_newest_fresh_publication_and_the_one_before(district: Session) -> None:
    standings = {one.id: one for one in list_standings(district, area=DISTRICT, today=TODAY)}
    colours = {number: one.colour.value for number, one in standings.items()}
    expected = {1: "red", 2: "yellow", 3: "yellow", 4: "grey", 5: "yellow", 6: "grey"}
    assert colours == expected
    changes = {number: one.colour_change for number, one in standings.items()}
    assert changes == {1: 2, 2: -1, 3: 0, 4: 0, 5: 1, 6: 0}
    now, before = standings[5].now, standings[5].before
    assert now is not None
    assert before is not None
    assert (now.day, now.is_provisional, before.day) == (TODAY, True, DAY)
    assert standings[6].point is None
    assert newest_day_of(list(standings.values())) == DAY, "a provisional day is not a night's"


def test_overrides_in_force_are_named_and_others_are_not(district: Session) -> None:
    proposer, decider = add_staff(district, count=2)
    for community, state, until in ((1, "in_force", TODAY), (2, "proposed", TODAY)):
        district.add(
            ColourOverride(
                community_id=community,
                colour="blue",
                reason="核实为误报",
                until_day=until,
                state=state,
                proposed_by=proposer,
                proposed_at=SCORED_AT,
                decided_by=decider if state == "in_force" else None,
            )
        )
    district.flush()

    def named(day: date) -> dict[int, Colour]:
        standings = list_standings(district, area=DISTRICT, today=day)
        return {one.id: one.override for one in standings if one.override}

    assert named(TODAY) == {1: Colour.BLUE}
    assert named(TODAY + timedelta(days=1)) == {}, "its last day is over"


def test_movers_name_the_two_indicators_that_moved_most(district: Session) -> None:
    standings = moved_first(list_standings(district, area=DISTRICT, today=TODAY))
    assert [one.id for one in standings] == [1, 5, 2, 3, 4, 6]
    movers = {one.standing.id: one for one in list_movers(district, standings=standings)}
    first = movers[1].reasons
    assert [(one.indicator, one.value_before, one.value) for one in first] == [
        ("confirmed", 0.0, 3.0),
        ("suspected", 0.0, 3.0),
    ]
    assert [one.change for one in first] == [20.0, 12.0]
    assert [one.indicator for one in movers[2].reasons] == ["close", "cluster"]
    assert movers[2].reasons[0].change == -11.0
    assert [movers[number].reasons for number in (3, 4, 6)] == [(), (), ()]


def test_trend_counts_what_a_night_published_and_names_what_is_held(district: Session) -> None:
    district.execute(
        insert(Publication),
        [
            {
                "day": DAY - timedelta(days=2),
                "version": "xh-2020.1",
                "state": "held",
                "reason": "jump",
                "community_count": 6,
                "grey_count": 0,
                "jump_count": 5,
                "scored_at": SCORED_AT,
            }
        ],
    )
    trend = {one.day: one for one in list_trend(district, area=DISTRICT, today=TODAY, days=14)}
    assert list(trend) == [TODAY - timedelta(days=ago) for ago in range(14, 0, -1)]
    last = trend[DAY]
    assert {colour.value: count for colour, count in last.counts.items()} == {
        "red": 1,
        "yellow": 2,
        "blue": 1,
        "grey": 2,
    }
    assert [day for day, one in trend.items() if one.is_held] == [DAY - timedelta(days=2)]
    assert not trend[DAY - timedelta(days=2)].is_published
    assert trend[DAY - timedelta(days=2)].counts[Colour.GREY] == 6


def test_what_is_read_of_an_area_takes_six_statements(district: Session) -> None:
    def look() -> None:
        standings = list_standings(district, area=DISTRICT, today=TODAY)
        list_movers(district, standings=standings)
        list_trend(district, area=DISTRICT, today=TODAY, days=28)

    assert count_statements(district.get_bind().engine, look) == 6


# --- pure counts --------------------------------------------------------------------------------

COLOURS = st.sampled_from([Colour.RED, Colour.YELLOW, Colour.BLUE])
SHOWN = st.none() | st.builds(
    Shown,
    id=st.integers(1, 9),
    day=st.just(DAY),
    colour=COLOURS,
    score=st.none() | st.floats(0, 100),
    is_provisional=st.booleans(),
)
STANDINGS = st.lists(
    st.builds(
        Standing,
        id=st.integers(1, 99),
        code=st.text("ABC", min_size=1, max_size=3),
        name=st.just("甲"),
        street_id=st.integers(1, 4),
        street=st.just("甲街道"),
        point=st.none(),
        now=SHOWN,
        before=SHOWN,
        override=st.none(),
    ),
    max_size=12,
)


@given(STANDINGS)
def test_streets_add_up_to_the_area(standings: list[Standing]) -> None:
    streets = streets_of(standings)
    assert sum(one.total for one in streets) == len(standings)
    summed = Counter[Colour]()
    for one in streets:
        assert sum(one.counts.values()) == one.total
        summed.update(one.counts)
    assert {colour: summed[colour] for colour in Colour} == counts_of(standings)
    changed = sum(one.colour_change != 0 for one in standings)
    assert sum(one.worse_count + one.better_count for one in streets) == changed


@given(STANDINGS)
def test_order_puts_worse_colours_before_better_ones_before_scores(
    standings: list[Standing],
) -> None:
    ordered = moved_first(standings)
    assert Counter(map(id, ordered)) == Counter(map(id, standings))
    worse = [one.colour_change for one in ordered if one.colour_change > 0]
    first = [one.colour_change for one in ordered[: len(worse)]]
    assert first == sorted(worse, reverse=True)
    rest = ordered[len(worse) :]
    better = [one for one in rest if one.colour_change < 0]
    assert rest[: len(better)] == better
    still = [abs(one.score_change) for one in rest[len(better) :]]
    assert still == sorted(still, reverse=True)
