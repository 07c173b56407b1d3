"""Rulings in a browser: a colour set by two people, an appeal end to end, every page by axe."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import select, update

from core.clock import day_of
from core.db import Database
from core.notices.model import Notice
from core.people.service import register_person
from core.people.staff.rules import Role
from core.risk.model import Publication
from core.risk.pausing import note_pause
from core.risk.scoring import score_day
from core.risk.service import subscribe
from core.risk.versions.service import (
    ModelDecision,
    ModelRole,
    decide_model,
    find_stored_version,
    propose_model,
)
from tests.console import PDF, token_for
from tests.console_site import Site, look, open_site
from tests.handlers.console.event_cases import fill_events
from tests.handlers.console.test_models import lighter
from tests.rulings import PAGES, REASON, rule, score

pytestmark = pytest.mark.browser


@pytest.fixture
def site(sqlite_database: Database, serve: Callable[[Any], str], tmp_path: Path) -> Iterator[Site]:
    with open_site(sqlite_database, serve, tmp_path) as site:
        yield site


@pytest.fixture
def browsers(browser: Browser, site: Site) -> Iterator[Callable[..., Page]]:
    """A function that returns the page of somebody in a browser of their own."""
    contexts = []

    def enter(role: Role, **who: str) -> Page:
        context = browser.new_context(viewport={"width": 390, "height": 844}, locale="zh-CN")
        context.set_default_timeout(10_000)
        contexts.append(context)
        page = context.new_page()
        site.come_in(page, token_for(site.district.database, role, **who))
        return page

    yield enter
    for context in contexts:
        context.close()


def add_challenger(site: Site) -> int:
    """Let a second version score yesterday, and hold that day; return the id of its proposal."""
    district = site.district
    yesterday = day_of(district.now) - timedelta(days=1)
    with district.database.transaction() as session:
        record = propose_model(
            session,
            document=lighter(),
            role=ModelRole.CHALLENGER,
            staff_id=1,
            now=district.now,
        )
        decide_model(
            session,
            model_id=record.id,
            decision=ModelDecision.APPROVE,
            staff_id=2,
            now=district.now,
        )
        version = find_stored_version(session, name=record.version.name)
        score_day(session, day=yesterday, now=district.now, version=version)
        session.execute(update(Publication).values(state="held", reason="jump"))
    return record.id


@pytest.mark.parametrize("name", PAGES)
def test_every_page_of_rulings_can_be_used_by_everybody(page: Page, site: Site, name: str) -> None:
    rulings = rule(site.district)
    ids = {
        "override": rulings.overrides[2],
        "appeal": rulings.appeals[2],
        "model": add_challenger(site),
        "event": fill_events(site.district)[2],
    }
    with site.district.database.transaction() as session:
        note_pause(session, community_count=251, now=site.district.now)
    role, paths = PAGES[name]
    site.sign_in(page, role)
    for path in paths:
        page.goto(f"{site.url}/console/{path.format(**ids)}")
        expect(page.get_by_role("heading", level=1)).to_have_count(1)
        look(page)


def test_two_people_set_a_colour_by_hand(browsers: Callable[..., Page], site: Site) -> None:
    score(site.district)
    first = browsers(Role.DISTRICT_REVIEWER)
    second = browsers(Role.ADMINISTRATOR, name="li", display_name="李明")
    first.goto(f"{site.url}/console/risk/overrides")
    first.get_by_role("link", name="提出人工研判").click()
    first.get_by_label("小区名称、别名或编号").fill("A1")
    first.keyboard.press("Enter")
    first.get_by_role("link", name="名A1").click()
    first.get_by_role("button", name="提交复核").click()
    expect(first.get_by_role("alert")).to_contain_text("有 3 处需要修改")
    first.get_by_label("高风险（红色）").check()
    until = day_of(site.district.now) + timedelta(days=3)
    first.get_by_label("截止日期").fill(until.isoformat())
    first.get_by_label("理由").fill(REASON)
    first.get_by_role("button", name="提交复核").click()
    expect(first.get_by_role("status")).to_contain_text("等另一位同事复核后生效")
    expect(first.get_by_role("button", name="批准，立即生效")).to_have_count(0)
    second.goto(first.url)
    second.get_by_role("button", name="不予通过").click()
    expect(second.get_by_role("alert")).to_contain_text("请写明原因")
    look(second)
    second.get_by_role("button", name="批准，立即生效").click()
    expect(second.get_by_role("status")).to_contain_text("颜色已经调整")
    expect(second.get_by_role("region", name="现在的颜色")).to_contain_text("高风险（红色）")
    first.get_by_role("button", name="撤回").click()
    expect(first.get_by_role("alert")).to_contain_text("李明已经处理过了")
    look(first)
    first.get_by_label("结束的原因").fill("核酸结果全部阴性")
    first.get_by_role("button", name="提前结束").click()
    expect(first.get_by_role("region", name="现在的颜色")).to_contain_text("一般风险（蓝色）")


def test_appeal_is_raised_recommended_and_accepted(
    browsers: Callable[..., Page], site: Site, tmp_path: Path
) -> None:
    district = site.district
    score(district)
    with district.database.transaction() as session:
        person = register_person(session, openid="o-reader", now=district.now)
        subscribe(session, person_id=person.id, community_id=2, now=district.now)
    officer = browsers(Role.NEIGHBOURHOOD_OFFICER)
    first = browsers(Role.DISTRICT_REVIEWER, name="li", display_name="李明")
    second = browsers(Role.DISTRICT_REVIEWER, name="zhao", display_name="赵强")
    proof = tmp_path / "核对.pdf"
    proof.write_bytes(PDF)
    for code in ("suspected", "confirmed"):
        officer.goto(f"{site.url}/console/risk/appeals/new?community=2")
        officer.get_by_label("指标").select_option(value=code)
        officer.get_by_label("应为").fill("一")
        officer.get_by_role("button", name="提交申诉").click()
        expect(officer.get_by_role("alert")).to_contain_text("有 2 处需要修改")
        officer.get_by_label("应为").fill("0")
        officer.get_by_label("依据").fill(REASON)
        officer.get_by_label("证明材料").set_input_files(proof)
        officer.get_by_role("button", name="提交申诉").click()
        expect(officer.get_by_role("status")).to_contain_text("由两位审核员先后处理")
        first.goto(officer.url)
        first.get_by_label("初审意见").fill(REASON)
        first.get_by_role("button", name="建议采纳").click()
        expect(first.get_by_role("status")).to_contain_text("由另一位同事决定")
        second.goto(officer.url)
        expect(second.get_by_text("采纳后")).to_be_visible()
        second.get_by_role("button", name="采纳，重新计算").click()
        expect(second.get_by_role("status")).to_contain_text("重新计算")
    look(second)
    with district.database.reading() as session:
        told = session.execute(select(Notice.kind, Notice.openid)).all()
    assert [tuple(one) for one in told if one.openid == "o-reader"] == [
        ("colour_corrected", "o-reader")
    ]
