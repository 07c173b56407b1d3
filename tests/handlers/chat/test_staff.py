"""Staff in the chat: the code of the console, and the word that ends it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from core.people.staff.model import StaffWechat
from core.people.staff.rules import Role
from core.people.staff.service import NewStaff, add_account
from core.people.staff.wechat import list_staff_openids, offer_code
from handlers.chat.staff import is_binding
from handlers.turn import Turn, TurnKind
from tests.handlers.chat.conftest import Talk


def offer(talk: Talk, *, name: str = "wang") -> str:
    """Return a code of a new account."""
    with talk._database.transaction() as session:
        staff = NewStaff(name=name, role=Role.STATION_MANAGER, display_name="王静")
        account = add_account(session, staff=staff, password_hash="x", now=talk.now)
        session.flush()
        return offer_code(session, staff_id=account.id, now=talk.now).code


def hearing(talk: Talk) -> list[str]:
    with talk._database.reading() as session:
        readers = list_staff_openids(session, roles=[Role.STATION_MANAGER])
    return [one.openid for one in readers]


def test_code_binds_and_a_word_unbinds(talk: Talk) -> None:
    code = offer(talk)
    talk.say("绑定小区")
    answer = talk.say(f"绑定 {code}")
    assert talk.route == "staff_bind"
    assert answer.startswith("已绑定工作台账号：王静。")
    assert hearing(talk) == ["o-resident"]
    # What was in progress goes on.
    assert talk.first_line("田林十二村") == "已绑定：田林十二村（田林街道）。"
    assert talk.first_line("解绑") == "已解除绑定，您的小区记录已删除。"
    assert hearing(talk) == ["o-resident"]
    assert talk.first_line("解绑工作台") == "已解除绑定，工作提醒不再发到这里。"
    assert (talk.route, hearing(talk)) == ("staff_unbind", [])
    assert talk.first_line("解绑工作台").startswith("这个微信没有绑定工作台账号")


def test_every_code_that_is_not_taken_is_answered_with_what_to_do(
    talk: Talk, another: Callable[[str], Talk]
) -> None:
    code = offer(talk)
    assert talk.first_line("绑定 ABC234").startswith("绑定码不正确，没有绑定。")
    talk.say(f"绑定{code}")
    assert talk.first_line(f"绑定 {offer(talk, name='li')}").startswith(
        "没有绑定：这个微信已经绑定了另一个工作台账号。"
    )
    other = another("o-other")
    assert other.first_line(f"绑定 {code}").startswith("这个绑定码已经用过或者过期")
    for _ in range(5):
        other.say("绑定 ABC234")
    assert other.first_line("绑定 ABC234").startswith("不正确的绑定码太多")
    other.now += timedelta(hours=1)
    assert other.first_line("绑定 ABC234").startswith("绑定码不正确")


def test_whoever_withdraws_their_authorisation_hears_no_more(talk: Talk) -> None:
    talk.say(f"绑定 {offer(talk)}")
    talk.event("user_authorization_revoke", fields={"OpenID": talk.openid})
    with talk._database.reading() as session:
        assert session.scalars(select(StaffWechat)).all() == []


@pytest.mark.parametrize(
    ("said", "is_code"),
    [
        ("绑定 ABC234", True),
        ("绑定abc234", True),
        ("绑定：ＡＢＣ２３４。", True),
        ("绑定 “ABC-234”", True),
        ("綁定工作台 ABC 234", True),
        ("绑定小区", False),
        ("绑定田林十二村", False),
        ("绑定 THEONE", False),
        ("绑定 310104", False),
        ("绑定 ABC2345", False),
        ("绑定 AB234", False),
        ("ABC234", False),
        ("绑定 ABC234 田林十二村", False),
    ],
)
def test_a_code_is_told_from_the_name_of_a_community(
    now: datetime, said: str, is_code: bool
) -> None:
    turn = Turn(
        key="k",
        openid="o",
        account="gh",
        kind=TurnKind.TEXT,
        sent_at=now,
        now=now,
        text=said,
    )
    assert is_binding(turn) is is_code
