"""Accuracy on anybody's counts."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest

from core.arrivals.inputs import Floats
from core.arrivals.validation import CountSet, DaysInvalidError, validate

FIRST = date(2020, 3, 2)


def _set(values: Floats, *, slot_minutes: int = 60, first_minute: int = 0) -> CountSet:
    return CountSet(
        stations=tuple(f"S{place}" for place in range(len(values))),
        days=tuple(FIRST + timedelta(days=place) for place in range(values.shape[1])),
        slot_minutes=slot_minutes,
        first_minute=first_minute,
        values=values,
    )


def _metro(stations: int = 6, days: int = 28) -> Floats:
    """Days with a rush hour, weekends with less, and chance."""
    rng = np.random.default_rng(0)
    clock = 40 + 300 * np.exp(-((np.arange(24) - 8) ** 2) / 4)
    week = np.array([1, 1, 1, 1, 1.1, 0.6, 0.5])[np.arange(days) % 7]
    mood = np.exp(rng.normal(0, 0.05, (stations, days, 1)))
    return rng.poisson(clock * week[:, None] * mood).astype(float)


def test_a_regular_station_is_forecast_better_than_by_yesterday() -> None:
    result = validate(_set(_metro()), test_days=7)
    assert result.accuracy.errors is not None
    assert result.accuracy.errors.wmape_pct is not None
    yesterday = result.baselines["yesterday"].errors
    assert yesterday is not None
    assert yesterday.wmape_pct is not None
    assert result.accuracy.errors.wmape_pct < 0.6 * yesterday.wmape_pct
    assert result.accuracy.coverage_80_pct == pytest.approx(80, abs=8)
    assert result.accuracy.coverage_95_pct == pytest.approx(95, abs=4)
    assert result.accuracy.top2_hit_pct is not None
    assert result.accuracy.top2_hit_pct > 70
    assert len(result.by_day) == 7


def test_what_comes_on_and_after_a_day_changes_none_of_its_forecast() -> None:
    values = _metro()
    changed = values.copy()
    changed[:, -3:] *= 7
    result, other = (validate(_set(one), test_days=3) for one in (values, changed))
    first, same = result.days[0], other.days[0]
    assert (first.mean == same.mean).all()
    assert (first.outer.high == same.outer.high).all()
    # The Sunday goes by the Saturday before it.
    assert not (result.days[2].mean == other.days[2].mean).all()


def test_gaps_and_a_station_that_opens_late_are_no_zeros() -> None:
    values = _metro()
    values[0, :26] = np.nan
    values[1, 10:14] = np.nan
    values[2, :, :5] = np.nan
    result = validate(_set(values), test_days=2)
    assert result.unknown_share == pytest.approx(24 / (6 * 48 - 10), abs=0.001)
    assert result.accuracy.errors is not None
    assert result.accuracy.errors.window_count == 6 * 48 - 10 - 24
    assert np.isfinite(result.accuracy.errors.mae)


def test_hours_are_summed_of_finer_slots_and_of_shifted_ones() -> None:
    counts = _set(np.ones((1, 2, 96)), slot_minutes=15)
    hours = counts.hours_of(counts.values)
    assert hours is not None
    assert (hours == 4).all()
    shifted = _set(np.ones((1, 2, 24)), first_minute=30)
    assert (shifted.hours_of(shifted.values) == 1).all()  # type: ignore[union-attr]
    assert _set(np.ones((1, 2, 12)), slot_minutes=120).hours_of(np.ones(12)) is None


@pytest.mark.parametrize("test_days", [0, 28, 40])
def test_a_day_needs_one_before_it(test_days: int) -> None:
    with pytest.raises(DaysInvalidError):
        validate(_set(_metro()), test_days=test_days)
