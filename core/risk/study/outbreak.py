"""What was published of an outbreak, and the indicators that follow from it day by day."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.places.nearness import Neighbours, neighbours_within
from core.risk.table import Flags, Floats, Integers

WEEK_DAYS: Final = 7
FORTNIGHT_DAYS: Final = 14
MONTH_DAYS: Final = 28
NEAR_M: Final = (300, 500, 1000)
# One case among two neighbours is not half of a neighbourhood: fewer count as so many.
MIN_NEIGHBOURS: Final = 5
# Added to both weeks, so that the first case of a street is a rise and not a division by zero.
GROWTH_GROUND: Final = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Outbreak:
    """What was published, by community and day.

    Attributes:
        first_day: the local day of the first row of `address_counts`.
        districts: names; the other fields refer to their places.
        district_of: the district of each community.
        street_of: the street of each community, a number of its own; -1 where it is not known.
        longitudes: degrees; NaN where it is not known.
        latitudes: degrees, likewise.
        address_counts: listed addresses near the community, by day, then by community.
        positives_per_100k: people found positive, by day, then by district; NaN: not reported.
        screened_per_100k: of these, those found among the public and not in quarantine.
    """

    first_day: date
    districts: tuple[str, ...]
    district_of: Integers
    street_of: Integers
    longitudes: Floats
    latitudes: Floats
    address_counts: NDArray[np.int32]
    positives_per_100k: Floats
    screened_per_100k: Floats

    @property
    def day_count(self) -> int:
        """Return for how many days, from the first one, something is known."""
        return len(self.address_counts)

    @property
    def community_count(self) -> int:
        """Return how many communities there are."""
        return len(self.district_of)


class Surveillance:
    """The indicators of every community as of the end of a day, from that day and earlier ones.

    Source: docs/sources.md#study-indicators
    """

    def __init__(self, outbreak: Outbreak) -> None:
        self._outbreak = outbreak
        listed = outbreak.address_counts > 0
        self._listed_until = _running(listed)
        self._addresses_until = _running(outbreak.address_counts)
        days = np.where(listed, np.arange(outbreak.day_count)[:, np.newaxis], -MONTH_DAYS)
        self._last_listed = np.maximum.accumulate(days, axis=0)
        self._near = {
            distance_m: neighbours_within(
                outbreak.longitudes, outbreak.latitudes, distance_m=distance_m
            )
            for distance_m in NEAR_M
        }
        self._place = np.where(np.isnan(outbreak.longitudes + outbreak.latitudes), np.nan, 0.0)

    def days_listed(self, *, first: int, last: int) -> Integers:
        """Return on how many days from `first` to `last`, both included, each was listed."""
        return _between(self._listed_until, first, last)

    def was_ever_listed(self, day: int) -> Flags:
        """Return who was listed on a day or before it."""
        was_listed: Flags = self._last_listed[day] >= 0
        return was_listed

    def values_on(self, day: int) -> Mapping[str, Floats]:
        """Return the value of every indicator for every community.

        Args:
            day: counted from the outbreak's first day; nothing later is looked at.
        """
        return {code: compute(self, day) for code, compute in INDICATORS.items()}

    def recent(self, day: int, *, days: int) -> Floats:
        """Return on how many of the last days each was listed."""
        return self.days_listed(first=day - days + 1, last=day).astype(np.float64)

    def recency(self, day: int) -> Floats:
        """Return 14 minus the days since each was listed last, at least 0."""
        since = day - self._last_listed[day]
        values: Floats = np.maximum(0, FORTNIGHT_DAYS - since).astype(np.float64)
        return values

    def addresses(self, day: int) -> Floats:
        """Return the listed addresses of the last 14 days, each day's counted anew."""
        first = day - FORTNIGHT_DAYS + 1
        return _between(self._addresses_until, first, day).astype(np.float64)

    def around(self, day: int, *, distance_m: int, days: int) -> Floats:
        """Return on how many of the last days a neighbour was listed, as a mean over them."""
        near: Neighbours = self._near[distance_m]
        sums = near.sums(self.days_listed(first=day - days + 1, last=day))
        means: Floats = sums / np.maximum(near.counts(), MIN_NEIGHBOURS) + self._place
        return means

    def in_street(self, day: int) -> Floats:
        """Return on how many of the last 7 days a community of the street was, as a mean."""
        return self._street_mean(day - WEEK_DAYS + 1, day)

    def street_growth(self, day: int) -> Floats:
        """Return how many times as often the street was listed as in the week before."""
        before = self._street_mean(day - 2 * WEEK_DAYS + 1, day - WEEK_DAYS)
        return (self.in_street(day) + GROWTH_GROUND) / (before + GROWTH_GROUND)

    def in_district(self, day: int, rates: Floats) -> Floats:
        """Return the district's rate of 7 days; a day without a report counts as the others."""
        week = rates[max(0, day - WEEK_DAYS + 1) : day + 1]
        reported = ~np.isnan(week)
        counts = reported.sum(axis=0)
        sums = np.where(reported, week, 0.0).sum(axis=0)
        means = np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)
        by_community: Floats = WEEK_DAYS * means[self._outbreak.district_of]
        return by_community

    def positives(self, day: int) -> Floats:
        """Return the district's positives of 7 days per 100,000 people."""
        return self.in_district(day, self._outbreak.positives_per_100k)

    def screened(self, day: int) -> Floats:
        """Return those of them that were found among the public."""
        return self.in_district(day, self._outbreak.screened_per_100k)

    def _street_mean(self, first: int, last: int) -> Floats:
        street_of = self._outbreak.street_of
        known = street_of >= 0
        listed = self.days_listed(first=first, last=last)
        size = np.bincount(street_of[known])
        sums = np.bincount(street_of[known], weights=listed[known])
        means = np.full(len(street_of), np.nan)
        means[known] = (sums / np.maximum(size, 1))[street_of[known]]
        return means


INDICATORS: Final[Mapping[str, Callable[[Surveillance, int], Floats]]] = {
    "listed_3d": lambda seen, day: seen.recent(day, days=3),
    "listed_7d": lambda seen, day: seen.recent(day, days=WEEK_DAYS),
    "listed_14d": lambda seen, day: seen.recent(day, days=FORTNIGHT_DAYS),
    "listed_28d": lambda seen, day: seen.recent(day, days=MONTH_DAYS),
    "recency": Surveillance.recency,
    "addresses_14d": Surveillance.addresses,
    "near_300m": lambda seen, day: seen.around(day, distance_m=300, days=WEEK_DAYS),
    "near_500m": lambda seen, day: seen.around(day, distance_m=500, days=FORTNIGHT_DAYS),
    "near_1km": lambda seen, day: seen.around(day, distance_m=1000, days=WEEK_DAYS),
    "street_7d": Surveillance.in_street,
    "street_growth": Surveillance.street_growth,
    "district_positive": Surveillance.positives,
    "district_screened": Surveillance.screened,
}


def _running(values: Flags | NDArray[np.int32]) -> Integers:
    """Return the sums of all days before each day, and at last those of all days."""
    sums = np.zeros((len(values) + 1, values.shape[1]), np.int64)
    np.cumsum(values, axis=0, out=sums[1:])
    return sums


def _between(running: Integers, first: int, last: int) -> Integers:
    """Return the sums from one day to another; days outside of what is known count as none."""
    end = len(running) - 1
    sums: Integers = running[min(max(last + 1, 0), end)] - running[min(max(first, 0), end)]
    return sums
