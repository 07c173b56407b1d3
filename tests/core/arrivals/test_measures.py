"""Grades."""

from __future__ import annotations

import numpy as np
import pytest

from core.arrivals.measures import (
    coverage_pct,
    errors_of,
    pinball,
    pinballs,
    staffing_regret,
)
from core.arrivals.rules import StationSettings

UNKNOWN = np.full(3, np.nan)


def test_errors_are_shares_of_all_people() -> None:
    errors = errors_of(np.array([10.0, 20.0, 5.0]), np.array([12.0, 16.0, np.nan]))
    assert errors is not None
    assert errors.wmape_pct == pytest.approx(100 * 6 / 28)
    assert (errors.mae, errors.rmse, errors.window_count) == (3, pytest.approx(10**0.5), 2)


def test_of_nothing_there_is_no_measure() -> None:
    assert errors_of(np.ones(3), UNKNOWN) is None
    assert coverage_pct(np.ones(3), np.ones(3), np.ones(3), UNKNOWN) is None
    assert pinball(np.ones(3), UNKNOWN, share=0.5) is None
    errors = errors_of(np.ones(3), np.zeros(3))
    assert errors is not None
    assert errors.wmape_pct is None


def test_nights_do_not_count_as_hits() -> None:
    mean, low, high = np.array([0.0, 10, 10]), np.array([0.0, 8, 8]), np.array([0.0, 12, 12])
    assert coverage_pct(mean, low, high, np.array([0.0, 12, 13])) == 50


def test_the_pinball_loss_of_a_median_is_half_the_error() -> None:
    actual = np.array([3.0, 7.0])
    assert pinball(np.array([5.0, 5.0]), actual, share=0.5) == pytest.approx(1.0)
    assert pinball(np.array([9.0, 9.0]), actual, share=0.9) == pytest.approx(0.4)
    assert list(pinballs({0.1: actual, 0.9: actual}, actual).values()) == [0, 0]


def test_regret_names_what_was_too_much_and_what_was_lacking() -> None:
    # 85 people in five minutes keep 6.7 posts busy at 20 seconds each: seven.
    actual = np.array([85.0, 85.0, np.nan, 0.0])
    regret = staffing_regret(np.array([9, 4, 4, 4]), actual, settings=StationSettings())
    assert regret.over_hours == pytest.approx(6 / 12)
    assert regret.short_hours == pytest.approx(3 / 12)
