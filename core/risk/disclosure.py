"""What anybody may read of an indicator: exact where it is published anyway, else as a range.

A community is small. "One suspected case" tells neighbours who the person is that was fetched
yesterday, and so do the points of the score, which follow from the number. Both are given as the
range that the number lies in. Staff see the numbers.

Source: docs/adr/0020-small-numbers-of-people-are-shown-as-ranges.md
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Mapping
from typing import Final, NamedTuple

from core.risk.rules import Indicator, Unit

# Cases and where they live are announced by the health authority; an age structure is no secret.
PUBLISHED: Final = frozenset({"confirmed", "asym", "cluster", "recency", "nearby", "vuln"})

# Lower ends of the ranges. Five in a thousand are one to five people of a usual community.
RANGES: Final[Mapping[Unit, tuple[float, ...]]] = {
    Unit.PERSONS: (1, 5, 10, 20, 50),
    Unit.PER_MILLE: (0, 5, 10, 20, 50),
}


class Disclosed(NamedTuple):
    """An indicator as anybody may read it.

    Attributes:
        low: the value is at least this.
        high: the value is at most this; None: there is no upper end. As `low` where it is exact.
        points_low: what it adds to the score is at least this.
        points_high: and at most this. As `points_low` where it is exact.
    """

    low: float
    high: float | None
    points_low: float
    points_high: float

    @property
    def is_exact(self) -> bool:
        """Whether this is the value itself."""
        return self.low == self.high


def disclosed(
    indicator: Indicator | None, *, value: float, contribution: float, full: float
) -> Disclosed:
    """Return a value and its points as anybody may read them.

    Args:
        indicator: whose value it is; None where its version is not on this machine, so that
            nobody knows what it counts.
        value: in its unit.
        contribution: points of the score.
        full: points that it would add at its worst.
    """
    if value == 0 or (indicator is not None and not _is_of_few_people(indicator)):
        return Disclosed(value, value, contribution, contribution)
    if indicator is None:
        return Disclosed(0.0, None, 0.0, full)
    low, high = _range_of(value, indicator.unit)
    return Disclosed(
        low,
        high,
        full * indicator.norm_of(low) / 100,
        full * indicator.norm_of(math.inf if high is None else high) / 100,
    )


def _is_of_few_people(indicator: Indicator) -> bool:
    return indicator.unit in RANGES and indicator.code not in PUBLISHED


def _range_of(value: float, unit: Unit) -> tuple[float, float | None]:
    ends = RANGES[unit]
    place = max(bisect_right(ends, value), 1)
    if place == len(ends):
        return ends[-1], None
    # People are whole: below five is at most four. A share has no such gap.
    return ends[place - 1], ends[place] - (1 if unit is Unit.PERSONS else 0)
