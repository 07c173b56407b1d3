from __future__ import annotations

from datetime import timedelta

from sqlalchemy import event, select

from core.notices.model import Notice
from core.registration.waiting import OWNER_WAITING, tell_waiting
from tests.core.registration.conftest import District


def told(district: District) -> dict[str, list[object]]:
    """Return the counts that each was told, in order."""
    found: dict[str, list[object]] = {}
    for notice in district.notices(OWNER_WAITING):
        found.setdefault(notice.openid, []).append(notice.values["count"])
    return found


def minute(district: District, count: int = 1) -> None:
    """Let the worker look once a minute, for some minutes."""
    for _ in range(count):
        tell_waiting(district.session, now=district.later(minutes=1))


def test_people_who_come_together_are_told_of_in_one_notice(district: District) -> None:
    district.add_mandate("o-owner")
    district.submit(0)
    minute(district)
    assert told(district) == {}
    district.submit(1)
    minute(district, 5)
    assert told(district) == {"o-owner": [2]}
    (notice,) = district.notices(OWNER_WAITING)
    assert notice.link == f"/h5/company/{district.companies[0]}/sheet"
    assert notice.values["company"] == "上海第1有限公司"


def test_next_notice_comes_after_an_hour_with_everybody_in_it(district: District) -> None:
    district.add_mandate("o-owner")
    district.submit(0)
    minute(district, 3)
    district.submit(1)
    minute(district, 58)
    assert told(district) == {"o-owner": [1]}
    district.submit(2)
    minute(district, 2)
    assert told(district) == {"o-owner": [1, 3]}


def test_nothing_is_said_again_while_nobody_new_comes(district: District) -> None:
    district.add_mandate("o-owner")
    district.submit(0)
    minute(district, 3)
    for _ in range(30):
        tell_waiting(district.session, now=district.later(minutes=17))
    assert told(district) == {"o-owner": [1]}


def test_nobody_is_told_when_everybody_is_decided(district: District) -> None:
    district.add_mandate("o-owner")
    receipt = district.submit(0)
    district.set_state(receipt.card.id, "approved")
    minute(district, 5)
    assert told(district) == {}


def test_manager_is_told_of_the_department_and_a_filler_of_nothing(district: District) -> None:
    district.add_mandate("o-owner")
    district.add_mandate("o-filler", kind="filler")
    district.add_mandate("o-store", kind="manager", department="仓库")
    district.add_mandate("o-desk", kind="manager", department="前台")
    for person in range(3):
        district.submit(person, department="仓库" if person else "")
    minute(district, 3)
    assert told(district) == {"o-owner": [3], "o-store": [2]}


def test_two_workers_tell_once(district: District) -> None:
    district.add_mandate("o-owner")
    district.submit(0)
    now = district.later(minutes=3)
    tell_waiting(district.session, now=now)
    tell_waiting(district.session, now=now + timedelta(milliseconds=1))
    assert told(district) == {"o-owner": [1]}


def test_notices_name_the_company_and_nobody(district: District) -> None:
    district.add_mandate("o-owner")
    district.follow("o-0")
    district.submit(0, name="欧阳修")
    minute(district, 3)
    notices = district.session.scalars(select(Notice)).all()
    assert len(notices) == 2
    for notice in notices:
        said = f"{notice.values}{notice.key}{notice.link}"
        assert "欧阳" not in said
        assert "138" not in said


def test_many_companies_cost_no_more_statements_than_one(district: District) -> None:
    district.add_mandate("o-owner")
    for company in range(2, 6):
        district.add_company()
        district.submit(company, company=company)
    district.submit(0)
    counted = []
    event.listen(
        district.session.get_bind(),
        "before_cursor_execute",
        lambda *arguments: counted.append(arguments[2]),
    )
    tell_waiting(district.session, now=district.later(minutes=3))
    assert len(counted) <= 4, counted
