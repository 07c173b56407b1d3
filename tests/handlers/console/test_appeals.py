from __future__ import annotations

from datetime import timedelta
from io import BytesIO

import pytest
from sqlalchemy import select

from core.audit.model import AuditEntry
from core.clock import day_of
from core.people.staff.rules import Role
from core.risk.model import IndicatorValue
from tests.console import PDF, District
from tests.h5 import csrf_of, submit, text_of
from tests.handlers.console.conftest import Enter
from tests.rulings import REASON, rule, score

PATH = "/console/risk/appeals"
NEW = f"{PATH}/new"
OFFICER, REVIEWER = Role.NEIGHBOURHOOD_OFFICER, Role.DISTRICT_REVIEWER


def fields(**changes: object) -> dict[str, object]:
    appeal = {"community": "2", "indicator": "confirmed", "claimed": "1", "evidence": REASON}
    return appeal | changes


def test_officer_objects_and_two_reviewers_correct_the_day(
    come_in: Enter, district: District
) -> None:
    score(district)
    officer = come_in(OFFICER)
    first = come_in(REVIEWER, name="li", display_name="李明")
    second = come_in(REVIEWER, name="zhao", display_name="赵强")
    form = officer.get(f"{NEW}?community=2&indicator=confirmed")
    assert "14天内确诊病例：系统采用 3&nbsp;例" in form.text
    assert 'value="confirmed" selected' in form.text
    sent = fields(file=(BytesIO(PDF), "核对.pdf"))
    raised = submit(officer, f"{NEW}?community=2", to=NEW, **sent)
    page = raised.location.partition("?")[0]
    assert "撤回申诉" in text_of(officer.get(raised.location))
    shown = text_of(first.get(page))
    assert "采纳后" in shown, "the effect is shown beforehand"
    assert first.get(f"{page}/evidence").data == PDF
    done = submit(first, page, to=f"{page}/decide", step="recommend", act="accept", reason=REASON)
    waiting = text_of(first.get(done.location))
    assert "初审意见已提交" in waiting
    assert "要由另一位同事作出" in waiting
    done = submit(second, page, to=f"{page}/decide", step="decide", act="accept")
    assert "已采纳，这一天已经按更正后的数值重新计算" in text_of(second.get(done.location))
    assert "已采纳" in text_of(officer.get(f"{PATH}?state=accepted"))
    with district.database.transaction() as session:
        row = session.scalars(
            select(IndicatorValue).where(
                IndicatorValue.community_id == 2, IndicatorValue.indicator == "confirmed"
            )
        ).one()
        assert (row.value, row.origin) == (1.0, "appeal")
        read = select(AuditEntry).where(AuditEntry.action == "file_read")
        assert len(session.scalars(read).all()) == 1


@pytest.mark.parametrize(
    ("changes", "status", "words"),
    [
        ({"indicator": ""}, 422, "请选择要申诉的指标"),
        ({"claimed": "1.5"}, 422, "之间的整数（单位：例）"),
        ({"claimed": "3"}, 422, "和系统采用的一样"),
        ({"evidence": ""}, 422, "请写明原因"),
        ({"file": (b"MZ", "核对.pdf")}, 422, "PDF"),
        ({"day": "2020-01-01"}, 404, "没有公布过结果"),
    ],
)
def test_appeal_that_cannot_be_keeps_what_was_typed(
    come_in: Enter, district: District, changes: dict[str, object], status: int, words: str
) -> None:
    score(district)
    if isinstance(file := changes.get("file"), tuple):
        changes = {"file": (BytesIO(file[0]), file[1])}
    sent = fields(**changes)
    refused = submit(come_in(OFFICER), f"{NEW}?community=2", to=NEW, **sent)
    assert (refused.status_code, words in refused.text) == (status, True)
    assert status == 404 or str(sent["claimed"]) in refused.text


def test_who_comes_second_is_told_by_whom(come_in: Enter, district: District) -> None:
    rulings = rule(district)
    officer = come_in(OFFICER)
    sent = fields(indicator="vuln", claimed="45")
    standing = submit(officer, f"{NEW}?community=2", to=NEW, **sent)
    assert (standing.status_code, "陈明已经申诉过" in standing.text) == (409, True)
    page = f"{PATH}/{rulings.appeals[2]}"
    first, second = (
        come_in(REVIEWER, name=name, display_name=shown)
        for name, shown in (("li", "李明"), ("zhao", "赵强"))
    )
    csrf = csrf_of(second.get(page).text)
    step = {"step": "recommend", "reason": REASON}
    submit(first, page, to=f"{page}/decide", act="accept", **step)
    late = second.post(f"{page}/decide", data={"csrf": csrf, "act": "refuse", **step})
    assert (late.status_code, "李明已经处理过了" in late.text) == (409, True)
    own = submit(first, page, to=f"{page}/decide", step="decide", act="accept")
    assert (own.status_code, "请另一位同事处理" in own.text) == (403, True)
    empty = submit(second, page, to=f"{page}/decide", step="decide", act="refuse", reason="")
    assert (empty.status_code, "请写明原因" in empty.text) == (422, True)
    odd = submit(second, page, to=f"{page}/decide", act="refuse")
    assert odd.status_code == 422


def test_officer_takes_an_appeal_back(come_in: Enter, district: District) -> None:
    score(district)
    officer = come_in(OFFICER)
    page = submit(officer, f"{NEW}?community=2", to=NEW, **fields()).location.partition("?")[0]
    gone = submit(officer, page, to=f"{page}/withdraw")
    assert "已撤回" in text_of(officer.get(gone.location))
    assert "撤回申诉" not in officer.get(page).text


def test_today_that_is_provisional_leads_to_the_day_before(
    come_in: Enter, district: District
) -> None:
    score(district)
    today = day_of(district.now)
    form = come_in(OFFICER).get(f"{NEW}?community=2&indicator=close&day={today}").text
    assert f'name="day" value="{today - timedelta(days=1)}"' in form


def test_empty_lists_and_odd_fields_say_what_to_do(come_in: Enter, district: District) -> None:
    client = come_in(OFFICER)
    assert "还没有申诉" in client.get(PATH).text
    assert "没有符合条件的申诉" in client.get(f"{PATH}?q=火星").text
    for query in ("state=x", "page=0", "q=%00", "done=x"):
        assert client.get(f"{PATH}?{query}").status_code == 200
    unscored = client.get(f"{NEW}?community=2")
    assert (unscored.status_code, "没有公布过结果" in unscored.text) == (404, True)
    assert client.get(f"{PATH}/99999999999/evidence").status_code == 404
