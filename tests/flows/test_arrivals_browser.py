"""The station manager in a browser: posts, curve, queue, roster; trains and sales of the demo."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pypdfium2
import pytest
from playwright.sync_api import Browser, Page, expect

from bot.demo.arrivals import load_arrivals
from core.arrivals.grades import CoverageAlert
from core.arrivals.issued import Occasion
from core.arrivals.issuing import issue_forecast
from core.arrivals.rules import Fallback, StationSettings
from core.db import Database
from core.people.staff.rules import Role
from handlers.console import arrivals, arrivals_grades
from tests.console_site import Site, look, open_site
from tests.handlers.console.arrival_cases import START, board, compared, grade, train

pytestmark = pytest.mark.browser

DAYS = 8
PAGES = ("?posts=1&from=9:40", "/roster", "/grades", "/settings")
# What the first chart of a page was given, asked of the chart itself.
DRAWN = """() => {
  const chart = echarts.getInstanceByDom(document.querySelector(".curve-place"));
  return chart.getOption().series.filter((one) => one.data.length).map((one) => one.data.length);
}"""


@pytest.fixture
def site(sqlite_database: Database, serve: Callable[[Any], str], tmp_path: Path) -> Iterator[Site]:
    with open_site(sqlite_database, serve, tmp_path) as site:
        yield site


@pytest.fixture
def station(site: Site) -> Site:
    """A station with a week behind it and a forecast of the coming hours."""
    now = site.district.now
    with site.district.database.transaction() as session:
        load_arrivals(session, days=DAYS, now=now)
        issue_forecast(session, now=now, occasion=Occasion.HOURLY, draws=200)
    return site


def test_station_manager_plans_the_coming_hours(page: Page, station: Site) -> None:
    told: list[str] = []
    page.on("console", lambda message: told.append(message.text))
    page.set_viewport_size({"width": 1280, "height": 800})
    station.sign_in(page, Role.STATION_MANAGER)
    page.goto(f"{station.url}/console/")
    page.get_by_role("link", name="查看预测与岗位").click()
    # What matters most is there without scrolling.
    expect(page.get_by_role("heading", name="什么时候要几个岗")).to_be_in_viewport()
    expect(page.locator(".shifts li").first).to_be_in_viewport()
    expect(page.locator(".curve-place canvas").first).to_be_visible()
    assert page.evaluate(DRAWN) == [288] * 6
    page.get_by_label("全程开放的岗位").fill("1")
    page.keyboard.press("Enter")
    expect(page.get_by_text(re.compile("1 个岗：.*等得最久"))).to_be_visible()
    page.get_by_label("从", exact=True).fill("09:40")
    page.get_by_label("到", exact=True).fill("10:15")
    page.get_by_role("button", name="查这一段").click()
    expect(page.get_by_text(re.compile("09:40–10:15：约 [\\d,]+ 人"))).to_be_visible()
    assert told == [], "no style or script was refused"


def test_every_page_can_be_used_by_everybody(
    page: Page, browser: Browser, station: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arrivals_grades, "list_grades", lambda *_, **__: [grade()])
    monkeypatch.setattr(arrivals_grades, "find_compared_day", lambda *_, **__: compared())
    station.sign_in(page, Role.STATION_MANAGER)
    for path in PAGES:
        page.goto(f"{station.url}/console/arrivals{path}")
        expect(page.get_by_role("heading", level=1)).to_have_count(1)
        look(page)
    page.goto(f"{station.url}/h5/arrivals")
    expect(page.get_by_role("list").first).to_be_visible()
    look(page)
    context = browser.new_context(java_script_enabled=False, viewport={"width": 390, "height": 844})
    plain = context.new_page()
    station.sign_in(plain, Role.STATION_MANAGER, name="li", display_name="李明")
    plain.goto(f"{station.url}/console/arrivals")
    expect(plain.locator(".curve-place").first).to_be_hidden()
    plain.get_by_label("全程开放的岗位").fill("2")
    plain.get_by_role("button", name="推算排队").click()
    expect(plain.get_by_text(re.compile("2 个岗："))).to_be_visible()
    context.close()


def test_fullest_roster_is_printed_on_one_sheet(
    page: Page, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = board()
    shifts = [
        replace(
            usual.shifts[1],
            starts_at=START + timedelta(hours=hour),
            ends_at=START + timedelta(hours=hour + 2),
        )
        for hour in range(0, 24, 2)
    ]
    fullest = replace(
        usual,
        shifts=tuple(shifts),
        trains=tuple(train(f"K{one}", 9, key_areas=("黑龙江省绥芬河市",)) for one in range(15)),
        flags=frozenset(Fallback),
        is_limited=True,
        settings=StationSettings(post_limit=9),
        alert=CoverageAlert(coverage_80_pct=61, day_count=14, is_too_narrow=True),
    )
    monkeypatch.setattr(arrivals, "find_board", lambda *_, **__: fullest)
    site.sign_in(page, Role.STATION_MANAGER)
    page.goto(f"{site.url}/console/arrivals/roster")
    expect(page.get_by_role("button", name="打印（A4 一页）")).to_be_visible()
    printed = pypdfium2.PdfDocument(page.pdf(prefer_css_page_size=True))
    assert len(printed) == 1
    said = printed[0].get_textpage().get_text_range()
    assert "上海南站到达排班表" in said
    assert "另有 3 趟" in said
    assert "退出" not in said, "what is for the screen is left out"
    printed.close()
