from __future__ import annotations

from datetime import timedelta

import pytest

from core.clock import day_of
from core.people.staff.rules import Role
from core.risk.service import find_card
from tests.console import District
from tests.h5 import csrf_of, submit, text_of
from tests.handlers.console.conftest import Enter
from tests.rulings import REASON, rule, score

PATH = "/console/risk/overrides"
NEW = f"{PATH}/new"
REVIEWER = Role.DISTRICT_REVIEWER


def fields(district: District, **changes: str) -> dict[str, str]:
    until = day_of(district.now) + timedelta(days=3)
    proposal = {
        "community": "1",
        "colour": "red",
        "until_day": until.isoformat(),
        "reason": REASON,
    }
    return proposal | changes


def colour_of(district: District, community_id: int) -> str:
    with district.database.reading() as session:
        card = find_card(session, community_id=community_id, today=day_of(district.now))
    assert card is not None
    return card.colour.value


def test_two_people_set_a_colour_and_one_ends_it(come_in: Enter, district: District) -> None:
    score(district)
    first, second = come_in(REVIEWER), come_in(Role.ADMINISTRATOR, name="li", display_name="李明")
    found = text_of(first.get(f"{NEW}?q=A1"))
    assert "名A1 田林街道，一般风险" in found
    proposed = submit(first, f"{NEW}?community=1", to=NEW, **fields(district))
    page = proposed.location.partition("?")[0]
    own = text_of(first.get(proposed.location))
    assert "等另一位同事复核后生效" in own
    assert "批准，立即生效" not in own
    assert colour_of(district, 1) == "blue"
    done = submit(second, page, to=f"{page}/decide", act="accept")
    shown = text_of(second.get(done.location))
    assert "已批准，颜色已经调整" in shown
    assert "王静， " in shown
    assert "按得分 一般风险" in shown, "the computed colour stays beside it"
    assert colour_of(district, 1) == "red"
    refused = submit(first, page, to=f"{page}/decide", act="end", reason="")
    assert (refused.status_code, "请写明原因" in refused.text) == (422, True)
    submit(first, page, to=f"{page}/decide", act="end", reason="核酸结果全部阴性")
    assert colour_of(district, 1) == "blue"
    listed = text_of(first.get(f"{PATH}?state=ended"))
    assert "名A1" in listed
    assert "目前没有生效的" in listed


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"colour": "grey"}, "请选择一项"),
        ({"colour": ""}, "请选择一项"),
        ({"until_day": ""}, "还没有填写"),
        ({"until_day": "2020-01-01"}, "截止日期要在"),
        ({"until_day": "2020-13-01"}, "日期不对"),
        ({"reason": "嗯"}, "请写明原因"),
    ],
)
def test_proposal_that_cannot_be_keeps_what_was_typed(
    come_in: Enter, district: District, changes: dict[str, str], words: str
) -> None:
    score(district)
    sent = fields(district, **changes)
    refused = submit(come_in(REVIEWER), f"{NEW}?community=1", to=NEW, **sent)
    assert (refused.status_code, words in refused.text) == (422, True)
    assert 'role="alert"' in refused.text
    assert sent["reason"] in refused.text


def test_who_comes_second_is_told_and_led_to_what_stands(
    come_in: Enter, district: District
) -> None:
    rulings = rule(district)
    client = come_in(REVIEWER)
    form = client.get(f"{NEW}?community=1").text
    assert f"{PATH}/{rulings.overrides[1]}" in form
    refused = client.post(NEW, data={"csrf": csrf_of(form)} | fields(district))
    assert (refused.status_code, "等待批准（陈明）" in refused.text) == (409, True)
    other, page = (
        come_in(REVIEWER, name="li", display_name="李明"),
        f"{PATH}/{rulings.overrides[1]}",
    )
    csrf = csrf_of(client.get(page).text)
    submit(other, page, to=f"{page}/decide", act="refuse", reason="依据不足，先补充")
    late = client.post(f"{page}/decide", data={"csrf": csrf, "act": "accept"})
    assert (late.status_code, "李明已经处理过了" in late.text) == (409, True)
    assert colour_of(district, 1) == "blue"


def test_decision_that_is_not_ones_own_to_make_is_refused(
    come_in: Enter, district: District
) -> None:
    score(district)
    client = come_in(REVIEWER)
    page = submit(client, f"{NEW}?community=1", to=NEW, **fields(district)).location.partition("?")[
        0
    ]
    own = submit(client, page, to=f"{page}/decide", act="accept")
    assert (own.status_code, "请另一位同事处理" in own.text) == (403, True)
    odd = submit(client, page, to=f"{page}/decide", act="eat")
    assert (odd.status_code, "请选择一项" in odd.text) == (422, True)
    gone = submit(client, page, to=f"{page}/decide", act="withdraw")
    assert "已撤回" in text_of(client.get(gone.location))


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.NEIGHBOURHOOD_OFFICER])
def test_who_only_looks_sees_no_buttons(come_in: Enter, district: District, role: Role) -> None:
    page = come_in(role).get(f"{PATH}/{rule(district).overrides[2]}").text
    assert REASON in page
    assert 'name="act"' not in page


def test_home_says_what_waits_for_whom(come_in: Enter, district: District) -> None:
    rule(district)
    home = text_of(come_in(REVIEWER).get("/console/"))
    assert "暂缓发布 0 天 待复核研判 3 条 待处理申诉 3 件" in home
    assert "待复核研判" not in text_of(come_in(Role.AUDITOR, name="li").get("/console/"))


def test_empty_lists_and_odd_fields_say_what_to_do(come_in: Enter, district: District) -> None:
    client = come_in(REVIEWER)
    assert "还没有人工研判" in client.get(PATH).text
    assert "没有符合条件的人工研判" in client.get(f"{PATH}?q=火星").text
    assert "没有找到小区" in client.get(f"{NEW}?q=火星").text
    for query in ("state=x", "page=0", "q=%00", "done=x"):
        assert client.get(f"{PATH}?{query}").status_code == 200
    form = client.get(f"{NEW}?community=1")
    assert "还没有发布过这个小区的风险" in form.text
