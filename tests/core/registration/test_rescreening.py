from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete, event

from core.keyareas.model import KeyArea
from core.registration import rescreening
from core.registration.correcting import end_registration
from core.registration.rescreening import rescreen
from core.registration.rules import Flag, HealthCode, Travel
from core.registration.telling import OWNER_RECHECK
from tests.core.registration.conftest import District


def away(district: District, place: str = "浙江温州") -> dict[str, Any]:
    return {
        "stays": (place,),
        "travel": Travel.TRAIN,
        "returned_on": district.today - timedelta(days=2),
    }


def test_new_area_flags_those_who_stayed_there_and_tells_the_owner(district: District) -> None:
    district.add_mandate("o-owner")
    hit = district.submit(0, **away(district)).card
    approved = district.submit(1, **away(district), health_code=HealthCode.NONE).card
    district.set_state(approved.id, "approved")
    district.submit(2, **away(district, "江苏昆山"))
    district.add_key_area("330300", "温州市")

    assert rescreen(district.session, now=district.later(days=1)) == 2
    assert district.stored(hit.id).flags == [Flag.KEY_AREA]
    assert (district.stored(hit.id).flag_group, district.stored(hit.id).version) == ("look", 2)
    second = district.stored(approved.id)
    assert second.flags == [Flag.KEY_AREA, Flag.NO_HEALTH_CODE]
    assert second.state == "approved"
    (notice,) = district.notices(OWNER_RECHECK)
    assert (notice.openid, notice.values["count"]) == ("o-owner", 2)
    # The same list again changes nothing.
    assert rescreen(district.session, now=district.later(hours=1)) == 0
    assert len(district.notices(OWNER_RECHECK)) == 1
    assert district.recorded().count("registration_rescreened") == 2


def test_area_that_is_taken_off_the_list_clears_the_flag(district: District) -> None:
    district.add_mandate("o-owner")
    district.add_key_area("330300", "温州市")
    card = district.submit(0, **away(district)).card
    assert card.flags == (Flag.KEY_AREA,)
    district.session.execute(delete(KeyArea))
    assert rescreen(district.session, now=district.later(days=1)) == 1
    assert district.stored(card.id).flags == []
    assert district.stored(card.id).flag_group == "fine"
    assert district.notices(OWNER_RECHECK) == []


def test_stay_from_before_the_area_was_one_is_not_flagged(district: District) -> None:
    card = district.submit(0, **away(district)).card
    district.add_key_area("330300", "温州市", days_ago=1)
    assert rescreen(district.session, now=district.later(days=1)) == 0
    assert district.stored(card.id).version == 1


def test_those_who_ended_or_reported_long_ago_are_left_alone(district: District) -> None:
    district.submit(0, **away(district))
    district.later(days=14)
    ended = district.submit(1, **away(district)).card
    end_registration(district.session, openid="o-1", registration_id=ended.id, now=district.now)
    district.add_key_area("330300", "温州市", days_ago=60)
    assert rescreen(district.session, now=district.later(minutes=1)) == 0


@pytest.mark.parametrize("batch", [2, 3, 1000])
def test_batches_leave_nobody_out(
    district: District, batch: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rescreening, "BATCH", batch)
    for person in range(6):
        district.submit(person, **away(district))
    district.add_key_area("330300", "温州市")
    assert rescreen(district.session, now=district.later(hours=1)) == 6


def test_many_from_one_place_ask_the_database_no_more_often_than_few(district: District) -> None:
    for person in range(10):
        district.submit(person, **away(district, "江苏昆山"))
    district.add_key_area("330300", "温州市")
    counted = []
    event.listen(
        district.session.get_bind(),
        "before_cursor_execute",
        lambda *arguments: counted.append(arguments[2]),
    )
    rescreen(district.session, now=district.later(hours=1))
    assert len(counted) <= 3, counted
