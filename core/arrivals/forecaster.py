"""A day ahead from counts alone: which recipe was best lately, and how far off it was.

A table of counts is `[station, day, slot]` with NaN where nothing was counted; its days rise and
may have gaps. A forecast of a day looks at nothing from that day on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from statistics import NormalDist
from typing import Final

import numpy as np

from core.arrivals.calendar import day_type_of
from core.arrivals.conformal import Interval
from core.arrivals.inputs import Floats
from core.arrivals.measures import coverage_pct
from core.arrivals.profile import (
    apart_of,
    blend_of,
    brisk_of,
    count_before,
    same_weekday_of,
    weekday_of,
)
from core.arrivals.rules import CALIBRATION_DAYS, LEVELS, DayType

# The first days have too little before them to say how far off a forecast is.
WARM_UP_DAYS: Final = 3
SETTLED_DAYS: Final = 10
BLEND: Final = "blend"
LEVELLED: Final = "levelled"
# Another recipe than the blend is taken if it was better by so much on the last days.
CHOICE_DAYS: Final = 14
MIN_CHOICE_DAYS: Final = 4
CLEARLY_BETTER: Final = 0.98
SURE_DEVIATIONS: Final = 2.0
LEVEL_DAYS: Final = 3
LEVEL_PRIOR: Final = 100.0
LEVEL_LIMIT: Final = 3.0
# Before anything is known of how far off it is: in square roots of what is expected.
UNKNOWN_DEVIATION: Final = 2.0


# The factor of the intervals is searched for by halving.
FACTOR_LIMITS: Final = (0.3, 1.7)
FACTOR_STEPS: Final = 7

_PLAIN: Final[Mapping[str, Callable[[Floats, Sequence[date], date], Floats]]] = {
    BLEND: blend_of,
    "apart": apart_of,
    "weekday": weekday_of,
    "last_week": same_weekday_of,
    "brisk": brisk_of,
}
RECIPES: Final = (*_PLAIN, LEVELLED)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileForecast:
    """A day by its clock profile.

    Attributes:
        mean: people by station and slot; NaN where nothing is known of a slot.
        intervals: by level of `LEVELS`.
        recipe: how it was made.
    """

    mean: Floats
    intervals: Mapping[float, Interval]
    recipe: str


@dataclass(slots=True)
class Forecaster:
    """Forecasts days of a table; what it learns for one day it keeps for the next.

    A day goes by the blend, unless another recipe was clearly better on the days before it.

    Attributes:
        values: people by station, day and slot; NaN where not counted.
        days: of the second axis, rising.
    """

    values: Floats
    days: Sequence[date]
    _means: dict[tuple[str, int], Floats] = field(default_factory=dict)
    _is_whole: bool = False

    def __post_init__(self) -> None:
        """Note whether all counts are whole numbers."""
        known = self.values[~np.isnan(self.values)]
        self._is_whole = bool((known == np.floor(known)).all())

    def forecast(self, place: int) -> ProfileForecast:
        """Return the forecast of a day of the table, made at the midnight before it."""
        recipe = self.recipe_for(place)
        mean = self.mean_of(recipe, place)
        return ProfileForecast(
            mean=mean,
            intervals=self._intervals(recipe, place),
            recipe=recipe,
        )

    def _intervals(self, recipe: str, place: int) -> dict[float, Interval]:
        residuals = self.residuals_before(place, recipe=recipe)
        tails = tails_of(residuals)
        settled = self._settled(place)
        mean = self.mean_of(recipe, place)
        if not settled:
            return {level: self._interval(mean, tails[level], 1.0) for level in LEVELS}
        past = np.stack([self.mean_of(recipe, one) for one in settled])
        actual = np.stack([self.values[:, one] for one in settled])
        return {
            level: self._interval(
                mean, tails[level], self._factor(past, actual, tails[level], level)
            )
            for level in LEVELS
        }

    def _interval(self, mean: Floats, tails: tuple[Floats, Floats], factor: float) -> Interval:
        """Return an interval; its ends are whole people where people are counted as such."""
        scale = factor * np.sqrt(np.maximum(mean, 1.0))
        low = np.maximum(mean + np.minimum(tails[0], 0.0)[:, None] * scale, 0.0)
        high = mean + np.maximum(tails[1], 0.0)[:, None] * scale
        if self._is_whole:
            low, high = np.rint(low), np.rint(high)
        return Interval(mean=mean, low=low, high=high)

    def _factor(
        self, past: Floats, actual: Floats, tails: tuple[Floats, Floats], level: float
    ) -> float:
        """Return the least factor with which the intervals of the days before would have held.

        Whole people make intervals of small numbers wider than was asked for.
        """
        narrow, wide = FACTOR_LIMITS
        for _ in range(FACTOR_STEPS):
            middle = (narrow + wide) / 2
            one = self._interval(past, tails, middle)
            covered = coverage_pct(past, one.low, one.high, actual)
            if covered is None:
                return 1.0
            narrow, wide = (narrow, middle) if covered >= 100 * level else (middle, wide)
        return wide

    def recipe_for(self, place: int) -> str:
        """Return the recipe of a day: what was best on the last days before it, if clearly so."""
        places = self._settled(place)[-CHOICE_DAYS:]
        if len(places) < MIN_CHOICE_DAYS:
            return BLEND
        errors = {name: self._errors(name, places) for name in RECIPES}
        better = [name for name in RECIPES if _is_better(errors[name], errors[BLEND])]
        return min(better, key=lambda name: float(errors[name].sum()), default=BLEND)

    def _settled(self, place: int) -> list[int]:
        """Return the days before one from which it can be learnt how far off forecasts are.

        Working days go by working days and free days by free ones, where there are enough. The
        first days had less before them than the day itself has, and were further off.
        """
        first = max(WARM_UP_DAYS, min(place // 2, SETTLED_DAYS))
        places = list(range(first, place))
        is_free = [day_type_of(one) is not DayType.WORKDAY for one in self.days[: place + 1]]
        alike = [one for one in places if is_free[one] == is_free[place]]
        return (alike if len(alike) >= MIN_CHOICE_DAYS else places)[-CALIBRATION_DAYS:]

    def residuals_before(self, place: int, *, recipe: str) -> Floats:
        """Return by day, station and slot how far off a recipe was on the days before."""
        rows = [
            residual_of(self.values[:, one], self.mean_of(recipe, one))
            for one in self._settled(place)
        ]
        return np.stack(rows) if rows else np.empty((0, *self.values[:, 0].shape))

    def mean_of(self, recipe: str, place: int) -> Floats:
        """Return the expected people of a day by one of `RECIPES`."""
        key = recipe, place
        if key not in self._means:
            self._means[key] = self._made(recipe, place)
        return self._means[key]

    def _made(self, recipe: str, place: int) -> Floats:
        if recipe == LEVELLED:
            return self._levelled(place)
        return _PLAIN[recipe](self.values, self.days, self.days[place])

    def _levelled(self, place: int) -> Floats:
        """Return the blend, times how much more or less than theirs the last days had.

        The ratio is of whole days, by station, of the last three days of the same type.
        """
        kind = day_type_of(self.days[place])
        alike = [one for one in range(place) if day_type_of(self.days[one]) is kind]
        came, meant = np.zeros(len(self.values)), np.zeros(len(self.values))
        for one in alike[-LEVEL_DAYS:]:
            expected, actual = self.mean_of(BLEND, one), self.values[:, one]
            known = ~(np.isnan(expected) | np.isnan(actual))
            came += np.where(known, actual, 0.0).sum(1)
            meant += np.where(known, expected, 0.0).sum(1)
        # A hundred people weigh as much as the level that was: small stations vary by chance.
        ratio = ((came + LEVEL_PRIOR) / (meant + LEVEL_PRIOR)).clip(1 / LEVEL_LIMIT, LEVEL_LIMIT)
        levelled: Floats = self.mean_of(BLEND, place) * ratio[:, None]
        return levelled

    def _errors(self, recipe: str, places: Sequence[int]) -> Floats:
        """Return the sum of absolute errors of each day."""
        return np.array(
            [np.nansum(np.abs(self.values[:, one] - self.mean_of(recipe, one))) for one in places]
        )


def _is_better(errors: Floats, others: Floats) -> bool:
    """Return whether errors by day are clearly smaller than others, and not by chance."""
    gained = others - errors
    if float(errors.sum()) >= CLEARLY_BETTER * float(others.sum()):
        return False
    deviation = float(gained.std(ddof=1)) / float(len(gained)) ** 0.5
    return bool(float(gained.mean()) >= SURE_DEVIATIONS * deviation)


def residual_of(actual: Floats, expected: Floats) -> Floats:
    """Return what was missed, in square roots of what was expected (of one person at least)."""
    missed: Floats = (actual - expected) / np.sqrt(np.maximum(expected, 1.0))
    return missed


def tails_of(residuals: Floats) -> dict[float, tuple[Floats, Floats]]:
    """Return by level between which residuals of a station that share of its slots lay.

    Args:
        residuals: of earlier days, by day, station and slot; NaN where not known.

    Source: docs/sources.md#arrivals-intervals
    """
    stations = residuals.shape[1]
    ordered = np.sort(np.moveaxis(residuals, 1, 0).reshape(stations, -1), axis=1)
    if not ordered.shape[1]:
        ordered = np.full((stations, 1), np.nan)
    return {
        level: (_quantiles(ordered, (1 - level) / 2), _quantiles(ordered, (1 + level) / 2))
        for level in LEVELS
    }


def _quantiles(ordered: Floats, share: float) -> Floats:
    """Return a quantile of each rising row with NaN at its end; of a row of NaN, that of all."""
    counts = (~np.isnan(ordered)).sum(1)
    if not counts.any():
        return np.full(len(ordered), UNKNOWN_DEVIATION * NormalDist().inv_cdf(share))
    places = share * np.maximum(counts - 1, 0)
    below = np.floor(places).astype(np.int64)[:, None]
    above = np.minimum(below + 1, np.maximum(counts - 1, 0)[:, None])
    low, high = (np.take_along_axis(ordered, one, axis=1)[:, 0] for one in (below, above))
    found = low + (places - below[:, 0]) * (high - low)
    everything = float(np.quantile(ordered[~np.isnan(ordered)], share))
    return np.where(counts > 0, found, everything)


def profile_for(values: Floats, days: Sequence[date], day: date) -> tuple[Floats, Floats]:
    """Return the expected people of a day that may be beyond the table, and earlier residuals.

    Args:
        values: people of one station by day and slot; NaN where not counted.
        days: of the first axis, rising.
        day: that is forecast; nothing from it on is looked at.

    Returns:
        People by slot; residuals by earlier day and slot.
    """
    before = count_before(days, day)
    unknown = np.full((1, 1, values.shape[1]), np.nan)
    table = np.concatenate([values[None, :before], unknown], axis=1)
    forecaster = Forecaster(table, [*days[:before], day])
    recipe = forecaster.recipe_for(before)
    residuals = forecaster.residuals_before(before, recipe=recipe)[:, 0]
    return forecaster.mean_of(recipe, before)[0], residuals
