from __future__ import annotations

import re
from datetime import datetime, timedelta

import pytest
import time_machine
from sqlalchemy import select

from core.audit.model import AuditEntry
from core.notices.model import Notice
from core.people.staff.rules import Role
from core.registry.model import Company
from core.resumption.filing.model import Filing
from tests.console import COMPANIES, PDF, District
from tests.h5 import csrf_of, submit, text_of
from tests.handlers.console.conftest import Enter

QUEUE = "/console/filings"
REVIEWER = Role.DISTRICT_REVIEWER


def filing_of(district: District, place: int = 0) -> Filing:
    with district.database.transaction() as session:
        return session.get_one(Filing, district.filings[place])


def actions(district: District, start: str) -> list[str]:
    with district.database.transaction() as session:
        rows = session.scalars(select(AuditEntry.action).order_by(AuditEntry.id))
        return [action for action in rows if action.startswith(start)]


def test_queue_has_the_oldest_first_with_what_to_look_at(
    come_in: Enter, district: District
) -> None:
    with district.database.transaction() as session:
        session.get_one(Company, district.companies[1]).state = "suspended"
    page = come_in(REVIEWER).get(QUEUE)
    said = text_of(page)
    assert said.index(COMPANIES[0]) < said.index(COMPANIES[1])
    for words in ("待审核 2 份", "已等 30 小时", "外地返回 3", "企业停业", "无人在审"):
        assert words in said


def test_reviewer_who_opens_a_filing_holds_it_and_the_next_sees_who(
    come_in: Enter, district: District
) -> None:
    path = f"{QUEUE}/{district.filings[0]}"
    first, second = come_in(REVIEWER), come_in(REVIEWER, name="li", display_name="李明")
    assert "先放回队列" in first.get(path).text
    assert "王静正在审核" in text_of(second.get(QUEUE))
    other = second.get(path)
    assert "王静正在审核这份备案" in text_of(other)
    assert f'action="{path}/decide"' not in other.text, "who does not hold it cannot decide"
    taken = submit(second, path, to=f"{path}/hold")
    assert taken.location == path
    assert "先放回队列" in second.get(path).text
    assert "李明正在审核这份备案" in text_of(first.get(path))
    assert actions(district, "filing_")[-2:] == ["filing_opened", "filing_taken_over"]


def test_hold_ends_by_itself_and_by_putting_the_filing_back(
    come_in: Enter, district: District
) -> None:
    path = f"{QUEUE}/{district.filings[0]}"
    first, second = come_in(REVIEWER), come_in(REVIEWER, name="li", display_name="李明")
    back = submit(first, path, to=f"{path}/hold", act="release")
    assert back.location == QUEUE
    assert "王静正在审核" not in second.get(path).text
    with time_machine.travel(district.now + timedelta(minutes=11), tick=False):
        assert "先放回队列" in first.get(path).text


def test_decision_on_what_another_holds_is_refused_and_says_who(
    come_in: Enter, district: District
) -> None:
    path = f"{QUEUE}/{district.filings[0]}"
    first, second = come_in(REVIEWER), come_in(REVIEWER, name="li", display_name="李明")
    csrf = csrf_of(first.get(path).text)
    submit(second, path, to=f"{path}/hold")
    fields = {"csrf": csrf, "revision": "1", "verdict": "approve"}
    refused = first.post(f"{path}/decide", data=fields)
    assert refused.status_code == 409
    assert "李明 正在审核这份备案" in text_of(refused)
    assert filing_of(district).state == "submitted"


def test_approval_is_told_to_the_owner_and_said_above_the_queue(
    come_in: Enter, district: District
) -> None:
    client, path = come_in(REVIEWER), f"{QUEUE}/{district.filings[0]}"
    done = submit(client, path, to=f"{path}/decide", revision="1", verdict="approve")
    assert done.location == f"{QUEUE}?done={district.filings[0]}"
    said = text_of(client.get(done.location))
    assert f"{COMPANIES[0]}的备案已通过，已经通知企业" in said
    with district.database.transaction() as session:
        assert session.scalars(select(Notice.kind)).all().count("filing_passed") == 1
    assert "待审核 1 份" in said
    shown = text_of(client.get(path))
    assert "先放回队列" not in shown
    assert "工作人员 1" in shown


@pytest.mark.parametrize("verdict", ["return", "reject"])
def test_sending_back_needs_a_reason_and_keeps_what_was_typed(
    come_in: Enter, district: District, verdict: str
) -> None:
    client, path = come_in(REVIEWER), f"{QUEUE}/{district.filings[0]}"
    empty = submit(client, path, to=f"{path}/decide", revision="1", verdict=verdict)
    assert (empty.status_code, "请写明原因" in empty.text) == (422, True)
    long = submit(
        client, path, to=f"{path}/decide", revision="1", verdict=verdict, reason="缺" * 301
    )
    assert (long.status_code, "缺" * 301 in long.text) == (422, True)
    assert 'aria-invalid="true"' in long.text
    assert filing_of(district).state == "submitted"
    reason = "缺少每日消毒的安排\n请补充"
    submit(client, path, to=f"{path}/decide", revision="1", verdict=verdict, reason=reason)
    assert filing_of(district).reason == reason
    assert "缺少每日消毒的安排" in text_of(client.get(path))


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"revision": "2", "verdict": "approve"}, 409),
        ({"revision": "x", "verdict": "approve"}, 409),
        ({"revision": "1", "verdict": "eat"}, 422),
        ({"revision": "1"}, 422),
    ],
)
def test_decision_that_fits_nothing_changes_nothing(
    come_in: Enter, district: District, fields: dict[str, str], status: int
) -> None:
    client, path = come_in(REVIEWER), f"{QUEUE}/{district.filings[0]}"
    assert submit(client, path, to=f"{path}/decide", **fields).status_code == status
    assert filing_of(district).state == "submitted"


