from __future__ import annotations

import threading
import time
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete, event, select

from core.db import Database
from core.importing import ImportRow
from core.keyareas.importing import import_key_areas
from core.keyareas.model import KeyArea
from core.keyareas.versions import find_newest_id
from core.people.staff.rules import Area
from core.registration import rescreening
from core.registration.correcting import end_registration
from core.registration.hits import count_hits, find_home_questions, find_registration_hits
from core.registration.model import Registration
from core.registration.rescreening import Rescreened, rescreen
from core.registration.rules import Flag, HealthCode, Travel
from core.registration.telling import OWNER_RECHECK
from core.workplaces.rules import Face
from tests.core.registration.conftest import District, at_once


def away(district: District, place: str = "浙江温州") -> dict[str, Any]:
    return {
        "stays": (place,),
        "travel": Travel.TRAIN,
        "returned_on": district.today - timedelta(days=2),
    }


def listed(district: District, code: str, name: str) -> int | None:
    """Import a place that is a key area for a month, and return the version of the list."""
    since = (district.today - timedelta(days=30)).isoformat()
    row = ImportRow(2, {"code": code, "name": name, "since": since})
    import_key_areas(district.session, [row], now=district.now)
    return find_newest_id(district.session)


def changed(found: Rescreened) -> int:
    return len(found.newly) + len(found.cleared)


def test_new_area_flags_those_who_stayed_there_and_tells_the_owner(district: District) -> None:
    district.add_mandate("o-owner")
    hit = district.submit(0, **away(district)).card
    approved = district.submit(1, **away(district), health_code=HealthCode.NONE).card
    district.set_state(approved.id, "approved")
    district.submit(2, **away(district, "江苏昆山"))
    district.add_key_area("330300", "温州市")

    assert changed(rescreen(district.session, now=district.later(days=1))) == 2
    assert district.stored(hit.id).flags == [Flag.KEY_AREA]
    assert (district.stored(hit.id).flag_group, district.stored(hit.id).version) == ("look", 2)
    second = district.stored(approved.id)
    assert second.flags == [Flag.KEY_AREA, Flag.NO_HEALTH_CODE]
    assert second.state == "approved"
    (notice,) = district.notices(OWNER_RECHECK)
    assert (notice.openid, notice.values["count"]) == ("o-owner", 2)
    # The same list again changes nothing.
    assert changed(rescreen(district.session, now=district.later(hours=1))) == 0
    assert len(district.notices(OWNER_RECHECK)) == 1
    assert district.recorded().count("registration_rescreened") == 2


def test_who_is_flagged_by_which_list_is_kept_and_told(district: District) -> None:
    hit = district.submit(0, **away(district)).card
    other = district.submit(1, **away(district, "江苏昆山")).card
    at_home = district.submit(2).card
    assert district.stored(hit.id).key_area_list_id is None
    first = listed(district, "330300", "温州市")
    found = rescreen(district.session, now=district.later(hours=1))
    assert found == Rescreened(list_id=first, newly={hit.id: ("330300",)}, standing={}, cleared=())
    second = listed(district, "330000", "浙江省")
    found = rescreen(district.session, now=district.later(hours=1))
    assert found.standing == {hit.id: ("330000", "330300")}
    assert (found.newly, found.cleared) == ({}, ())
    stored = district.stored(hit.id)
    # It is the same flag: nobody who has the sheet before them need look at it again.
    assert (stored.key_area_list_id, stored.version) == (second, 2)
    assert [district.stored(one.id).key_area_list_id for one in (other, at_home)] == [None, None]
    late = district.submit(3, **away(district, "江苏昆山")).card
    assert district.stored(late.id).key_area_list_id == second
    hits = find_registration_hits(district.session, registration_ids=[hit.id, other.id, late.id])
    assert {key: [one.code for one in found] for key, found in hits.items()} == {
        hit.id: ["330000", "330300"]
    }
    asked = find_home_questions(
        district.session, regions=["330326", "浙江", "310104", ""], day=district.today
    )
    assert asked == {"330326": ["浙江省", "温州市"], "浙江": ["浙江省", "温州市"]}
    counted = count_hits(district.session, area=Area())
    assert (counted.by_face, counted.by_list) == ({Face.COMPANY: 1}, {second: 1})
    assert count_hits(district.session, area=Area(street_id=99)).total == 0


def test_area_that_is_taken_off_the_list_clears_the_flag(district: District) -> None:
    district.add_mandate("o-owner")
    district.add_key_area("330300", "温州市")
    card = district.submit(0, **away(district)).card
    assert card.flags == (Flag.KEY_AREA,)
    district.session.execute(delete(KeyArea))
    assert changed(rescreen(district.session, now=district.later(days=1))) == 1
    assert district.stored(card.id).flags == []
    assert district.stored(card.id).flag_group == "fine"
    assert district.notices(OWNER_RECHECK) == []


def test_stay_from_before_the_area_was_one_is_not_flagged(district: District) -> None:
    card = district.submit(0, **away(district)).card
    district.add_key_area("330300", "温州市", days_ago=1)
    assert changed(rescreen(district.session, now=district.later(days=1))) == 0
    assert district.stored(card.id).version == 1


def test_those_who_ended_or_reported_long_ago_are_left_alone(district: District) -> None:
    district.submit(0, **away(district))
    district.later(days=14)
    ended = district.submit(1, **away(district)).card
    end_registration(district.session, openid="o-1", registration_id=ended.id, now=district.now)
    district.add_key_area("330300", "温州市", days_ago=60)
    assert changed(rescreen(district.session, now=district.later(minutes=1))) == 0


@pytest.mark.parametrize("batch", [2, 3, 1000])
def test_batches_leave_nobody_out(
    district: District, batch: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rescreening, "BATCH", batch)
    for person in range(6):
        district.submit(person, **away(district))
    district.add_key_area("330300", "温州市")
    assert changed(rescreen(district.session, now=district.later(hours=1))) == 6


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
    assert len(counted) <= 4, counted


@pytest.mark.parametrize("is_import_first", [True, False], ids=["import-first", "person-first"])
def test_who_registers_while_the_list_changes_is_screened_by_the_new_one(
    stored_district: District, database: Database, is_import_first: bool
) -> None:
    begun = threading.Event()

    def begin() -> None:
        begun.set()
        # The other is waited for, or comes too late; both are right.
        time.sleep(0.3)

    def change_list() -> None:
        if not is_import_first:
            begun.wait(timeout=10)
        with database.transaction() as session:
            district = replace(stored_district, session=session)
            listed(district, "330300", "温州市")
            rescreen(session, now=stored_district.now)
            if is_import_first:
                begin()

    def register() -> None:
        if is_import_first:
            begun.wait(timeout=10)
        with database.transaction() as session:
            replace(stored_district, session=session).submit(0, **away(stored_district))
            if not is_import_first:
                begin()

    assert at_once([change_list, register]) == []
    with database.reading() as session:
        assert session.scalars(select(Registration.flags)).one() == [Flag.KEY_AREA]
