"""How wide bands must be, learnt from the forecasts that were issued for the last days."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Final

import numpy as np
from sqlalchemy.orm import Session

from core.arrivals.bodies import forecast_in
from core.arrivals.conformal import WINDOWS, Interval, PastDay, Scaling, scaling_of, sums_of
from core.arrivals.counting import find_count_minutes
from core.arrivals.forecasting import Bands, Forecast
from core.arrivals.inputs import Floats
from core.arrivals.issued import list_day_forecasts
from core.arrivals.rules import CALIBRATION_DAYS, LEVELS, SLOT_MINUTES, Fallback
from core.arrivals.service import load_counts
from core.clock import start_of

_QUARTER: Final = 15
_HOUR: Final = 60


def find_scaling(session: Session, *, day: date) -> Scaling | None:
    """Return the factors with which the bands of the last 28 days would have held.

    Forecasts without a timetable have bands of another kind, and are left out.

    Args:
        session: may be a reading one.
        day: local; nothing from it on is looked at.

    Returns:
        The factors; None where no day has both a forecast and counts.
    """
    first = day - timedelta(days=CALIBRATION_DAYS)
    issued = list_day_forecasts(session, first=first, last=day - timedelta(days=1))
    counts = load_counts(session, now=start_of(day), days=CALIBRATION_DAYS)
    minutes = find_count_minutes(session, first=first, last=day - timedelta(days=1))
    past = []
    for one, row in sorted(issued.items()):
        actual = counts.find_day(one)
        if actual is not None and Fallback.NO_TIMETABLE not in row.flags:
            past.append(past_day_of(forecast_in(row.body), actual, count_minutes=minutes))
    return scaling_of(past) if past else None


def past_day_of(forecast: Forecast, actual: Floats, *, count_minutes: int) -> PastDay:
    """Return how far a forecast was off, as if its bands had not been scaled.

    Args:
        forecast: of a whole day, as issued.
        actual: people by slot; NaN where not counted.
        count_minutes: how long what was counted at once is; shorter windows say nothing.
    """
    misses: dict[float, dict[int, Floats]] = {level: {} for level in LEVELS}
    for minutes in WINDOWS:
        bands = _bands_of(forecast, minutes)
        sums = sums_of(actual, minutes)
        if minutes < count_minutes:
            sums = np.full_like(sums, np.nan)
        for level in LEVELS:
            interval = _interval_of(bands, level)
            misses[level][minutes] = interval.misses(sums) * forecast.scaling.factor(level, minutes)
    return PastDay(misses80=misses[LEVELS[0]], misses95=misses[LEVELS[1]])


def _bands_of(forecast: Forecast, minutes: int) -> Bands:
    if minutes == SLOT_MINUTES:
        return forecast.slots
    if minutes in {_QUARTER, _HOUR}:
        return forecast.quarters if minutes == _QUARTER else forecast.hours
    total = forecast.total
    return Bands(
        mean=np.array([total.mean]),
        low80=np.array([total.low80]),
        high80=np.array([total.high80]),
        low95=np.array([total.low95]),
        high95=np.array([total.high95]),
    )


def _interval_of(bands: Bands, level: float) -> Interval:
    ends: Mapping[float, tuple[Floats, Floats]] = {
        LEVELS[0]: (bands.low80, bands.high80),
        LEVELS[1]: (bands.low95, bands.high95),
    }
    low, high = ends[level]
    return Interval(mean=bands.mean, low=low, high=high)
