from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from core.residents.model import Resident
from core.risk.events.model import EpidemicEvent
from core.risk.events.rules import Feed
from core.risk.events.service import record_delivery
from core.risk.indicators.computing import compute_indicators
from core.risk.model import Publication
from core.risk.publishing import release_publication
from core.risk.realtime import score_nights
from core.risk.recovering import recover_held_days
from core.risk.rules import Colour
from core.risk.service import find_card
from tests.core.risk.indicators.districts import District, Home
from tests.core.risk.values import DAY, TODAY

BEFORE = DAY - timedelta(days=1)


@pytest.fixture
def held(session: Session, now: datetime) -> None:
    """Two blue communities; the cases of the newest night have not come."""
    homes = [Home(n, n, BEFORE - timedelta(days=99)) for n in (1, 2)]
    District(community_count=2, birth_years={1: 1950, 2: 1990}, homes=homes).store(session)
    night(session, BEFORE, feeds=set(Feed), now=now)
    night(session, DAY, feeds=set(Feed) - {Feed.CASES}, now=now)
    assert (state(session), shown(session)) == ("held", [("blue", BEFORE), ("blue", BEFORE)])


def night(session: Session, day: date, *, feeds: set[Feed], now: datetime) -> None:
    for feed in feeds:
        record_delivery(session, feed=feed, watermark=day, row_count=0, now=now)
    session.flush()
    compute_indicators(session, day=day, now=now)
    score_nights(session, days=[day], now=now)


def bring_late_case(session: Session, *, now: datetime) -> None:
    record_delivery(session, feed=Feed.CASES, watermark=DAY, row_count=1, now=now)
    row = {"resident_id": 1, "kind": "confirmed", "reported_on": DAY, "feed": "cases"}
    session.execute(insert(EpidemicEvent), [row | {"entered_by": "feed", "changed_at": now}])


def state(session: Session) -> str:
    return session.scalars(select(Publication.state).where(Publication.day == DAY)).one()


def shown(session: Session) -> list[tuple[Colour, date | None]]:
    cards = [find_card(session, community_id=one, today=TODAY) for one in (1, 2)]
    return [(card.colour, card.day) for card in cards if card]


def test_a_held_day_goes_out_with_the_case_once_the_late_feed_has_come(
    session: Session, held: None, now: datetime
) -> None:
    bring_late_case(session, now=now)
    assert recover_held_days(session, now=now) == [DAY]
    assert (state(session), shown(session)) == ("published", [("yellow", DAY), ("blue", DAY)])
    assert recover_held_days(session, now=now) == []


def test_a_held_day_waits_while_nothing_new_has_come_and_when_no_card_could_show_it(
    session: Session, held: None, now: datetime
) -> None:
    assert recover_held_days(session, now=now) == []
    bring_late_case(session, now=now)
    assert recover_held_days(session, now=now + timedelta(days=4)) == []
    assert state(session) == "held"


def test_a_day_that_is_released_counts_the_case_that_came_after_it_was_held(
    session: Session, held: None, now: datetime
) -> None:
    bring_late_case(session, now=now)
    release_publication(session, day=DAY, reason="核对无误", staff_id=3, now=now)
    assert (state(session), shown(session)) == ("released", [("yellow", DAY), ("blue", DAY)])


def test_a_district_of_which_nothing_comes_any_more_is_held_and_not_merely_grey(
    session: Session, held: None, now: datetime
) -> None:
    session.execute(delete(Resident))
    silent = DAY + timedelta(days=9)
    assert score_nights(session, days=[silent], now=now)[0].hold == "feed_missing"
    assert session.get_one(Publication, silent).state == "held"
