from __future__ import annotations

import json
from csv import reader
from datetime import timedelta
from io import BytesIO

import pytest
from python_calamine import CalamineWorkbook
from sqlalchemy import select

from core.audit.model import AuditEntry
from core.clock import day_of
from core.people.staff.rules import Role
from tests.cases import add_site
from tests.console import District
from tests.h5 import submit, text_of
from tests.handlers.console.conftest import Enter
from tests.sites import FORMER, NAMES, PRESENT, SiteDistrict, sites_of

PATH = "/console/sites"
REASON = "向区防控办报送工地情况"


@pytest.fixture
def sites(district: District) -> SiteDistrict:
    """A site in either street; the first has somebody from a key area."""
    return sites_of(district)


def listed_in(page: str) -> str:
    """Return the list of a page, without who has not reported."""
    return page.split('id="list"')[1].partition("</section>")[0]


def test_board_sums_the_day_and_names_who_has_not_reported(
    come_in: Enter, sites: SiteDistrict
) -> None:
    client = come_in(Role.DISTRICT_REVIEWER)
    sites.report(90, days_ago=1)
    sites.report(92, 2)
    page = client.get(PATH)
    told = text_of(page)
    assert "今天新到 2 人，离开 0 人" in told
    assert "/ 2 个" in told
    missing = page.text.split('id="missing"')[1].split("</section>")[0]
    assert [name in missing for name in NAMES] == [False, True]
    assert "地图需要浏览器允许脚本" in told
    with sites.district.database.transaction() as session:
        now = sites.district.now
        add_site(session, street_id=2, now=now, name="竣工的", number="GD9", state="finished")
    assert "不在施工 竣工" in text_of(client.get(f"{PATH}?q=竣工"))


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("?q=学校", {1}),
        ("?q=新建", {0, 1}),
        ("?street=1", {0}),
        ("?mark=open_case", {0}),
        ("?mark=resting", set()),
        ("?mark=odd&street=x", {0, 1}),
    ],
)
def test_list_and_map_show_what_is_asked_for(
    come_in: Enter, sites: SiteDistrict, asked: str, found: set[int]
) -> None:
    client = come_in(Role.AUDITOR)
    page = client.get(PATH + asked).text
    listed = listed_in(page)
    assert {place for place, name in enumerate(NAMES) if name in listed} == found
    assert ("没有符合条件的工地" in listed) is (not found)
    mapped = json.loads(client.get(f"{PATH}/points{asked}").data)
    assert {point[0] for point in mapped["points"]} == {sites.ids[place] for place in found}
    assert all(len(point) == len(mapped["fields"]) for point in mapped["points"])


def test_site_shows_every_report_of_a_day_and_which_one_stands(
    come_in: Enter, sites: SiteDistrict
) -> None:
    client = come_in(Role.SITE_SUPERVISOR)
    sites.watch("wang")
    sites.report(90, days_ago=1)
    sites.report(92, 2, minutes=2)
    sites.report(150, minutes=1)
    page = client.get(f"{PATH}/{sites.ids[0]}")
    told = text_of(page)
    assert "今天的日报 2 份" in told
    assert told.index("以这份为准") < told.index("被更晚的代替")
    assert "与上次人数、进出对不上、人数变化很大" in told
    assert told.index(PRESENT) < told.index(FORMER)
    assert page.text.count('class="point ') == 2
    yesterday = day_of(sites.district.now) - timedelta(days=1)
    before = text_of(client.get(f"{PATH}/{sites.ids[0]}?day={yesterday}"))
    assert f"{yesterday.month} 月 {yesterday.day} 日的日报 1 份" in before
    assert "今天的日报 2 份" in text_of(client.get(f"{PATH}/{sites.ids[0]}?day=2019-01-01"))


def test_people_and_cases_are_masked_and_for_whoever_watches_the_site(
    come_in: Enter, sites: SiteDistrict
) -> None:
    client = come_in(Role.SITE_SUPERVISOR)
    sites.watch("wang")
    own = client.get(f"{PATH}/{sites.ids[0]}").text
    assert ("张*" in own, "张六" in own) == (True, False)
    assert "13800000205" not in own
    assert "/console/cases/" in own
    assert "赵*" in own
    other = text_of(client.get(f"{PATH}/{sites.ids[1]}"))
    assert "只有监管这个工地的人可以查看" in other
    assert ("张*" in other, "赵*" in other) == (False, False)
    assert NAMES[1] not in listed_in(client.get(f"{PATH}?mine=1").text)


def test_supervisor_invites_and_ends(come_in: Enter, sites: SiteDistrict) -> None:
    client = come_in(Role.SITE_SUPERVISOR)
    sites.watch("wang")
    page = f"{PATH}/{sites.ids[0]}"
    refused = submit(client, page, to=f"{page}/invite", name="钱工", phone="12345")
    assert (refused.status_code, 'value="钱工"' in refused.text) == (422, True)
    invited = submit(client, page, to=f"{page}/invite", name="钱工", phone="13917000002")
    assert "/h5/sites/join/" in invited.text
    assert "钱*" in client.get(page).text
    again = submit(client, page, to=f"{page}/members/{sites.members[0]}/end")
    assert "已经结束" in text_of(client.get(again.location))
    assert "/h5/sites/join/" not in client.get(page).text


def test_sites_of_a_list_are_exported_with_a_reason_as_either_file(
    come_in: Enter, sites: SiteDistrict, district: District
) -> None:
    client = come_in(Role.STREET_OFFICER)
    sites.report(92, 2)
    assert "/console/exports?kind=sites" in client.get(PATH).text
    asked = "/console/exports?kind=sites"
    refused = submit(client, asked, to="/console/exports", kind="sites", reason="短", format="csv")
    assert refused.status_code == 422
    assert 'value="csv" checked' in refused.text
    written = {
        one: submit(
            client, asked, to="/console/exports", kind="sites", reason=REASON, format=one
        ).data
        for one in ("csv", "xlsx")
    }
    assert written["csv"].startswith(b"\xef\xbb\xbf")
    plain = list(reader(written["csv"].decode("utf-8-sig").splitlines()))
    sheet = CalamineWorkbook.from_filelike(BytesIO(written["xlsx"])).get_sheet_by_index(0)
    both = [plain, [[str(cell) for cell in row] for row in sheet.to_python()]]
    for mark, heads, *rows in both:
        assert "王静（wang）" in mark[0]
        assert heads[:2] == ["工地编号", "工地名称"]
        assert [(row[1], row[8], float(row[12])) for row in rows] == [(NAMES[0], "有人待核查", 92)]
    with district.database.transaction() as session:
        kinds = session.scalars(select(AuditEntry).where(AuditEntry.action == "exported")).all()
        assert [one.facts["kind"] for one in kinds] == ["sites", "sites"]
