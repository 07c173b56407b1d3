"""Staff hear in WeChat: codes, guesses at them, and who hears of what."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.audit.model import AuditEntry
from core.db import Database
from core.people.model import Person
from core.people.service import forget_person, mark_left
from core.people.staff.model import StaffAccount, StaffWechat, StaffWechatCode
from core.people.staff.rules import CODE_LIFETIME, GUESSES_WITHIN, MAX_GUESSES, Role
from core.people.staff.service import NewStaff, add_account, disable_account, reset_account
from core.people.staff.wechat import (
    BindOutcome,
    StaffReader,
    UnbindReason,
    bind_staff,
    find_binding,
    list_staff_openids,
    offer_code,
    unbind_person,
    unbind_staff,
)
from core.places.model import Community, Street

SUPERVISOR = Role.SITE_SUPERVISOR
OFFICER = Role.NEIGHBOURHOOD_OFFICER


def add_places(session: Session, now: datetime) -> None:
    for number in (1, 2):
        session.add(Street(id=number, code=f"31010400{number}", name=f"第{number}街道"))
    session.flush()
    for number, street_id in ((1, 1), (2, 1), (3, 2)):
        place = {"code": f"C{number}", "name": f"第{number}小区", "street_id": street_id}
        session.add(Community(id=number, changed_at=now, **place))
    session.flush()


def add(session: Session, now: datetime, *, role: Role = SUPERVISOR, **values: Any) -> int:
    staff = NewStaff(**{"name": "wang", "display_name": "王静", "role": role, **values})
    account = add_account(session, staff=staff, password_hash="hash", now=now)
    session.flush()
    return account.id


def bind(session: Session, staff_id: int, now: datetime, *, openid: str = "o-wang") -> BindOutcome:
    code = offer_code(session, staff_id=staff_id, now=now).code
    return bind_staff(session, openid=openid, code=code, now=now).outcome


def heard_by(session: Session, role: Role = SUPERVISOR) -> list[str]:
    return [one.openid for one in list_staff_openids(session, roles={role})]


def actions(session: Session) -> list[tuple[str, str, str]]:
    entries = session.scalars(select(AuditEntry).order_by(AuditEntry.id)).all()
    return [
        (one.action, one.actor.split(":")[0], str(one.facts.get("reason", "")))
        for one in entries
        if one.action.startswith("staff_wechat")
    ]


def test_code_binds_the_phone_that_sends_it_first_and_no_other(
    session: Session, now: datetime
) -> None:
    staff_id = add(session, now)
    offered = offer_code(session, staff_id=staff_id, now=now)
    assert heard_by(session) == []
    assert offered.code not in repr(offered)
    typed = f" {offered.code[:3].lower()}-{offered.code[3:]}"
    bound = bind_staff(session, openid="o-wang", code=typed, now=now)
    assert (bound.outcome, bound.display_name) == (BindOutcome.BOUND, "王静")
    assert list_staff_openids(session, roles=[SUPERVISOR]) == [
        StaffReader(staff_id=staff_id, openid="o-wang")
    ]
    again = bind_staff(session, openid="o-wang", code=offered.code, now=now)
    other = bind_staff(session, openid="o-li", code=offered.code, now=now)
    assert (again.outcome, other.outcome) == (BindOutcome.BOUND, BindOutcome.OVER)
    assert heard_by(session) == ["o-wang"]
    binding = find_binding(session, staff_id=staff_id)
    assert binding is not None
    assert (binding.bound_at, binding.is_following) == (now, True)
    assert actions(session) == [
        ("staff_wechat_offered", "staff", ""),
        ("staff_wechat_bound", "person", ""),
    ]


def test_code_is_late_after_ten_minutes_and_worth_nothing_once_there_is_a_newer_one(
    session: Session, now: datetime
) -> None:
    staff_id = add(session, now)
    first = offer_code(session, staff_id=staff_id, now=now)
    second = offer_code(session, staff_id=staff_id, now=now)
    late = now + CODE_LIFETIME
    outcomes = [
        bind_staff(session, openid="o-wang", code=code, now=at).outcome
        for code, at in (
            (first.code, now),
            (second.code, late),
            (second.code, late - timedelta(seconds=1)),
        )
    ]
    assert outcomes == [BindOutcome.WRONG, BindOutcome.OVER, BindOutcome.BOUND]


def test_after_five_wrong_codes_none_of_that_person_is_taken_for_an_hour(
    session: Session, now: datetime
) -> None:
    staff_id = add(session, now)
    wrong = [bind_staff(session, openid="o-li", code="AAAA22", now=now) for _ in range(MAX_GUESSES)]
    assert {one.outcome for one in wrong} == {BindOutcome.WRONG}
    assert bind(session, staff_id, now, openid="o-li") is BindOutcome.TOO_MANY
    assert heard_by(session) == []
    assert [action for action, _, _ in actions(session)].count("staff_wechat_refused") == 5
    # It hinders nobody else, and ends.
    assert bind(session, staff_id, now) is BindOutcome.BOUND
    assert bind(session, staff_id, now + GUESSES_WITHIN, openid="o-li") is BindOutcome.BOUND
    assert heard_by(session) == ["o-li"]


def test_guesses_of_different_hours_are_not_added_up(session: Session, now: datetime) -> None:
    staff_id = add(session, now)
    for hour in range(2 * MAX_GUESSES):
        at = now + hour * GUESSES_WITHIN
        assert bind_staff(session, openid="o", code="AAAA22", now=at).outcome is BindOutcome.WRONG
    assert bind(session, staff_id, at, openid="o") is BindOutcome.BOUND


def test_one_phone_hears_for_one_account_and_an_account_by_one_phone(
    session: Session, now: datetime
) -> None:
    wang, li = add(session, now), add(session, now, name="li")
    assert bind(session, wang, now) is BindOutcome.BOUND
    assert bind(session, li, now) is BindOutcome.TAKEN
    assert bind(session, wang, now, openid="o-new") is BindOutcome.BOUND
    assert heard_by(session) == ["o-new"]
    assert bind(session, li, now) is BindOutcome.BOUND
    assert heard_by(session) == ["o-new", "o-wang"]
    assert ("staff_wechat_unbound", "person", "replaced") in actions(session)


def _disable(session: Session, staff_id: int, now: datetime) -> None:
    disable_account(session, name="wang", now=now)


def _reset(session: Session, staff_id: int, now: datetime) -> None:
    reset_account(session, name="wang", password_hash="new", now=now)


def _unbind_here(session: Session, staff_id: int, now: datetime) -> None:
    values: dict[str, Any] = {"reason": UnbindReason.CONSOLE, "actor": f"staff:{staff_id}"}
    assert unbind_staff(session, staff_id=staff_id, now=now, **values)
    assert not unbind_staff(session, staff_id=staff_id, now=now, **values)


def _unbind_there(session: Session, staff_id: int, now: datetime) -> None:
    assert unbind_person(session, openid="o-wang", reason=UnbindReason.CHAT, now=now)
    for openid in ("o-wang", "o-nobody"):
        assert not unbind_person(session, openid=openid, reason=UnbindReason.CHAT, now=now)


@pytest.mark.parametrize(
    ("end", "actor", "reason"),
    [
        pytest.param(_disable, "operator", "disabled", id="account closed"),
        pytest.param(_reset, "operator", "reset", id="account handed over"),
        pytest.param(_unbind_here, "staff", "console", id="on the console"),
        pytest.param(_unbind_there, "person", "chat", id="in the chat"),
    ],
)
def test_whoever_is_unbound_hears_no_more_and_it_is_on_record(
    session: Session,
    now: datetime,
    end: Callable[[Session, int, datetime], None],
    actor: str,
    reason: str,
) -> None:
    staff_id = add(session, now)
    bind(session, staff_id, now)
    end(session, staff_id, now)
    session.get_one(StaffAccount, staff_id).is_active = True
    session.flush()
    assert heard_by(session) == []
    assert find_binding(session, staff_id=staff_id) is None
    assert actions(session)[-1] == ("staff_wechat_unbound", actor, reason)


def test_closing_an_account_takes_its_code_back(session: Session, now: datetime) -> None:
    code = offer_code(session, staff_id=add(session, now), now=now).code
    disable_account(session, name="wang", now=now)
    assert session.scalars(select(StaffWechatCode)).all() == []
    assert bind_staff(session, openid="o", code=code, now=now).outcome is BindOutcome.WRONG


def test_account_that_loses_its_role_or_is_closed_hears_no_more(
    session: Session, now: datetime
) -> None:
    staff_id = add(session, now)
    bind(session, staff_id, now)
    account = session.get_one(StaffAccount, staff_id)
    account.role = Role.AUDITOR.value
    session.flush()
    assert (heard_by(session), heard_by(session, Role.AUDITOR)) == ([], ["o-wang"])
    account.is_active = False
    session.flush()
    assert heard_by(session, Role.AUDITOR) == []


def test_binding_knows_who_left_the_account_and_ends_with_the_person(
    session: Session, now: datetime
) -> None:
    staff_id = add(session, now)
    bind(session, staff_id, now)
    mark_left(session, openid="o-wang", now=now)
    session.flush()
    binding = find_binding(session, staff_id=staff_id)
    assert binding is not None
    assert binding.is_following is False
    bind_staff(session, openid="o-wang", code="AAAA22", now=now)  # leaves a count behind
    forget_person(session, openid="o-wang", now=now)
    session.flush()
    assert session.scalars(select(StaffWechat.staff_id)).all() == []


STAFF: dict[str, dict[str, Any]] = {
    "district": {"role": SUPERVISOR},
    "street-1": {"role": SUPERVISOR, "street": "第1街道"},
    "street-2": {"role": SUPERVISOR, "street": "第2街道"},
    "communities": {"role": OFFICER, "community_codes": ["C1"]},
    "neighbours": {"role": OFFICER, "street": "第1街道"},
    "auditor": {"role": Role.AUDITOR},
    "unbound": {"role": SUPERVISOR},
}


def test_a_matter_is_heard_by_those_whose_area_it_is_in(session: Session, now: datetime) -> None:
    add_places(session, now)
    for name, values in STAFF.items():
        staff_id = add(session, now, name=name, **values)
        if name != "unbound":
            bind(session, staff_id, now, openid=name)

    def heard(**matter: Any) -> set[str]:
        readers = list_staff_openids(session, roles={SUPERVISOR, OFFICER}, **matter)
        return {one.openid for one in readers}

    assert heard() == {"district"}
    assert heard(street_id=1) == {"district", "street-1", "neighbours"}
    assert heard(street_id=2) == {"district", "street-2"}
    assert heard(community_ids=[1]) == {"district", "street-1", "neighbours", "communities"}
    assert heard(community_ids=[2]) == {"district", "street-1", "neighbours"}
    assert heard(community_ids=[2, 3]) == {"district", "street-1", "neighbours", "street-2"}
    assert heard(street_id=2, community_ids=[1]) == set(STAFF) - {"auditor", "unbound"}
    assert heard(community_ids=[]) == {"district"}


def test_two_phones_that_send_one_code_at_once_bind_one_of_them(
    postgres_database: Database, now: datetime
) -> None:
    with postgres_database.transaction() as session:
        code = offer_code(session, staff_id=add(session, now), now=now).code
    ready, outcomes = threading.Barrier(2, timeout=5), list[BindOutcome]()

    def send(openid: str) -> None:
        with postgres_database.transaction() as session:
            session.scalars(select(Person)).all()  # the transaction has begun
            ready.wait()
            bound = bind_staff(session, openid=openid, code=code, now=now)
        outcomes.append(bound.outcome)

    threads = [threading.Thread(target=send, args=(f"o-{number}",)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=10)
    assert sorted(outcomes) == [BindOutcome.BOUND, BindOutcome.OVER]
    with postgres_database.reading() as session:
        assert len(heard_by(session)) == 1
