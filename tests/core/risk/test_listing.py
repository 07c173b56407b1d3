from __future__ import annotations

from datetime import date, datetime, timedelta
from itertools import pairwise

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.clock import day_of
from core.people.staff.rules import Area
from core.places.model import Community, CommunityAlias, Street
from core.risk.listing import (
    CommunityPage,
    CommunityQuery,
    count_colours_of,
    list_communities,
    list_streets_of,
)
from core.risk.model import RiskScore
from core.risk.rules import Colour
from core.risk.service import count_colours

DISTRICT = Area()
FIRST_STREET = Area(street_id=1)
TWO = Area(community_ids=frozenset({2, 5}))
NONE = Area(community_ids=frozenset())


@pytest.fixture
def today(session: Session, now: datetime) -> date:
    """Six communities of two streets; the day on which they are asked for."""
    today = day_of(now)
    for number, name in ((1, "田林街道"), (2, "凌云路街道")):
        session.add(Street(id=number, code=f"31010400{number}", name=name))
    session.flush()
    scores = {1: (10.0, 0), 2: (65.0, 0), 3: (45.0, 1), 4: (70.0, 1), 5: (80.0, 9), 6: None}
    for number, scored in scores.items():
        session.add(
            Community(
                id=number,
                code=f"C{number}",
                name=f"第{number}小区",
                street_id=1 if number <= 3 else 2,
                changed_at=now,
            )
        )
        session.flush()
        if scored:
            add_score(session, now, number, scored[0], today - timedelta(days=scored[1]))
    add_score(session, now, 3, 5.0, today - timedelta(days=2))  # an older day speaks no more
    session.add(CommunityAlias(community_id=4, name="锦泰苑"))
    session.flush()
    return today


def add_score(session: Session, now: datetime, community: int, score: float, day: date) -> None:
    colour = "red" if score >= 60 else "yellow" if score >= 40 else "blue"
    session.add(
        RiskScore(
            community_id=community,
            day=day,
            version="xh-2020.1",
            score=score,
            colour=colour,
            coverage=1.0,
            lo=score,
            hi=score,
            parts=[],
            is_published=True,
            scored_at=now,
        )
    )


def ids(session: Session, today: date, **values: object) -> list[int]:
    query = CommunityQuery(**{"area": DISTRICT, **values})  # type: ignore[arg-type]
    return [row.id for row in list_communities(session, query=query, today=today).rows]


@pytest.mark.parametrize(
    ("area", "found"),
    [(DISTRICT, [4, 2, 3, 5, 6, 1]), (FIRST_STREET, [2, 3, 1]), (TWO, [2, 5]), (NONE, [])],
    ids=["district", "street", "communities", "none"],
)
def test_communities_of_the_area_alone_are_listed_the_worst_first(
    session: Session, today: date, area: Area, found: list[int]
) -> None:
    assert ids(session, today, area=area) == found
    places = {1: 1, 2: 1, 3: 1, 4: 2, 5: 2, 6: 2}
    assert all(area.covers(community_id=one, street_id=places[one]) for one in found)


@pytest.mark.parametrize(
    ("values", "found"),
    [
        ({"text": "小区"}, [4, 2, 3, 5, 6, 1]),
        ({"text": "锦泰"}, [4]),
        ({"text": "C3"}, [3]),
        ({"text": "%"}, []),
        ({"text": "_"}, []),
        ({"text": "'; --"}, []),
        ({"colour": Colour.RED}, [4, 2]),
        ({"colour": Colour.GREY}, [5, 6]),
        ({"street_id": 2}, [4, 5, 6]),
        ({"street_id": 2, "area": FIRST_STREET}, []),
        ({"text": "锦泰", "area": FIRST_STREET}, []),
        ({"colour": Colour.RED, "area": TWO}, [2]),
        ({"street_id": 99}, []),
    ],
    ids=str,
)
def test_filters_narrow_the_area_and_never_widen_it(
    session: Session, today: date, values: dict[str, object], found: list[int]
) -> None:
    assert ids(session, today, **values) == found


def test_row_shows_the_newest_fresh_score_or_none(session: Session, today: date) -> None:
    query = CommunityQuery(area=DISTRICT)
    page = list_communities(session, query=query, today=today)
    rows = {row.id: row for row in page.rows}
    assert (rows[3].colour, rows[3].score, rows[3].street) == (Colour.YELLOW, 45.0, "田林街道")
    assert rows[3].day == today - timedelta(days=1)
    assert (rows[5].colour, rows[5].score, rows[5].day) == (Colour.GREY, None, None)


def page_of(session: Session, today: date, number: int) -> CommunityPage:
    query = CommunityQuery(area=DISTRICT)
    return list_communities(session, query=query, today=today, number=number, page_size=4)


def test_pages_hold_every_row_once(session: Session, today: date) -> None:
    pages = [page_of(session, today, number) for number in (1, 2)]
    assert [row.id for page in pages for row in page.rows] == [4, 2, 3, 5, 6, 1]
    assert [(page.number, page.page_count, page.total) for page in pages] == [(1, 2, 6), (2, 2, 6)]


@pytest.mark.parametrize(("asked", "given"), [(-3, 1), (0, 1), (9, 2), (2**31 - 1, 2)])
def test_page_that_is_not_there_is_the_nearest(
    session: Session, today: date, asked: int, given: int
) -> None:
    assert page_of(session, today, asked).number == given


def test_counts_of_the_district_are_the_public_ones(session: Session, today: date) -> None:
    assert count_colours_of(session, area=DISTRICT, today=today) == count_colours(
        session, today=today
    )


@pytest.mark.parametrize(
    ("area", "red", "yellow", "blue", "grey"),
    [(FIRST_STREET, 1, 1, 1, 0), (TWO, 1, 0, 0, 1), (NONE, 0, 0, 0, 0)],
)
def test_counts_are_those_of_the_area(
    session: Session, today: date, area: Area, red: int, yellow: int, blue: int, grey: int
) -> None:
    counts = count_colours_of(session, area=area, today=today).counts
    expected = {"red": red, "yellow": yellow, "blue": blue, "grey": grey}
    assert {colour.value: counts[colour] for colour in Colour} == expected


def test_streets_are_those_of_the_area(session: Session, today: date) -> None:
    assert [name for _, name in list_streets_of(session, area=DISTRICT)] == [
        "田林街道",
        "凌云路街道",
    ]
    assert list_streets_of(session, area=FIRST_STREET) == [(1, "田林街道")]
    assert list_streets_of(session, area=NONE) == []


def test_order_within_a_colour_is_by_score(session: Session, today: date) -> None:
    rows = page_of(session, today, 1).rows
    reds = [row.score or 0.0 for row in rows if row.colour is Colour.RED]
    assert all(one >= other for one, other in pairwise(reds))


def test_colour_set_by_hand_without_a_score_stands_behind_the_scored_ones(
    session: Session, today: date
) -> None:
    score = session.scalars(select(RiskScore).where(RiskScore.community_id == 4)).one()
    score.score = None
    session.flush()
    assert ids(session, today, colour=Colour.RED) == [2, 4]
