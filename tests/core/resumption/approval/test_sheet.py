from __future__ import annotations

import pytest
from sqlalchemy import event, select

from core.audit.model import AuditEntry
from core.mandates.rules import ActForbiddenError
from core.registration.rules import Flag, Group, RegistrationState
from core.registration.service import RegistrationEndedError
from core.resumption.approval.sheet import (
    SheetQuery,
    SheetRowNotFoundError,
    count_sheet,
    get_sheet_row,
    get_sheet_summary,
    list_sheet,
    read_registration,
)
from tests.core.resumption.approval.conftest import FEVER, KEY_AREA, Office


def listed(office: Office, query: SheetQuery, **options: object) -> list[int]:
    mandate = options.pop("mandate", office.owner)
    page = list_sheet(office.session, mandate=mandate, query=query, **options)  # type: ignore[arg-type]
    return [row.id for row in page.rows]


def test_rows_come_in_the_order_in_which_people_registered(office: Office) -> None:
    ids = [office.add() for _ in range(5)]
    page = list_sheet(
        office.session, mandate=office.owner, query=SheetQuery(), number=2, page_size=2
    )
    assert [row.id for row in page.rows] == ids[2:4]
    assert (page.number, page.page_count, page.total) == (2, 3, 5)


def test_number_behind_the_last_page_gives_the_last_page(office: Office) -> None:
    ids = [office.add() for _ in range(3)]
    assert listed(office, SheetQuery(), number=99, page_size=2) == ids[2:]
    assert listed(office, SheetQuery(state=RegistrationState.ENDED), number=99) == []


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        (SheetQuery(group=Group.FINE), {"fine", "workshop"}),
        (SheetQuery(group=Group.LOOK), {"look", "twice"}),
        (SheetQuery(group=Group.CANNOT), {"cannot"}),
        (SheetQuery(state=RegistrationState.APPROVED), {"approved"}),
        (SheetQuery(flag=Flag.KEY_AREA), {"look", "twice"}),
        (SheetQuery(flag=Flag.FEVER), {"cannot"}),
        (SheetQuery(flag=Flag.PHONE_OTHER_NAME), {"twice"}),
        (SheetQuery(department="生产部"), {"workshop"}),
        (SheetQuery(state=None, department="", flag=Flag.NO_HEALTH_CODE), {"approved"}),
        (SheetQuery(state=None, text="阿依古丽吐尔逊"), {"approved"}),
        (SheetQuery(state=None, text="阿依"), set()),
        (SheetQuery(text="阿依古丽·吐尔逊"), set()),
    ],
)
def test_filter_finds_what_it_names(office: Office, query: SheetQuery, wanted: set[str]) -> None:
    ids = {
        "fine": office.add(),
        "look": office.add(KEY_AREA),
        "twice": office.add((Flag.KEY_AREA, Flag.PHONE_OTHER_NAME)),
        "cannot": office.add(FEVER),
        "workshop": office.add(department="生产部"),
        "approved": office.add((Flag.NO_HEALTH_CODE,), name="阿依古丽·吐尔逊", state="approved"),
    }
    assert listed(office, query) == [ids[name] for name in ids if name in wanted]


def test_registration_is_found_by_its_number_in_any_case(office: Office) -> None:
    office.add()
    found = office.add()
    number = office.row(found).number.lower()
    assert listed(office, SheetQuery(text=f" {number} ")) == [found]


def test_cards_are_masked(office: Office) -> None:
    office.add(name="张三丰")
    (card,) = list_sheet(office.session, mandate=office.owner, query=SheetQuery()).rows
    assert card.name_masked == "张**"
    assert "*" in card.document_masked
    assert "*" in card.phone_masked


def test_manager_sees_their_department_alone(office: Office) -> None:
    other = office.add(department="销售部")
    office.add()
    own = office.add(KEY_AREA, department="生产部")
    assert listed(office, SheetQuery(), mandate=office.manager) == [own]
    assert listed(office, SheetQuery(department="销售部"), mandate=office.manager) == []
    summary = get_sheet_summary(office.session, mandate=office.manager)
    assert summary.counts == {(RegistrationState.SUBMITTED, Group.LOOK): 1}
    with pytest.raises(SheetRowNotFoundError):
        get_sheet_row(office.session, mandate=office.manager, registration_id=other)


