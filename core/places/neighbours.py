"""Which communities are near to each other (周边500m), kept as a table for the nights."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from core.bulk import Writer, table_of
from core.places.model import Community, CommunityNear
from core.places.nearness import neighbours_within

NEARBY_M: Final = 500.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Site:
    """Where a community is; GCJ-02 degrees, None where nobody knows."""

    id: int
    street_id: int
    longitude: float | None
    latitude: float | None

    @property
    def is_placed(self) -> bool:
        return self.longitude is not None and self.latitude is not None


def refresh_near(session: Session) -> int:
    """Work out anew which communities are near to each other; return how many rows there are.

    Within 500 m of each other; a community without coordinates is near to all of its street, and
    they to it. To be called whenever a community appeared, moved or changed its street.

    Source: docs/sources.md#risk-indicators
    """
    table = Community.__table__.c
    columns = table.id, table.street_id, table.longitude, table.latitude
    sites = [
        _Site(id=identity, street_id=street_id, longitude=longitude, latitude=latitude)
        for identity, street_id, longitude, latitude in session.execute(
            select(*columns).order_by(table.id)
        )
    ]
    pairs = sorted({*_pairs_by_distance(sites), *_pairs_by_street(sites)})
    session.execute(delete(CommunityNear))
    writer = Writer(session, table_of(CommunityNear), ("community_id", "near_id"))
    for pair in pairs:
        writer.add(*pair)
    writer.flush()
    return len(pairs)


def _pairs_by_distance(sites: Sequence[_Site]) -> Iterator[tuple[int, int]]:
    found = neighbours_within(
        np.array([site.longitude for site in sites], float),
        np.array([site.latitude for site in sites], float),
        distance_m=NEARBY_M,
    )
    for place, site in enumerate(sites):
        for other in found.others[found.starts[place] : found.starts[place + 1]].tolist():
            yield site.id, sites[other].id


def _pairs_by_street(sites: Sequence[_Site]) -> Iterator[tuple[int, int]]:
    streets: dict[int, list[int]] = defaultdict(list)
    for site in sites:
        streets[site.street_id].append(site.id)
    for site in sites:
        if not site.is_placed:
            for other in streets[site.street_id]:
                if other != site.id:
                    yield site.id, other
                    yield other, site.id
