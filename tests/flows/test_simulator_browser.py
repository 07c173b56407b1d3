"""A person in front of the phone at /simulator/, with the whole product behind it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import requests
from flask import Flask
from playwright.sync_api import Browser, Locator, Page, expect
from sqlalchemy import insert

from bot.app import create_app
from bot.settings import Settings
from bot.simulator.ledger import Ledger
from bot.simulator.mailbox import Channel, add_entry
from bot.simulator.standin import serving
from core.clock import day_of
from core.db import Database
from core.places.model import Community, Street
from core.places.service import mark_changed
from core.risk.model import IndicatorValue
from core.risk.scoring import score_day
from core.risk.versions import get_version
from tests.servers import free_port

pytestmark = pytest.mark.browser

TEMPLATES = {"colour_changed": "SIMULATED-1"}
HARMLESS = {one.code: 0.0 for one in get_version().indicators}
WORST = {"confirmed": 3.0, "recency": 14.0, "suspected": 3.0, "close": 10.0, "cluster": 2.0}
NAMES = {"t11": "田林十一村", "t12": "田林十二村"}


class Site:
    """The running product."""

    def __init__(self, app: Flask, url: str, settings: Settings) -> None:
        self.app, self.url, self.settings = app, url, settings
        self.ledger = Ledger(settings.instance_dir / "simulator.db")

    def send_notice(self, openid: str) -> None:
        """Send a template message, as the worker would."""
        api = f"{self.url}/simulator/api/cgi-bin"
        credentials = {
            "grant_type": "client_credential",
            "appid": self.settings.wechat_appid,
            "secret": self.settings.wechat_secret.get_secret_value(),
        }
        token = requests.post(f"{api}/stable_token", json=credentials, timeout=5).json()
        values = {
            "thing1": "田林十二村",
            "thing2": "由黄色变为红色",
            "time3": "2020年3月28日 08:00",
            "thing4": "发送小区名称可查看原因",
        }
        message = {
            "touser": openid,
            "template_id": TEMPLATES["colour_changed"],
            "data": {name: {"value": value} for name, value in values.items()},
        }
        answer = requests.post(
            f"{api}/message/template/send",
            params={"access_token": token["access_token"]},
            data=json.dumps(message, ensure_ascii=False).encode(),
            timeout=5,
        ).json()
        assert answer["errcode"] == 0


@pytest.fixture
def site(sqlite_database: Database, tmp_path: Path) -> Iterator[Site]:
    _fill(sqlite_database)
    settings = Settings(
        instance_dir=tmp_path,
        database_url=str(sqlite_database.engine.url),
        port=free_port(),
        wechat_templates=TEMPLATES,
    )
    app = create_app(settings)
    with serving(app, port=settings.port) as url:
        yield Site(app, url, settings)


def _fill(database: Database) -> None:
    """Two communities, one of them as bad as it gets, as of yesterday."""
    now = datetime.now(UTC)
    day = day_of(now) - timedelta(days=1)
    with database.transaction() as session:
        street = Street(code="310104011", name="田林街道")
        session.add(street)
        for number, (code, name) in enumerate(NAMES.items(), start=1):
            session.add(
                Community(
                    id=number,
                    code=code,
                    name=name,
                    street=street,
                    longitude=121.41 + number / 100,
                    latitude=31.17,
                    changed_at=now - timedelta(days=1),
                )
            )
        session.flush()
        mark_changed(session)
        rows = [
            {"day": day, "community_id": number, "indicator": code, "value": value}
            for number, values in ((1, HARMLESS), (2, HARMLESS | WORST))
            for code, value in values.items()
        ]
        session.execute(insert(IndicatorValue), rows)
        score_day(session, day=day, now=now)


@pytest.fixture
def phone(page: Page, site: Site) -> Page:
    page.goto(f"{site.url}/simulator/")
    expect(page.get_by_role("button", name="林晓梅，换一个人")).to_be_visible()
    return page


def say(page: Page, text: str) -> None:
    page.get_by_label("消息").fill(text)
    page.get_by_role("button", name="发送", exact=True).click()


def answers(page: Page) -> Locator:
    return page.locator(".entry:not(.own) .bubble")


def openid_of(page: Page) -> str:
    return str(page.evaluate("localStorage.getItem('simulator-person')"))


def test_a_mask_question_and_a_colour_question_are_answered(phone: Page) -> None:
    say(phone, "我一个人坐电梯要戴口罩吗")
    expect(answers(phone)).to_have_count(1)
    assert answers(phone).last.inner_text().startswith("建议佩戴口罩")
    say(phone, "田林十二村什么颜色")
    expect(answers(phone)).to_have_count(2)
    assert answers(phone).last.inner_text().startswith("田林十二村：高风险（红色）")
    expect(phone.locator(".own .bubble")).to_have_text(
        ["我一个人坐电梯要戴口罩吗", "田林十二村什么颜色"]
    )


def test_a_tapped_option_answers_the_question_back(phone: Page) -> None:
    say(phone, "田林")
    phone.locator(".option", has_text="田林十一村").click()
    expect(answers(phone)).to_have_count(2)
    assert answers(phone).last.inner_text().startswith("田林十一村：一般风险（蓝色）")


def test_a_location_offers_the_nearest(phone: Page) -> None:
    phone.get_by_role("button", name="更多").click()
    phone.get_by_role("button", name="位置", exact=True).click()
    phone.get_by_label("查找地点").fill("十二")
    phone.locator("#location-list button").click()
    expect(phone.locator(".own .place")).to_contain_text("田林十二村")
    expect(answers(phone).last).to_contain_text("田林十二村")


def test_a_stranger_follows_by_a_communitys_code_and_is_greeted_with_its_colour(
    phone: Page,
) -> None:
    phone.get_by_role("button", name="换一个人").click()
    phone.get_by_role("button", name="新来的邻居").click()
    expect(phone.get_by_label("消息")).to_be_hidden()
    phone.get_by_role("button", name="扫一扫关注").click()
    phone.get_by_label("查找二维码").fill("十二村")
    phone.locator("#scan-list button").click()
    expect(answers(phone).last).to_contain_text("田林十二村：高风险（红色）")
    expect(phone.get_by_label("消息")).to_be_visible()


def test_the_menu_works_with_the_keyboard_alone(phone: Page) -> None:
    phone.get_by_role("button", name="切换到菜单").press("Enter")
    group = phone.get_by_role("button", name="防护指引")
    group.press("Enter")
    expect(group).to_have_attribute("aria-expanded", "true")
    phone.keyboard.press("Escape")
    expect(group).to_have_attribute("aria-expanded", "false")
    group.press("Enter")
    phone.get_by_role("button", name="口罩怎么戴").press("Enter")
    expect(answers(phone).last).to_contain_text("四戴")


def test_a_reload_and_another_person_keep_their_chats(phone: Page) -> None:
    say(phone, "口罩")
    expect(answers(phone)).to_have_count(1)
    phone.reload()
    expect(answers(phone)).to_have_count(1)
    phone.get_by_role("button", name="换一个人").click()
    phone.get_by_role("button", name="周建国").click()
    expect(phone.get_by_role("button", name="周建国，换一个人")).to_be_visible()
    expect(answers(phone)).to_have_count(0)
    phone.reload()
    expect(phone.get_by_role("button", name="周建国，换一个人")).to_be_visible()


def test_a_page_opens_signed_in_as_whoever_holds_the_phone(phone: Page, site: Site) -> None:
    phone.get_by_role("button", name="更多").click()
    phone.get_by_role("button", name="扫一扫", exact=True).click()
    phone.get_by_label("二维码的内容").fill("/h5/")
    with phone.context.expect_page() as opened:
        phone.get_by_role("button", name="扫码", exact=True).click()
    expect(opened.value.get_by_role("button", name="退出")).to_be_visible()
    assert opened.value.url.startswith(f"{site.url}/h5/")
    with site.ledger.reading() as desk:
        codes = desk.execute("SELECT openid, is_used FROM code").fetchall()
    assert [tuple(code) for code in codes] == [(openid_of(phone), 1)]


def test_a_notice_comes_by_itself_as_a_card_and_its_outcome_is_reported(
    phone: Page, site: Site
) -> None:
    site.send_notice(openid_of(phone))
    card = phone.locator(".card")
    expect(card).to_contain_text("小区风险等级变化提醒")
    expect(card.locator("dt")).to_have_text(["小区", "变化", "时间", "说明"])
    report = phone.locator(".wire-what", has_text="TEMPLATESENDJOBFINISH")
    expect(report).to_be_attached()
    expect(phone.locator(".note.is-trouble")).to_have_count(0)


def test_hostile_text_is_shown_and_not_run(phone: Page, site: Site) -> None:
    hostile = (
        '<img src=x onerror="window.hurt=1"><script>window.hurt=1</script>'
        '<a href="javascript:window.hurt=1">here</a><a href="https://a.test/?q=1&amp;r=2">page</a>'
        '<a href="https://a.test/" onclick="window.hurt=1"><b>bold</b></a>'
    )
    with site.ledger.writing() as desk:
        body = {"kind": "text", "text": hostile}
        openid, now = openid_of(phone), site.ledger.now(desk)
        add_entry(desk, now, openid=openid, channel=Channel.CUSTOM, body=body)
    bubble = answers(phone).last
    expect(bubble).to_contain_text("<script>window.hurt=1</script>")
    expect(bubble).to_contain_text('<a href="javascript:window.hurt=1">here</a>')
    assert bubble.locator("img, script, b").count() == 0
    addresses = bubble.locator("a").evaluate_all("all => all.map(one => one.protocol)")
    assert addresses == ["https:", "https:"]
    assert bubble.locator("[onclick]").count() == 0
    assert phone.evaluate("window.hurt") is None


def test_a_chat_does_not_overflow_a_phone(phone: Page) -> None:
    say(phone, "很长的一句话" * 30 + "a" * 200)
    expect(answers(phone)).to_have_count(1)
    assert phone.evaluate("document.documentElement.scrollWidth") == 390
    inner = phone.locator("#scroll").evaluate("one => [one.scrollWidth, one.clientWidth]")
    assert inner[0] == inner[1]
    expect(phone.locator(".panel")).to_be_hidden()
    own, theirs = phone.locator(".own .bubble"), answers(phone).last
    colours = [
        one.evaluate("one => getComputedStyle(one).backgroundColor") for one in (own, theirs)
    ]
    assert colours == ["rgb(149, 236, 105)", "rgb(255, 255, 255)"]


def test_new_messages_are_announced_and_everything_has_a_name(phone: Page) -> None:
    expect(phone.get_by_role("log")).to_have_attribute("aria-live", "polite")
    nameless = phone.locator("button, input").evaluate_all(
        """all => all.filter(one => !(one.getAttribute('aria-label') || one.textContent.trim()
             || one.labels?.length)).map(one => one.outerHTML)"""
    )
    assert nameless == []


def test_the_panel_of_a_desktop_shows_the_wire_and_what_to_try(
    browser: Browser, site: Site
) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    page.goto(f"{site.url}/simulator/")
    page.get_by_role("button", name="田林十二村什么颜色").click()
    expect(answers(page).last).to_contain_text("高风险（红色）")
    exchange = page.locator(".wire details").first
    expect(exchange.locator(".wire-what")).to_have_text("text · 田林十二村什么颜色")
    expect(exchange.locator(".wire-status")).to_have_text("200")
    exchange.locator("summary").click()
    sent, received = exchange.locator("pre").all()
    expect(sent).to_contain_text("<MsgType><![CDATA[text]]></MsgType>")
    expect(received).to_contain_text("高风险（红色）")
    context.close()


def test_a_product_that_fails_shows_the_platforms_apology(phone: Page, site: Site) -> None:
    def fail(_environ: object, start_response: object) -> list[bytes]:
        start_response("500 INTERNAL SERVER ERROR", [])  # type: ignore[operator]
        return [b""]

    whole = site.app.wsgi_app
    site.app.wsgi_app = lambda environ, start: (  # type: ignore[method-assign]
        fail if environ["PATH_INFO"] == "/wechat" else whole
    )(environ, start)
    say(phone, "口罩")
    expect(phone.locator(".note.is-trouble")).to_contain_text("该公众号提供的服务出现故障")
    expect(phone.get_by_role("heading", level=1)).to_have_text("汇治理 · 徐汇区")
