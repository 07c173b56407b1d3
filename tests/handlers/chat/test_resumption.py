"""Return to work in the chat: what is understood, what is counted, where it leads."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from types import SimpleNamespace

import pytest

from core.db import Database
from core.mandates.inviting import confirm_mandate
from core.registration.rules import Group
from tests.core.mandates.conftest import LI, WANG, District
from tests.handlers.chat.conftest import Talk

ASKED = [
    *("企业复工", "复工备案", "我是法人", "待审批", "我要办理复工备案", "怎么复工", "复工"),
    *("我的单位", "我是公司的经办人", "單位复工备案怎么弄", "请问复工审批的流程"),
]


@pytest.mark.parametrize("asked", ASKED)
def test_words_of_return_to_work_are_understood(talk: Talk, asked: str) -> None:
    assert talk.first_line(asked).startswith("企业复工备案：")
    assert talk.route == "resumption"


@pytest.mark.parametrize(
    ("asked", "route"),
    [
        ("复工以后坐地铁要戴口罩吗", "masks"),
        ("明天复工了，上班要戴口罩吗", "masks"),
        ("复工小区什么颜色", "colour"),
        ("田林十二村什么颜色", "colour"),
        ("社区报", "papers"),
        ("人工", "human"),
    ],
)
def test_other_questions_go_where_they_went(talk: Talk, asked: str, route: str) -> None:
    talk.say(asked)
    assert talk.route == route


def test_menu_button_gives_the_same(talk: Talk) -> None:
    assert talk.event("click", "resumption").startswith("企业复工备案：")


def test_whoever_has_no_company_is_led_to_the_proof(talk: Talk) -> None:
    said = talk.say("企业复工")
    assert "/h5/owner" in said
    assert "经办人请让法人发邀请" in said


@pytest.fixture
def district(talk: Talk, database: Database, now: datetime) -> District:
    """王伟 has proved to be the owner of two companies."""
    with database.transaction() as session:
        district = District(session=session, now=now)
        district.register(WANG, WANG, LI)
        district.prove(talk.openid)
    return district


def test_owner_sees_their_companies_with_links(talk: Talk, district: District) -> None:
    said = talk.say("待审批")
    lines = said.splitlines()
    assert lines[0] == "您的单位："
    assert lines[1].startswith("· 上海第1有限公司：没有人待审批，<a href=")
    assert f"/h5/company/{district.ids[0]}" in lines[1]
    assert len(lines) == 3


def test_those_who_wait_are_counted_and_the_link_leads_to_the_sheet(
    talk: Talk, district: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting = SimpleNamespace(
        company_id=7,
        company_name="上海第1有限公司",
        department="物流部",
        may_decide=True,
        counts={Group.FINE: 9, Group.LOOK: 2, Group.CANNOT: 1},
    )
    filler = SimpleNamespace(**{**vars(waiting), "may_decide": False, "department": ""})
    monkeypatch.setattr("handlers.chat.resumption.count_sheet", lambda *_, **__: [waiting, filler])
    lines = talk.say("待审批").splitlines()
    assert lines[1].startswith("· 上海第1有限公司（物流部）：12 人待审批，")
    assert "/h5/company/7/sheet" in lines[1]
    assert ">去审批</a>" in lines[1]
    assert ">查看名单</a>" in lines[2]


def test_many_companies_are_cut_and_the_page_has_the_rest(
    talk: Talk, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = SimpleNamespace(
        company_id=7,
        company_name="上海" + "长" * 96 + "公司",
        department="部" * 50,
        may_decide=True,
        counts={Group.FINE: 10_000},
    )
    monkeypatch.setattr("handlers.chat.resumption.count_sheet", lambda *_, **__: [one] * 9)
    said = talk.say("待审批")
    assert "另有 4 家" in said
    assert said.count("/sheet") == 5


def test_new_owner_is_asked_to_confirm(talk: Talk, district: District, database: Database) -> None:
    with database.transaction() as session:
        later = replace(district, session=session)
        later.register(LI, WANG)
        later.prove("o-li", LI)
    talk.openid = "o-li"
    said = talk.say("企业复工")
    assert "· 上海第1有限公司：您是新法人，" in said
    assert "· 上海第3有限公司：没有人待审批" in said


def test_withdrawn_authorisation_ends_what_a_person_was(
    talk: Talk, district: District, database: Database
) -> None:
    with database.transaction() as session:
        again = replace(district, session=session)
        token = again.invite(again.owner(talk.openid)).token
        confirm_mandate(session, openid="o-zhang", token=token, name="张敏", now=again.now)
    talk.event("user_authorization_revoke", fields={"OpenID": talk.openid})
    assert talk.route == "withdrawal"
    assert talk.first_line("待审批").startswith("企业复工备案：")
