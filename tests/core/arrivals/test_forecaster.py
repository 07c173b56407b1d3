"""The recipe of a day, and its intervals."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest

from core.arrivals.forecaster import Forecaster, profile_for, tails_of
from core.arrivals.profile import blend_of

MONDAY = date(2020, 3, 2)
DAYS = [MONDAY + timedelta(days=place) for place in range(28)]


def test_a_forecast_looks_at_nothing_from_its_day_on() -> None:
    rng = np.random.default_rng(0)
    values = rng.poisson(50, (3, 28, 24)).astype(float)
    changed = values.copy()
    changed[:, 20:] = rng.poisson(500, (3, 8, 24))
    left, right = (Forecaster(one, DAYS).forecast(20) for one in (values, changed))
    assert (left.mean == right.mean).all()
    for level, interval in left.intervals.items():
        assert (interval.low == right.intervals[level].low).all()
        assert (interval.high == right.intervals[level].high).all()
    for first, second in zip(
        profile_for(values[0], DAYS, DAYS[20]), profile_for(changed[0], DAYS, DAYS[20]), strict=True
    ):
        assert (first == second).all()


def test_intervals_of_steady_days_hold_as_often_as_they_say() -> None:
    rng = np.random.default_rng(0)
    values = rng.poisson(np.linspace(5, 400, 96), (20, 28, 96)).astype(float)
    made = Forecaster(values, DAYS).forecast(27)
    for level, interval in made.intervals.items():
        inside = (interval.low <= values[:, 27]) & (values[:, 27] <= interval.high)
        assert inside.mean() == pytest.approx(level, abs=0.03)


def test_small_counts_hold_as_often_though_people_are_whole() -> None:
    rng = np.random.default_rng(0)
    values = rng.poisson(2.0, (40, 28, 48)).astype(float)
    interval = Forecaster(values, DAYS).forecast(27).intervals[0.8]
    assert (interval.low == np.rint(interval.low)).all()
    inside = (interval.low <= values[:, 27]) & (values[:, 27] <= interval.high)
    # Whole people come in steps of some per cent.
    assert 0.8 <= inside.mean() < 0.92


def test_before_anything_is_known_intervals_are_wide() -> None:
    low, high = tails_of(np.empty((0, 1, 4)))[0.8]
    assert (low[0], high[0]) == (pytest.approx(-2.56, abs=0.01), pytest.approx(2.56, abs=0.01))
    made = Forecaster(np.full((1, 2, 4), 100.0), DAYS[:2]).forecast(1)
    assert made.intervals[0.95].high[0, 0] > made.intervals[0.8].high[0, 0] == 126


def test_the_blend_stays_unless_another_recipe_is_clearly_better() -> None:
    rng = np.random.default_rng(0)
    steady = rng.poisson(100, (4, 28, 24)).astype(float)
    assert Forecaster(steady, DAYS).recipe_for(27) == "blend"
    fallen = steady * np.where(np.arange(28) < 14, 1.0, 0.2)[None, :, None]
    made = Forecaster(fallen, DAYS).forecast(24)
    assert made.recipe != "blend"
    blended = blend_of(fallen, DAYS, DAYS[24])
    actual = fallen[:, 24]
    assert np.abs(made.mean - actual).sum() < 0.6 * np.abs(blended - actual).sum()


def test_a_day_beyond_the_table_can_be_forecast() -> None:
    values = np.random.default_rng(0).poisson(50, (28, 24)).astype(float)
    expected, residuals = profile_for(values, DAYS, DAYS[-1] + timedelta(days=2))
    assert expected.mean() == pytest.approx(50, abs=3)
    assert residuals.shape[1] == 24
