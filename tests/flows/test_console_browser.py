"""Somebody of the staff in front of a browser, with the whole product behind it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import pyotp
import pytest
from flask import Flask
from PIL import Image
from playwright.sync_api import Page, expect
from pyzbar.pyzbar import decode

from bot.app import create_app
from bot.services import services_of
from bot.settings import Settings
from core.db import Database
from core.people.staff.rules import Role
from core.people.staff.secrets import hash_password
from core.people.staff.service import NewStaff, add_account, disable_account, get_account
from core.places.model import Community, Street

pytestmark = pytest.mark.browser

ONCE = "once-only-pass-word"
OWN = "树上的灯 kites and rivers"
SIZES = [(390, 844), (1280, 800)]

# What every page must have, asked of the page itself.
FAULTS_OF_A_PAGE = """() => {
  const faults = [];
  const named = (one) => one.labels?.length || one.ariaLabel || one.textContent.trim();
  for (const one of document.querySelectorAll(
    "input:not([type=hidden]):not([aria-hidden]), select, button, a, svg[role=img]")) {
    if (!named(one)) faults.push("no name: " + one.outerHTML.slice(0, 80));
  }
  const ids = [...document.querySelectorAll("[id]")].map((one) => one.id);
  if (new Set(ids).size !== ids.length) faults.push("an id twice");
  for (const one of document.querySelectorAll("[aria-describedby], [aria-labelledby]")) {
    const wanted = (one.getAttribute("aria-describedby") || "") + " " +
      (one.getAttribute("aria-labelledby") || "");
    for (const id of wanted.split(" ").filter(Boolean)) {
      if (!document.getElementById(id)) faults.push("points nowhere: " + id);
    }
  }
  if (document.querySelectorAll("h1").length !== 1) faults.push("one h1 is needed");
  if (document.documentElement.lang !== "zh-CN") faults.push("no language");
  if (document.documentElement.scrollWidth > innerWidth) faults.push("scrolls sideways");
  for (const one of document.querySelectorAll("main *:not(thead *)")) {
    const box = one.getBoundingClientRect();
    if (box.width > 1 && box.right > innerWidth + 1) faults.push("sticks out: " + one.tagName);
  }
  return faults;
}"""


class Site:
    """The running product."""

    def __init__(self, app: Flask, url: str, database: Database) -> None:
        self.app, self.url, self.database = app, url, database

    def add(self, role: Role, **area: Any) -> None:
        with self.database.transaction() as session:
            staff = NewStaff(name="wang", role=role, display_name="王静", **area)
            add_account(
                session, staff=staff, password_hash=hash_password(ONCE), now=datetime.now(UTC)
            )


@pytest.fixture
def site(sqlite_database: Database, serve: Callable[[Any], str], tmp_path: Path) -> Iterator[Site]:
    address = sqlite_database.url.render_as_string(hide_password=False)
    settings = Settings.from_env(
        database_url=address, instance_dir=tmp_path / "instance", log_level="error"
    )
    app = create_app(settings)
    now = datetime.now(UTC)
    with sqlite_database.transaction() as session:
        for number, name in ((1, "田林街道"), (2, "凌云路街道")):
            session.add(Street(id=number, code=f"31010400{number}", name=name))
        session.flush()
        for number in range(1, 61):
            session.add(
                Community(
                    code=f"C{number:02}",
                    name=f"{'田林' if number <= 40 else '梅陇'}{number}村",
                    street_id=1 if number <= 40 else 2,
                    changed_at=now,
                )
            )
    yield Site(app, serve(app), sqlite_database)
    services_of(app).dispatcher.close()
    services_of(app).database.dispose()


def look(page: Page) -> None:
    """Look at the page in both sizes for what nobody could use."""
    for width, height in SIZES:
        page.set_viewport_size({"width": width, "height": height})
        assert page.evaluate(FAULTS_OF_A_PAGE) == [], page.url


def sign_in(page: Page, password: str) -> None:
    page.get_by_label("登录名").fill("wang")
    page.get_by_label("密码", exact=True).fill(password)
    page.keyboard.press("Enter")


def choose_password(page: Page, password: str) -> None:
    page.get_by_label("新密码", exact=True).fill(password)
    page.get_by_label("再输入一次新密码").fill(password)
    page.get_by_role("button", name="保存").click()


def test_administrator_comes_in_for_the_first_time_and_again(page: Page, site: Site) -> None:
    site.add(Role.ADMINISTRATOR)
    page.goto(f"{site.url}/console/audit")
    expect(page.get_by_role("heading", level=1)).to_have_text("登录")
    look(page)
    sign_in(page, "not the password")
    expect(page.get_by_role("alert")).to_contain_text("登录名或密码不正确")
    expect(page.get_by_label("登录名")).to_have_value("wang")
    expect(page.get_by_label("密码", exact=True)).to_be_focused()
    look(page)
    sign_in(page, ONCE)
    expect(page.get_by_role("heading", level=1)).to_have_text("设置自己的密码")
    choose_password(page, "short")
    expect(page.get_by_role("alert")).to_contain_text("至少要 12 个字符")
    look(page)
    choose_password(page, OWN)
    expect(page.get_by_role("heading", level=1)).to_have_text("绑定验证器")
    look(page)
    secret = page.locator(".secret").inner_text().replace(" ", "")
    drawn = page.locator(".qr").screenshot()
    with Image.open(BytesIO(drawn)) as picture:
        (found,) = decode(picture)
    assert pyotp.parse_uri(found.data.decode()).secret == secret
    page.get_by_label("验证码").fill(pyotp.TOTP(secret).now())
    page.get_by_role("button", name="绑定").click()
    recovery_code = page.locator(".codes li").first.inner_text()
    look(page)
    page.get_by_role("link", name="我已保存").click()
    expect(page).to_have_url(f"{site.url}/console/audit")
    expect(page.get_by_role("row")).to_have_count(6)
    look(page)
    page.get_by_role("button", name="退出").click()
    sign_in(page, OWN)
    expect(page.get_by_role("heading", level=1)).to_have_text("输入验证码")
    look(page)
    page.get_by_label("验证码或恢复码").fill(recovery_code)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("您好，王静")
    look(page)


def test_street_officer_finds_the_communities_of_the_street_alone(page: Page, site: Site) -> None:
    site.add(Role.STREET_OFFICER, street="田林街道")
    page.goto(f"{site.url}/console/")
    sign_in(page, ONCE)
    choose_password(page, OWN)
    expect(page.get_by_text("责任区域", exact=True)).to_be_visible()
    look(page)
    page.get_by_role("link", name="暂无数据").click()
    expect(page.locator("#list").get_by_role("status")).to_contain_text("找到 40 个")
    look(page)
    page.get_by_role("link", name="下一页").click()
    expect(page.locator("#list tbody tr")).to_have_count(15)
    page.get_by_label("小区名称、别名或编号").fill("梅陇")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="没有符合条件的小区")).to_be_visible()
    expect(page.get_by_label("小区名称、别名或编号")).to_have_value("梅陇")
    look(page)
    page.get_by_label("小区名称、别名或编号").fill("田林7村")
    page.get_by_role("button", name="查找").click()
    expect(page.locator("#list tbody th")).to_have_text(["田林7村"])
    page.goto(f"{site.url}/console/audit")
    expect(page.get_by_role("heading", level=1)).to_have_text("这个页面不在您的权限范围内")
    look(page)


def test_keyboard_leads_past_the_navigation_and_through_the_form(page: Page, site: Site) -> None:
    site.add(Role.AUDITOR)
    page.goto(f"{site.url}/console/sign-in")
    expect(page.get_by_label("登录名")).to_be_focused()
    page.keyboard.type("wang")
    page.keyboard.press("Tab")
    page.keyboard.type(ONCE)
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="登录")).to_be_focused()
    page.keyboard.press("Space")
    choose_password(page, OWN)
    page.goto(f"{site.url}/console/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="跳到正文")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("main")).to_be_focused()


def test_account_that_is_disabled_meanwhile_is_asked_to_sign_in(page: Page, site: Site) -> None:
    site.add(Role.AUDITOR)
    page.goto(f"{site.url}/console/")
    sign_in(page, ONCE)
    choose_password(page, OWN)
    with site.database.transaction() as session:
        assert not get_account(session, name="wang").must_change
        disable_account(session, name="wang", now=datetime.now(UTC))
    page.get_by_role("link", name="小区风险", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("登录")
    expect(page.get_by_text("请先登录，然后继续刚才的页面")).to_be_visible()
