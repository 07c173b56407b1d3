"""Small outbreaks whose outcomes are known."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import numpy as np

from core.risk.study.outbreak import Outbreak

FIRST_DAY = date(2022, 3, 6)
DAYS = 100


def outbreak_of(
    listed: Mapping[int, Mapping[int, int]],
    *,
    count: int = 4,
    days: int = DAYS,
    streets: list[int] | None = None,
    longitudes: list[float] | None = None,
    positives: float = 0.0,
    first_day: date = FIRST_DAY,
) -> Outbreak:
    """Return communities of one district, far apart unless placed.

    Args:
        listed: by community, then by day, how many addresses were listed; days
            that are not known do not count.
        count: how many communities there are.
        days: for how many days, from `first_day` on, something is known.
        streets: of each community; all in one street by default.
        longitudes: of each community, degrees.
        positives: of the district, each day, per 100,000 people.
        first_day: of what is known.
    """
    counts = np.zeros((days, count), np.int32)
    for community, by_day in listed.items():
        for day, addresses in by_day.items():
            if day < days:
                counts[day, community] = addresses
    return Outbreak(
        first_day=first_day,
        districts=("A",),
        district_of=np.zeros(count, np.int64),
        street_of=np.array(streets or [0] * count, np.int64),
        longitudes=np.array(longitudes or [120 + 0.1 * place for place in range(count)]),
        latitudes=np.full(count, 31.2),
        address_counts=counts,
        positives_per_100k=np.full((days, 1), positives),
        screened_per_100k=np.full((days, 1), np.nan),
    )
