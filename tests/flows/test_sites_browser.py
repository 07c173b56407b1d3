"""The sites of a district in a browser: the map, a site, an invitation; narrow and wide, by axe."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from core.db import Database
from core.people.staff.rules import Role
from tests.console_site import Site, look, open_site
from tests.sites import NAMES, sites_of

pytestmark = pytest.mark.browser
PATH = "/console/sites"


@pytest.fixture
def site(sqlite_database: Database, serve: Callable[[Any], str], tmp_path: Path) -> Iterator[Site]:
    with open_site(sqlite_database, serve, tmp_path) as site:
        yield site


def test_supervisor_finds_a_site_on_the_map_and_invites_who_reports(page: Page, site: Site) -> None:
    found = sites_of(site.district)
    found.report(90, days_ago=1)
    found.report(150, 2)
    site.sign_in(page, Role.SITE_SUPERVISOR)
    found.watch("wang")
    page.goto(f"{site.url}{PATH}")
    expect(page.locator(".map-place canvas")).to_be_visible()
    key = page.get_by_role("button", name="有人待核查")
    key.click()
    expect(key).to_have_attribute("aria-pressed", "false")
    look(page)
    page.get_by_label("监管人").select_option("1")
    page.get_by_role("button", name="查找").click()
    expect(page.get_by_role("region", name="工地列表").get_by_role("row")).to_have_count(2)
    page.get_by_role("region", name="工地列表").get_by_role("link", name=NAMES[0]).click()
    expect(page.get_by_text("人数变化很大").first).to_be_visible()
    look(page)
    page.get_by_label("姓名").fill("钱工")
    page.get_by_label("手机号码").fill("13917000002")
    page.get_by_role("button", name="生成邀请").click()
    expect(page.locator("#address")).to_contain_text("/h5/sites/join/")
    look(page)
