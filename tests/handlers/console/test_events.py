from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from core.audit.model import AuditEntry
from core.clock import day_of
from core.people.staff.rules import Role
from core.risk.service import find_card
from tests.console import District
from tests.h5 import csrf_of, submit, text_of
from tests.handlers.console.conftest import Enter
from tests.handlers.console.event_cases import PATH, PEOPLE, fill_events
from tests.rulings import score

NEW = f"{PATH}/new"
REVIEWER = Role.DISTRICT_REVIEWER
PERSON = PEOPLE[1]


def fields(district: District, **changes: str) -> dict[str, str]:
    typed = {
        "person": PERSON,
        "kind": "confirmed",
        "reported_on": day_of(district.now).isoformat(),
        "place": "名A1",
    }
    return typed | changes


def colour_of(district: District, community_id: int) -> tuple[str, bool]:
    with district.database.reading() as session:
        card = find_card(session, community_id=community_id, today=day_of(district.now))
    assert card is not None
    return card.colour.value, card.is_provisional


def test_entered_event_moves_the_colour_at_once_and_the_page_says_so(
    come_in: Enter, district: District
) -> None:
    score(district)
    client = come_in(REVIEWER)
    assert "还没有手工录入的事件" in client.get(PATH).text
    assert colour_of(district, 1) == ("blue", False)
    # Who comes from the page of a community need not name it again.
    prefilled = client.get(f"{NEW}?community=1").text
    assert 'name="choice" value="A1"' in prefilled
    done = submit(client, f"{NEW}?community=1", to=NEW, **fields(district))
    assert (done.status_code, PERSON in done.location) == (303, False)
    shown = text_of(client.get(done.location))
    assert "已录入。计入名A1" in shown
    assert "中等风险（黄色） 今日暂定" in shown
    assert "王静" in shown
    assert colour_of(district, 1) == ("yellow", True)
    # The same tap again leads to the same page.
    assert submit(client, NEW, **fields(district)).location == done.location
    listed = client.get(PATH).text
    assert ("名A1" in listed, PERSON in listed) == (True, False)


def test_withdrawn_event_counts_no_more_and_its_reason_stays(
    come_in: Enter, district: District
) -> None:
    score(district)
    client = come_in(REVIEWER)
    page = submit(client, NEW, **fields(district)).location.partition("?")[0]
    refused = submit(client, page, to=f"{page}/withdraw", reason=" ")
    assert (refused.status_code, "请写明撤销原因" in refused.text) == (422, True)
    csrf = csrf_of(client.get(page).text)
    for _ in range(2):
        done = client.post(f"{page}/withdraw", data={"csrf": csrf, "reason": "复核为阴性"})
        assert done.status_code == 303, "twice is once"
    shown = text_of(client.get(done.location))
    assert "已撤销，不再计入" in shown
    assert "复核为阴性" in shown
    assert colour_of(district, 1) == ("blue", False)
    late = client.post(f"{page}/withdraw", data={"csrf": csrf, "reason": "又一个原因"})
    assert (late.status_code, "刚刚已由其他人员撤销" in late.text) == (409, True)
    assert "撤销这条事件" not in late.text


@pytest.mark.parametrize(
    ("changes", "words", "status"),
    [
        ({"person": ""}, "还没有填写", 422),
        ({"person": "110105194912310021"}, "证件号码有一位填错了", 422),
        ({"person": "x" * 65}, "最多", 422),
        ({"kind": "cold"}, "请选择一项", 422),
        ({"reported_on": ""}, "还没有填写", 422),
        ({"reported_on": "2999-01-01"}, "报告日期不能晚于今天", 422),
        ({"ended_on": "2020-01-01"}, "结束日期不能早于报告日期", 422),
        ({"ending": "released"}, "结束日期：这一项还没有填写", 422),
        ({"place": ""}, "名册里没有这个人的住址", 422),
        ({"place": "火星一号"}, "没有找到这个小区", 422),
        ({"place": "名A"}, "请从下面选一个", 422),
    ],
)
def test_event_that_cannot_be_keeps_what_was_typed(
    come_in: Enter, district: District, changes: dict[str, str], words: str, status: int
) -> None:
    sent = fields(district, cluster="某商场", **changes)
    refused = submit(come_in(REVIEWER), NEW, **sent)
    assert (refused.status_code, words in refused.text) == (status, True), text_of(refused)
    assert 'role="alert"' in refused.text
    assert 'value="某商场"' in refused.text


def test_place_that_is_not_clear_is_chosen_and_somebody_nobody_can_place_goes_on_the_worklist(
    come_in: Enter, district: District
) -> None:
    client = come_in(REVIEWER)
    sent = fields(district, place="名A", asked="名A", choice="A2")
    chosen = text_of(client.get(submit(client, NEW, **sent).location))
    assert "计入名A2" in chosen
    lost = fields(district, person="nobody", place="", unknown="yes")
    shown = text_of(client.get(submit(client, NEW, **lost).location))
    assert "已列入待落实住址" in shown
    assert "1 项待落实" in text_of(client.get("/console/risk/unplaced"))
    # Another event of the same kind and day is none.
    again = submit(client, NEW, **fields(district, place="名A2", route="筛查"))
    assert (again.status_code, "已经录入" in again.text) == (409, True)


def test_search_by_document_is_recorded_and_limited_and_never_in_an_address(
    come_in: Enter, district: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill_events(district)
    client = come_in(REVIEWER)
    search = f"{PATH}/search"
    found = submit(client, PATH, to=search, person=f" {PERSON.lower()} ")
    assert "这个人有 1 条事件" in found.text
    assert PERSON.lower() not in found.text.lower()
    assert "没有找到这个人的事件" in submit(client, PATH, to=search, person="nobody").text
    slip = submit(client, PATH, to=search, person="110105194912310021")
    assert (slip.status_code, 'aria-invalid="true"' in slip.text) == (422, True)
    with district.database.reading() as session:
        rows = session.execute(select(AuditEntry).where(AuditEntry.action == "events_searched"))
        assert [one.facts for (one,) in rows] == [{"found": 1}, {"found": 0}]
    monkeypatch.setattr("handlers.console.events.SEARCH_LIMIT", (3, 3600))
    often = submit(client, PATH, to=search, person=PERSON)
    assert (often.status_code, "次数太多" in often.text) == (429, True)


def test_officer_reads_and_can_neither_enter_nor_search(come_in: Enter, district: District) -> None:
    ids = fill_events(district)
    client = come_in(Role.NEIGHBOURHOOD_OFFICER)
    text = client.get(PATH).text + client.get(f"{PATH}/{ids[2]}").text
    assert "名A2" in text
    for word in ("录入事件", "证件号码", "撤销这条事件"):
        assert word not in text
    community = client.get("/console/risk/community/2").text
    assert ("逐条查看" in community, "录入事件" in community) == (True, False)
    day = day_of(district.now) - timedelta(days=1)
    assert f"{day.month} 月 {day.day} 日" in text
