"""Who is near to whom: as by measuring every pair."""

from __future__ import annotations

from datetime import datetime
from typing import TypeAlias

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from core.places.geo import distance_m
from core.places.importing import import_communities
from core.places.model import Community, CommunityNear, Street
from core.places.neighbours import NEARBY_M, refresh_near
from tests.core.importing_rows import Cells, loader_of

load = loader_of(import_communities)
Point: TypeAlias = "tuple[float, float] | None"

# Some two by two kilometres: points fall into many cells of the grid, and around their edges.
points = st.none() | st.tuples(
    st.floats(121.42, 121.44, allow_subnormal=False),
    st.floats(31.17, 31.19, allow_subnormal=False),
)


def near(session: Session) -> set[tuple[int, int]]:
    rows = session.execute(select(CommunityNear.community_id, CommunityNear.near_id))
    return {(one, other) for one, other in rows}


def by_hand(sites: list[tuple[Point, int]]) -> set[tuple[int, int]]:
    found = set()
    for one, (start, street) in enumerate(sites, start=1):
        for other, (end, other_street) in enumerate(sites, start=1):
            if start is None or end is None:
                is_near = street == other_street
            else:
                is_near = distance_m(start, end) <= NEARBY_M
            if one != other and is_near:
                found.add((one, other))
    return found


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sites=st.lists(st.tuples(points, st.integers(1, 2)), max_size=12))
def test_near_are_those_within_500_m_or_of_the_street_of_one_without_a_point(
    session: Session, now: datetime, sites: list[tuple[Point, int]]
) -> None:
    session.execute(delete(Community))
    session.execute(delete(Street))
    session.execute(
        insert(Street), [{"id": one, "code": f"S{one}", "name": f"{one}街道"} for one in (1, 2)]
    )
    for number, (point, street) in enumerate(sites, start=1):
        x, y = point or (None, None)
        session.execute(
            insert(Community).values(
                id=number,
                code=f"T{number}",
                name=f"新村{number}",
                street_id=street,
                longitude=x,
                latitude=y,
                changed_at=now,
            )
        )
    count = refresh_near(session)
    found = near(session)
    assert found == by_hand(sites)
    assert count == len(found)
    assert found == {(other, one) for one, other in found}


def test_import_of_communities_works_out_anew_who_is_near(session: Session, now: datetime) -> None:
    rows: list[Cells] = [
        {
            "code": f"T{number}",
            "name": f"新村{number}",
            "street": "田林街道",
            "longitude": f"{121.42 + number * 0.004}",  # some 380 m from one to the next
            "latitude": "31.17",
        }
        for number in (1, 2, 3)
    ]
    load(session, now, *rows)
    assert near(session) == {(1, 2), (2, 1), (2, 3), (3, 2)}
    load(session, now, rows[2] | {"longitude": "121.6"})
    assert near(session) == {(1, 2), (2, 1)}
