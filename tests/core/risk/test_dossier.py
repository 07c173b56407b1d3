from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert, update
from sqlalchemy.orm import Session

from core.people.staff.rules import Area
from core.places.service import CommunityNotFoundError
from core.risk.dossier import (
    find_since,
    get_community_of,
    list_appeal_notes,
    list_history,
    list_override_notes,
    map_figures,
)
from core.risk.model import IndicatorValue
from core.risk.rulings.model import Appeal, ColourOverride
from core.risk.service import find_card
from tests.core.risk.published import SCORED_AT, add_district, add_staff, publish
from tests.core.risk.values import DAY, RED, TODAY, YELLOW

DISTRICT = Area()
FIRST = Area(street_id=1)
BEFORE = DAY - timedelta(days=1)


@pytest.fixture
def district(session: Session) -> Session:
    """Three communities of one street and one of another; the first has a history."""
    add_district(session, streets={1: 1, 2: 1, 3: 1, 4: 2})
    publish(session, 1, BEFORE, YELLOW)
    publish(session, 1, DAY, RED)
    publish(session, 2, DAY, YELLOW)
    publish(session, 4, DAY, RED)
    return session


def test_community_outside_the_area_is_not_there(district: Session) -> None:
    assert get_community_of(district, community_id=1, area=FIRST).name == "第1小区"
    for community_id, area in ((4, FIRST), (99, DISTRICT), (1, Area(community_ids=frozenset()))):
        with pytest.raises(CommunityNotFoundError):
            get_community_of(district, community_id=community_id, area=area)


def test_history_has_every_day_and_what_was_published_of_it(district: Session) -> None:
    history = list_history(district, community_id=1, today=TODAY)
    assert [one.day for one in history] == [TODAY - timedelta(days=ago) for ago in range(28, 0, -1)]
    assert [one.colour.value for one in history[-3:]] == ["grey", "yellow", "red"]
    publish(district, 1, TODAY, YELLOW, is_provisional=True)
    later = list_history(district, community_id=1, today=TODAY)
    assert len(later) == len(history)
    assert (later[-1].day, later[-1].is_provisional) == (TODAY, True)


def test_what_moved_is_told_against_the_published_day_before(district: Session) -> None:
    card = find_card(district, community_id=1, today=TODAY)
    assert card is not None
    since = find_since(district, card=card)
    assert since is not None
    assert since.day == BEFORE
    assert since.score_change == 21.0
    assert [one.indicator for one in since.movements[:2]] == ["close", "cluster"]
    alone = find_card(district, community_id=2, today=TODAY)
    assert alone is not None
    assert find_since(district, card=alone) is None


def test_figures_are_those_of_the_day_or_the_newest_that_stand_in(district: Session) -> None:
    old, origin = DAY - timedelta(days=2), "appeal"
    rows: list[dict[str, Any]] = [
        {"day": DAY, "indicator": "fever", "value": 2.5, "numerator": 3, "denominator": 1200},
        {"day": old, "indicator": "fever", "value": 9.0, "numerator": 9, "denominator": 1000},
        {"day": old, "indicator": "keyarea", "value": 1.0, "numerator": 1, "denominator": 1000},
        {"day": DAY - timedelta(days=4), "indicator": "homeq", "value": 1.0},
    ]
    for row in rows:
        known = {"community_id": 1, "numerator": None, "denominator": None, "origin": "computed"}
        district.execute(insert(IndicatorValue), [known | row])
    district.execute(
        update(IndicatorValue).where(IndicatorValue.indicator == "keyarea").values(origin=origin)
    )
    figures = map_figures(district, community_id=1, day=DAY)
    assert set(figures) == {"fever", "keyarea"}
    fever = figures["fever"]
    assert (fever.numerator, fever.denominator, fever.day) == (3, 1200, DAY)
    assert (figures["keyarea"].origin, figures["keyarea"].day) == (origin, old)


def test_rulings_name_those_who_made_them_the_newest_first(district: Session) -> None:
    proposer, decider = add_staff(district, count=2)
    for state, decided in (("ended", decider), ("proposed", None)):
        district.add(
            ColourOverride(
                community_id=1,
                colour="red",
                reason="现场核查",
                until_day=DAY,
                state=state,
                proposed_by=proposer,
                proposed_at=SCORED_AT,
                decided_by=decided,
            )
        )
        district.flush()
    district.add(
        Appeal(
            community_id=1,
            day=DAY,
            indicator="fever",
            computed_value=2.0,
            claimed_value=1.0,
            evidence="重复报告",
            state="open",
            raised_by=proposer,
            raised_at=SCORED_AT,
        )
    )
    district.flush()
    overrides = list_override_notes(district, community_id=1)
    assert [(one.state, one.proposed_by, one.decided_by) for one in overrides] == [
        ("proposed", "王0", None),
        ("ended", "王0", "王1"),
    ]
    assert [one.indicator for one in list_appeal_notes(district, community_id=1)] == ["fever"]
    assert list_override_notes(district, community_id=2) == []
    assert list_appeal_notes(district, community_id=2) == []
