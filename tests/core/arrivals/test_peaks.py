"""Busy hours."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from core.arrivals.inputs import Floats
from core.arrivals.peaks import peak_hours, top2_hit, top_hours

days = hnp.arrays(float, 24, elements=st.floats(0, 1e4))


@given(hours=days, share=st.floats(0.05, 0.95))
def test_peaks_hold_the_share_and_no_fewer_hours_do(hours: Floats, share: float) -> None:
    peaks = peak_hours(hours, share)
    total = hours.sum()
    if total == 0:
        assert peaks == []
        return
    held = sum(part for _, part in peaks)
    assert held >= share - 1e-9
    largest = np.sort(hours)[::-1]
    assert largest[: len(peaks) - 1].sum() < share * total + 1e-6
    assert [place for place, _ in peaks] == sorted(place for place, _ in peaks)


def test_an_hour_that_is_always_busiest_is_sure() -> None:
    draws = np.zeros((10, 24))
    draws[:, 9] = 100
    draws[:7, 12], draws[7:, 18] = 50, 50
    assert top_hours(draws) == [(9, 1.0), (12, pytest.approx(0.7)), (18, pytest.approx(0.3))]
    assert top_hours(np.zeros((10, 24))) == []


def test_half_of_the_busy_hours_may_be_hit() -> None:
    expected, actual = np.zeros(24), np.zeros(24)
    expected[[9, 12]] = 5, 4
    actual[[12, 17]] = 5, 4
    assert top2_hit(expected, actual) == 0.5