def test_company_out_of_business_is_not_approved_and_the_page_says_why(
    come_in: Enter, district: District
) -> None:
    client, path = come_in(REVIEWER), f"{QUEUE}/{district.filings[0]}"
    with district.database.transaction() as session:
        session.get_one(Company, district.companies[0]).state = "revoked"
    refused = submit(client, path, to=f"{path}/decide", revision="1", verdict="approve")
    assert (refused.status_code, "不是正常经营状态" in refused.text) == (422, True)


def test_batch_names_what_became_of_every_row(come_in: Enter, district: District) -> None:
    client = come_in(REVIEWER)
    other = come_in(REVIEWER, name="li", display_name="李明")
    other.get(f"{QUEUE}/{district.filings[1]}")
    page = client.get(QUEUE)
    ticked = re.findall(r'name="filing" value="([^"]+)"', page.text)
    assert ticked == [f"{filing}:1" for filing in district.filings]
    done = client.post(
        f"{QUEUE}/decide",
        data={"csrf": csrf_of(page.text), "filing": ticked, "verdict": "approve"},
    )
    said = text_of(done)
    assert "1 份备案已按“通过”处理" in said
    assert "1 份没有处理" in said
    assert f"{COMPANIES[1]} 李明 正在审核这份备案" in said
    assert [filing_of(district, place).state for place in (0, 1)] == ["approved", "submitted"]


def test_batch_that_is_refused_keeps_ticks_reason_and_filter(
    come_in: Enter, district: District
) -> None:
    client = come_in(REVIEWER)
    csrf = csrf_of(client.get(QUEUE).text)
    chosen = f"{district.filings[0]}:1"
    fields = {"csrf": csrf, "filing": [chosen], "verdict": "return", "q": "甲子", "reason": " "}
    refused = client.post(f"{QUEUE}/decide", data=fields)
    assert (refused.status_code, "请写明原因" in refused.text) == (422, True)
    assert f'value="{chosen}" checked' in refused.text
    assert 'value="甲子"' in refused.text
    assert COMPANIES[1] not in refused.text
    nothing = client.post(f"{QUEUE}/decide", data={"csrf": csrf, "verdict": "approve"})
    assert (nothing.status_code, "请选择一项" in nothing.text) == (422, True)
    odd = ["x", ":", "1:", ":1", "99999999999:1", "-1:1", "１:1"]
    strange = {"csrf": csrf, "filing": odd, "verdict": "approve"}
    assert client.post(f"{QUEUE}/decide", data=strange).status_code == 422


def test_plan_is_opened_through_the_product_and_on_record(
    come_in: Enter, district: District
) -> None:
    client = come_in(Role.STREET_OFFICER)
    page = client.get(f"{QUEUE}/{district.filings[0]}").text
    link = re.search(r'href="(/console/filings/\d+/plan/\d+)"', page)
    assert link is not None
    opened = client.get(link[1])
    assert (opened.status_code, opened.data, opened.mimetype) == (200, PDF, "application/pdf")
    assert opened.headers["X-Content-Type-Options"] == "nosniff"
    assert actions(district, "file_read") == ["file_read"]


@pytest.mark.parametrize("role", [Role.STREET_OFFICER, Role.AUDITOR, Role.ADMINISTRATOR])
def test_who_only_looks_holds_nothing_and_finds_no_buttons(
    come_in: Enter, district: District, role: Role
) -> None:
    client = come_in(role)
    shown = client.get(f"{QUEUE}/{district.filings[0]}").text
    assert "待审核" in shown
    assert 'name="verdict"' not in shown + client.get(QUEUE).text
    assert 'name="filing"' not in client.get(QUEUE).text
    assert filing_of(district).held_by is None


@pytest.mark.parametrize(
    "query",
    ["state=x", "page=0", "page=99999999999", "street=-1", "q=%00%25'", "done=x", "done=99999"],
)
def test_fields_that_make_no_sense_are_as_if_not_given(come_in: Enter, query: str) -> None:
    assert come_in(REVIEWER).get(f"{QUEUE}?{query}").status_code == 200


def test_pages_and_empty_queues_lead_on(come_in: Enter, district: District, now: datetime) -> None:
    with district.database.transaction() as session:
        for place in range(2, 29):
            district.add_company(session, place)
    client = come_in(REVIEWER)
    first = client.get(f"{QUEUE}?q=公司").text
    assert first.count('name="filing"') == 25
    following = re.search(r'rel="next" href="([^"]+)"', first)
    assert following is not None
    second = client.get(following[1].replace("&amp;", "&")).text
    assert second.count('name="filing"') == 4
    assert "没有符合条件的备案" in client.get(f"{QUEUE}?q=火星<b>").text
    assert "没有这种状态的备案" in client.get(f"{QUEUE}?state=rejected").text
