"""How slots vary together: enough of the simulated days to give any window its variance later."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from core.arrivals.conformal import sums_of
from core.arrivals.inputs import Floats
from core.arrivals.rules import SLOT_MINUTES

QUARTER: Final = 15
SLOTS_PER_QUARTER: Final = QUARTER // SLOT_MINUTES
# The largest ways in which days differ; what is left is each quarter's own.
FACTORS: Final = 40
NEGLIGIBLE: Final = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedVariance:
    """The covariances of slots, in short.

    Attributes:
        spread: by quarter of an hour and factor: products of rows are covariances of quarters.
        rest: by quarter, the variance that it shares with no other.
        weights: by slot, its part in what its quarter differs.
        noise: by slot, the variance that it does not share with its quarter.
    """

    spread: Floats
    rest: Floats
    weights: Floats
    noise: Floats


def shared_variance(people: Floats) -> SharedVariance:
    """Return how the slots of simulated days vary together.

    Args:
        people: by draw and slot, whole quarters of an hour.
    """
    centred = people - people.mean(0)
    quarters = sums_of(centred, QUARTER)
    covariance = quarters.T @ quarters / len(people)
    spread, rest = _factors(covariance)
    variance = np.diag(covariance)
    by_slot = centred.reshape(len(people), -1, SLOTS_PER_QUARTER)
    shared = np.einsum("dqs,dq->qs", by_slot, quarters) / len(people)
    even = np.full_like(shared, 1 / SLOTS_PER_QUARTER)
    weights = np.divide(shared, variance[:, None], out=even, where=variance[:, None] > 0)
    noise = (by_slot**2).mean(0) - weights**2 * variance[:, None]
    return SharedVariance(
        spread=spread,
        rest=rest,
        weights=weights.ravel(),
        noise=noise.clip(0).ravel(),
    )


def _factors(covariance: Floats) -> tuple[Floats, Floats]:
    """Return factors by Cholesky's method, the largest variances first, and what is left."""
    rest = np.diag(covariance).copy()
    spread = np.zeros((len(rest), min(FACTORS, len(rest))))
    for place in range(spread.shape[1]):
        pivot = int(rest.argmax())
        if rest[pivot] <= NEGLIGIBLE:
            break
        spread[:, place] = (covariance[:, pivot] - spread @ spread[pivot]) / rest[pivot] ** 0.5
        rest = (rest - spread[:, place] ** 2).clip(0)
    return spread, rest


def variance_of(shared: SharedVariance, first: int, last: int) -> float:
    """Return the variance of the people in a window.

    Args:
        shared: of all slots.
        first: slot with which it begins.
        last: slot before which it ends.
    """
    slots = np.arange(first, last)
    quarters = slots // SLOTS_PER_QUARTER
    # How much of each quarter lies in the window: 1, but for those at its ends.
    parts = np.bincount(quarters, shared.weights[slots], minlength=len(shared.spread))
    factors = parts @ shared.spread
    is_cut = np.bincount(quarters, minlength=len(parts))[quarters] < SLOTS_PER_QUARTER
    own = float(shared.noise[slots][is_cut].sum())
    return float(factors @ factors + parts**2 @ shared.rest) + own
