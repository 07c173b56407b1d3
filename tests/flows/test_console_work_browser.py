"""Reviewers and officers at work in a browser; every page of the console is looked at by axe."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from python_calamine import CalamineWorkbook

from core.db import Database
from core.people.staff.rules import Role
from core.people.staff.secrets import hash_password
from core.people.staff.service import NewStaff, add_account
from core.registry.model import Company
from handlers.access import Access, mark_of
from handlers.console.routes import ROUTES
from tests.console import COMPANIES, NUMBERS, enter
from tests.console_site import Site, look, open_site
from tests.handlers.console.risk_cases import fill_risk, residence_of
from tests.rulings import PAGES as RULING_PAGES

pytestmark = pytest.mark.browser


@pytest.fixture
def site(sqlite_database: Database, serve: Callable[[Any], str], tmp_path: Path) -> Iterator[Site]:
    with open_site(sqlite_database, serve, tmp_path) as site:
        yield site


# --- every page -----------------------------------------------------------------------------------

# Who looks at which pages; what is in braces is an id of the district.
PAGES: dict[str, tuple[Role, tuple[str, ...]]] = {
    "queues": (
        Role.DISTRICT_REVIEWER,
        (
            "",
            "filings",
            "filings?state=all&q=公司&page=2",
            "filings?q=火星",
            "claims",
            "claims?state=accepted",
        ),
    ),
    "one": (
        Role.DISTRICT_REVIEWER,
        ("filings/{filing}", "claims/{claim}", "exports", "password", "wechat"),
    ),
    "held": (Role.DISTRICT_REVIEWER, ("filings/{held_filing}", "claims/{held_claim}")),
    "officer": (
        Role.NEIGHBOURHOOD_OFFICER,
        (
            "registrations/enter?q=公司",
            "registrations/enter/{company}",
            "registrations",
            "registrations/{registration}",
            "exports?kind=registrations",
            "audit",
        ),
    ),
    "administrator": (
        Role.ADMINISTRATOR,
        ("communities", "audit", "audit?company=甲子", "audit?from=2099-01-01", "key-areas"),
    ),
    "risk": (
        Role.DISTRICT_REVIEWER,
        (
            "risk",
            "risk?q=x",
            "risk?days=28&street=1",
            "risk/community/1",
            "risk/unplaced?residence={residence}&q=名A2",
        ),
    ),
    "risk_officer": (Role.STREET_OFFICER, ("risk/mine", "risk/community/1", "risk/unplaced")),
}


@pytest.mark.parametrize("name", PAGES)
def test_every_page_can_be_used_by_everybody(page: Page, site: Site, name: str) -> None:
    district = site.district
    with district.database.transaction() as session:
        for place in range(2, 29):
            district.add_company(session, place)
        session.get_one(Company, district.companies[2]).state = "suspended"
    fill_risk(district)
    ids = {
        "filing": district.filings[0],
        "claim": district.claims[0],
        "held_filing": district.filings[1],
        "held_claim": district.claims[1],
        "company": district.companies[0],
        "registration": district.registrations["钱二"],
        "residence": residence_of(district, 2),
    }
    other = enter(site.app, Role.DISTRICT_REVIEWER, name="li", display_name="李明")
    assert other.get(f"/console/filings/{district.filings[1]}").status_code == 200
    assert other.get(f"/console/claims/{district.claims[1]}").status_code == 200
    role, paths = PAGES[name]
    site.sign_in(page, role)
    for path in paths:
        page.goto(f"{site.url}/console/{path.format(**ids)}")
        expect(page.get_by_role("heading", level=1)).to_have_count(1)
        look(page)


def test_no_page_of_work_is_left_out() -> None:
    seen = {
        re.sub(r"\{\w+\}", "1", f"/console/{path}".partition("?")[0])
        for _, paths in (*PAGES.values(), *RULING_PAGES.values())
        for path in paths
    }
    # Looked at with trains and a forecast in test_arrivals_browser.py.
    seen |= {f"/console/arrivals{one}" for one in ("", "/roster", "/grades", "/settings")}
    # Looked at with people and reports in test_sites_browser.py and test_cases_browser.py.
    seen |= {f"/console/{one}" for one in ("sites", "sites/1", "cases", "cases/1")}
    # A file is no page of ours.
    files = {"filing_plan", "claim_licence", "risk_points", "risk_appeal_evidence"}
    files |= {"sites_points", "case_evidence"}
    unseen = [
        route.name
        for route in ROUTES
        if "GET" in route.methods and mark_of(route.view) is Access.STAFF
        if route.name not in files and re.sub(r"<int:\w+>", "1", route.path) not in seen
    ]
    assert unseen == []


def test_steps_of_signing_in_can_be_used_by_everybody(page: Page, site: Site) -> None:
    with site.district.database.transaction() as session:
        staff = NewStaff(name="wang", role=Role.ADMINISTRATOR, display_name="王静")
        add_account(
            session,
            staff=staff,
            password_hash=hash_password("once-only-pass-word"),
            now=site.district.now,
        )
    page.goto(f"{site.url}/console/")
    look(page)
    page.get_by_label("登录名").fill("wang")
    page.get_by_label("密码", exact=True).fill("once-only-pass-word")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("设置自己的密码")
    look(page)
    for label in ("新密码", "再输入一次新密码"):
        page.get_by_label(label, exact=True).fill("kites over the river")
    page.get_by_role("button", name="保存").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("绑定验证器")
    look(page)


# --- journeys -------------------------------------------------------------------------------------


def test_reviewer_returns_one_filing_and_passes_the_rest_together(page: Page, site: Site) -> None:
    with site.district.database.transaction() as session:
        for place in range(2, 5):
            site.district.add_company(session, place)
    site.sign_in(page, Role.DISTRICT_REVIEWER)
    page.set_viewport_size({"width": 1280, "height": 900})
    page.goto(f"{site.url}/console/")
    page.get_by_role("link", name=re.compile("待审核备案")).click()
    page.get_by_role("link", name=COMPANIES[0]).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(COMPANIES[0])
    # The viewer that a browser opens a PDF with is not a page of ours.
    link = page.get_by_role("link", name="防控方案.pdf").get_attribute("href")
    plan = page.request.get(f"{site.url}{link}")
    assert (plan.status, plan.headers["content-type"]) == (200, "application/pdf")
    page.get_by_role("button", name="退回修改").click()
    expect(page.get_by_role("alert")).to_contain_text("请写明原因")
    look(page)
    page.get_by_label("审核意见").fill("请补充每日消毒的安排")
    page.get_by_role("button", name="退回修改").click()
    expect(page.get_by_role("status").first).to_have_text(
        f"{COMPANIES[0]}的备案已退回，已经通知企业。"
    )
    page.set_viewport_size({"width": 1280, "height": 900})
    page.get_by_label("全选本页").check()
    expect(page.get_by_text("已选 4 份")).to_be_visible()
    page.get_by_label(f"选中{COMPANIES[1]}").uncheck()
    expect(page.get_by_text("已选 3 份")).to_be_visible()
    page.get_by_role("button", name="不予通过").click()
    expect(page.get_by_role("alert")).to_contain_text("请写明原因")
    expect(page.get_by_text("已选 3 份")).to_be_visible()
    page.get_by_role("button", name="通过", exact=True).click()
    expect(page.get_by_role("status")).to_contain_text("3 份备案已按“通过”处理")
    look(page)
    page.get_by_role("link", name="回到备案列表").click()
    expect(page.locator("tbody tr")).to_have_count(1)


def test_two_reviewers_in_two_browsers_see_each_other(
    page: Page, browser: Browser, site: Site
) -> None:
    path = f"{site.url}/console/filings/{site.district.filings[0]}"
    site.sign_in(page, Role.DISTRICT_REVIEWER)
    page.goto(path)
    expect(page.get_by_role("button", name="通过", exact=True)).to_be_visible()
    context = browser.new_context(viewport={"width": 1280, "height": 800}, locale="zh-CN")
    other = context.new_page()
    site.sign_in(other, Role.DISTRICT_REVIEWER, name="li", display_name="李明")
    other.goto(path)
    expect(other.get_by_role("status")).to_contain_text("王静正在审核这份备案")
    expect(other.get_by_role("button", name="通过", exact=True)).to_have_count(0)
    other.get_by_role("button", name="我来接手").click()
    expect(other.get_by_role("button", name="通过", exact=True)).to_be_visible()
    page.get_by_role("button", name="通过", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("李明 正在审核这份备案")
    other.get_by_role("button", name="通过", exact=True).click()
    expect(other.get_by_role("status").first).to_contain_text("的备案已通过")
    context.close()


def test_officer_registers_a_neighbour_on_a_narrow_screen(page: Page, site: Site) -> None:
    page.set_viewport_size({"width": 320, "height": 700})
    site.sign_in(page, Role.NEIGHBOURHOOD_OFFICER)
    page.goto(f"{site.url}/console/")
    page.get_by_role("link", name="代员工登记").click()
    page.get_by_label("企业名称或信用代码").fill("乙丑")
    page.keyboard.press("Enter")
    page.get_by_role("link", name=COMPANIES[1]).click()
    page.get_by_label("姓名").fill("吴六")
    page.get_by_label("手机号码").fill("13911112222")
    page.get_by_label("证件号码").fill(NUMBERS[10])
    page.get_by_label("居住小区").fill("名A2")
    page.get_by_label("一直在上海").check()
    page.get_by_label("绿色").check()
    page.get_by_role("button", name="提交登记").click()
    expect(page.get_by_role("alert")).to_contain_text("有 2 处需要修改")
    expect(page.get_by_label("证件号码")).to_have_value(NUMBERS[10])
    look(page)
    page.set_viewport_size({"width": 320, "height": 700})
    page.get_by_label("没有不适").check()
    page.get_by_label("已向本人读过以上说明").check()
    page.get_by_role("button", name="提交登记").click()
    expect(page.get_by_role("status")).to_contain_text("已经登记，编号")
    look(page)
    page.goto(f"{site.url}/console/registrations")
    page.get_by_label("完整姓名").fill("吴六")
    page.get_by_role("button", name="按姓名查找").click()
    expect(page.locator("tbody th a")).to_contain_text(["吴*"])
    assert "吴六" not in page.url
    look(page)


def test_administrator_exports_with_a_reason(page: Page, site: Site) -> None:
    page.set_viewport_size({"width": 1280, "height": 800})
    site.sign_in(page, Role.ADMINISTRATOR)
    page.goto(f"{site.url}/console/registrations?group=fine")
    page.get_by_role("link", name="导出这些登记").click()
    expect(page.get_by_text("4 行")).to_be_visible()
    page.get_by_role("button", name="导出表格").click()
    expect(page.get_by_role("alert")).to_contain_text("请写明用途和原因")
    look(page)
    page.get_by_label("用途和原因").fill("核对重点企业返岗名单")
    page.get_by_label("不脱敏").check()
    with page.expect_download() as downloaded:
        page.get_by_role("button", name="导出表格").click()
    path = downloaded.value.path()
    content = BytesIO(path.read_bytes())
    rows = CalamineWorkbook.from_filelike(content).get_sheet_by_index(0).to_python()
    assert downloaded.value.suggested_filename.startswith("员工登记-X")
    assert "不脱敏" in str(rows[0][0])
    assert len(rows) == 6
    page.goto(f"{site.url}/console/audit?action=exported")
    expect(page.locator("tbody")).to_contain_text("核对重点企业返岗名单")
