"""Widths of intervals, learnt from the past."""

from __future__ import annotations

import numpy as np
import pytest

from core.arrivals.conformal import (
    UNSCALED,
    WINDOWS,
    Interval,
    PastDay,
    Scaling,
    conformal_quantile,
    scaling_of,
    sums_of,
)


def _day(miss: float, count: int = 100) -> PastDay:
    misses = dict.fromkeys(WINDOWS, np.linspace(0, 2 * miss, count))
    return PastDay(misses80=misses, misses95=misses)


def test_without_a_past_nothing_is_scaled() -> None:
    assert scaling_of([]) == UNSCALED


def test_intervals_that_were_too_narrow_become_wider() -> None:
    scaling = scaling_of([_day(1.0)] * 28)
    assert scaling.factors80[60] == pytest.approx(1.6, abs=0.05)
    assert scaling.factors95[60] == pytest.approx(1.9, abs=0.05)
    assert scaling_of([_day(0.25)] * 28).factors80[60] == pytest.approx(0.4, abs=0.02)


def test_few_days_move_a_factor_little() -> None:
    assert scaling_of([_day(1.0)]).factors80[60] == pytest.approx(1 + 0.6 / 14, abs=0.02)


def test_factors_of_other_lengths_lie_between() -> None:
    scaling = Scaling(factors80={5: 1.0, 60: 2.0}, factors95={5: 1.0, 60: 3.0}, day_count=28)
    assert 1 < scaling.factor(0.8, 15) < 2
    assert scaling.factor(0.95, 600) == 3


def test_a_quiet_night_says_nothing() -> None:
    interval = Interval(mean=np.array([0.1, 0.1, 4.0]), low=np.zeros(3), high=np.full(3, 6.0))
    misses = interval.misses(np.array([0.0, 3.0, 0.0]))
    assert np.isnan(misses[:2]).all()
    assert misses[2] == pytest.approx(1.0)
    assert (interval.scaled(10).low == 0).all()


def test_the_quantile_counts_one_more_than_there_are() -> None:
    scores = np.arange(1.0, 10.0)
    assert conformal_quantile(scores, 0.8) == 8
    assert conformal_quantile(scores, 0.95) == 9


def test_sums_keep_what_is_not_known() -> None:
    slots = np.ones(288)
    slots[3] = np.nan
    assert sums_of(slots, 1440).shape == (1,)
    hours = sums_of(slots, 60)
    assert np.isnan(hours[0])
    assert (hours[1:] == 12).all()
