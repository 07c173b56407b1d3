"""An employee with a small phone registers by a code: by touch, by keyboard, and once more."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from bot.app import create_app
from bot.services import services_of
from bot.settings import Settings
from bot.simulator.followers import put_follower
from bot.simulator.ledger import Ledger
from bot.simulator.standin import serving
from core.clock import day_of
from core.codes.rules import subject_of
from core.codes.service import find_live_code
from core.db import Database
from core.places.model import Community
from core.places.service import mark_changed
from tests.core.registration.conftest import NUMBERS, District, add_places
from tests.servers import free_port

pytestmark = pytest.mark.browser

LI = "oTESTlililililililililililil"
OWNER = "oTESTwangwangwangwangwangwan"
SIZES = [(320, 640), (390, 844), (1280, 800)]
SMALL_TARGETS = """() => [...document.querySelectorAll(
  "main button:not(.unseen), .button, .cell, .choices label, summary")]
  .filter((one) => one.getBoundingClientRect().height < 44).map((one) => one.outerHTML)"""


@dataclass(kw_only=True)
class Site:
    """The running product with two companies and their codes."""

    url: str
    folder: Path
    database: Database
    companies: list[int]
    tokens: list[str]


@pytest.fixture
def site(sqlite_database: Database, tmp_path: Path) -> Iterator[Site]:
    settings = Settings(
        instance_dir=tmp_path,
        database_url=sqlite_database.url.render_as_string(hide_password=False),
        port=free_port(),
        log_level="error",
    )
    app = create_app(settings)
    now = datetime.now(UTC)
    tokens = []
    with sqlite_database.transaction() as session:
        add_places(session, now)
        for number in (3, 4):
            session.add(
                Community(
                    id=number, code=f"G{number}", name="古美小区", street_id=1, changed_at=now
                )
            )
        session.flush()
        mark_changed(session)
        district = District(session=session, now=now)
        for _ in range(2):
            company_id = district.add_company()
            card = find_live_code(session, subject=subject_of(company_id), now=now)
            assert card is not None
            tokens.append(card.token)
        district.add_mandate(OWNER)
    ledger = Ledger(tmp_path / "simulator.db")
    with ledger.writing() as desk:
        for openid in (LI, OWNER):
            put_follower(desk, ledger.now(desk), openid=openid, is_following=True)
    with serving(app, port=settings.port) as url:
        yield Site(
            url=url,
            folder=tmp_path,
            database=sqlite_database,
            companies=district.companies,
            tokens=tokens,
        )
    services_of(app).dispatcher.close()
    services_of(app).database.dispose()


def enter(page: Page, site: Site, path: str, openid: str = LI) -> None:
    """Open a page inside the WeChat of somebody."""
    page.goto(f"{site.url}/simulator/phone/open?openid={openid}&url={path}")
    expect(page.get_by_role("heading", level=1)).to_be_visible()


def look(page: Page, name: str) -> None:
    """Look at the page in every size for what nobody could use; end with the smallest."""
    for width, height in reversed(SIZES):
        page.set_viewport_size({"width": width, "height": height})
        if folder := os.environ.get("SHOTS"):
            page.screenshot(path=f"{folder}/registration-{name}-{width}.png", full_page=True)
        scrolled = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert scrolled <= 0, f"{page.url} scrolls sideways at {width}"
        assert page.evaluate(SMALL_TARGETS) == []
        found = Axe().run(page)
        assert found.violations_count == 0, found.generate_report()


def register(page: Page, site: Site, company: int = 0, openid: str = LI) -> None:
    """Register somebody who stayed in Shanghai and is well; what is known is not typed."""
    enter(page, site, f"/h5/c/{site.tokens[company]}/register", openid)
    if not company:
        page.get_by_label("姓名").fill("张三")
        page.get_by_label("证件号码").fill(NUMBERS[0])
        page.get_by_label("手机号码").fill("13800000001")
        page.get_by_label("居住小区").fill("田林12村")
    page.get_by_label("一直在上海").check()
    page.get_by_label("绿色").check()
    page.get_by_label("没有不适").check()
    page.get_by_label("我已看过说明").check()
    page.get_by_role("button", name="提交登记").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("登记回执")


def test_employee_registers_on_a_small_phone(page: Page, site: Site) -> None:
    page.set_viewport_size({"width": 320, "height": 640})
    enter(page, site, f"/h5/c/{site.tokens[0]}/register")
    expect(page.get_by_text("上海第1有限公司")).to_be_visible()
    look(page, "empty")

    page.get_by_label("姓名").fill("张三")
    page.get_by_label("证件号码").fill(NUMBERS[0].replace(NUMBERS[0][5], " " + NUMBERS[0][5], 1))
    page.get_by_label("手机号码").fill("13800000001")
    page.get_by_label("居住小区").fill("古美小区")
    expect(page.get_by_label("去过的地方")).to_be_hidden()
    page.get_by_label("离开过上海").check()
    page.get_by_label("去过的地方").fill("江苏昆山")
    page.get_by_label("返沪交通工具").select_option("火车、高铁")
    page.get_by_role("button", name="提交登记").click()

    faults = page.get_by_role("alert")
    expect(faults).to_be_focused()
    expect(faults).to_contain_text("处需要修改")
    expect(page.get_by_label("姓名")).to_have_value("张三")
    look(page, "faults")
    faults.get_by_role("link", name="身体不适").click()
    expect(page.locator("#f-symptoms")).to_be_focused()
    page.get_by_role("radio", name="古美小区 田林街道").first.check()
    page.get_by_label("返沪日期").fill((day_of(datetime.now(UTC)) - timedelta(days=2)).isoformat())
    page.get_by_label("绿色").check()
    page.get_by_label("没有不适").check()
    page.get_by_label("我已看过说明").check()
    page.get_by_role("button", name="提交登记").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("登记回执")
    expect(page.get_by_role("status")).to_contain_text("登记已经收到")
    page.get_by_text("我填写的全部内容").click()
    expect(page.get_by_text("去过江苏昆山")).to_be_visible()
    look(page, "receipt")


def test_next_company_knows_them_and_they_correct_and_end_it(page: Page, site: Site) -> None:
    register(page, site)
    enter(page, site, f"/h5/c/{site.tokens[1]}/register")
    expect(page.get_by_text("您以前登记过")).to_be_visible()
    expect(page.get_by_label("居住小区")).to_have_value("田林十二村")
    look(page, "known")
    register(page, site, 1)
    page.get_by_role("link", name="我的全部登记").click()
    expect(page.locator(".cell")).to_have_count(2)
    look(page, "list")

    page.locator(".cell").first.click()
    page.get_by_role("link", name="修改登记").click()
    expect(page.get_by_label("一直在上海")).to_be_checked()
    look(page, "correct")
    page.get_by_label("今天的体温").fill("36.8")
    page.get_by_role("button", name="保存修改").click()
    expect(page.get_by_role("status")).to_contain_text("修改已经保存")
    page.get_by_role("link", name="结束登记").click()
    look(page, "end")
    page.get_by_role("button", name="结束登记").click()
    expect(page.get_by_role("status")).to_contain_text("登记已经结束")
    look(page, "ended")


def test_form_is_filled_in_with_the_keyboard_alone(page: Page, site: Site) -> None:
    enter(page, site, f"/h5/c/{site.tokens[0]}/register")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="跳到正文")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_label("姓名")).to_be_focused()
    page.keyboard.type("张三")
    page.keyboard.press("Tab")  # kind of document
    page.keyboard.press("Tab")
    page.keyboard.type(NUMBERS[0])
    page.keyboard.press("Tab")
    page.keyboard.type("13800000001")
    page.keyboard.press("Tab")
    page.keyboard.type("田林十二村")
    # Enter sends the form, it does not only look the community up.
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("有 4 处需要修改")
    page.get_by_label("一直在上海").focus()
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    expect(page.get_by_label("绿色")).to_be_focused()
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    expect(page.get_by_label("没有不适")).to_be_focused()
    page.keyboard.press("Space")
    page.get_by_label("我已看过说明").focus()
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("登记回执")


def test_owner_enters_somebody_without_a_phone(page: Page, site: Site) -> None:
    enter(page, site, f"/h5/company/{site.companies[0]}/enter", OWNER)
    look(page, "other")
    page.get_by_label("姓名").fill("王奶奶")
    page.get_by_label("证件号码").fill(NUMBERS[1])
    page.get_by_label("手机号码").fill("13900000002")
    page.get_by_label("居住小区").fill("浦东新区张江路1号")
    page.get_by_label("不住在").check()
    page.get_by_label("一直在上海").check()
    page.get_by_label("没有申领").check()
    page.get_by_label("没有不适").check()
    page.get_by_label("员工本人已经知道").check()
    page.get_by_role("button", name="提交登记").click()
    expect(page.get_by_role("status")).to_contain_text("已录入")
    expect(page.get_by_label("姓名")).to_have_value("")
    look(page, "entered")
