from __future__ import annotations

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from core.places.geo import distance_m
from core.places.nearness import neighbours_within

places = st.tuples(st.floats(121.40, 121.46), st.floats(31.15, 31.20))


@given(
    points=st.lists(places | st.just((math.nan, math.nan)), max_size=25),
    within_m=st.sampled_from([150, 500, 2000]),
)
def test_neighbours_are_those_within_the_distance(
    points: list[tuple[float, float]], within_m: float
) -> None:
    longitudes = np.array([x for x, _ in points], float)
    latitudes = np.array([y for _, y in points], float)
    found = neighbours_within(longitudes, latitudes, distance_m=within_m)
    for place, start in enumerate(points):
        expected = [
            other
            for other, end in enumerate(points)
            if other != place
            and not math.isnan(start[0] + end[0])
            and distance_m(start, end) <= within_m
        ]
        assert found.others[found.starts[place] : found.starts[place + 1]].tolist() == expected


def test_sums_are_those_of_the_neighbours_alone() -> None:
    # Some 95 m from one to the next; the last one is far away.
    longitudes = np.array([121.400, 121.401, 121.402, 121.500])
    found = neighbours_within(longitudes, np.full(4, 31.2), distance_m=100)
    assert found.counts().tolist() == [1, 2, 1, 0]
    assert found.sums(np.array([1, 10, 100, 1000])).tolist() == [10, 101, 10, 0]
