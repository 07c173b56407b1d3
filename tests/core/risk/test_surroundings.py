from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import insert
from sqlalchemy.orm import Session

from core.people.staff.rules import Area
from core.places.model import CommunityNear
from core.residents.model import Residence, Resident
from core.risk.events.model import EpidemicEvent
from core.risk.rules import Colour
from core.risk.surroundings import get_neighbourhood, list_event_counts
from tests.core.risk.published import SCORED_AT, add_district, publish
from tests.core.risk.values import DAY, RED, TODAY, YELLOW

DISTRICT = Area()
FIRST = Area(street_id=1)


@pytest.fixture
def district(session: Session) -> Session:
    """Three communities of one street and one of another, all near to the first."""
    add_district(session, streets={1: 1, 2: 1, 3: 1, 4: 2})
    publish(session, 2, DAY, YELLOW)
    publish(session, 4, DAY, RED)
    near = [(1, 2), (1, 3), (1, 4)]
    session.execute(
        insert(CommunityNear), [{"community_id": one, "near_id": other} for one, other in near]
    )
    return session


def test_neighbours_outside_the_area_are_counted_and_not_named(district: Session) -> None:
    around = get_neighbourhood(district, community_id=1, area=FIRST, today=TODAY)
    assert [(one.id, one.colour) for one in around.inside] == [
        (2, Colour.YELLOW),
        (3, Colour.GREY),
    ]
    assert dict(around.outside) == {Colour.RED: 1}
    whole = get_neighbourhood(district, community_id=1, area=DISTRICT, today=TODAY)
    assert [one.id for one in whole.inside] == [4, 2, 3]
    assert not whole.outside


# --- events -------------------------------------------------------------------------------------


def add_event(session: Session, resident: int, kind: str, on: date, **changes: Any) -> None:
    row = {
        "resident_id": resident,
        "kind": kind,
        "reported_on": on,
        "feed": "cases",
        "entered_by": "register:events",
        "changed_at": SCORED_AT,
    }
    session.execute(insert(EpidemicEvent), [row | changes])


def add_resident(
    session: Session, number: int, *homes: tuple[int | None, date, date | None]
) -> None:
    session.add(Resident(id=number, id_hash=bytes([number]) * 32, changed_at=SCORED_AT))
    session.flush()
    session.add_all(
        Residence(resident_id=number, community_id=community, from_day=first, until_day=until)
        for community, first, until in homes
    )
    session.flush()


def test_events_are_those_of_who_lives_there_that_day(district: Session) -> None:
    long_ago = date(2000, 1, 1)
    add_resident(district, 1, (1, long_ago, None))
    add_resident(district, 2, (1, long_ago, DAY), (2, DAY, None))  # moved away that day
    add_resident(district, 3)  # in no register: the feed says where
    add_resident(district, 4, (2, long_ago, None))  # the register is right, not the feed
    ago = {days: DAY - timedelta(days=days) for days in (0, 13, 14, 40)}
    add_event(district, 1, "confirmed", ago[0])
    add_event(district, 1, "suspected", ago[13], ended_on=DAY, ending="converted")
    add_event(district, 1, "close", ago[14])  # too long ago to be new, and open
    add_event(district, 1, "fever", ago[40], ended_on=ago[13], ending="released")
    add_event(district, 1, "second", ago[0], withdrawn_at=SCORED_AT)
    add_event(district, 1, "homeq", DAY + timedelta(days=1))
    add_event(district, 2, "confirmed", ago[0])
    add_event(district, 3, "confirmed", ago[13], community_id=1)
    add_event(district, 4, "confirmed", ago[0], community_id=1)
    counts = {
        one.kind.value: (one.reported_count, one.open_count)
        for one in list_event_counts(district, community_id=1, day=DAY)
    }
    assert counts == {"confirmed": (2, 2), "suspected": (1, 0), "close": (0, 1)}
    assert list(counts) == ["confirmed", "suspected", "close"], "the gravest kind first"
