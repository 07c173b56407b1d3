from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from sqlalchemy.orm import Session

from core.people.staff.rules import Area, Role
from core.residents.model import Residence, Resident
from core.risk.events.entering import EventEntry, enter_event
from core.risk.events.rules import EventKind, Feed
from core.risk.events.service import record_delivery
from core.risk.indicators.computing import compute_indicators
from core.risk.model import IndicatorValue
from core.risk.realtime import score_nights
from core.risk.rulings.appeals import decide_appeal, recommend_appeal
from core.risk.rulings.rules import Verdict
from core.risk.service import find_card
from tests.core.risk.rulings.conftest import REASON, Desk
from tests.core.risk.values import DAY, TODAY

ONE = timedelta(days=1)


@pytest.fixture
def desk(session: Session, places: list[int], now: datetime) -> Desk:
    """Ten people in each community, and three reviewers."""
    desk = Desk(session=session, now=now)
    for name in ("wang", "li", "zhou"):
        desk.add(name, Role.DISTRICT_REVIEWER)
    for number in range(30):
        resident = Resident(id_hash=bytes([number + 1]) * 32, birth_year=1990, changed_at=now)
        session.add(resident)
        session.flush()
        home = places[number % 3]
        session.add(
            Residence(resident_id=resident.id, community_id=home, from_day=date(2000, 1, 1))
        )
    return desk


def night(desk: Desk, day: date) -> None:
    for feed in Feed:
        record_delivery(desk.session, feed=feed, watermark=day, row_count=0, now=desk.now)
    desk.session.flush()
    compute_indicators(desk.session, day=day, now=desk.now)
    score_nights(desk.session, days=[day], now=desk.now)


def enter(desk: Desk, person: str, kind: EventKind, day: date) -> None:
    entry = EventEntry(person_id=person, kind=kind, reported_on=day, community_id=1)
    enter_event(desk.session, entry=entry, area=Area(), staff_id=desk.staff["wang"], now=desk.now)


def win(desk: Desk, code: str, claimed: float, *, day: date = DAY) -> None:
    appeal_id = desk.object_to(claimed, community_id=1, indicator=code, day=day)
    ruling = {"appeal_id": appeal_id, "verdict": Verdict.ACCEPT, "reason": REASON, "now": desk.now}
    recommend_appeal(desk.session, staff_id=desk.staff["wang"], **ruling)  # type: ignore[arg-type]
    decide_appeal(desk.session, staff_id=desk.staff["li"], **ruling)  # type: ignore[arg-type]


def colour(desk: Desk, today: date) -> str:
    card = find_card(desk.session, community_id=1, today=today)
    return card.colour.value if card else "none"


def value(desk: Desk, code: str, day: date) -> float:
    key = {"day": day, "community_id": 1, "indicator": code}
    return desk.session.get_one(IndicatorValue, key, populate_existing=True).value


def test_what_was_won_holds_until_something_else_is_counted(desk: Desk) -> None:
    desk.later(days=-1)
    enter(desk, "passport-1", EventKind.CONFIRMED, DAY)
    desk.later(days=1)
    night(desk, DAY)
    assert colour(desk, TODAY) == "yellow"
    win(desk, "confirmed", 0.0)
    win(desk, "recency", 0.0)
    assert colour(desk, TODAY) == "blue"
    # Neither an event of another kind nearby nor the next night counts the case again.
    enter(desk, "passport-2", EventKind.HOME_ISOLATION, TODAY)
    assert colour(desk, TODAY) == "blue"
    desk.later(days=1)
    night(desk, TODAY)
    assert (colour(desk, TODAY + ONE), value(desk, "confirmed", TODAY)) == ("blue", 0.0)
    # A new case does, although it is no more than what was appealed in days without infection.
    enter(desk, "passport-3", EventKind.ASYMPTOMATIC, TODAY + ONE)
    assert colour(desk, TODAY + ONE) == "yellow"
    desk.later(days=1)
    night(desk, TODAY + ONE)
    assert [value(desk, code, TODAY + ONE) for code in ("asym", "recency")] == [1.0, 14.0]


@pytest.mark.parametrize(
    ("kinds", "expected"),
    [
        pytest.param([], 0.0, id="the same events"),
        pytest.param([EventKind.SUSPECTED], 1.0, id="something else of the feed"),
        pytest.param([EventKind.FEVER], 0.0, id="another feed"),
    ],
)
def test_a_count_that_is_no_greater_may_be_of_somebody_else(
    desk: Desk, kinds: list[EventKind], expected: float
) -> None:
    desk.later(days=-1)
    enter(desk, "passport-1", EventKind.CONFIRMED, DAY)
    desk.later(days=1)
    night(desk, DAY)
    win(desk, "confirmed", 0.0)
    desk.later(hours=1)
    for kind in kinds:
        enter(desk, "passport-2", kind, TODAY)
    desk.later(days=1)
    night(desk, TODAY)
    assert value(desk, "confirmed", TODAY) == expected


def test_a_value_that_was_raised_is_the_least_of_what_follows_in_its_window(desk: Desk) -> None:
    night(desk, DAY)
    win(desk, "fever", 4.0)
    for ahead, expected in ((1, 4.0), (6, 4.0), (7, 0.0)):
        day = DAY + timedelta(days=ahead)
        desk.later(days=1)
        night(desk, day)
        assert value(desk, "fever", day) == expected
