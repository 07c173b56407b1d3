"""One screening for all: what is a hit, of which level, and what only asks a question."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.keyareas import screening
from core.keyareas.divisions import divisions
from core.keyareas.rules import Area, KeyAreaHit, Level, covers, was_one_between
from core.keyareas.screening import Screener, areas_met_by

START = datetime(2020, 3, 1, tzinfo=UTC)
DAY = timedelta(days=1)
NAMES = sorted((name, code) for code, name in divisions().names.items() if len(name) > 3)
STREET = "420102005"


def area(code: str, *, name: str = "", level: Level = Level.MEDIUM, since: int = 0) -> Area:
    return Area(code=code, name=name or f"地区{code}", level=level, since=START + since * DAY)


areas = st.lists(
    st.builds(
        lambda named, since, length: Area(
            code=named[1],
            name=named[0],
            since=START + since * DAY,
            until=None if length is None else START + (since + length) * DAY,
        ),
        st.sampled_from(NAMES),
        st.integers(min_value=-20, max_value=20),
        st.none() | st.integers(min_value=1, max_value=20),
    ),
    max_size=5,
    unique_by=lambda one: (one.code, one.since),
)


@given(areas, st.sampled_from(NAMES), st.integers(-20, 20), st.integers(1, 14))
@settings(max_examples=60)
def test_place_by_its_whole_name_hits_just_what_covers_it_on_a_day_of_the_stay(
    listed: list[Area], place: tuple[str, str], start: int, length: int
) -> None:
    since, until = START + start * DAY, START + (start + length) * DAY
    name, _ = place
    hits = Screener(listed).hits_of([name], since=since, until=until)
    meant = {one.code for one in divisions().meanings[name]} if name in divisions().meanings else ()
    expected = {
        one.code
        for one in listed
        if was_one_between(one, since=since, until=until)
        and any(covers(one.code, code) for code in meant)
    }
    # A name that several places have means those of this city, or of its province.
    assert {hit.code for hit in hits} <= expected
    if len(meant) == 1:
        assert {hit.code for hit in hits} == expected


@given(areas, st.lists(st.sampled_from(NAMES), max_size=12))
@settings(max_examples=40)
def test_many_places_are_screened_as_few_are(
    listed: list[Area], places: list[tuple[str, str]]
) -> None:
    typed = [name for name, _ in places]
    one_by_one = Screener(listed).hits_of(typed, since=START, until=START + DAY)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(screening, "_MANY", 0)
        at_once = Screener(listed).hits_of(typed, since=START, until=START + DAY)
    assert at_once == one_by_one


@pytest.mark.parametrize(
    ("place", "is_hit"),
    [
        ("湖北省武汉市江岸区百步亭街道", True),
        ("武汉江岸区百步亭街道", True),
        ("武汉百步亭", True),
        ("百步亭街道", True),
        ("百步亭", True),
        ("武汉江岸区", False),
        ("沈阳百步亭街道", False),
        ("百步亭花园", False),
    ],
)
def test_street_is_found_by_the_ways_in_which_it_is_written(place: str, is_hit: bool) -> None:
    listed = area(STREET, name="湖北省武汉市江岸区百步亭街道", level=Level.HIGH)
    hits = Screener([listed]).hits_of([place], since=START, until=START + DAY)
    expected = KeyAreaHit(code=STREET, name=listed.name, level=Level.HIGH, place=place)
    assert hits == ([expected] if is_hit else [])


def test_area_whose_level_changed_during_the_stay_counts_by_the_worst() -> None:
    times = [area("420100", level=Level.WATCHED), area("420100", level=Level.HIGH, since=3)]
    screener = Screener(times)
    (early,) = screener.hits_of(["武汉"], since=START, until=START + DAY)
    (late,) = screener.hits_of(["武汉"], since=START, until=START + 5 * DAY)
    assert (early.level, late.level) == (Level.WATCHED, Level.HIGH)


@pytest.mark.parametrize(
    ("home", "code", "asks"),
    [
        ("420106", "420100", True),
        ("420106", "420000", True),
        ("420102", STREET, True),
        ("湖北省黄冈市", "420000", True),
        ("湖北", "420100", True),
        ("421102", "420100", False),
        ("310104", "420100", False),
        ("没有的地方", "420100", False),
        ("", "420100", False),
    ],
)
def test_home_asks_about_the_areas_that_it_is_in_and_is_no_stay(
    home: str, code: str, asks: bool
) -> None:
    listed = area(code)
    screener = Screener([listed])
    asked = screener.home_question_of(home, since=START, until=START + DAY)
    assert asked == ([listed] if asks else [])
    assert screener.home_question_of(home, since=START - DAY, until=START) == []


def test_train_is_met_from_a_city_with_a_part_that_is_one_and_a_stay_there_is_no_hit() -> None:
    listed = [area("420106")]
    assert areas_met_by("420100", areas=listed, since=START, until=START + DAY) == listed
    assert Screener(listed).hits_of(["武汉"], since=START, until=START + DAY) == []
