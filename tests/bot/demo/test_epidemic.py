from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import date, timedelta
from random import Random
from typing import TypeAlias

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.demo import SEED
from bot.demo.epidemic import FEEDS, Epidemic, poisson
from bot.demo.places import make_communities
from bot.demo.residents import count_residents, resident_rows
from core.risk.events.rules import FEED_OF, EventKind, Feed

COMMUNITIES = make_communities(SEED)
COUNTS = count_residents(COMMUNITIES, one_in=20)
ZERO = date(2020, 3, 27)
FIRST = -27

# Day of the story, feed and cells.
Rows: TypeAlias = "list[tuple[int, Feed, dict[str, str]]]"


def key_of(cells: Mapping[str, str]) -> tuple[str, str, str]:
    return cells["person_id"], cells["kind"], cells["reported_on"]


def told(*, first: int = FIRST, last: int = 0, flags: int = 0) -> Rows:
    epidemic = Epidemic(COMMUNITIES, COUNTS, seed=SEED, first=first, last=last, flags_a_day=flags)
    return [
        (day, FEED_OF[EventKind(row.cells["kind"])], dict(row.cells))
        for day in epidemic.days()
        for row in epidemic.file_for(range(day, day + 1), zero=ZERO).rows
    ]


@pytest.fixture(scope="module")
def rows() -> Rows:
    return told()


def test_every_feed_tells_of_a_day_on_that_day(rows: Rows) -> None:
    assert {feed for _, feed, _ in rows} == set(FEEDS)
    for day, _, cells in rows:
        today = (ZERO + timedelta(days=day)).isoformat()
        assert cells["reported_on"] <= today
        assert cells.get("ended_on", today) == today
        assert "ended_on" in cells or cells["reported_on"] == today


def test_a_file_of_several_days_tells_how_each_event_stands_and_who_is_silent(rows: Rows) -> None:
    epidemic = Epidemic(COMMUNITIES, COUNTS, seed=SEED, first=FIRST, last=0)
    first = epidemic.file_for(range(FIRST, -6), zero=ZERO)
    standing = {key_of(cells): cells for day, _, cells in rows if day < -6}
    assert {key_of(row.cells): dict(row.cells) for row in first.rows} == standing
    assert first.silent == ()
    quiet = [
        (day, feed)
        for day in range(-6, 1)
        for feed in epidemic.file_for(range(day, day + 1), zero=ZERO).silent
    ]
    assert quiet == [
        (day, feed)
        for day in range(-6, 1)
        for feed in FEEDS
        if not [one for one in rows if one[:2] == (day, feed)]
    ]


def test_nobody_is_told_of_twice_in_a_file(rows: Rows) -> None:
    keys = Counter((day, *key_of(cells)) for day, _, cells in rows)
    assert set(keys.values()) == {1}


def test_whatever_ends_began_before(rows: Rows) -> None:
    begun: set[tuple[str, str, str]] = set()
    for _, _, cells in rows:
        if "ended_on" in cells:
            assert key_of(cells) in begun
        begun.add(key_of(cells))


def test_only_guests_are_in_no_register_and_some_of_them_nowhere(
    rows: Rows,
) -> None:
    registered = {row.cells["person_id"] for row in resident_rows(COUNTS, seed=SEED, year=2020)}
    guests = [cells for _, _, cells in rows if cells["person_id"] not in registered]
    assert {cells["kind"] for cells in guests} == {EventKind.OVERSEAS_ARRIVAL}
    assert {bool(cells["community_code"]) for cells in guests} == {True, False}


def test_the_story_goes_on_without_a_change_of_what_was_told(
    rows: Rows,
) -> None:
    longer = told(last=3)
    assert [one for one in longer if one[0] <= 0] == rows
    assert {day for day, _, _ in longer} >= {1, 2, 3}


def test_companions_are_let_go_on_the_day_they_are_named() -> None:
    flagged = [one for one in told(first=-1, flags=5000) if one[2].get("route") == "track"]
    assert len(flagged) == pytest.approx(10_000, rel=0.1)
    assert all(cells["ended_on"] == cells["reported_on"] for _, _, cells in flagged)


@given(mean=st.floats(0.01, 12))
@settings(max_examples=20)
def test_what_happens_at_random_happens_as_often_as_it_should(mean: float) -> None:
    random = Random(7)
    drawn = [poisson(random, mean) for _ in range(3000)]
    average = sum(drawn) / len(drawn)
    spread = sum((one - average) ** 2 for one in drawn) / len(drawn)
    assert average == pytest.approx(mean, rel=0.1, abs=0.02)
    assert spread == pytest.approx(mean, rel=0.15, abs=0.03)
