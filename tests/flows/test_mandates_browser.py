"""An owner with a small phone: proof, one filler invited and confirmed, a company handed over."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from bot.app import create_app
from bot.h5 import COOKIE, COOKIE_PATH
from bot.h5_cookies import new_session
from bot.services import services_of
from bot.settings import Settings
from core.db import Database
from tests.core.mandates.conftest import CODES, LI, NUMBERS, OWNERS, PDF, WANG, District

pytestmark = pytest.mark.browser

SIZES = [(320, 640), (1280, 800)]
PUBLIC_URL = "https://hzl.example.gov.cn"
SMALL_TARGETS = """() => [...document.querySelectorAll(
  "main button:not(.unseen), .button, .cell, .choices label, summary")]
  .filter((one) => one.getBoundingClientRect().height < 44).map((one) => one.outerHTML)"""


@dataclass(kw_only=True)
class Site:
    """The running product with three companies; one browser is handed from person to person."""

    url: str
    database: Database
    page: Page

    def become(self, openid: str) -> None:
        """Hand the phone to somebody who is signed in."""
        session = new_session(openid=openid, now=datetime.now(UTC))
        url = self.url + COOKIE_PATH
        self.page.context.add_cookies([{"name": COOKIE, "value": session.sealed(), "url": url}])

    def register(self, *owners: int) -> None:
        with self.database.transaction() as session:
            District(session=session, now=datetime.now(UTC)).register(*owners)

    def open(self, path: str) -> None:
        self.page.goto(self.url + path)
        expect(self.page.get_by_role("heading", level=1)).to_be_visible()

    def look(self, name: str) -> None:
        """Look at the page in every size for what nobody could use; end with the smallest."""
        for width, height in reversed(SIZES):
            self.page.set_viewport_size({"width": width, "height": height})
            if folder := os.environ.get("SHOTS"):
                path = f"{folder}/mandates-{name}-{width}.png"
                self.page.screenshot(path=path, full_page=True)
            scrolled = self.page.evaluate("document.documentElement.scrollWidth - innerWidth")
            assert scrolled <= 0, f"{name} scrolls sideways at {width}"
            assert self.page.evaluate(SMALL_TARGETS) == []
            found = Axe().run(self.page)
            assert found.violations_count == 0, found.generate_report()

    def says(self, text: str | re.Pattern[str]) -> None:
        expect(self.page.get_by_role("heading", level=1)).to_have_text(text)


@pytest.fixture
def site(
    sqlite_database: Database, serve: Callable[[Any], str], tmp_path: Path, page: Page
) -> Iterator[Site]:
    app = create_app(
        Settings.from_env(
            database_url=sqlite_database.url.render_as_string(hide_password=False),
            instance_dir=tmp_path / "instance",
            public_url=PUBLIC_URL,
            log_level="error",
        )
    )
    site = Site(url=serve(app), database=sqlite_database, page=page)
    site.register(WANG, WANG, LI)
    page.set_viewport_size({"width": 320, "height": 640})
    yield site
    services_of(app).dispatcher.close()
    services_of(app).database.dispose()


def prove(site: Site, openid: str, owner: int) -> None:
    site.become(openid)
    site.open("/h5/owner")
    site.page.get_by_label("姓名").fill(OWNERS[owner])
    site.page.get_by_label("证件号码").fill(NUMBERS[owner])
    site.page.get_by_role("button", name="核验身份").click()
    expect(site.page.get_by_role("status")).to_contain_text("已核验")


def test_owner_proves_names_a_filler_and_hands_over_to_the_next_owner(site: Site) -> None:
    page = site.page
    site.become("o-wang")
    site.open("/h5/owner")
    site.look("form")
    page.get_by_label("姓名").fill("王1")
    page.get_by_role("button", name="核验身份").click()
    expect(page.get_by_role("alert")).to_contain_text("有 2 处需要修改")
    expect(page.get_by_label("姓名")).to_have_value("王1")
    site.look("faults")
    prove(site, "o-wang", WANG)
    site.look("proved")
    page.get_by_role("link", name="上海第1有限公司").click()
    expect(page.get_by_role("heading", name="下一步：提交备案")).to_be_visible()
    site.look("company")

    page.get_by_role("link", name="授权人员").click()
    site.says("授权人员")
    page.get_by_label("经办人").check()
    page.get_by_label("姓名").fill("张敏")
    page.get_by_label("手机号码").fill("13800000001")
    page.get_by_role("button", name="生成邀请").click()
    site.says("邀请经办人")
    site.look("invited")
    link = page.locator("#address").inner_text()
    assert link.startswith(f"{PUBLIC_URL}/h5/mandate/")

    site.become("o-zhang")
    site.open(link.removeprefix(PUBLIC_URL))
    site.says("请您确认担任经办人")
    page.get_by_label("您的姓名").fill("张三")
    page.get_by_role("button", name="确认担任").click()
    expect(page.get_by_role("alert")).to_contain_text("填写的不一致")
    site.look("invitation")
    page.get_by_label("您的姓名").fill("张敏")
    page.get_by_role("button", name="确认担任").click()
    expect(page.get_by_role("status")).to_have_text("已确认担任经办人。")
    page.get_by_text("不再担任经办人").click()
    site.look("filler")

    site.become("o-wang")
    site.open("/h5/company/1/people")
    expect(page.get_by_role("button", name="结束授权：张*")).to_be_visible()
    site.look("people")

    site.register(LI, WANG)
    site.open("/h5/company/1")
    site.says(re.compile("法人已经变更"))
    prove(site, "o-li", LI)
    page.get_by_role("link", name="待确认接手").click()
    site.says("您是新法人，请确认接手")
    site.look("takeover")
    page.get_by_role("button", name="确认接手").click()
    expect(page.get_by_role("status")).to_contain_text("已接手")


def test_form_is_filled_and_sent_by_the_keyboard_alone(site: Site) -> None:
    page = site.page
    site.become("o-wang")
    site.open("/h5/owner")
    page.get_by_label("姓名").focus()
    page.keyboard.type("王伟")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.type(NUMBERS[WANG])
    page.keyboard.press("Enter")
    site.says("请选择要办理的单位")


def test_pair_that_does_not_match_leads_to_a_claim_with_a_licence(
    site: Site, tmp_path: Path
) -> None:
    page = site.page
    licence = tmp_path / "执照.pdf"
    licence.write_bytes(PDF)
    site.become("o-chen")
    site.open("/h5/owner")
    page.get_by_label("姓名").fill(OWNERS[3])
    page.get_by_label("证件号码").fill(NUMBERS[3])
    page.get_by_role("button", name="核验身份").click()
    expect(page.get_by_role("alert")).to_contain_text("没有核对上")
    site.look("refused")
    page.get_by_role("alert").get_by_role("link", name="提交营业执照").click()
    site.says("申报单位")
    site.look("claim")
    page.get_by_label("统一社会信用代码").fill(CODES[3])
    page.get_by_label("单位名称").fill("上海新设有限公司")
    page.get_by_label("所在街镇").select_option(label="徐家汇街道")
    page.get_by_label("经营地址").fill("漕溪北路8号")
    page.get_by_label("法人姓名").fill(OWNERS[3])
    page.get_by_label("证件号码").fill(NUMBERS[3])
    page.get_by_label("营业执照").set_input_files(licence)
    page.get_by_role("button", name="提交申报").click()
    site.says("我申报的单位")
    expect(page.get_by_role("status")).to_contain_text("申报已经收到")
    site.look("claims")


def test_second_phone_waits_and_the_first_one_stops_it(site: Site) -> None:
    page = site.page
    prove(site, "o-wang", WANG)
    site.become("o-new")
    site.open("/h5/owner")
    page.get_by_label("姓名").fill(OWNERS[WANG])
    page.get_by_label("证件号码").fill(NUMBERS[WANG])
    page.get_by_role("button", name="核验身份").click()
    expect(page.get_by_role("heading", name="还要等一等")).to_be_visible()
    site.look("waiting")

    site.become("o-wang")
    site.open("/h5/owner")
    page.get_by_role("link", name="上海第1有限公司").click()
    expect(page.get_by_role("heading", name="有人用另一个微信号申请办理")).to_be_visible()
    site.look("asked")
    page.get_by_role("button", name="不是我").click()
    expect(page.get_by_role("status")).to_contain_text("已经停止")
    expect(page.get_by_role("heading", name="有人用另一个")).to_have_count(0)
