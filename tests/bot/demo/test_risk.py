from __future__ import annotations

from collections.abc import Iterator

import pytest

from bot.demo import SEED
from bot.demo.places import make_communities
from bot.demo.risk import SILENT_COUNT, SILENT_FOR_DAYS, Outbreak, Story, Values
from core.risk.rules import UNIT_MAXIMUM
from core.risk.versions import get_version

DAYS = 14
COMMUNITIES = make_communities(SEED)
CODES = {one.code for one in get_version().indicators}


@pytest.fixture(scope="module")
def story() -> Story:
    return Story(COMMUNITIES, seed=SEED, days=DAYS)


def every_value(story: Story) -> Iterator[tuple[int, str, Values]]:
    for age in range(DAYS):
        for code, values in story.values_on(age):
            yield age, code, values


def test_story_is_the_same_for_the_same_seed(story: Story) -> None:
    again = Story(COMMUNITIES, seed=SEED, days=DAYS)
    assert list(again.values_on(3)) == list(story.values_on(3))


def test_values_are_possible(story: Story) -> None:
    maxima = {one.code: UNIT_MAXIMUM.get(one.unit, 1e4) for one in get_version().indicators}
    for _, _, values in every_value(story):
        assert values.keys() <= CODES
        assert all(0 <= value <= maxima[code] for code, value in values.items())


def test_two_communities_fall_silent_and_stay_so(story: Story) -> None:
    silent = {
        age: {code for code, values in story.values_on(age) if "confirmed" not in values}
        for age in range(DAYS)
    }
    assert len(silent[0]) == SILENT_COUNT
    assert all(silent[age] == silent[0] for age in range(SILENT_FOR_DAYS))
    assert not silent[SILENT_FOR_DAYS]


def test_days_since_the_last_case_agree_with_the_cases(story: Story) -> None:
    for _, _, values in every_value(story):
        if "confirmed" in values:
            has_cases = values["confirmed"] + values["asym"] > 0
            assert has_cases == (values["recency"] > 0)


def test_outbreak_began_with_its_first_case() -> None:
    assert Outbreak(confirmed=[3, 5], asym=[7]).began == 7
