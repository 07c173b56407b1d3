from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.cases.model import CaseStep
from core.cases.resealing import reseal_cases
from core.cases.rules import Finding
from core.cases.service import add_evidence, close_case, note_contact, reopen_case
from core.cases.telling import tell_cases
from core.db import Keyring, install_keyring
from core.notices.model import Notice
from core.people.service import register_person
from core.people.staff.model import StaffWechat
from core.people.staff.rules import Role
from core.people.staff.service import NewStaff, add_account
from core.sites.model import Site
from core.sites.supervising import list_supervisors
from tests.cases import Desk
from tests.conftest import DATA_KEY
from tests.core.mandates.conftest import MemoryFiles


def hear(desk: Desk, staff_id: int, openid: str) -> None:
    person = register_person(desk.session, openid=openid, now=desk.now)
    desk.session.add(StaffWechat(staff_id=staff_id, person_id=person.id, bound_at=desk.now))
    desk.session.flush()


@pytest.fixture
def supervisor_id(desk: Desk) -> int:
    """The supervisor of the site; another one watches nothing. All of the staff hear."""
    ids = []
    for name in ("chen", "sun"):
        staff = NewStaff(name=name, role=Role.SITE_SUPERVISOR, display_name=name)
        account = add_account(desk.session, staff=staff, password_hash="x", now=desk.now)
        hear(desk, account.id, f"o-{name}")
        ids.append(account.id)
    hear(desk, desk.staff_id, "o-li")
    desk.session.get_one(Site, desk.site_id).supervisor_id = ids[0]
    desk.session.flush()
    return ids[0]


def tell(session: Session, desk: Desk) -> int:
    return tell_cases(session, supervisors=list_supervisors, now=desk.now)


def told(desk: Desk, kind: str) -> list[tuple[str, Any, str]]:
    rows = desk.session.scalars(select(Notice).where(Notice.kind == kind).order_by(Notice.id))
    return [(row.openid, row.values["count"], row.link) for row in rows]


def test_supervisor_hears_once_of_those_who_came_together(desk: Desk, supervisor_id: int) -> None:
    first = desk.arrive()
    desk.arrive(1)
    at_shop = desk.arrive(2, workplace_id=desk.shop_id)
    assert tell(desk.session, desk) == 2
    assert told(desk, "case_opened") == [
        ("o-chen", 2, f"/console/cases?place={desk.site_id}"),
        ("o-li", 1, f"/console/cases/{at_shop.id}"),
    ]
    assert tell(desk.session, desk) == 0
    third = desk.arrive(3)
    assert tell(desk.session, desk) == 1
    assert told(desk, "case_opened")[-1] == ("o-chen", 1, f"/console/cases/{third.id}")
    assert supervisor_id
    assert first.id < third.id


def test_street_hears_where_nobody_watches_who_can_hear(desk: Desk, supervisor_id: int) -> None:
    desk.session.delete(desk.session.get_one(StaffWechat, supervisor_id))
    desk.arrive()
    assert tell(desk.session, desk) == 1
    assert [openid for openid, *_ in told(desk, "case_opened")] == ["o-li"]


def test_late_cases_are_told_to_the_street_once_each_time_they_are_open(
    desk: Desk, supervisor_id: int
) -> None:
    assert supervisor_id
    case = desk.arrive()
    note_contact(desk.session, act=desk.act(case), note="没有人接")
    closed = desk.arrive(1)
    note_contact(desk.session, act=desk.act(closed), note="没有去过")
    act = desk.act(desk.case_of(closed.registration_id))
    close_case(desk.session, act=act, finding=Finding.NOT_THERE)
    desk.later(hours=23, minutes=59)
    tell(desk.session, desk)
    assert told(desk, "case_overdue") == []
    desk.later(minutes=1)
    assert tell(desk.session, desk) == 1
    assert tell(desk.session, desk) == 0
    assert told(desk, "case_overdue") == [("o-li", 1, f"/console/cases/{case.id}")]
    version = desk.case_of(case.registration_id).version
    act = desk.act(case, version=version)
    close_case(desk.session, act=act, finding=Finding.NOT_THERE)
    act = desk.act(desk.case_of(case.registration_id))
    reopen_case(desk.session, act=act, note="再核实")
    assert tell(desk.session, desk) == 1, "that it is open again"
    desk.later(days=1)
    assert tell(desk.session, desk) == 1
    kinds = select(CaseStep.kind).where(CaseStep.case_id == case.id)
    assert list(desk.session.scalars(kinds)).count("escalated") == 2


def test_notes_and_numbers_are_sealed_anew_with_a_new_key(desk: Desk) -> None:
    case = desk.arrive()
    note_contact(desk.session, act=desk.act(case), note="已联系")
    desk.now += timedelta(days=13)
    act = desk.act(desk.case_of(case.registration_id))
    certificate = desk.certificate()
    add_evidence(desk.session, act=act, certificate=certificate, file=None, files=MemoryFiles())
    assert reseal_cases(desk.session) == 0
    install_keyring(Keyring([bytes(range(1, 33)), DATA_KEY]))
    assert reseal_cases(desk.session) == 2
    assert reseal_cases(desk.session) == 0
