"""Day-ahead accuracy on counts of any stations: what was forecast at midnight, what came.

The forecast of a day uses nothing from that day on, neither for its means nor for its intervals.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np

from core.arrivals.conformal import Interval
from core.arrivals.forecaster import Forecaster
from core.arrivals.inputs import Floats
from core.arrivals.measures import Errors, coverage_pct, errors_of
from core.arrivals.peaks import top2_hits
from core.arrivals.profile import (
    blend_of,
    same_weekday_of,
    yesterday_of,
)
from core.arrivals.rules import LEVELS

HOURS: Final = 24
MINUTES_PER_HOUR: Final = 60
BASELINES: Final[Mapping[str, Callable[[Floats, Sequence[date], date], Floats]]] = {
    "yesterday": yesterday_of,
    "same_weekday": same_weekday_of,
    "blend": blend_of,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CountSet:
    """Counts of stations.

    Attributes:
        stations: their names.
        days: local days that were counted, rising; may have gaps.
        slot_minutes: length of a slot.
        first_minute: of the day at which its first slot begins.
        values: people by station, day and slot; NaN where not counted.
    """

    stations: tuple[str, ...]
    days: tuple[date, ...]
    slot_minutes: int
    first_minute: int
    values: Floats

    def hours_of(self, slots: Floats) -> Floats | None:
        """Return sums by clock hour from slots in the last axis; None for slots beyond an hour.

        What was not counted adds nothing; an hour of which nothing was counted is NaN.
        """
        if self.slot_minutes > MINUTES_PER_HOUR:
            return None
        starts = self.first_minute + self.slot_minutes * np.arange(slots.shape[-1])
        hours = np.full((*slots.shape[:-1], HOURS), np.nan)
        for hour in range(HOURS):
            of_hour = slots[..., starts // MINUTES_PER_HOUR == hour]
            known = ~np.isnan(of_hour)
            sums = np.where(known, of_hour, 0.0).sum(-1)
            hours[..., hour] = np.where(known.any(-1), sums, np.nan)
        return hours


@dataclass(frozen=True, slots=True, kw_only=True)
class Accuracy:
    """How right forecasts were, over all stations and test days together.

    Attributes:
        errors: of the means, by slot; None if nothing could be compared.
        top2_hit_pct: which share of the two busiest hours of a station and day were the two that
            were expected, percent; None where slots are longer than an hour.
        coverage_80_pct: slots of 100 within their 80 % interval; None without intervals.
        coverage_95_pct: likewise.
    """

    errors: Errors | None
    top2_hit_pct: float | None
    coverage_80_pct: float | None = None
    coverage_95_pct: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TriedDay:
    """One day that was forecast.

    Attributes:
        day: local.
        mean: people by station and slot.
        inner: the 80 % interval.
        outer: the 95 % interval.
        actual: what came; NaN where not counted.
    """

    day: date
    mean: Floats
    inner: Interval
    outer: Interval
    actual: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Validation:
    """What a validation found.

    Attributes:
        accuracy: of the forecast.
        baselines: of simpler ones, by name.
        by_day: of the forecast, by test day.
        days: what was forecast and what came.
        station_count: stations in the set.
        slot_minutes: length of a slot.
        recipes: by test day, how the forecast was made.
        unknown_share: slots that were counted and could not be forecast, 0-1.
    """

    accuracy: Accuracy
    baselines: Mapping[str, Accuracy]
    by_day: Mapping[date, Accuracy]
    days: tuple[TriedDay, ...]
    station_count: int
    slot_minutes: int
    recipes: Mapping[date, str]
    unknown_share: float


class DaysInvalidError(ValueError):
    """There are not so many days to forecast, with a day before them."""


def validate(
    counts: CountSet,
    *,
    test_days: int,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Validation:
    """Return how right the forecast of each of the last days was, made at its midnight.

    Args:
        counts: of all stations.
        test_days: how many of the last days of the set are forecast, from 1.
        progress: called with the days done and in all.

    Raises:
        DaysInvalidError: fewer days than that, or none before them.

    Source: docs/sources.md#arrivals-measures
    """
    if not 0 < test_days < len(counts.days):
        raise DaysInvalidError(
            f"{test_days} test days of {len(counts.days)}: at least one day must come before them"
        )
    forecaster = Forecaster(counts.values, counts.days)
    tested: list[TriedDay] = []
    recipes: dict[date, str] = {}
    for done, place in enumerate(range(len(counts.days) - test_days, len(counts.days)), start=1):
        made = forecaster.forecast(place)
        recipes[counts.days[place]] = made.recipe
        tested.append(
            TriedDay(
                day=counts.days[place],
                mean=made.mean,
                inner=made.intervals[LEVELS[0]],
                outer=made.intervals[LEVELS[1]],
                actual=counts.values[:, place],
            )
        )
        progress(done, test_days)
    actual = np.stack([one.actual for one in tested])
    counted = ~np.isnan(actual)
    missing = counted & np.isnan(np.stack([one.mean for one in tested]))
    return Validation(
        accuracy=_accuracy_of(counts, tested),
        baselines={name: _baseline(counts, tested, of) for name, of in BASELINES.items()},
        by_day={one.day: _accuracy_of(counts, [one]) for one in tested},
        days=tuple(tested),
        station_count=len(counts.stations),
        slot_minutes=counts.slot_minutes,
        recipes=recipes,
        unknown_share=float(missing.sum() / counted.sum()),
    )


def _accuracy_of(counts: CountSet, days: Sequence[TriedDay]) -> Accuracy:
    mean, actual = (np.stack([getattr(one, name) for one in days]) for name in ("mean", "actual"))
    covered = [
        coverage_pct(
            mean,
            np.stack([getattr(one, side).low for one in days]),
            np.stack([getattr(one, side).high for one in days]),
            actual,
        )
        for side in ("inner", "outer")
    ]
    return Accuracy(
        errors=errors_of(mean, actual),
        top2_hit_pct=_top2_hit_pct(counts, mean, actual),
        coverage_80_pct=covered[0],
        coverage_95_pct=covered[1],
    )


def _baseline(
    counts: CountSet,
    days: Sequence[TriedDay],
    forecast_of: Callable[[Floats, Sequence[date], date], Floats],
) -> Accuracy:
    mean = np.stack([forecast_of(counts.values, counts.days, one.day) for one in days])
    actual = np.stack([one.actual for one in days])
    return Accuracy(
        errors=errors_of(mean, actual), top2_hit_pct=_top2_hit_pct(counts, mean, actual)
    )


def _top2_hit_pct(counts: CountSet, mean: Floats, actual: Floats) -> float | None:
    """Return the mean hit over stations and days on which anybody came."""
    # An hour is compared by the slots that were counted: no others of it can be.
    expected = counts.hours_of(np.where(np.isnan(actual), np.nan, mean))
    came = counts.hours_of(actual)
    if expected is None or came is None:
        return None
    has_hours = (np.nan_to_num(came).sum(-1) > 0) & ~np.isnan(expected).all(-1)
    if not has_hours.any():
        return None
    hits = top2_hits(
        np.nan_to_num(expected[has_hours], nan=-1.0), np.nan_to_num(came[has_hours], nan=-1.0)
    )
    return 100 * float(hits.mean())
