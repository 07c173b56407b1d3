"""The public card of a community in a real browser: every state, small and large screens."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page as Browser
from playwright.sync_api import expect
from sqlalchemy import select, update

from bot.app import create_app
from bot.services import services_of
from bot.settings import Settings
from bot.simulator.standin import serving
from core.clock import day_of
from core.db import Database
from core.places.model import Community
from core.risk.model import RiskScore
from tests.flows.test_h5_browser import look
from tests.handlers.chat.conftest import fill
from tests.servers import free_port

pytestmark = pytest.mark.browser


@pytest.fixture
def site(sqlite_database: Database, tmp_path: Path) -> Iterator[str]:
    now = datetime.now(UTC)
    with sqlite_database.transaction() as session:
        fill(session, now)
        of_twelve = select(Community.id).where(Community.code == "T12").scalar_subquery()
        session.execute(
            update(RiskScore)
            .where(RiskScore.community_id == of_twelve)
            .values(day=day_of(now), colour="yellow", floors=["R1", "R5"], is_provisional=True)
        )
    settings = Settings(
        instance_dir=tmp_path,
        database_url=sqlite_database.url.render_as_string(hide_password=False),
        port=free_port(),
        log_level="error",
    )
    app = create_app(settings)
    with serving(app, port=settings.port) as url:
        yield url
    services_of(app).dispatcher.close()
    services_of(app).database.dispose()


def test_card_can_be_read_by_everybody_at_every_size(page: Browser, site: str) -> None:
    page.goto(f"{site}/h5/community/3")
    expect(page).to_have_title("田林十三村：高风险（红色） · 徐汇区汇治理")
    expect(page.get_by_role("heading", level=2, name="高风险（红色）")).to_be_visible()
    reasons = page.get_by_role("list", name="为什么").get_by_role("listitem")
    expect(reasons).to_have_count(13)
    days = page.get_by_role("list", name="近 14 天").get_by_role("listitem")
    expect(days).to_have_count(14)
    expect(days.last).to_contain_text("高风险（红色）")
    page.get_by_text("评分是怎么来的").click()
    expect(page.get_by_text("部分是范围")).to_be_visible()
    look(page, "card")


def test_card_that_people_set_during_the_day_and_one_without_data_can_be_read(
    page: Browser, site: str
) -> None:
    page.goto(f"{site}/h5/community/1")
    expect(page.get_by_text("今日更新（暂定）")).to_be_visible()
    expect(page.get_by_text("经人工研判")).to_be_visible()
    look(page, "card-set")
    page.goto(f"{site}/h5/community/7")
    expect(page.get_by_role("heading", level=2, name="暂无数据（灰色）")).to_be_visible()
    look(page, "card-grey")
    page.goto(f"{site}/h5/community/4711")
    expect(page.get_by_role("heading", level=1)).to_have_text("没有找到这个小区")
    look(page, "card-unknown")


def test_card_that_is_passed_on_says_what_it_is_about(page: Browser, site: str) -> None:
    day = day_of(datetime.now(UTC)) - timedelta(days=1)
    page.goto(f"{site}/h5/community/3")
    expect(page.get_by_text(f"数据截至 {day.month}月{day.day}日")).to_be_visible()
    described = page.locator('meta[property="og:description"]').get_attribute("content")
    assert described == f"田林街道。田林十三村：高风险（红色），数据截至{day.month}月{day.day}日。"
