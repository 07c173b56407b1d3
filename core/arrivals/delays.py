"""Delays of trains: how many minutes after the schedule, by group, and how alike a day's are."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from core.arrivals.chance import normal_deviate
from core.arrivals.inputs import CLASSES, Floats, History, Integers
from core.arrivals.rules import TrainClass

BLOCK_MINUTES: Final = 360
BLOCKS: Final = 4
STEPS: Final = 101
# So many trains weigh as much as the group above them.
PRIOR_RUNS: Final = 20
EARLIEST: Final = -30.0
LATEST: Final = 360.0
# Where nothing is known: three minutes at the median and twelve at the 95th percentile, less the
# two that timetables keep in hand.
FALLBACK_MEDIAN: Final = 3.0
FALLBACK_P95: Final = 12.0
FALLBACK_EARLY: Final = 2.0
FALLBACK_CORRELATION: Final = 0.1
MAX_CORRELATION: Final = 0.6
MIN_DAYS: Final = 5
ALL: Final = "all"

_SHARES: Final = np.linspace(0, 1, STEPS)


@dataclass(frozen=True, slots=True, kw_only=True)
class DelayCurve:
    """The delays of one group of trains.

    Attributes:
        quantiles: minutes, at 101 even steps from the least to the greatest.
        run_count: trains that were looked at.
    """

    quantiles: Floats
    run_count: int

    def at(self, shares: Floats) -> Floats:
        """Return the minutes below which shares of the trains lie."""
        minutes: Floats = np.interp(shares, _SHARES, self.quantiles)
        return minutes

    def share_until(self, minutes: float) -> float:
        """Return the share of the trains that are late by so many minutes or less."""
        return float(np.interp(minutes, self.quantiles, _SHARES, left=0.0, right=1.0))


def _fallback() -> DelayCurve:
    deviation = math.log(FALLBACK_P95 / FALLBACK_MEDIAN) / normal_deviate(np.array(0.95))
    # The outermost steps are infinite; half a step inwards is as far as anybody has seen.
    inner = _SHARES.clip(0.5 / STEPS, 1 - 0.5 / STEPS)
    minutes = FALLBACK_MEDIAN * np.exp(deviation * normal_deviate(inner)) - FALLBACK_EARLY
    return DelayCurve(quantiles=minutes, run_count=0)


FALLBACK: Final = _fallback()


def block_of(minute: int) -> int:
    """Return the quarter of the day, 0-3, that a minute of the day is in."""
    return minute // BLOCK_MINUTES


def delay_key(train_class: TrainClass, block: int) -> str:
    """Return the name under which a group's curve is kept."""
    return f"{train_class.value}/{block}"


def fit_delays(history: History) -> dict[str, DelayCurve]:
    """Return the curves of all groups, each drawn towards the group above it.

    Returns:
        By `class/block`, by class, and under `all`; only groups that have trains.

    Source: docs/sources.md#arrivals-delays
    """
    known = ~np.isnan(history.delays) & ~history.cancelled
    delays = history.delays[known].clip(EARLIEST, LATEST)
    classes, blocks = history.classes[known], history.minutes[known] // BLOCK_MINUTES
    curves = {ALL: _drawn_towards(delays, FALLBACK)}
    for place in np.unique(classes):
        of_class = classes == place
        train_class = CLASSES[place]
        curves[train_class.value] = _drawn_towards(delays[of_class], curves[ALL])
        for block in np.unique(blocks[of_class]):
            chosen = delays[of_class & (blocks == block)]
            key = delay_key(train_class, int(block))
            curves[key] = _drawn_towards(chosen, curves[train_class.value])
    return curves


def curve_for(curves: Mapping[str, DelayCurve], train_class: TrainClass, minute: int) -> DelayCurve:
    """Return the curve of a train's group, or of the nearest group above it that has one."""
    for key in (delay_key(train_class, block_of(minute)), train_class.value, ALL):
        if key in curves:
            return curves[key]
    return FALLBACK


def _drawn_towards(delays: Floats, parent: DelayCurve) -> DelayCurve:
    """Return the mixture of a group's own delays and those of its parent, n to 20."""
    if not len(delays):
        return DelayCurve(quantiles=parent.quantiles, run_count=0)
    values = np.concatenate([delays, parent.quantiles])
    weights = np.concatenate([np.ones(len(delays)), np.full(STEPS, PRIOR_RUNS / STEPS)])
    order = np.argsort(values, kind="stable")
    reached = weights[order].cumsum() - weights[order] / 2
    quantiles = np.interp(_SHARES * weights.sum(), reached, values[order])
    return DelayCurve(quantiles=quantiles, run_count=len(delays))


def delay_correlation(history: History) -> float:
    """Return how alike the delays of one day are, 0 to 0.6: what disruption does to all trains.

    It is the share of the variance of the delays' normal scores that lies between days.

    Source: docs/sources.md#arrivals-delays
    """
    known = ~np.isnan(history.delays) & ~history.cancelled
    days, places = np.unique(history.days[known], return_inverse=True)
    if len(days) < MIN_DAYS:
        return FALLBACK_CORRELATION
    scores = _normal_scores(history.delays[known])
    sizes = np.bincount(places)
    means = np.bincount(places, weights=scores) / sizes
    within = ((scores - means[places]) ** 2).sum() / max(1, len(scores) - len(days))
    between = (sizes * (means - scores.mean()) ** 2).sum() / (len(days) - 1)
    size = (len(scores) - (sizes**2).sum() / len(scores)) / (len(days) - 1)
    extra = max(0.0, (between - within) / size)
    measured = extra / (extra + within) if extra + within > 0 else 0.0
    share = len(days) / (len(days) + PRIOR_RUNS)
    drawn = FALLBACK_CORRELATION + share * (measured - FALLBACK_CORRELATION)
    return float(min(drawn, MAX_CORRELATION))


def _normal_scores(values: Floats) -> Floats:
    _, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    places = np.asarray(places, np.int64)
    middles: Floats = (np.cumsum(counts) - counts / 2) / len(values)
    return normal_deviate(middles[places])


def minutes_late(delays: Floats) -> Integers:
    """Return delays as whole minutes, as timetables and clocks tell them."""
    return np.rint(delays).astype(np.int64)