def test_another_company_has_another_sheet(office: Office) -> None:
    mine = office.add()
    stranger = Office(session=office.session, now=office.now)
    theirs = stranger.add()
    assert listed(office, SheetQuery()) == [mine]
    for registration_id in (theirs, 10**6):
        with pytest.raises(SheetRowNotFoundError):
            get_sheet_row(office.session, mandate=office.owner, registration_id=registration_id)


def test_summary_counts_states_and_groups_and_names_departments(office: Office) -> None:
    for flags, department, state in (
        ((), "销售部", "submitted"),
        ((), "", "submitted"),
        (KEY_AREA, "生产部", "submitted"),
        ((), "销售部", "approved"),
    ):
        office.add(flags, department=department, state=state)
    summary = get_sheet_summary(office.session, mandate=office.filler)
    assert summary.count(RegistrationState.SUBMITTED, Group.FINE) == 2
    assert summary.count(RegistrationState.SUBMITTED) == 3
    assert summary.count(RegistrationState.APPROVED) == 1
    assert summary.count(RegistrationState.REJECTED) == 0
    assert summary.departments == ("生产部", "销售部")


def test_waiting_people_are_counted_for_everybody_who_may_see_them(office: Office) -> None:
    for flags, department in (((), "生产部"), (KEY_AREA, "生产部"), (FEVER, "销售部")):
        office.add(flags, department=department)
    office.add(state="approved")
    counts = {
        kind: count_sheet(office.session, openid=f"o-{kind}-{office.company_id}")
        for kind in ("owner", "filler", "manager生产部")
    }
    assert {
        kind: (one.total, one.counts[Group.LOOK], one.may_decide, one.department)
        for kind, (one,) in counts.items()
    } == {
        "owner": (3, 1, True, ""),
        "filler": (3, 1, False, ""),
        "manager生产部": (2, 1, True, "生产部"),
    }
    assert count_sheet(office.session, openid="o-nobody") == []


def test_looking_at_all_that_somebody_reported_is_recorded(office: Office) -> None:
    registration_id = office.add(name="张三丰")
    own = read_registration(
        office.session, mandate=office.owner, registration_id=registration_id, now=office.now
    )
    assert (own.name, own.phone) == ("张三丰", office.row(registration_id).phone)
    entry = office.session.scalars(
        select(AuditEntry).where(AuditEntry.action == "registration_read")
    ).one()
    assert entry.actor == f"person:{office.owner.person_id}"
    assert entry.subject == f"registration:{registration_id}"
    assert "张三丰" not in str(entry.facts)


def test_filler_sees_the_sheet_but_not_all_that_somebody_reported(office: Office) -> None:
    registration_id = office.add()
    get_sheet_row(office.session, mandate=office.filler, registration_id=registration_id)
    with pytest.raises(ActForbiddenError):
        read_registration(
            office.session, mandate=office.filler, registration_id=registration_id, now=office.now
        )


def test_nobody_reads_all_of_somebody_who_ended_it(office: Office) -> None:
    registration_id = office.add(state="ended")
    with pytest.raises(RegistrationEndedError):
        read_registration(
            office.session, mandate=office.owner, registration_id=registration_id, now=office.now
        )


def test_page_takes_two_statements_however_many_rows_it_has(office: Office) -> None:
    for _ in range(30):
        office.add(KEY_AREA)
    office.session.expire_all()
    statements: list[str] = []
    bind = office.session.connection()
    event.listen(bind, "before_cursor_execute", lambda *given: statements.append(given[2]))
    list_sheet(office.session, mandate=office.owner, query=SheetQuery())
    assert len(statements) == 2
    get_sheet_summary(office.session, mandate=office.owner)
    assert len(statements) == 3
    assert not any("answers" in statement for statement in statements)
