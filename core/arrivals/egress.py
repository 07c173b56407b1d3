"""From the platform to the check: how the people of a train spread over the slots that follow."""

from __future__ import annotations

from typing import Final

import numpy as np

from core.arrivals.chance import lognormal_share
from core.arrivals.inputs import CountTable, Floats, History
from core.arrivals.rules import SLOT_MINUTES, SLOTS

# Who takes longer than this is counted in the last slot: nobody is lost.
MAX_MINUTES: Final = 60
FIT_DAYS: Final = 28
MIN_FIT_DAYS: Final = 3
MEDIANS: Final = (2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 10.0)
RATIOS: Final = (1.7, 2.0, 2.4, 3.0)
# So many days of counts weigh as much as what the station says itself.
PRIOR_DAYS: Final = 5
_TAIL: Final = 1e-3


def egress_shares(*, median: float, p95: float) -> Floats:
    """Return which share of a train passes the check in which slot after it came.

    Args:
        median: minutes from the platform to the check, above 0.
        p95: minutes, above the median.

    Returns:
        By minute of the slot in which the train comes, 0-4, and slot from this one on; rows sum
        to 1.

    Source: docs/sources.md#arrivals-egress
    """
    phases = np.arange(SLOT_MINUTES, dtype=float)
    # A train comes somewhere in its minute: on the whole, in the middle.
    edges = np.arange(0, MAX_MINUTES + SLOT_MINUTES + 1, SLOT_MINUTES) - (phases[:, None] + 0.5)
    shares = np.diff(lognormal_share(edges, median=median, p95=p95), axis=1)
    kept = max(2, int(np.argmax(shares.sum(0).cumsum() >= (1 - _TAIL) * shares.sum())) + 1)
    spread: Floats = shares[:, :kept] / shares[:, :kept].sum(1, keepdims=True)
    return spread


def find_egress(
    history: History, people: Floats, counts: CountTable, *, median: float, p95: float
) -> tuple[float, float] | None:
    """Return the median and the 95th percentile that explain the counts of the last days best.

    Args:
        history: trains of the past.
        people: who got off of each; NaN where not known.
        counts: at the gate.
        median: what the station says, minutes; drawn upon while few days are known.
        p95: likewise.

    Returns:
        Minutes; None when fewer than three whole days have both counts and arrivals.
    """
    came = _came_by_minute(history, people, counts)
    if len(came) < MIN_FIT_DAYS:
        return None
    days = np.array(list(came), np.int64)
    arrivals = np.stack(list(came.values()))
    counted = counts.values[days]
    best = min(
        ((one, one * ratio) for one in MEDIANS for ratio in RATIOS),
        key=lambda pair: _error_of(arrivals, counted, median=pair[0], p95=pair[1]),
    )
    share = len(days) / (len(days) + PRIOR_DAYS)
    return (
        float(median + share * (best[0] - median)),
        float(p95 + share * (best[1] - p95)),
    )


def _came_by_minute(history: History, people: Floats, counts: CountTable) -> dict[int, Floats]:
    """Return people by slot and minute of the slot, of the last days that are wholly known."""
    first = counts.start_day.toordinal()
    known = history.cancelled | ~(np.isnan(people) | np.isnan(history.delays))
    came: dict[int, Floats] = {}
    for place in range(len(counts.values) - 1, -1, -1):
        of_day = history.days == first + place
        if not of_day.any() or not known[of_day].all() or np.isnan(counts.values[place]).any():
            continue
        ran = of_day & ~history.cancelled
        minutes = (history.minutes[ran] + np.rint(history.delays[ran])).astype(np.int64)
        minutes = minutes.clip(0, SLOTS * SLOT_MINUTES - 1)
        by_minute = np.bincount(minutes, weights=people[ran], minlength=SLOTS * SLOT_MINUTES)
        came[place] = np.asarray(by_minute, float).reshape(SLOTS, SLOT_MINUTES)
        if len(came) == FIT_DAYS:
            break
    return came


def _error_of(arrivals: Floats, counted: Floats, *, median: float, p95: float) -> float:
    shares = egress_shares(median=median, p95=p95)
    expected = np.zeros_like(counted)
    for later in range(shares.shape[1]):
        expected[:, later:] += arrivals[:, : SLOTS - later] @ shares[:, later]
    return float(((expected - counted) ** 2).sum())
