"""Importing the register of sites: counts, differences, contractors one after the other."""

from __future__ import annotations

from datetime import date, datetime
from random import Random

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.demo.names import company_code
from core.people.staff.rules import Role
from core.people.staff.service import NewStaff, add_account
from core.sites.importing import CONTRACTOR_CHANGED, import_sites
from core.sites.members import confirm_member, invite_member
from core.sites.model import Site, SiteContract
from core.sites.service import list_memberships
from tests.core.importing_rows import Cells, counts, loader_of

load = loader_of(import_sites)
USCC = company_code(Random(3))


def cells(number: str = "GD001", **changes: str) -> Cells:
    return {
        "number": number,
        "name": "漕河泾科技园三期",
        "project": "办公楼",
        "street": "漕河泾街道",
        "address": "桂平路1号",
        "contractor": "总包甲",
    } | changes


def test_new_site_is_open_to_its_people_and_watched(session: Session, now: datetime) -> None:
    account = add_account(
        session,
        staff=NewStaff(name="jian", role=Role.SITE_SUPERVISOR, display_name="监管一组"),
        password_hash="!",
        now=now,
    )
    row = cells(
        longitude="121.4",
        latitude="31.17",
        uscc=USCC,
        supervisor=" JIAN",
        head_count="300",
        state="在建",
        since="2020-02-20",
    )
    assert counts(load(session, now, row)) == (1, 0, 0, 0)
    site = session.scalars(select(Site)).one()
    assert (site.admission, site.state, site.head_count) == ("open", "active", 300)
    assert (site.street.name, site.supervisor_id) == ("漕河泾街道", account.id)
    contract = session.scalars(select(SiteContract)).one()
    assert (contract.contractor, contract.uscc) == ("总包甲", USCC)
    assert (contract.since, contract.until) == (date(2020, 2, 20), None)


def test_same_file_again_changes_nothing_and_a_changed_one_only_what_it_says(
    session: Session, now: datetime
) -> None:
    load(session, now, cells(head_count="300", longitude="121.4", latitude="31.17"))
    assert counts(load(session, now, cells())) == (0, 0, 1, 0)
    outcome = load(session, now, cells(name="三期（南区）", state="停工"))
    assert counts(outcome) == (0, 1, 0, 0)
    assert outcome.field_counts == {"name": 1, "state": 1}
    site = session.scalars(select(Site)).one()
    assert (site.head_count, site.longitude, site.state) == (300, 121.4, "suspended")


def test_another_contractor_ends_the_contract_and_those_who_reported_by_it(
    session: Session, now: datetime
) -> None:
    load(session, now, cells(since="2020-02-20"))
    site_id = session.scalars(select(Site.id)).one()
    offered = invite_member(
        session, site_id=site_id, name="赵强", phone="+8613800000001", actor="staff:1", now=now
    )
    confirm_member(session, openid="o-zhao", token=offered.token, name="赵强", now=now)
    outcome = load(session, now, cells(contractor="总包乙", since="2020-03-20"))
    assert (counts(outcome), outcome.findings) == ((0, 1, 0, 0), {CONTRACTOR_CHANGED: ["GD001"]})
    rows = session.scalars(select(SiteContract).order_by(SiteContract.id))
    assert [(row.contractor, row.since.day, row.until) for row in rows] == [
        ("总包甲", 20, date(2020, 3, 20)),
        ("总包乙", 20, None),
    ]
    assert list_memberships(session, openid="o-zhao") == []


@pytest.mark.parametrize(
    ("row", "code"),
    [
        (cells(street="没有的地方"), "street_unknown"),
        (cells(state="挖坑"), "site_state_unknown"),
        (cells(supervisor="nobody"), "supervisor_unknown"),
        (cells(longitude="31.2", latitude="121.4"), "coordinates_swapped"),
        (cells(contractor="总包乙", since="2020-01-01"), "contract_backwards"),
        (cells(uscc="91310199"), "uscc_length"),
        (cells("GD002"), "code_twice"),
    ],
    ids=["street", "state", "supervisor", "swapped", "contract", "uscc", "twice"],
)
def test_row_that_cannot_be_taken_is_named_with_its_reason(
    sqlite_database: object, now: datetime, row: Cells, code: str
) -> None:
    with Session(sqlite_database.engine) as session:  # type: ignore[attr-defined]
        load(session, now, cells(since="2020-02-20"))
        outcome = load(session, now, cells("GD002"), row)
    assert [(one.line, one.code) for one in outcome.rejections] == [(3, code)]
