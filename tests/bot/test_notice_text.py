from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime

import pytest
from jinja2 import UndefinedError

from bot.notice_text import NoticeTextError, fields_of, text_of
from bot.simulator.fields import values_for
from bot.texts import TEMPLATES, Texts
from core.notices.delivery import Attempt
from core.notices.rules import Channel
from core.risk.rules import Colour

TEXTS = Texts(constants={})
VALUES = {"community": "田林十二村", "previous": "blue", "colour": "red"}
VALUES |= {"day": "2020-03-28", "is_provisional": False}
VALUES |= {"company": "上海第一有限公司", "role": "manager"}
VALUES |= {"check_code": "K7M4QX", "cause": "feed_missing"}
VALUES |= {"total": 12345, "low": 11000, "high": 14000, "peaks": "09:00–10:00;12:00–13:00"}
VALUES |= {"peak_pct": 40, "shifts": "06:00–09:00 4;09:00–14:00 12", "max_posts": 12}
VALUES |= {"is_limited": True, "is_degraded": True, "train_count": 13, "trains": "10:20 G1 武汉"}
VALUES |= {"coverage": 65, "days": 14, "is_too_narrow": True}
VALUES |= {"workplace": "东安路综合楼项目", "street": "田林街道", "deadline": "2020-03-29 08:00"}
VALUES |= {"site": "天钥桥路商品住宅项目12标", "due": "10:00", "is_over": 1}
VALUES |= {"count": "25", "number": "R200328-7KM3X-2PQ9T"}
KINDS = sorted(path.name.split(".")[0] for path in (TEMPLATES / "notices").glob("*.fields.txt"))


@pytest.fixture
def attempt(now: datetime) -> Attempt:
    return Attempt(
        notice_id=1,
        kind="colour_changed",
        openid="o",
        channel=Channel.TEMPLATE,
        template_id="t",
        client_msg_id="c",
        values=VALUES,
        body=None,
        link="",
        page_path="",
        queued_at=now,
        is_repeat=False,
    )


@pytest.mark.parametrize("kind", KINDS)
def test_fields_of_every_kind_are_accepted_by_the_platform(attempt: Attempt, kind: str) -> None:
    data = fields_of(TEXTS, replace(attempt, kind=kind))
    shown = values_for(data, names=(), choices={})
    assert shown
    assert not any(value.endswith("…") for value in shown.values())


@pytest.mark.parametrize("previous", Colour)
@pytest.mark.parametrize("colour", Colour)
@pytest.mark.parametrize("is_provisional", [False, True])
def test_every_change_and_correction_of_colour_fits_whole(
    attempt: Attempt, previous: Colour, colour: Colour, is_provisional: bool
) -> None:
    values = VALUES | {"previous": previous.value, "colour": colour.value}
    changed = replace(attempt, values=values | {"is_provisional": is_provisional})
    data = fields_of(TEXTS, changed)
    assert re.fullmatch(r"由.+（.色）变为.+（.色）", data["thing2"]["value"])
    assert ("暂定" in data["thing4"]["value"]) is is_provisional
    data = fields_of(TEXTS, replace(changed, kind="colour_corrected"))
    assert re.fullmatch(r"更正为.+（.色）", data["thing2"]["value"])
    assert re.fullmatch(r"此前通知的.+（.色）不再作准", data["thing4"]["value"])


def test_change_that_was_queued_before_there_were_provisional_ones_is_still_told(
    attempt: Attempt,
) -> None:
    values = {name: value for name, value in VALUES.items() if name != "is_provisional"}
    assert "暂定" not in text_of(TEXTS, replace(attempt, values=values))


@pytest.mark.parametrize("cause", ["feed_missing", "coverage", "jump", "paused"])
def test_every_cause_of_a_held_publication_is_told_whole(attempt: Attempt, cause: str) -> None:
    held = replace(attempt, kind="risk_publication_held", values=VALUES | {"cause": cause})
    assert not any(one["value"].endswith("…") for one in fields_of(TEXTS, held).values())
    said = "实时更新已暂停：有 25 个小区" if cause == "paused" else "2020-03-28 的小区颜色暂缓发布"
    assert said in text_of(TEXTS, held)


def test_provisional_change_and_correction_say_what_they_are(attempt: Attempt) -> None:
    early = replace(attempt, values=VALUES | {"is_provisional": True})
    assert "（2020-03-28，今日更新，暂定）" in text_of(TEXTS, early)
    assert text_of(TEXTS, replace(attempt, kind="colour_corrected")).startswith(
        "更正：田林十二村的风险等级是高风险（红色）（2020-03-28），此前通知的一般风险（蓝色）不再作准"
    )


def test_time_is_the_wall_clock_in_shanghai(attempt: Attempt) -> None:
    assert fields_of(TEXTS, attempt)["time3"]["value"] == "2020-03-28 08:00"


def test_long_name_of_a_community_is_cut_and_nothing_else(attempt: Attempt) -> None:
    data = fields_of(TEXTS, replace(attempt, values=VALUES | {"community": "村" * 40}))
    assert data["thing1"]["value"] == "村" * 19 + "…"


def test_answer_is_said_as_it_is(attempt: Attempt) -> None:
    assert text_of(TEXTS, replace(attempt, kind="late_reply", body="<a>答复</a>")) == "<a>答复</a>"


def test_text_never_exceeds_what_a_message_holds(attempt: Attempt) -> None:
    text = text_of(TEXTS, replace(attempt, kind="late_reply", body="答" * 1000))
    assert len(text.encode()) <= 2048
    assert set(text) == {"答"}


@pytest.mark.parametrize("body", ["", "  \n"])
def test_empty_answer_is_refused_here(attempt: Attempt, body: str) -> None:
    with pytest.raises(NoticeTextError):
        text_of(TEXTS, replace(attempt, body=body))


def test_missing_value_is_an_error_and_not_a_gap(attempt: Attempt) -> None:
    with pytest.raises(UndefinedError):
        fields_of(TEXTS, replace(attempt, values={}))


def test_value_cannot_become_a_link(attempt: Attempt) -> None:
    values = VALUES | {"community": '<a href="http://x">甲</a>'}
    assert "<a" not in text_of(TEXTS, replace(attempt, values=values))
