"""An owner with a small phone: a hundred people in one decision, the exceptions apart, undone."""

from __future__ import annotations

import os
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
from core.registration.rules import Flag
from tests.core.resumption.approval.conftest import Office

pytestmark = pytest.mark.browser

SIZES = [(320, 640), (1280, 800)]
LOOK: tuple[tuple[Flag, ...], ...] = (
    (Flag.KEY_AREA,),
    (Flag.NO_HEALTH_CODE, Flag.PHONE_OTHER_NAME),
    (Flag.ABOVE_HEAD_COUNT,),
)
SMALL_TARGETS = """() => [...document.querySelectorAll(
  "main button:not(.unseen), .bar button, .button, .cell, .choices label, summary, .pick label")]
  .filter((one) => one.checkVisibility() && one.getBoundingClientRect().height < 44)
  .map((one) => one.outerHTML)"""


@dataclass(kw_only=True)
class Site:
    """The running product with one company; one browser is handed from person to person."""

    url: str
    database: Database
    page: Page
    company_id: int

    def become(self, who: str) -> None:
        """Hand the phone to somebody who acts for the company."""
        session = new_session(openid=f"o-{who}-{self.company_id}", now=datetime.now(UTC))
        url = self.url + COOKIE_PATH
        self.page.context.add_cookies([{"name": COOKIE, "value": session.sealed(), "url": url}])

    def open(self, below: str) -> None:
        self.page.goto(f"{self.url}/h5/company/{self.company_id}/{below}")

    def look(self, name: str) -> None:
        """Look at the page in every size for what nobody could use; end with the smallest."""
        for width, height in reversed(SIZES):
            self.page.set_viewport_size({"width": width, "height": height})
            if folder := os.environ.get("SHOTS"):
                path = f"{folder}/sheet-{name}-{width}.png"
                self.page.screenshot(path=path, full_page=True)
            scrolled = self.page.evaluate("document.documentElement.scrollWidth - innerWidth")
            assert scrolled <= 0, f"{name} scrolls sideways at {width}"
            assert self.page.evaluate(SMALL_TARGETS) == []
            found = Axe().run(self.page)
            assert found.violations_count == 0, found.generate_report()

    def says(self, text: str) -> None:
        expect(self.page.get_by_role("heading", level=1)).to_have_text(text)

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).click()


@pytest.fixture
def site(
    sqlite_database: Database, serve: Callable[[Any], str], tmp_path: Path, page: Page
) -> Iterator[Site]:
    app = create_app(
        Settings.from_env(
            database_url=sqlite_database.url.render_as_string(hide_password=False),
            instance_dir=tmp_path / "instance",
            public_url="https://hzl.example.gov.cn",
            log_level="error",
        )
    )
    with sqlite_database.transaction() as session:
        office = Office(session=session, now=datetime.now(UTC))
        for number in range(104):
            department = "生产部" if number % 2 else "销售部"
            office.add(name="张三丰"[: 2 + number % 2], department=department)
        for flags in LOOK:
            office.add(flags, name="阿依古丽·吐尔逊", department="生产部")
        office.add((Flag.FEVER, Flag.SYMPTOMS), name="李四")
    site = Site(url=serve(app), database=sqlite_database, page=page, company_id=office.company_id)
    site.become("owner")
    yield site
    services_of(app).dispatcher.close()
    services_of(app).database.dispose()


