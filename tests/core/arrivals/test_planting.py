"""Made-up days."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.arrivals.planting import plant_day
from tests.core.arrivals.worlds import DAY, planted, timetable


@settings(max_examples=15)
@given(morning=st.floats(0.1, 0.3), noon=st.floats(0.1, 0.3))
def test_the_peaks_that_are_asked_for_are_planted(morning: float, noon: float) -> None:
    day = plant_day(timetable(), day=DAY, peaks={9: morning, 12: noon}, seed=1)
    assert day.hour_shares[[9, 12]] == pytest.approx([morning, noon], abs=0.005)
    assert day.hour_shares.sum() == pytest.approx(1)


def test_a_day_holds_together() -> None:
    day = planted(DAY)
    assert day.counts.sum() == sum(one.alighted or 0 for one in day.trains)
    assert 4000 < day.counts.sum() < 6000
    for train in day.trains:
        sales = [count for _, count in train.sold]
        assert sales == sorted(sales)
        assert sales[-1] <= train.capacity
        assert (train.alighted or 0) <= sales[-1]
        assert train.sold[-1][0] == train.scheduled_at


def test_the_same_arguments_give_the_same_day_and_others_another() -> None:
    day = planted(DAY)
    assert plant_day(timetable(), day=DAY, seed=1).trains == day.trains
    other = plant_day(timetable(), day=DAY + timedelta(days=1), seed=1)
    assert not np.array_equal(other.counts, day.counts)


def test_a_timetable_that_cannot_bring_the_peaks_is_a_bug() -> None:
    small = [replace(one, capacity=20) for one in timetable()]
    with pytest.raises(ValueError, match="no room"):
        plant_day(small, day=DAY, seed=1)
    with pytest.raises(ValueError, match="no train"):
        plant_day(timetable(), day=DAY, peaks={3: 0.2}, seed=1)
