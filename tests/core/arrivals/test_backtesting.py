"""Past days once more."""

from __future__ import annotations

from datetime import timedelta

import numpy as np

from core.arrivals.backtesting import backtest
from core.arrivals.measures import coverage_pct
from tests.core.arrivals.worlds import DAY, SETTINGS, past, planted


def test_hours_of_past_days_came_as_often_within_their_intervals_as_said() -> None:
    _, counts = past(28)
    first = DAY - timedelta(days=28)
    days = [first + timedelta(days=place) for place in range(28)]
    trains = [train for day in days for train in planted(day).trains]
    found = list(backtest(trains, counts, days=days[18:], settings=SETTINGS, draws=200))
    assert [one.day for one in found] == days[18:]
    hours = [one.forecast.hours for one in found]
    actual = np.stack([one.actual.reshape(24, 12).sum(1) for one in found])
    mean, low, high = (
        np.stack([getattr(one, name) for one in hours]) for name in ("mean", "low80", "high80")
    )
    covered = coverage_pct(mean, low, high, actual)
    assert covered is not None
    assert 72 < covered < 90
    assert found[0].forecast.scaling.day_count == 0
    assert found[-1].forecast.scaling.day_count == 9
