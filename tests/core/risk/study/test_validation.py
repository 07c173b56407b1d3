from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from core.risk.rules import Colour
from core.risk.study.outbreak import Outbreak
from core.risk.study.validation import (
    MEASURES,
    PHASES,
    BandResult,
    IndicatorsMissingError,
    Phase,
    Validation,
    equal_weights,
    is_monotone,
    list_scored_days,
    phase_of,
    validate,
)
from core.risk.versions import get_version
from tests.core.risk.study.outbreaks import outbreak_of

VERSION = get_version("sh-2022.1")
EVERY_DAY = dict.fromkeys(range(100), 5)


def validated(outbreak: Outbreak) -> Validation:
    return validate(VERSION, outbreak, chosen=np.ones(outbreak.community_count, dtype=bool))


def test_who_was_always_listed_stays_first() -> None:
    result = validated(outbreak_of({0: EVERY_DAY}))
    for horizon in (7, 14):
        assert result.means[horizon]["all"]["auc_score"] == 1
        assert result.means[horizon]["all"]["auc_naive"] == 1
        assert result.means[horizon]["all"]["base_rate"] == 0.25
    growth = result.bands["growth"]
    assert (growth[Colour.RED].count, growth[Colour.RED].hit_share) == (9, 1)
    assert (growth[Colour.BLUE].count, growth[Colour.BLUE].hit_share) == (27, 0)
    assert growth[Colour.RED].share == 0.25
    assert result.is_monotone


def test_auc_of_one_day_by_hand() -> None:
    # Day 14 is 03-20, and day 21 the last that is known. The naive counts are 3, 1, 1, 0; the
    # first and the last are listed next: the one beats both misses, the other loses to both.
    listed = {0: {10: 1, 11: 1, 12: 1, 16: 1}, 1: {10: 1}, 2: {11: 1}, 3: {16: 1}}
    result = validated(outbreak_of(listed, days=22))
    (day,) = result.days[7]
    assert day.day == date(2022, 3, 20)
    assert day.measures["auc_naive"] == 0.5
    assert day.measures["base_rate"] == 0.5
    assert day.measures["new_base_rate"] == 1
    assert day.measures["spearman_naive"] == pytest.approx(0)


def test_a_tie_of_the_naive_count_counts_half() -> None:
    result = validated(outbreak_of({0: {16: 1}}, days=22))
    assert result.days[7][0].measures["auc_naive"] == 0.5
    assert result.days[7][0].measures["spearman_naive"] is None


def test_neighbours_give_away_what_the_own_count_cannot_know() -> None:
    # The second is beside the first, which was listed; the third and fourth are far away.
    listed = {0: {13: 1, 14: 1}, 1: {17: 1}}
    outbreak = outbreak_of(listed, days=22, longitudes=[121.4, 121.401, 121.6, 121.7])
    measures = validated(outbreak).days[7][0].measures
    assert measures["new_auc_naive"] == 0.5
    assert measures["new_auc_score"] == 1


def test_a_day_is_held_only_against_horizons_that_are_known_to_the_end() -> None:
    # 03-06 to 04-04: seven days after 03-28 are known, fourteen after 03-20.
    result = validated(outbreak_of({0: EVERY_DAY}, days=30))
    assert [one.day.day for one in result.days[7]] == [20, 22, 24, 26, 28]
    assert [one.day.day for one in result.days[14]] == [20]


def test_a_phase_without_days_or_without_hits_has_no_measures() -> None:
    result = validated(outbreak_of({0: dict.fromkeys(range(35), 1)}, days=60))
    assert result.day_counts[7] == {"growth": 9, "plateau": 10, "decline": 1, "all": 20}
    assert result.means[7]["growth"]["auc_score"] is not None
    # Nobody is listed after 04-09.
    assert result.means[7]["decline"]["auc_score"] is None
    assert result.means[7]["decline"]["base_rate"] == 0
    assert result.means[14]["decline"] == dict.fromkeys(MEASURES)


