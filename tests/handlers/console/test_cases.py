from __future__ import annotations

from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest
from flask.testing import FlaskClient
from python_calamine import CalamineWorkbook
from sqlalchemy import select

from core.audit.model import AuditEntry
from core.clock import day_of
from core.people.staff.rules import Role
from tests.cases import PHONE, SHOP, SITE, come_back_earlier, fill_cases, watch_site
from tests.console import PDF, District
from tests.h5 import submit, text_of
from tests.handlers.console.conftest import Enter

PATH = "/console/cases"


@pytest.fixture
def cases(district: District) -> list[int]:
    """Cases of two people at a site of the first street, and one at a shop of the second."""
    return fill_cases(district)


def post(client: FlaskClient, case_id: int, act: str, **fields: Any) -> Any:
    """Press a button of the page of a case, as it shows the case now."""
    page = f"{PATH}/{case_id}"
    version = client.get(page).text.split('name="version" value="')[1].split('"')[0]
    return submit(client, page, to=f"{page}/{act}", **{"version": version} | fields)


def certificate(district: District, **changes: Any) -> dict[str, Any]:
    today = day_of(district.now)
    fields = {
        "number": "XH-0117",
        "issuer": "田林街道社区卫生服务中心",
        "isolated_from": (today - timedelta(days=14)).isoformat(),
        "isolated_until": today.isoformat(),
        "issued_on": today.isoformat(),
    }
    return fields | changes


def test_supervisor_calls_adds_the_certificate_and_closes(
    come_in: Enter, district: District, cases: list[int]
) -> None:
    come_back_earlier(district, cases[0])
    client = come_in(Role.SITE_SUPERVISOR)
    assert "没有待核查的人" in client.get(PATH).text
    watch_site(district, "wang")
    queue = text_of(client.get(PATH))
    assert "待联系 2 人" in queue
    assert queue.index("已超 2 小时") < queue.index("还剩 22 小时"), "the most urgent first"
    assert SHOP not in queue
    page = client.get(f"{PATH}/{cases[0]}")
    assert ("张*" in page.text or "*一" in page.text, "张一" in page.text) == (True, False)
    assert f'href="tel:{PHONE}"' in page.text
    assert "温州市" in page.text
    done = post(client, cases[0], "contact", contact_note="已联系赵工，人在宿舍")
    assert "已记录联系情况" in text_of(client.get(done.location))
    file = (BytesIO(PDF), "证明.pdf")
    done = post(client, cases[0], "certificate", **certificate(district, file=file))
    shown = client.get(done.location)
    assert "满 14 天" in text_of(shown)
    link = f"{PATH}/{cases[0]}/evidence/"
    file_id = shown.text.split(link)[1].split('"')[0]
    assert client.get(link + file_id).data == PDF
    assert client.get(f"{link}999").status_code == 404
    done = post(client, cases[0], "close", finding="isolated", close_note="证明属实")
    assert "这份登记已经通过" in text_of(client.get(done.location))
    assert "已隔离满 14 天" in text_of(client.get(f"{PATH}?state=closed"))
    with district.database.transaction() as session:
        seen = select(AuditEntry).where(AuditEntry.action == "case_seen")
        assert session.scalars(seen).all()


@pytest.mark.parametrize(
    ("act", "fields", "words"),
    [
        ("contact", {"contact_note": ""}, "请写明联系和核实的情况"),
        ("close", {"finding": "isolated"}, "要先录入这一次的隔离证明"),
        ("close", {"finding": "not_there"}, "请先联系核实"),
        ("close", {"finding": "cleared"}, "请选择"),
        ("certificate", {"number": ""}, "请填写证明上的编号"),
        ("certificate", {"issued_on": "2020-13-01"}, "日期"),
        ("certificate", {"isolated_until": "2020-01-01"}, "隔离结束的日期早于开始"),
        ("certificate", {}, "隔离开始早于返沪日期"),
    ],
)
def test_what_cannot_be_is_named_and_what_was_typed_stays(
    come_in: Enter,
    district: District,
    cases: list[int],
    act: str,
    fields: dict[str, Any],
    words: str,
) -> None:
    client = come_in(Role.DISTRICT_REVIEWER)
    sent = certificate(district, **fields) if act == "certificate" else fields
    refused = post(client, cases[0], act, **sent)
    assert (refused.status_code, words in refused.text) == (422, True)
    assert act != "certificate" or "田林街道社区卫生服务中心" in refused.text


