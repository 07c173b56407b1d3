"""How well scores order what happened afterwards: rank statistics, with ties treated fairly."""

from __future__ import annotations

from typing import Final

import numpy as np

from core.risk.table import Flags, Floats, Integers

TOP_SHARE: Final = 0.1


def ranks_of(values: Floats | Integers) -> Floats:
    """Return the ranks from 1, the lowest first; equal values share the mean of their ranks."""
    _, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    ranks: Floats = (last - (counts - 1) / 2)[places]
    return ranks


def auc_of(scores: Floats, hits: Flags) -> float | None:
    """Return how often a hit has a higher score than a miss; a tie counts half.

    Args:
        scores: any numbers, without NaN.
        hits: what happened, one per score.

    Returns:
        0-1, where 0.5 is no better than chance; None without a hit or without a miss.

    Source: docs/sources.md#validation-measures
    """
    hit_count = int(hits.sum())
    miss_count = len(hits) - hit_count
    if not hit_count or not miss_count:
        return None
    above = ranks_of(scores)[hits].sum() - hit_count * (hit_count + 1) / 2
    return float(above / (hit_count * miss_count))


def average_precision_of(scores: Floats, hits: Flags) -> float | None:
    """Return the precision at each threshold, weighted by the share of hits that it adds.

    Returns:
        0-1, where the share of hits is no better than chance; None without a hit.

    Source: docs/sources.md#validation-measures
    """
    if not hits.any():
        return None
    _, places = np.unique(-scores, return_inverse=True)
    taken = np.cumsum(np.bincount(places))
    added = np.bincount(places, weights=hits)
    precisions = np.cumsum(added) / taken
    return float((precisions * added).sum() / hits.sum())


def spearman_of(scores: Floats, outcomes: Floats) -> float | None:
    """Return the correlation of the ranks, -1 to 1; None where either side is all the same."""
    left, right = (ranks - ranks.mean() for ranks in (ranks_of(scores), ranks_of(outcomes)))
    spread = float((left @ left) * (right @ right)) ** 0.5
    return float(left @ right) / spread if spread else None


def lift_of(scores: Floats, hits: Flags) -> float | None:
    """Return how many times more often the highest tenth is hit than all are.

    Of those that tie for the last place of the tenth, each counts as much as may come in.

    Returns:
        At most 10; None without a hit.

    Source: docs/sources.md#validation-measures
    """
    if not hits.any():
        return None
    top_count = max(1, round(len(scores) * TOP_SHARE))
    cut = np.partition(scores, len(scores) - top_count)[len(scores) - top_count]
    above, tied = scores > cut, scores == cut
    share = (top_count - above.sum()) / tied.sum()
    caught = hits[above].sum() + share * hits[tied].sum()
    return float(caught / top_count / hits.mean())