def test_an_outbreak_of_another_year_has_empty_phases_and_proves_nothing() -> None:
    result = validated(outbreak_of({0: EVERY_DAY}, first_day=date(2023, 1, 1)))
    assert result.day_counts[7] == {"growth": 0, "plateau": 0, "decline": 0, "all": 0}
    assert result.means[7]["all"] == dict.fromkeys(MEASURES)
    assert not result.is_monotone


def test_only_the_chosen_are_ranked_but_all_are_neighbours() -> None:
    outbreak = outbreak_of({0: EVERY_DAY}, longitudes=[121.4, 121.401, 121.6, 121.7])
    chosen = np.array([False, True, True, True])
    result = validate(VERSION, outbreak, chosen=chosen)
    assert result.community_count == 3
    assert result.means[7]["all"]["base_rate"] == 0
    outbreak.address_counts[14:, 1] = 1
    assert validate(VERSION, outbreak, chosen=chosen).days[7][0].measures["auc_score"] == 1


def test_progress_counts_the_days() -> None:
    seen: list[tuple[int, int]] = []
    outbreak = outbreak_of({}, days=18)
    validate(
        VERSION,
        outbreak,
        chosen=np.ones(4, dtype=bool),
        progress=lambda done, total: seen.append((done, total)),
    )
    assert seen == [(1, 2), (2, 2)]


def test_a_version_that_asks_for_more_is_refused() -> None:
    outbreak = outbreak_of({})
    with pytest.raises(IndicatorsMissingError) as caught:
        validate(get_version(), outbreak, chosen=np.ones(4, dtype=bool))
    assert "confirmed" in caught.value.codes
    assert "recency" not in caught.value.codes


def test_every_second_day_of_the_phases_is_scored() -> None:
    days = list_scored_days(outbreak_of({}))
    assert (days[0], days[1], days[-1], len(days)) == (
        date(2022, 3, 20),
        date(2022, 3, 22),
        date(2022, 5, 9),
        26,
    )


@pytest.mark.parametrize("phase", PHASES, ids=lambda phase: phase.name)
def test_both_ends_belong_to_a_phase(phase: Phase) -> None:
    assert [phase_of(day) for day in (phase.first_day, phase.last_day)] == [phase.name] * 2


@pytest.mark.parametrize("day", [date(2022, 3, 19), date(2022, 5, 11)])
def test_a_day_outside_of_the_phases_has_none(day: date) -> None:
    with pytest.raises(ValueError, match="in no phase"):
        phase_of(day)


def test_equal_weights_sum_to_100() -> None:
    weights = [one.weight for one in equal_weights(VERSION).indicators]
    assert sum(weights) == pytest.approx(100)
    assert len(set(weights)) == 1


def bands(**shares: float | None) -> dict[Colour, BandResult]:
    return {
        colour: BandResult(count=int(colour in shares), share=0.1, hit_share=shares.get(colour))
        for colour in Colour
    }


@pytest.mark.parametrize(
    ("phases", "expected"),
    [
        ([bands(blue=0.1, yellow=0.2, red=0.3)], True),
        ([bands(blue=0.1, yellow=0.1, red=0.1)], True),
        ([bands(blue=0.1, red=0.3)], True),
        ([bands(blue=0.4, red=0.3)], False),
        ([bands(blue=0.1, yellow=0.3, red=0.2)], False),
        ([bands(blue=0.1, red=0.3), bands(yellow=0.3, red=0.2)], False),
        ([bands(grey=0.9, blue=0.1)], True),
        ([bands(grey=0.9)], False),
        ([bands()], False),
    ],
)
def test_colours_are_monotone_if_a_worse_one_is_never_hit_less(
    phases: list[dict[Colour, BandResult]], *, expected: bool
) -> None:
    assert is_monotone(phases) is expected


def test_a_version_that_is_grey_everywhere_proves_nothing() -> None:
    version = replace(VERSION, min_coverage=1.0)
    outbreak = outbreak_of({0: EVERY_DAY})
    result = validate(version, outbreak, chosen=np.ones(4, dtype=bool))
    assert result.bands["growth"][Colour.GREY].share == 1
    assert not result.is_monotone
