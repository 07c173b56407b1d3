"""Distributions that NumPy lacks: the normal one as tables, log-normal shares, gamma quantiles."""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import Final

import numpy as np

from core.arrivals.inputs import Floats

_STEPS: Final = 4001
_LIMIT: Final = 6.0
_POINTS: Final = np.linspace(-_LIMIT, _LIMIT, _STEPS)
_SHARES: Final = np.array([0.5 * (1 + math.erf(one / math.sqrt(2))) for one in _POINTS])
_NINTH: Final = 1 / 9
# One standard normal deviate below which 95 of 100 lie.
DEVIATE_95: Final = NormalDist().inv_cdf(0.95)


def normal_share(deviates: Floats) -> Floats:
    """Return the share of a standard normal distribution below each deviate."""
    shares: Floats = np.interp(deviates, _POINTS, _SHARES)
    return shares


def normal_deviate(shares: Floats) -> Floats:
    """Return the standard normal deviate below which each share lies, -6 to 6."""
    deviates: Floats = np.interp(shares, _SHARES, _POINTS)
    return deviates


def lognormal_share(minutes: Floats, *, median: float, p95: float) -> Floats:
    """Return the share of a log-normal distribution below each number of minutes; 0 up to 0."""
    deviation = math.log(p95 / median) / DEVIATE_95
    shares = np.zeros_like(minutes)
    is_later = minutes > 0
    shares[is_later] = normal_share(np.log(minutes[is_later] / median) / deviation)
    return shares


def gamma_quantile(mean: float, variance: float, share: float) -> float:
    """Return the quantile of a gamma distribution, by the cube root of Wilson and Hilferty.

    Args:
        mean: from 0.
        variance: from 0.
        share: 0-1, both excluded.

    Source: docs/sources.md#arrivals-intervals
    """
    if mean <= 0 or variance <= 0:
        return max(mean, 0.0)
    inverse_shape = variance / mean**2
    inner = 1 - inverse_shape * _NINTH
    inner += NormalDist().inv_cdf(share) * math.sqrt(inverse_shape * _NINTH)
    return mean * max(inner, 0.0) ** 3
