from __future__ import annotations

import re

from flask.testing import FlaskClient
from sqlalchemy import update

from core.codes.account import MadeCode, keep_account_code
from core.people.model import Person
from core.people.staff.rules import Role
from core.people.staff.wechat import BindOutcome, bind_staff
from handlers.console.wechat import OFFER_LIMIT
from tests.console import District
from tests.h5 import csrf_of, submit, text_of
from tests.handlers.console.conftest import Enter

PATH = "/console/wechat"
UNBOUND = "还没有绑定微信，工作提醒只在这里显示。"


def bind(client: FlaskClient, district: District) -> BindOutcome:
    """Send the code that the page shows."""
    shown = re.search(r"绑定 ([A-Z2-9]{6})<", submit(client, PATH, act="offer").text)
    assert shown is not None
    with district.database.transaction() as session:
        bound = bind_staff(session, openid="o-wang", code=shown[1], now=district.now)
    return bound.outcome


def test_page_shows_a_code_once_and_lets_go_what_it_bound(
    come_in: Enter, district: District
) -> None:
    client = come_in(Role.SITE_SUPERVISOR)
    assert UNBOUND in client.get("/console/").text
    assert "还没有绑定成功" in client.get(f"{PATH}?asked=1").text
    assert bind(client, district) is BindOutcome.BOUND
    page = text_of(client.get(f"{PATH}?asked=1"))
    assert "微信已经绑定" in page
    assert "收不到提醒" not in page
    assert UNBOUND not in client.get("/console/").text
    with district.database.transaction() as session:
        session.execute(update(Person).values(is_following=False))
    assert "收不到提醒" in client.get(PATH).text
    assert "收不到工作提醒" in client.get("/console/").text
    done = submit(client, PATH, act="unbind")
    assert "已解除绑定" in client.get(done.location).text
    assert UNBOUND in client.get("/console/").text


def test_everybody_on_the_staff_may_bind(come_in: Enter) -> None:
    for number, role in enumerate(Role):
        assert "获取绑定码" in come_in(role, name=f"staff-{number}").get(PATH).text


def test_accounts_own_code_is_shown_where_there_is_one(come_in: Enter, district: District) -> None:
    client = come_in(Role.AUDITOR)
    assert 'class="qr"' not in submit(client, PATH, act="offer").text
    with district.database.transaction() as session:
        made = MadeCode(address="http://weixin.qq.com/q/02abc")
        keep_account_code(session, made=made, now=district.now)
    assert 'class="qr"' in submit(client, PATH, act="offer").text


def test_codes_are_not_made_without_end(come_in: Enter) -> None:
    client = come_in(Role.AUDITOR)
    fields = {"csrf": csrf_of(client.get(PATH).text), "act": "offer"}
    statuses = [client.post(PATH, data=fields).status_code for _ in range(OFFER_LIMIT[0] + 1)]
    assert set(statuses[:-1]) == {200}
    assert statuses[-1] == 429
