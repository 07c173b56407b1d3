"""Which hours are the busy ones, and how sure that is."""

from __future__ import annotations

from typing import Final

import numpy as np

from core.arrivals.inputs import Floats

TOP: Final = 2
LEAST_SHARE: Final = 0.01


def peak_hours(hours: Floats, share: float) -> list[tuple[int, float]]:
    """Return the fewest hours that hold a share of all people, with the share of each.

    Args:
        hours: people by hour.
        share: 0-1, of their sum.

    Returns:
        (place, share of all), by place; of hours with equally many people the earlier ones;
        none when nobody comes.

    Source: docs/sources.md#arrivals-peaks
    """
    total = float(hours.sum())
    if total <= 0:
        return []
    order = np.argsort(-hours, kind="stable")
    reached = hours[order].cumsum()
    # A sum in another order may be smaller by a rounding error.
    count = min(int(np.searchsorted(reached, share * total * (1 - 1e-12))) + 1, len(hours))
    return [(int(place), float(hours[place]) / total) for place in sorted(order[:count])]


def top_hours(draws: Floats) -> list[tuple[int, float]]:
    """Return how probable it is that an hour is one of the two with most people.

    Args:
        draws: people by draw and hour; where hours tie, the earlier ones count.

    Returns:
        (place, probability), the most probable first; hours below 1 % are left out.
    """
    count = min(TOP, draws.shape[1])
    best = np.argsort(-draws, axis=1, kind="stable")[:, :count]
    # A day on which nobody comes has no busy hour.
    best = best[draws.sum(1) > 0]
    shares = np.bincount(best.ravel(), minlength=draws.shape[1]) / len(draws)
    order = np.argsort(-shares, kind="stable")
    return [(int(place), float(shares[place])) for place in order if shares[place] >= LEAST_SHARE]


def top2_hit(expected: Floats, actual: Floats) -> float:
    """Return which share of the two busiest hours was among the two that were expected.

    Args:
        expected: people by hour.
        actual: likewise.

    Returns:
        0, 0.5 or 1; where hours tie, the earlier ones count.
    """
    return float(top2_hits(expected, actual))


def top2_hits(expected: Floats, actual: Floats) -> Floats:
    """Return the same for many days; hours in the last axis."""
    first, second = (
        np.argsort(-hours, axis=-1, kind="stable")[..., :TOP] for hours in (expected, actual)
    )
    hits: Floats = (first[..., :, None] == second[..., None, :]).sum((-1, -2)) / TOP
    return hits
