from __future__ import annotations

from datetime import date, timedelta

import pytest

from core.risk.events.rules import Feed
from core.risk.indicators.rules import FEEDS_OF, CommunityCounts, fractions_of, recency_of
from core.risk.versions import get_version

DAY = date(2020, 3, 27)


def counts(**others: object) -> CommunityCounts:
    nothing = dict.fromkeys(CommunityCounts.__annotations__, 0)
    return CommunityCounts(**(nothing | {"community_id": 1, "last_infected_on": None} | others))


def test_every_indicator_of_the_districts_version_is_defined() -> None:
    assert set(FEEDS_OF) == {one.code for one in get_version("xh-2020.1").indicators}
    assert frozenset().union(*FEEDS_OF.values()) == set(Feed) - {Feed.RESIDENTS}


def test_counts_are_numbers_of_people_and_have_no_denominator() -> None:
    found = dict(fractions_of(counts(confirmed=2, close=7, nearby=3, cluster=1), day=DAY))

    assert found["confirmed"] == (2.0, 2, None)
    assert found["close"] == (7.0, 7, None)
    assert found["nearby"] == (3.0, 3, None)
    assert found["cluster"] == (1.0, 1, None)


@pytest.mark.parametrize(
    ("residents", "population"), [(0, 300), (20, 300), (300, 300), (301, 301), (1150, 1150)]
)
def test_rates_are_per_mille_of_the_residents_but_of_300_at_least(
    residents: int, population: int
) -> None:
    found = dict(fractions_of(counts(residents=residents, keyarea=3), day=DAY))

    assert found["keyarea"] == (3000 / population, 3, population)
    assert found["homeq"].value == 0


def test_the_share_of_the_aged_leaves_out_whose_year_is_unknown() -> None:
    found = dict(fractions_of(counts(residents=10, birth_years=8, aged=2), day=DAY))

    assert found["vuln"] == (0.25, 2, 8)


def test_where_nobody_is_known_to_live_the_share_of_the_aged_is_missing() -> None:
    found = dict(fractions_of(counts(residents=3), day=DAY))

    assert "vuln" not in found
    assert list(found) == [code for code in FEEDS_OF if code != "vuln"]


@pytest.mark.parametrize(("days", "recency"), [(0, 14), (1, 13), (13, 1), (14, 0), (20, 0)])
def test_recency_is_fourteen_less_the_days_since(days: int, recency: int) -> None:
    assert recency_of(DAY - timedelta(days=days), day=DAY) == recency
    assert recency_of(None, day=DAY) == 0