def test_owner_approves_a_group_and_takes_it_back_and_tells_the_people(site: Site) -> None:
    page = site.page
    site.open("sheet")
    site.says("员工登记名单")
    expect(page.get_by_role("navigation", name="按情况分组")).to_contain_text("可以通过104 人")
    expect(page.get_by_role("row")).to_have_count(51)
    site.look("list")
    page.get_by_label("全选这一组").check()
    site.press("通过")
    site.says("通过 104 人，请核对")
    digest = page.locator("dt:has-text('名单核对码') + dd .figure").inner_text()
    assert len(digest) == 8
    site.look("prepared")
    site.press("确认通过 104 人")
    expect(page.get_by_role("status")).to_have_text("已通过 104 人。")
    expect(page.get_by_text(digest)).to_be_visible()
    site.look("applied")
    page.reload()
    site.says("已通过 104 人")
    site.press("撤销这次审批")
    expect(page.get_by_role("status")).to_contain_text("已撤销 104 人")
    site.look("undone")
    page.get_by_role("link", name="回到名单").click()
    page.get_by_label("全选这一组").check()
    site.press("通过")
    site.press("确认通过 104 人")
    site.press("现在就通知员工")
    expect(page.get_by_role("heading", name="通知进度")).to_be_visible()
    expect(page.locator("dt:has-text('等待发送') + dd")).to_contain_text("104 人")
    expect(page.get_by_role("button", name="撤销这次审批")).to_have_count(0)
    site.look("released")


def test_owner_looks_at_exceptions_and_sends_one_back_with_a_reason(site: Site) -> None:
    page = site.page
    site.open("sheet")
    page.get_by_role("link", name="需要看一看").click()
    expect(page.get_by_role("row")).to_have_count(4)
    site.look("look")
    site.press("退回修改")
    expect(page.get_by_role("alert")).to_contain_text("没有选到")
    page.get_by_role("link", name="阿**").first.click()
    expect(page.get_by_text("近 14 天到过重点地区")).to_be_visible()
    site.look("row")
    site.press("查看姓名、电话和填写内容")
    site.says("阿依古丽·吐尔逊")
    site.look("read")
    site.press("退回修改")
    site.says("退回修改：写明原因")
    site.look("reason")
    site.press("下一步，核对名单")
    expect(page.get_by_role("alert")).to_contain_text("请写明原因")
    page.get_by_label("行程填写不完整").check()
    page.get_by_label("其他原因或补充说明").fill("谢谢！")
    site.press("下一步，核对名单")
    site.says("退回修改 1 人，请核对")
    expect(page.get_by_text("返沪日期。 谢谢！")).to_be_visible()
    site.press("确认退回修改 1 人")
    expect(page.get_by_role("status")).to_have_text("已退回 1 人。")


def test_who_cannot_pass_is_named_and_left_out_of_everybody(site: Site) -> None:
    page = site.page
    site.open("sheet?group=any")
    page.get_by_label("全选筛选出的人").check()
    site.press("通过")
    site.says("通过 107 人，请核对")
    row = page.get_by_role("row").nth(1)
    expect(row).to_contain_text("李*")
    expect(row).to_contain_text("不能通过：发热、身体不适")
    site.press("确认通过 107 人")
    expect(page.get_by_role("heading", name="没有处理的 1 人")).to_be_visible()
    site.look("partly")


def test_manager_finds_somebody_by_name_and_sees_no_other_department(site: Site) -> None:
    page = site.page
    site.become("manager生产部")
    site.open("sheet")
    expect(page.get_by_role("navigation", name="按情况分组")).to_contain_text("可以通过52 人")
    page.get_by_text("筛选和查找").click()
    page.get_by_label("找一个人").fill("阿依古丽吐尔逊")
    site.press("查找")
    expect(page.get_by_role("heading", name="找到 3 份登记")).to_be_visible()
    site.look("found")
    page.get_by_text("筛选和查找").click()
    page.get_by_label("找一个人").fill("李四")
    site.press("查找")
    expect(page.get_by_role("heading", name="没有找到“李四”")).to_be_visible()
    site.look("empty")


def test_filler_sees_the_sheet_and_is_offered_no_decision(site: Site) -> None:
    site.become("filler")
    site.open("sheet?group=look")
    expect(site.page.get_by_role("row")).to_have_count(4)
    expect(site.page.get_by_role("checkbox")).to_have_count(0)
    expect(site.page.get_by_role("button", name="通过")).to_have_count(0)
    site.look("filler")
