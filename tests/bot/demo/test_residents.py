from __future__ import annotations

from collections import Counter

import pytest

from bot.demo import SEED
from bot.demo.places import POPULATION, make_communities
from bot.demo.residents import (
    DORMITORIES,
    FEWEST,
    SLEEPERS,
    count_residents,
    elderly_share,
    resident_rows,
)

COMMUNITIES = make_communities(SEED)


def rows_of(one_in: int) -> dict[str, dict[str, str]]:
    counts = count_residents(COMMUNITIES, one_in=one_in)
    rows = resident_rows(counts, seed=SEED, year=2020)
    return {row.cells["person_id"]: dict(row.cells) for row in rows}


@pytest.fixture(scope="module")
def sample() -> dict[str, dict[str, str]]:
    return rows_of(20)


def test_the_whole_district_is_in_the_large_register() -> None:
    total = sum(count_residents(COMMUNITIES, one_in=1).values())
    assert total == pytest.approx(POPULATION, rel=0.001)


def test_everybody_has_an_identifier_that_is_no_document_and_almost_all_a_birth_year(
    sample: dict[str, dict[str, str]],
) -> None:
    counts = count_residents(COMMUNITIES, one_in=20)
    assert len(sample) == sum(counts.values()) + DORMITORIES * SLEEPERS
    assert min(counts.values()) == FEWEST
    assert all(one.startswith("demo-") for one in sample)
    unborn = [one for one in sample.values() if not one["birth_year"]]
    assert 0 < len(unborn) < len(sample) / 100
    assert all(
        1920 < int(one["birth_year"]) <= 2020 for one in sample.values() if one not in unborn
    )


def test_a_community_has_its_share_of_elderly_residents(sample: dict[str, dict[str, str]]) -> None:
    people, elderly = Counter[str](), Counter[str]()
    for one in sample.values():
        if one["birth_year"] and one["community_code"]:
            people[one["community_code"]] += 1
            elderly[one["community_code"]] += 2020 - int(one["birth_year"]) >= 60
    shares = {code: elderly_share(code, seed=SEED) for code in people}
    assert max(abs(elderly[code] / people[code] - shares[code]) for code in people) < 0.03
    assert max(shares.values()) - min(shares.values()) > 0.3


def test_a_smaller_register_is_the_beginning_of_a_larger_one(
    sample: dict[str, dict[str, str]],
) -> None:
    larger = rows_of(10)
    assert {one: larger[one] for one in sample} == sample


def test_some_live_where_no_community_is(sample: dict[str, dict[str, str]]) -> None:
    names = {one.name for one in COMMUNITIES} | {one.address for one in COMMUNITIES}
    places = [one["community"] for one in sample.values() if "community" in one]
    assert set(Counter(places).values()) == {SLEEPERS}
    assert len(set(places) - names) == DORMITORIES
