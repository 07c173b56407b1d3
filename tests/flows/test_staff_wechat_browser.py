"""Somebody of the staff binds their WeChat account, hears, and lets it go."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from core.clock import day_of
from core.codes.account import MadeCode, keep_account_code
from core.db import Database
from core.notices.model import Notice
from core.people.staff.rules import Role
from core.risk.alerting import alert_held
from tests.console_site import Site, look, open_site
from tests.handlers.chat.conftest import Talk

pytestmark = pytest.mark.browser

FOLDER = os.environ.get("SHOTS", "")


@pytest.fixture
def site(sqlite_database: Database, serve: Callable[[Any], str], tmp_path: Path) -> Iterator[Site]:
    with open_site(sqlite_database, serve, tmp_path) as site:
        yield site


def test_reviewer_binds_wechat_by_a_code_hears_of_a_held_day_and_unbinds(
    page: Page, site: Site
) -> None:
    database, now = site.district.database, datetime.now(UTC)
    with database.transaction() as session:
        made = MadeCode(address="http://weixin.qq.com/q/02x7aBcDeFgHiJk")
        keep_account_code(session, made=made, now=now)
    site.sign_in(page, Role.DISTRICT_REVIEWER)
    page.goto(f"{site.url}/console/")
    expect(page.get_by_text("还没有绑定微信")).to_have_count(1)
    page.get_by_role("link", name="绑定微信").click()
    see(page, "unbound")
    page.get_by_role("button", name="获取绑定码").click()
    see(page, "code")
    phone = Talk(database, datetime.now(UTC))
    assert phone.first_line(page.locator(".sent").inner_text()).startswith("已绑定工作台账号")
    page.get_by_role("link", name="我已经发送").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("微信已经绑定")
    see(page, "bound")
    with database.transaction() as session:
        day = day_of(now) - timedelta(days=1)
        alert_held(session, day=day, cause="jump", count=120, now=now)
    with database.reading() as session:
        notice = session.scalars(select(Notice)).one()
        link = notice.link
        assert notice.openid == phone.openid
    page.goto(site.url + link)
    expect(page.get_by_role("heading", level=1)).to_have_text("发布")
    page.goto(f"{site.url}/console/wechat")
    page.get_by_role("button", name="解除绑定").click()
    expect(page.get_by_role("status")).to_contain_text("已解除绑定")
    see(page, "let-go")


def see(page: Page, name: str) -> None:
    """Look at the page in both widths; keep pictures where somebody wants them."""
    look(page)
    for width in (320, 1280) if FOLDER else ():
        page.set_viewport_size({"width": width, "height": 800})
        page.screenshot(path=f"{FOLDER}/staff-wechat-{name}-{width}.png", full_page=True)
