from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from core.risk.comparing import compare_versions, find_newest_day
from core.risk.rules import Colour
from core.risk.scoring import score_day
from tests.core.risk.values import (
    DAY,
    HARMLESS,
    RED,
    VERSION,
    YELLOW,
    count_statements,
    put,
)

CHALLENGER = "study-1"


def compared(session: Session, places: list[int], now: datetime, *, weight_of: str) -> None:
    """Score a blue, a yellow and a red community by two versions."""
    for place, values in zip(places, (HARMLESS, YELLOW, RED), strict=True):
        put(session, place, values)
    score_day(session, day=DAY, now=now)
    swapped = {weight_of: 3.0, "vuln": 20.0}
    challenger = replace(
        VERSION,
        name=CHALLENGER,
        indicators=tuple(
            replace(one, weight=swapped.get(one.code, one.weight)) for one in VERSION.indicators
        ),
        floors=(),
        stays=(),
        quiet=None,
    )
    score_day(session, day=DAY, now=now, version=challenger)


def test_colours_are_crossed_and_the_largest_differences_come_first(
    session: Session, places: list[int], now: datetime
) -> None:
    compared(session, places, now, weight_of="confirmed")
    found = compare_versions(
        session, day=DAY, champion=VERSION.name, challenger=CHALLENGER, limit=1
    )
    assert {pair: count for pair, count in found.crossed.items() if count} == {
        (Colour.BLUE, Colour.BLUE): 1,
        (Colour.YELLOW, Colour.BLUE): 1,
        (Colour.RED, Colour.YELLOW): 1,
    }
    assert (found.community_count, found.changed_count) == (3, 2)
    # The two with infections lose 17 points of 20; the third has nothing to lose.
    assert round(found.mean_difference, 6) == round(-34 / 3, 6)
    assert [(one.community_id, one.colour, one.other_colour) for one in found.differences] == [
        (2, Colour.YELLOW, Colour.BLUE)
    ]
    whole = compare_versions(session, day=DAY, champion=VERSION.name, challenger=CHALLENGER)
    assert [one.community_id for one in whole.differences] == [2, 3], "the same score is left out"


def test_versions_that_did_not_both_score_a_day_have_nothing_in_common(
    session: Session, places: list[int], now: datetime
) -> None:
    compared(session, places, now, weight_of="confirmed")
    assert find_newest_day(session, version=CHALLENGER) == DAY
    assert find_newest_day(session, version="unheard-of") is None
    empty = compare_versions(
        session, day=DAY - timedelta(days=1), champion=VERSION.name, challenger=CHALLENGER
    )
    assert (empty.community_count, empty.changed_count, empty.differences) == (0, 0, ())
    count = count_statements(
        session.get_bind().engine,
        lambda: compare_versions(session, day=DAY, champion=VERSION.name, challenger=CHALLENGER),
    )
    assert count == 2
