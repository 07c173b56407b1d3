"""Past days once more: each forecast at its midnight from what was known then, and what came."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from core.arrivals.calibrating import past_day_of
from core.arrivals.conformal import PastDay, scaling_of
from core.arrivals.drawing import LOOK_BACK_MINUTES
from core.arrivals.forecasting import Forecast, forecast
from core.arrivals.inputs import CountTable, Floats, Inputs, TrainInput, history_of, known_at
from core.arrivals.references import fit_references
from core.arrivals.rules import CALIBRATION_DAYS, SLOT_MINUTES, StationSettings
from core.clock import start_of

DRAWS: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class PastForecast:
    """A day that was forecast once more.

    Attributes:
        day: local.
        forecast: made at its midnight.
        actual: people by slot; NaN where not counted.
    """

    day: date
    forecast: Forecast
    actual: Floats


def backtest(
    trains: Sequence[TrainInput],
    counts: CountTable,
    *,
    days: Sequence[date],
    settings: StationSettings,
    draws: int = DRAWS,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Iterator[PastForecast]:
    """Yield the forecasts of past days; each is scaled by those before it.

    Args:
        trains: of all days, in the order of their schedule, with all that became known of them.
        counts: of all days.
        days: that are forecast, rising; counted ones.
        settings: of the station.
        draws: days that are simulated for each.
        progress: called with the days done and in all.
    """
    history = history_of(trains)
    past: list[PastDay] = []
    for done, day in enumerate(days, start=1):
        now = start_of(day)
        inputs = Inputs(
            now=now,
            trains=known_at(_around(trains, now), now),
            history=history,
            counts=counts,
        )
        references = fit_references(
            history,
            day=day,
            counts=counts,
            settings=settings,
            scaling=scaling_of(past[-CALIBRATION_DAYS:]),
        )
        made = forecast(inputs, references, from_at=now, settings=settings, draws=draws)
        actual = counts.find_day(day)
        if actual is not None:
            past.append(past_day_of(made, actual, count_minutes=SLOT_MINUTES))
            yield PastForecast(day=day, forecast=made, actual=actual)
        progress(done, len(days))


def _around(trains: Sequence[TrainInput], now: datetime) -> Sequence[TrainInput]:
    """Return the trains of the day that begins, and those that may still bring people into it."""
    first = bisect_left(trains, now - timedelta(minutes=LOOK_BACK_MINUTES), key=_scheduled_at)
    last = bisect_left(trains, now + timedelta(days=1, hours=1), key=_scheduled_at)
    return trains[first:last]


def _scheduled_at(train: TrainInput) -> datetime:
    return train.scheduled_at
