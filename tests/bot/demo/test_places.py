from __future__ import annotations

from collections import Counter

import pytest

from bot.demo import SEED
from bot.demo.places import DemoCommunity, make_communities, numeral
from bot.demo.words import words
from core.places.streets import official_codes


@pytest.fixture(scope="module")
def communities() -> list[DemoCommunity]:
    return make_communities(SEED)


def test_same_seed_makes_the_same_district(communities: list[DemoCommunity]) -> None:
    assert make_communities(SEED) == communities
    assert make_communities(SEED + 1) != communities


def test_district_has_its_communities_streets_and_people(communities: list[DemoCommunity]) -> None:
    assert len({one.code for one in communities}) == 957
    assert {one.street for one in communities} == set(official_codes())
    assert sum(one.population for one in communities) == pytest.approx(1_100_000, abs=500)
    assert min(one.population for one in communities) > 50


def test_communities_lie_in_their_street(communities: list[DemoCommunity]) -> None:
    for one in communities:
        west, south, east, north = words("district")[one.street]["box"]
        assert west <= one.longitude <= east
        assert south <= one.latitude <= north


def test_names_are_unique_but_for_twins_in_two_streets(communities: list[DemoCommunity]) -> None:
    twice = {name for name, count in Counter(one.name for one in communities).items() if count > 1}
    assert twice == {"嘉禾公寓", "永和坊", "文景苑"}
    streets = Counter((one.name, one.street) for one in communities)
    assert max(streets.values()) == 1


def test_no_alias_is_the_name_or_alias_of_another(communities: list[DemoCommunity]) -> None:
    names = {one.name for one in communities}
    aliases = [alias for one in communities for alias in one.aliases]
    assert len(set(aliases)) == len(aliases) > 50
    assert not names & set(aliases)


def test_names_that_are_easily_confused_are_there(communities: list[DemoCommunity]) -> None:
    at = {one.name: one.street for one in communities}
    assert at["田林十二村"] == at["田林十三村"] == at["田林二村"] == "田林街道"
    assert at["梅陇一村"] == at["梅陇十一村"] == "凌云路街道"
    assert any(name.endswith("弄") for name in at)
    assert any(name.endswith("弄小区") for name in at)
    assert any(name.endswith("（东区）") for name in at)


@pytest.mark.parametrize(
    ("number", "text"),
    [(1, "一"), (10, "十"), (12, "十二"), (20, "二十"), (21, "二十一"), (99, "九十九")],
)
def test_numeral_is_written_as_in_names(number: int, text: str) -> None:
    assert numeral(number) == text
