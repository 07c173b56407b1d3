"""Who is near whom: the neighbours of every point within a distance."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from core.places.geo import EARTH_RADIUS_M

METRES_PER_DEGREE: Final = EARTH_RADIUS_M * np.pi / 180

Floats: TypeAlias = NDArray[np.float64]
Integers: TypeAlias = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbours:
    """The neighbours of each point, one row of them after the other.

    Attributes:
        starts: where the row of each point begins, and at last where the last one ends.
        others: the neighbours' places, without the point itself.
    """

    starts: Integers
    others: Integers

    def counts(self) -> Integers:
        """Return how many neighbours each point has."""
        return np.diff(self.starts)

    def sums(self, values: Integers) -> Integers:
        """Return the sum of a value over the neighbours of each point."""
        running = np.concatenate(([0], np.cumsum(values[self.others])))
        return running[self.starts[1:]] - running[self.starts[:-1]]


def neighbours_within(longitudes: Floats, latitudes: Floats, *, distance_m: float) -> Neighbours:
    """Return who lies within a distance of whom.

    Args:
        longitudes: degrees; NaN for a point whose place is not known: it has no neighbours.
        latitudes: degrees, likewise; not at the poles.
        distance_m: metres, on the sphere; a point at this very distance is a neighbour.

    Source: docs/sources.md#haversine
    """
    placed = np.flatnonzero(~np.isnan(longitudes + latitudes))
    x, y = longitudes[placed], latitudes[placed]
    lists = [(placed[:0], placed[:0])]
    for first, second in _candidates(x, y, distance_m=distance_m):
        near = _distances(x[first], y[first], x[second], y[second]) <= distance_m
        near &= first != second
        lists.append((placed[first[near]], placed[second[near]]))
    first, second = (np.concatenate(parts) for parts in zip(*lists, strict=True))
    order = np.lexsort((second, first))
    counts = np.bincount(first, minlength=len(longitudes))
    return Neighbours(starts=np.concatenate(([0], np.cumsum(counts))), others=second[order])


def _candidates(x: Floats, y: Floats, *, distance_m: float) -> Iterator[tuple[Integers, Integers]]:
    """Yield the pairs of points in the same or in touching cells of a grid of this distance."""
    if not len(x):
        return
    # A little wider than the distance: rounding must not part two neighbours.
    height = 1.001 * distance_m / METRES_PER_DEGREE
    width = height / np.cos(np.radians(min(89.0, float(np.abs(y).max()))))
    columns = np.floor((x - x.min()) / width).astype(np.int64) + 1
    rows = np.floor((y - y.min()) / height).astype(np.int64) + 1
    line = int(columns.max()) + 2
    cells = rows * line + columns
    order = np.argsort(cells, kind="stable")
    for row in (-1, 0, 1):
        # One row of cells after the other: all at once would take three times the memory.
        yield _pairs_in_row(cells, cells[order], order, shift=row * line)


def _pairs_in_row(
    cells: Integers, sorted_cells: Integers, order: Integers, *, shift: int
) -> tuple[Integers, Integers]:
    """Return each point with those of three cells: of its column and the two beside it."""
    begin = np.searchsorted(sorted_cells, cells + shift - 1, side="left")
    end = np.searchsorted(sorted_cells, cells + shift + 1, side="right")
    counts = end - begin
    first = np.repeat(np.arange(len(cells)), counts)
    offsets = np.arange(len(first)) - np.repeat(np.cumsum(counts) - counts, counts)
    return first, order[np.repeat(begin, counts) + offsets]


def _distances(x0: Floats, y0: Floats, x1: Floats, y1: Floats) -> Floats:
    """Return the distances in metres, by the haversine formula."""
    lat0, lat1 = np.radians(y0), np.radians(y1)
    across = np.sin((lat1 - lat0) / 2) ** 2
    along = np.cos(lat0) * np.cos(lat1) * np.sin(np.radians(x1 - x0) / 2) ** 2
    distances: Floats = 2 * EARTH_RADIUS_M * np.arcsin(np.sqrt(across + along))
    return distances
