"""A case in a browser: called, certified, closed; every page by axe, narrow and wide."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from core.clock import day_of
from core.db import Database
from core.people.staff.rules import Role
from tests.cases import come_back_earlier, fill_cases, watch_site
from tests.console import PDF
from tests.console_site import Site, look, open_site

pytestmark = pytest.mark.browser
PATH = "/console/cases"


@pytest.fixture
def site(sqlite_database: Database, serve: Callable[[Any], str], tmp_path: Path) -> Iterator[Site]:
    with open_site(sqlite_database, serve, tmp_path) as site:
        yield site


def test_supervisor_closes_a_case_with_a_certificate(page: Page, site: Site) -> None:
    cases = fill_cases(site.district)
    come_back_earlier(site.district, cases[0])
    site.sign_in(page, Role.SITE_SUPERVISOR)
    page.goto(f"{site.url}{PATH}")
    look(page)
    watch_site(site.district, "wang")
    page.goto(f"{site.url}{PATH}")
    expect(page.get_by_role("row")).to_have_count(3)
    look(page)
    page.goto(f"{site.url}{PATH}/{cases[0]}")
    look(page)
    page.get_by_role("textbox", name="联系情况").fill("已联系项目部，人在宿舍单独居住")
    page.get_by_role("button", name="记录").click()
    expect(page.get_by_role("status")).to_contain_text("已记录联系情况")
    page.get_by_text("按证明上的文字录入").click()
    today = day_of(site.district.now)
    page.get_by_label("证明编号").fill("XH-2020-0117")
    page.get_by_label("开具机构").fill("田林街道社区卫生服务中心")
    page.get_by_label("隔离开始").fill((today - timedelta(days=13)).isoformat())
    page.get_by_label("隔离结束").fill(today.isoformat())
    page.get_by_label("开具日期").fill(today.isoformat())
    page.get_by_role("button", name="录入", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("隔离没有满 14 天")
    look(page)
    page.get_by_label("隔离开始").fill((today - timedelta(days=14)).isoformat())
    page.get_by_label("证明照片").set_input_files(
        {"name": "证明.pdf", "mimeType": "application/pdf", "buffer": PDF}
    )
    page.get_by_role("button", name="录入", exact=True).click()
    expect(page.get_by_role("status")).to_contain_text("隔离证明已录入")
    page.get_by_role("radio", name="已隔离满 14 天").check()
    page.get_by_role("button", name="办结").click()
    expect(page.get_by_role("status")).to_contain_text("这份登记已经通过")
    look(page)
