"""Hearing of the result in WeChat: one consent on the receipt, a code by which one follows."""

from __future__ import annotations

from datetime import UTC, datetime
from io import BytesIO
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Page, expect
from pyzbar.pyzbar import ZBarSymbol, decode
from sqlalchemy import select

from bot.account import PlatformAccount
from bot.client import WeChatClient
from bot.deliver import deliver_once
from bot.settings import Settings
from bot.simulator.followers import put_follower
from bot.simulator.ledger import Ledger
from bot.table_store import TableStore
from bot.texts import Texts, text_constants
from core.codes.account import ACCOUNT, keep_account_code
from core.notices.model import Notice
from core.notices.service import queue_notice
from core.people.model import MessageConsent, Person
from tests.flows.test_registration_browser import (
    OWNER,
    Site,
    enter,
    look,
    register,
    site,
)

__all__ = ["site"]

pytestmark = pytest.mark.browser

CHEN = "oTESTchenchenchenchenchenche"


def _settings(site: Site) -> Settings:
    """Return the settings of the site's worker."""
    return Settings(
        instance_dir=site.folder,
        database_url=site.database.url.render_as_string(hide_password=False),
        port=int(site.url.rsplit(":", 1)[1]),
    )


def _add_stranger(site: Site) -> None:
    """Give the simulator a phone whose holder does not follow the account."""
    ledger = Ledger(site.folder / "simulator.db")
    with ledger.writing() as desk:
        put_follower(desk, ledger.now(desk), openid=CHEN, name="陈", is_following=False)


def _picture(data: bytes) -> str:
    (found,) = decode(Image.open(BytesIO(data)).convert("L"), symbols=[ZBarSymbol.QRCODE])
    return str(found.data.decode())


def _chat(page: Page, site: Site, openid: str) -> list[dict[str, Any]]:
    answer = page.request.get(f"{site.url}/simulator/phone/chat", params={"openid": openid})
    entries: list[dict[str, Any]] = answer.json()["entries"]
    return entries


def test_stranger_agrees_on_the_receipt_and_is_told_once(page: Page, site: Site) -> None:
    _add_stranger(site)
    settings = _settings(site)
    store = TableStore(site.database)
    client = WeChatClient(settings, store)
    now = datetime.now(UTC)
    made = PlatformAccount(settings, client).make(ACCOUNT)
    with site.database.transaction() as session:
        keep_account_code(session, made=made, now=now)
    register(page, site, openid=CHEN)
    picture = page.get_by_role("img", name="公众号的二维码")
    expect(picture).to_be_visible()
    ask = page.get_by_role("button", name="用微信通知我一次")
    expect(ask).to_be_visible()
    expect(page.get_by_text("没有打开授权窗口")).to_be_hidden()
    look(page, "asked")

    ask.click()
    page.get_by_role("button", name="取消").click()
    expect(page.get_by_text("没有开启通知")).to_be_visible()
    ask.click()
    page.get_by_role("button", name="允许").click()
    expect(page.get_by_text("您已经同意接收一次通知")).to_be_visible()
    expect(ask).to_have_count(0)
    look(page, "agreed")

    # Page and platform told of the same yes: of each template one message is left, not two.
    with site.database.reading() as session:
        assert set(session.scalars(select(MessageConsent.remaining))) == {1}
        person = session.scalars(select(Person).where(Person.openid == CHEN)).one()
        assert not person.is_following
    for number in range(2):
        with site.database.transaction() as session:
            queue_notice(
                session,
                now=now,
                kind="registration_approved",
                openid=CHEN,
                key=f"told:{number}",
                values={"company": "上海第1有限公司", "number": "R260101-AAAAA-BBBBB"},
                link="/h5/registration/1",
            )
    texts = Texts(constants=text_constants(settings))
    deliver_once(site.database, store, client, settings, texts)
    with site.database.reading() as session:
        told = session.execute(select(Notice.state, Notice.channel).order_by(Notice.id)).all()
    assert [tuple(row) for row in told] == [("sent", "subscribe"), ("dead", None)]
    assert [one["channel"] for one in _chat(page, site, CHEN)][-1] == "subscribe"


def test_without_the_platform_the_receipt_says_in_words_how_to_follow(
    page: Page, site: Site
) -> None:
    _add_stranger(site)
    page.request.post(
        f"{site.url}/simulator/api/_control/faults",
        data={"path": "/cgi-bin/ticket/getticket", "kind": "status", "value": 503, "times": 9},
    )
    with page.expect_response(lambda answer: "/h5/sdk" in answer.url) as told:
        register(page, site, openid=CHEN)
    assert told.value.json() == {"is_signed": False}
    expect(page.get_by_text("在微信的搜索框里输入")).to_be_visible()
    expect(page.get_by_role("button", name="用微信通知我一次")).to_be_hidden()


def test_owner_makes_the_account_code_and_a_stranger_registers_in_the_chat_by_it(
    page: Page, site: Site
) -> None:
    _add_stranger(site)
    company_id = site.companies[0]
    enter(page, site, f"/h5/company/{company_id}/code", OWNER)
    page.get_by_role("link", name="关注并登记码").click()
    look(page, "follow-empty")
    page.get_by_role("button", name="生成关注并登记码").click()
    expect(page.get_by_role("img", name="关注并登记二维码")).to_be_visible()
    look(page, "follow")
    address = f"{site.url}/h5/company/{company_id}/follow"
    content = _picture(page.request.get(f"{address}.png").body())
    assert content.startswith("http://weixin.qq.com/q/")
    assert page.request.get(f"{address}.pdf").body().startswith(b"%PDF")

    scan = {"openid": CHEN, "do": "scan", "scene": content}
    page.request.post(f"{site.url}/simulator/phone/act", data=scan)
    said = [one["body"].get("text", "") for one in _chat(page, site, CHEN)]
    assert "上海第1有限公司" in said[-1]
    with site.database.reading() as session:
        person = session.scalars(select(Person).where(Person.openid == CHEN)).one()
        # Whom the account was followed by stands there without the token.
        assert (person.is_following, person.came_by) == (True, "company:")

    page.goto(f"{site.url}/h5/company/{company_id}/code/rotate")
    page.get_by_role("button", name="更换").click()
    enter(page, site, f"/h5/company/{company_id}/follow", OWNER)
    expect(page.get_by_role("button", name="生成关注并登记码")).to_be_visible()
    page.request.post(f"{site.url}/simulator/phone/act", data=scan)
    said = [one["body"].get("text", "") for one in _chat(page, site, CHEN)]
    assert "停用" in said[-1]
