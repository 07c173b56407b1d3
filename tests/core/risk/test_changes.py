from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy.orm import Session

from core.risk.changes import Change, DayColour, find_changes, list_recent_colours
from core.risk.model import RiskScore
from core.risk.rules import Colour
from core.risk.scoring import score_day
from core.risk.service import find_card
from tests.core.risk.values import DAY, HARMLESS, TODAY, put

DAY_BEFORE = DAY - timedelta(days=1)


def test_find_changes_tells_points_where_they_are_known_and_a_direction_elsewhere(
    session: Session, places: list[int], now: datetime
) -> None:
    put(session, 1, HARMLESS | {"confirmed": 1.0, "close": 3.0, "second": 6.0}, day=DAY_BEFORE)
    put(session, 1, HARMLESS | {"confirmed": 3.0, "close": 4.0, "second": 2.0})
    for day in (DAY_BEFORE, DAY):
        score_day(session, day=day, now=now)
    card = find_card(session, community_id=1, today=TODAY)
    assert card is not None
    changes = find_changes(session, card=card)
    assert changes is not None
    assert changes.day == DAY_BEFORE
    assert changes.by_indicator["confirmed"] == Change(points=pytest.approx(4.0), direction=1)
    # A person more within the range is nobody's business.
    assert changes.by_indicator["close"] == Change(points=None, direction=0)
    assert changes.by_indicator["second"] == Change(points=None, direction=-1)
    assert changes.by_indicator["asym"] == Change(points=0.0, direction=0)
    before = find_card(session, community_id=1, today=DAY_BEFORE)
    assert before is not None
    assert before.whole_score is not None
    assert card.whole_score == before.whole_score + (changes.whole_points or 0)


def test_find_changes_skips_days_that_were_not_published_and_what_one_day_lacks(
    session: Session, places: list[int], now: datetime
) -> None:
    first = DAY - timedelta(days=5)
    early = {code: value for code, value in HARMLESS.items() if code != "vuln"}
    put(session, 1, early, day=first)
    put(session, 1, HARMLESS | {"confirmed": 1.0})
    for day in (first, DAY_BEFORE, DAY):
        score_day(session, day=day, now=now)
    card = find_card(session, community_id=1, today=TODAY)
    assert card is not None
    changes = find_changes(session, card=card)
    assert changes is not None
    assert changes.day == first
    assert changes.by_indicator.keys() == HARMLESS.keys() - {"vuln"}


def test_find_changes_of_the_first_day_are_none(
    session: Session, places: list[int], now: datetime
) -> None:
    put(session, 1, HARMLESS)
    score_day(session, day=DAY, now=now)
    card = find_card(session, community_id=1, today=TODAY)
    assert card is not None
    assert find_changes(session, card=card) is None


@pytest.mark.parametrize("has_today", [False, True])
def test_list_recent_colours_ends_yesterday_or_today_and_shows_the_gaps(
    session: Session, places: list[int], now: datetime, has_today: bool
) -> None:
    shown = [(DAY - timedelta(days=2), "red", ["R5"]), (DAY, "blue", [])]
    if has_today:
        shown.append((TODAY, "yellow", []))
    for day, colour, floors in shown:
        session.add(
            RiskScore(
                day=day,
                community_id=1,
                version="v",
                score=1.0,
                colour=colour,
                coverage=1,
                lo=1,
                hi=1,
                parts=[],
                floors=floors,
                is_provisional=day == TODAY,
                is_published=True,
                scored_at=now,
            )
        )
    session.flush()
    days = list_recent_colours(session, community_id=1, today=TODAY, days=3)
    last = TODAY if has_today else DAY
    assert [one.day for one in days] == [last - timedelta(days=ago) for ago in (2, 1, 0)]
    expected = [Colour.RED, Colour.GREY, Colour.BLUE, Colour.YELLOW]
    assert [one.colour for one in days] == (expected[1:] if has_today else expected[:3])
    assert days[-1] == DayColour(
        day=last, colour=days[-1].colour, is_provisional=has_today, is_by_hand=False
    )
    assert days[0].is_by_hand is not has_today
