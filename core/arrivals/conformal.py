"""How wide intervals must be, learnt from how far earlier forecasts were off.

Source: docs/sources.md#arrivals-intervals
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from core.arrivals.inputs import Flags, Floats
from core.arrivals.rules import LEVELS, SLOT_MINUTES

WINDOWS: Final = (5, 15, 60, 1440)
# From so many days on only what was seen counts; before, the factor is drawn towards 1.
FULL_DAYS: Final = 14
LOWEST: Final = 0.4
HIGHEST: Final = 4.0
# An interval is never taken to be narrower than this on either side, in people.
LEAST_WIDTH: Final = 0.5
QUIET_PEOPLE: Final = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Scaling:
    """Factors by which the half-widths of intervals are multiplied.

    Attributes:
        factors80: by window in minutes, of the 80 % interval.
        factors95: likewise, of the 95 % interval.
        day_count: days that they were learnt from; 0: none, all factors are 1.
    """

    factors80: Mapping[int, float]
    factors95: Mapping[int, float]
    day_count: int

    def factor(self, level: float, minutes: int) -> float:
        """Return the factor of any length of window, between those that were learnt."""
        factors = self.factors80 if level == LEVELS[0] else self.factors95
        lengths = sorted(factors)
        return float(
            np.interp(
                math.log(minutes),
                [math.log(one) for one in lengths],
                [factors[one] for one in lengths],
            )
        )


UNSCALED: Final = Scaling(
    factors80=dict.fromkeys(WINDOWS, 1.0), factors95=dict.fromkeys(WINDOWS, 1.0), day_count=0
)


def is_quiet(mean: Floats) -> Flags:
    """Return where hardly anybody was expected, whoever came then."""
    quiet: Flags = mean < QUIET_PEOPLE
    return quiet


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A mean with the lower and upper end of an interval, by window; equal lengths."""

    mean: Floats
    low: Floats
    high: Floats

    def scaled(self, factor: float) -> Interval:
        """Return the interval with both half-widths multiplied; never below nobody."""
        return Interval(
            mean=self.mean,
            low=np.maximum(self.mean - factor * (self.mean - self.low), 0.0),
            high=self.mean + factor * (self.high - self.mean),
        )

    def misses(self, actual: Floats) -> Floats:
        """Return how far off each window was, in half-widths of its side.

        NaN where it is not known, and at night: where hardly anybody is expected, an interval
        holds without saying anything.
        """
        off = actual - self.mean
        width = np.where(off > 0, self.high - self.mean, self.mean - self.low)
        missed = np.abs(off) / np.maximum(width, LEAST_WIDTH)
        return np.where(is_quiet(self.mean), np.nan, missed)


@dataclass(frozen=True, slots=True, kw_only=True)
class PastDay:
    """A forecast that is over: how far it was off, before any scaling.

    Attributes:
        misses80: by window in minutes, `Interval.misses` of the 80 % interval.
        misses95: likewise, of the 95 % interval.
    """

    misses80: Mapping[int, Floats]
    misses95: Mapping[int, Floats]


def scaling_of(past: Sequence[PastDay]) -> Scaling:
    """Return the factors with which the intervals of past days would have held.

    Args:
        past: forecasts that are over, without their own scaling; whatever their order.

    Returns:
        For each window the level's quantile of the misses, with the correction for a finite
        number, drawn towards 1 while fewer than 14 days are known; from 0.4 to 4.
    """
    return Scaling(
        factors80={one: _factor([day.misses80[one] for day in past], LEVELS[0]) for one in WINDOWS},
        factors95={one: _factor([day.misses95[one] for day in past], LEVELS[1]) for one in WINDOWS},
        day_count=len(past),
    )


def _factor(days: Sequence[Floats], level: float) -> float:
    known = [day[~np.isnan(day)] for day in days]
    day_count = sum(bool(len(day)) for day in known)
    if not day_count:
        return 1.0
    factor = conformal_quantile(np.concatenate(known), level)
    share = min(1.0, day_count / FULL_DAYS)
    return float(np.clip(1 + share * (factor - 1), LOWEST, HIGHEST))


def conformal_quantile(scores: Floats, level: float) -> float:
    """Return the least number that the level's share of n+1 scores would not exceed.

    Args:
        scores: at least one.
        level: 0-1; where n is too small for it, the greatest score is returned.
    """
    place = math.ceil((len(scores) + 1) * level)
    return float(np.sort(scores)[min(place, len(scores)) - 1])


def sums_of(slots: Floats, minutes: int) -> Floats:
    """Return the sums over consecutive windows; what is left at the end is dropped.

    Args:
        slots: people per five minutes, in the last axis; a window with NaN is NaN.
        minutes: length of the windows; the whole of `slots` where that is shorter.
    """
    size = min(minutes // SLOT_MINUTES, slots.shape[-1])
    count = slots.shape[-1] // size
    sums: Floats = slots[..., : count * size].reshape(*slots.shape[:-1], count, size).sum(-1)
    return sums