def test_who_comes_second_is_told_by_whom(
    come_in: Enter, district: District, cases: list[int]
) -> None:
    first = come_in(Role.DISTRICT_REVIEWER, name="li", display_name="李明")
    second = come_in(Role.ADMINISTRATOR, name="zhao", display_name="赵强")
    post(first, cases[0], "contact", contact_note="已联系")
    late = post(second, cases[0], "contact", contact_note="我也联系了", version="1")
    assert (late.status_code, "李明刚刚处理过" in late.text) == (409, True)
    assert "我也联系了" in late.text
    post(first, cases[0], "close", finding="mistaken")
    reopened = post(second, cases[0], "reopen", reopen_note="再核实一下")
    assert "已重新打开" in text_of(second.get(reopened.location))


@pytest.mark.parametrize(
    ("role", "seen"),
    [
        (Role.STREET_OFFICER, (SITE,)),
        (Role.SITE_SUPERVISOR, ()),
        (Role.AUDITOR, (SITE, SHOP)),
        (Role.ADMINISTRATOR, (SITE, SHOP)),
    ],
)
def test_everybody_sees_what_they_look_after(
    come_in: Enter, cases: list[int], role: Role, seen: tuple[str, ...]
) -> None:
    client = come_in(role)
    queue = client.get(PATH).text
    assert [place for place in (SITE, SHOP) if place in queue] == list(seen)
    statuses = [client.get(f"{PATH}/{cases[place]}").status_code for place in (0, 2)]
    assert statuses == [200 if place in seen else 404 for place in (SITE, SHOP)]
    may_act = role is not Role.AUDITOR and SITE in seen
    page = client.get(f"{PATH}/{cases[0]}").text
    assert ("/contact" in page, PHONE in page) == (may_act, may_act)


def test_auditor_changes_nothing_and_others_do_not_enter(come_in: Enter, cases: list[int]) -> None:
    auditor = come_in(Role.AUDITOR)
    page = f"{PATH}/{cases[0]}"
    refused = submit(auditor, page, to=f"{page}/contact", contact_note="已联系", version="1")
    assert refused.status_code == 403
    officer = come_in(Role.NEIGHBOURHOOD_OFFICER, name="sun")
    assert officer.get(PATH).status_code == 403


def test_filters_narrow_the_queue_and_odd_fields_do_no_harm(
    come_in: Enter, cases: list[int]
) -> None:
    client = come_in(Role.DISTRICT_REVIEWER)
    for query, expected in (
        ("late=1", [1]),
        ("street=2", [2]),
        ("q=面馆", [2]),
        ("state=closed", []),
        ("state=all", [1, 2, 0]),
        ("state=x&street=x&page=0&place=x&q=%00", [1, 2, 0]),
    ):
        text = client.get(f"{PATH}?{query}").text
        shown = [place for place in (1, 2, 0) if f'{PATH}/{cases[place]}"' in text]
        assert (query, shown) == (query, expected)
    assert client.get(f"{PATH}/99999999999").status_code == 404


def test_sheet_of_cases_is_that_of_the_queue_and_masked(come_in: Enter, cases: list[int]) -> None:
    client = come_in(Role.STREET_OFFICER)
    assert cases
    page = "/console/exports?kind=cases&late=1"
    fields = {"kind": "cases", "late": "1", "reason": "向区防控办报送核查进度"}
    answered = submit(client, page, to="/console/exports", **fields)
    sheet = CalamineWorkbook.from_filelike(BytesIO(answered.data)).get_sheet_by_index(0)
    rows = sheet.to_python(skip_empty_area=False)[2:]
    assert [row[1:5] + row[7:9] for row in rows] == [
        [SITE, "工地", "田林街道", "张*", "温州市", "待联系"]
    ]
