"""Community risk in a browser: the map, what stands in for it, and an address that is placed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from core.db import Database
from core.people.staff.rules import Role
from tests.console_site import Site, open_site
from tests.handlers.console.risk_cases import fill_risk

pytestmark = pytest.mark.browser

# Where a community is drawn, asked of the chart itself.
PIXEL_OF = """([longitude, latitude]) => {
  const place = document.querySelector(".map-place");
  const [x, y] = echarts.getInstanceByDom(place).convertToPixel("grid", [longitude, latitude]);
  const box = place.getBoundingClientRect();
  return [box.x + x, box.y + y];
}"""
DRAWN = """() => echarts.getInstanceByDom(document.querySelector(".map-place"))
  .getOption().series.flatMap((one) => one.data).filter((one) => one.id)
  .map((one) => one.id).sort()"""


@pytest.fixture
def site(sqlite_database: Database, serve: Callable[[Any], str], tmp_path: Path) -> Iterator[Site]:
    """Three communities: red, yellow and blue."""
    with open_site(sqlite_database, serve, tmp_path) as site:
        fill_risk(site.district)
        yield site


@pytest.mark.parametrize("width", [320, 1280])
def test_map_is_drawn_of_my_communities_and_a_point_leads_to_its_page(
    page: Page, site: Site, width: int
) -> None:
    told: list[str] = []
    page.on("console", lambda message: told.append(message.text))
    page.set_viewport_size({"width": width, "height": 900})
    site.sign_in(page, Role.STREET_OFFICER)
    page.goto(f"{site.url}/console/risk")
    expect(page.locator(".map-place canvas")).to_be_visible()
    assert page.evaluate(DRAWN) == [1, 2]
    key = page.get_by_role("button", name="红色")
    key.focus()
    page.keyboard.press("Space")
    expect(key).to_have_attribute("aria-pressed", "false")
    assert page.evaluate(DRAWN) == [2]
    key.click()
    page.locator(".map-place").scroll_into_view_if_needed()
    page.mouse.click(*page.evaluate(PIXEL_OF, [121.41, 31.2]))
    expect(page).to_have_url(re.compile(r"/console/risk/community/1$"))
    expect(page.get_by_role("heading", level=1)).to_have_text("名A1")
    assert told == [], "no style or script was refused"


def test_map_that_cannot_be_had_leaves_the_table(page: Page, site: Site) -> None:
    site.sign_in(page, Role.AUDITOR)
    page.route("**/console/risk/points*", lambda route: route.fulfill(status=503, body=""))
    page.goto(f"{site.url}/console/risk")
    expect(page.get_by_text("地图没有加载出来")).to_be_visible()
    expect(page.locator(".map-place")).to_be_hidden()
    expect(page.locator("#list").get_by_role("link", name="名A1")).to_be_visible()


def test_everything_but_the_map_is_there_without_scripts(browser: Browser, site: Site) -> None:
    context = browser.new_context(java_script_enabled=False, viewport={"width": 390, "height": 844})
    page = context.new_page()
    site.sign_in(page, Role.STREET_OFFICER)
    page.goto(f"{site.url}/console/risk")
    expect(page.locator(".map")).to_be_hidden()
    page.get_by_role("combobox", name="风险等级").select_option("red")
    page.get_by_role("button", name="查找").click()
    page.locator("#list").get_by_role("link", name="名A1").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("名A1")
    page.goto(f"{site.url}/console/risk/unplaced")
    page.get_by_label("不是，换一个小区").fill("名A1")
    page.get_by_role("button", name="查找").click()
    page.get_by_role("button", name="名A1").click()
    expect(page.get_by_text("已落实，从下一次夜间计算起计入")).to_be_visible()
    context.close()
