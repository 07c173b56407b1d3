"""How right a forecast was: errors, intervals, busy hours, posts.

What was not counted (NaN) is left out everywhere; a measure of nothing is None.

Source: docs/sources.md#arrivals-measures
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from core.arrivals.conformal import is_quiet
from core.arrivals.inputs import Floats, Integers
from core.arrivals.rules import SLOTS_PER_HOUR, StationSettings
from core.arrivals.staffing import posts_needed

PINBALL_SHARES: Final = (0.025, 0.1, 0.5, 0.9, 0.975)


@dataclass(frozen=True, slots=True, kw_only=True)
class Errors:
    """How far off means were.

    Attributes:
        wmape_pct: sum of all errors as a percentage of all people; None when nobody came.
        mae: mean error, people per window.
        rmse: root of the mean square error, people per window.
        window_count: windows that were compared.
    """

    wmape_pct: float | None
    mae: float
    rmse: float
    window_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Regret:
    """Posts that were planned, against those that turned out to be needed.

    Attributes:
        over_hours: post-hours that nobody needed.
        short_hours: post-hours that were lacking.
    """

    over_hours: float
    short_hours: float


def errors_of(expected: Floats, actual: Floats) -> Errors | None:
    """Return how far off means were; None if nothing is known of any window."""
    known = ~(np.isnan(actual) | np.isnan(expected))
    if not known.any():
        return None
    off = actual[known] - expected[known]
    people = float(actual[known].sum())
    return Errors(
        wmape_pct=100 * float(np.abs(off).sum()) / people if people > 0 else None,
        mae=float(np.abs(off).mean()),
        rmse=float((off**2).mean() ** 0.5),
        window_count=int(known.sum()),
    )


def coverage_pct(mean: Floats, low: Floats, high: Floats, actual: Floats) -> float | None:
    """Return how many windows of 100 had a count inside of their interval, ends included.

    Windows in which hardly anybody was expected are left out: there is no merit in them.
    """
    known = ~(np.isnan(actual) | np.isnan(low) | np.isnan(high) | is_quiet(mean))
    if not known.any():
        return None
    inside = (actual >= low) & (actual <= high)
    return 100 * float(inside[known].mean())


def pinball(quantile: Floats, actual: Floats, *, share: float) -> float | None:
    """Return the mean pinball loss of a quantile, in people per window.

    Args:
        quantile: by window.
        actual: likewise.
        share: 0-1, of the cases in which fewer are to come.
    """
    off = actual - quantile
    known = ~np.isnan(off)
    if not known.any():
        return None
    return float(np.maximum(share * off[known], (share - 1) * off[known]).mean())


def pinballs(quantiles: Mapping[float, Floats], actual: Floats) -> dict[float, float | None]:
    """Return the pinball loss of each quantile, by its share."""
    return {share: pinball(one, actual, share=share) for share, one in quantiles.items()}


def staffing_regret(planned: Integers, actual: Floats, *, settings: StationSettings) -> Regret:
    """Return what the posts of a roster were too many and too few, looking back.

    Args:
        planned: posts by slot.
        actual: people by slot; of slots that were not counted nothing is said.
        settings: with which the posts were planned.
    """
    known = ~np.isnan(actual)
    flow = np.where(known, actual, 0.0)
    # Who came is known now: there is no large train to be prepared for besides.
    needed = posts_needed(flow, flow, settings=settings)
    off = (planned - needed)[known] / SLOTS_PER_HOUR
    return Regret(
        over_hours=float(off[off > 0].sum()),
        short_hours=float(-off[off < 0].sum()),
    )
