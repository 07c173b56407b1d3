"""Community risk in a browser: the map, what stands in for it, and an address that is placed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, expect

from bot.app import create_app
from bot.console import COOKIE
from bot.services import services_of
from bot.settings import Settings
from core.db import Database
from core.people.staff.rules import Role
from tests.console import District, district_of, token_for
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


@dataclass(kw_only=True)
class Site:
    """The running product with three communities: red, yellow and blue."""

    app: Flask
    url: str
    district: District

    def sign_in(self, page: Page, role: Role) -> None:
        token = token_for(self.district.database, role)
        cookie = {"name": COOKIE, "value": token, "url": f"{self.url}/console"}
        page.context.add_cookies([cookie])  # type: ignore[list-item]


@pytest.fixture
def site(sqlite_database: Database, serve: Callable[[Any], str], tmp_path: Path) -> Iterator[Site]:
    address = sqlite_database.url.render_as_string(hide_password=False)
    settings = Settings.from_env(
        database_url=address, instance_dir=tmp_path / "instance", log_level="error"
    )
    app = create_app(settings)
    district = district_of(app)
    fill_risk(district)
    yield Site(app=app, url=serve(app), district=district)
    services_of(app).dispatcher.close()
    services_of(app).database.dispose()


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
    expect(page.get_by_text("已把 2 人落实到名A1")).to_be_visible()
    context.close()
