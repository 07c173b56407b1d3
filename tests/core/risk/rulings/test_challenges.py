from __future__ import annotations

from datetime import timedelta

import pytest

from core.people.staff.rules import Area
from core.risk.rules import Colour, Status
from core.risk.rulings.challenges import ChallengeNotFoundError, get_challenge
from core.risk.rulings.desk import RulingPlaceError
from tests.core.risk.rulings.conftest import ILL, QUIET, Desk
from tests.core.risk.values import DAY, TODAY, YELLOW


def test_newest_day_that_is_over_is_shown_with_what_is_appealed(desk: Desk) -> None:
    appeal_id = desk.object_to()
    desk.score({ILL: YELLOW}, day=TODAY)
    challenge = get_challenge(desk.session, community_id=ILL, today=TODAY, area=Area())
    assert (challenge.day, challenge.colour, challenge.version.name) == (
        DAY,
        Colour.YELLOW,
        "xh-2020.1",
    )
    assert len(challenge.parts) == 13
    part = challenge.parts["confirmed"]
    assert (part.value, part.status, part.appeal_id) == (3.0, Status.FRESH, appeal_id)
    assert challenge.parts["suspected"].appeal_id is None


def test_effect_of_another_value_is_known_beforehand(desk: Desk) -> None:
    challenge = get_challenge(desk.session, community_id=ILL, today=TODAY, area=Area())
    same = challenge.score_with("confirmed", 3.0)
    assert (same.score, same.colour) == (challenge.score, Colour.YELLOW)
    without = challenge.score_with("confirmed", 0.0)
    assert without.score == pytest.approx(challenge.score - 20)
    assert without.colour is Colour.BLUE


def test_day_or_community_that_is_not_there_is_not_found(desk: Desk) -> None:
    for day in (TODAY, DAY - timedelta(days=1)):
        with pytest.raises(ChallengeNotFoundError):
            get_challenge(desk.session, community_id=QUIET, day=day, today=TODAY, area=Area())
    with pytest.raises(RulingPlaceError):
        get_challenge(desk.session, community_id=QUIET, today=TODAY, area=desk.area("zhou"))
