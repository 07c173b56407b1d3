from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.risk.study.outbreak import INDICATORS, Outbreak, Surveillance
from core.risk.versions import get_version
from tests.core.risk.study.outbreaks import outbreak_of

# Three in a row, some 190 m from one to the next, and one far away without a known street.
ROW = [121.400, 121.402, 121.404, 121.500]
STREETS = [0, 0, 1, -1]


def values_of(outbreak: Outbreak, day: int) -> dict[str, list[float]]:
    values = Surveillance(outbreak).values_on(day)
    return {code: column.tolist() for code, column in values.items()}


def test_the_version_of_the_study_asks_for_what_can_be_computed() -> None:
    assert {one.code for one in get_version("sh-2022.1").indicators} == set(INDICATORS)


def test_own_history_counts_days_within_each_window() -> None:
    outbreak = outbreak_of({0: {40: 2, 39: 1, 36: 4, 30: 1, 20: 1, 12: 9}, 1: {26: 1}})
    values = values_of(outbreak, 40)
    assert values["listed_3d"] == [2, 0, 0, 0]
    assert values["listed_7d"] == [3, 0, 0, 0]
    assert values["listed_14d"] == [4, 0, 0, 0]
    assert values["listed_28d"] == [5, 1, 0, 0]
    assert values["addresses_14d"] == [8, 0, 0, 0]


@pytest.mark.parametrize(("since", "recency"), [(0, 14), (1, 13), (13, 1), (14, 0), (30, 0)])
def test_recency_falls_from_14_with_the_days_since_the_last_listing(
    since: int, recency: float
) -> None:
    values = values_of(outbreak_of({0: {50 - since: 1}}), 50)
    assert values["recency"] == [recency, 0, 0, 0]


def test_windows_begin_where_the_data_begins() -> None:
    values = values_of(outbreak_of({0: {0: 1, 1: 1}}), 1)
    assert values["listed_28d"] == [2, 0, 0, 0]


def test_neighbours_count_without_the_community_itself() -> None:
    # Fewer than five neighbours count as five.
    outbreak = outbreak_of({0: {40: 1, 39: 1, 30: 1}}, longitudes=ROW, streets=STREETS)
    values = values_of(outbreak, 40)
    assert values["near_300m"] == pytest.approx([0, 2 / 5, 0, 0])
    assert values["near_500m"] == pytest.approx([0, 3 / 5, 3 / 5, 0])
    assert values["near_1km"] == pytest.approx([0, 2 / 5, 2 / 5, 0])


def test_many_neighbours_are_averaged() -> None:
    longitudes = [121.4 + 0.0001 * place for place in range(11)]
    outbreak = outbreak_of({0: {40: 1}, 1: {40: 1}}, count=11, longitudes=longitudes)
    assert values_of(outbreak, 40)["near_300m"][10] == pytest.approx(2 / 10)


def test_street_and_its_growth_are_means_over_its_communities() -> None:
    outbreak = outbreak_of({0: {40: 1, 39: 1, 30: 1}, 2: {30: 1}}, streets=STREETS)
    values = values_of(outbreak, 40)
    assert values["street_7d"] == pytest.approx([1, 1, 0, np.nan], nan_ok=True)
    assert values["street_growth"] == pytest.approx(
        [1.1 / 0.6, 1.1 / 0.6, 0.1 / 1.1, np.nan], nan_ok=True
    )


def test_a_community_without_a_place_or_street_lacks_what_needs_one() -> None:
    outbreak = outbreak_of({0: {40: 1}}, longitudes=[np.nan, *ROW[1:]], streets=STREETS)
    values = values_of(outbreak, 40)
    assert [np.isnan(values[code][0]) for code in ("near_300m", "near_500m", "near_1km")] == (
        [True] * 3
    )
    assert np.isnan(values["street_7d"][3])
    assert not np.isnan(values["street_7d"][0])


def test_district_rates_are_of_seven_days_and_silence_counts_as_the_rest() -> None:
    outbreak = outbreak_of({}, positives=3.0)
    outbreak.positives_per_100k[38] = np.nan
    values = values_of(outbreak, 40)
    assert values["district_positive"] == pytest.approx([21] * 4)
    assert np.isnan(values["district_screened"]).all()


listings = st.dictionaries(
    st.integers(0, 3), st.dictionaries(st.integers(0, 59), st.integers(1, 3)), max_size=4
)


@given(listed=listings, day=st.integers(0, 58), data=st.data())
@settings(deadline=None)
def test_nothing_of_a_later_day_is_looked_at(
    listed: dict[int, dict[int, int]], day: int, data: st.DataObject
) -> None:
    outbreak = outbreak_of(listed, days=60, longitudes=ROW, streets=STREETS, positives=1.0)
    later = data.draw(st.integers(day + 1, 59))
    counts, positives = outbreak.address_counts.copy(), outbreak.positives_per_100k.copy()
    counts[later], positives[later] = 7, 1e6
    other = replace(outbreak, address_counts=counts, positives_per_100k=positives)
    before, after = values_of(outbreak, day), values_of(other, day)
    for code in INDICATORS:
        np.testing.assert_array_equal(before[code], after[code])
