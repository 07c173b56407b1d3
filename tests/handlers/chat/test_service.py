"""The desk: help, people, thanks, health code, what cannot be read."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from core.db import Database
from core.notices.model import Notice
from core.notices.rules import Channel, NoticeState
from core.notices.service import queue_notice
from handlers.turn import TurnKind
from tests.handlers.chat.conftest import Talk


@pytest.mark.parametrize(
    ("said", "route", "line"),
    [
        ("帮助", "help", "您好，这里是"),
        ("你好", "help", "您好，这里是"),
        ("?", "help", "您好，这里是"),
        ("人工", "human", "人工服务："),
        ("我要投诉", "human", "人工服务："),
        ("谢谢", "thanks", "不客气"),
        ("随申码怎么打开", "health_code", "随申码："),
        ("我的码变黄了怎么办", "health_code", "随申码黄码"),
        ("红码", "health_code", "随申码红码"),
        ("今天天气怎么样", "named", "抱歉，我没有听懂"),
        ("取消", "cancel", "好的，当前没有进行中的操作"),
        ("继续", "read_on", "没有更多内容了"),
    ],
)
def test_a_word_leads_to_its_answer(talk: Talk, said: str, route: str, line: str) -> None:
    assert talk.first_line(said).startswith(line)
    assert talk.route == route


@pytest.mark.parametrize(
    "key", ["help", "human", "masks", "health_code", "paper", "subscriptions", "arrivals"]
)
def test_every_menu_button_is_answered(talk: Talk, key: str) -> None:
    assert talk.event("click", key)


def test_a_long_text_is_answered_with_what_can_be_asked(talk: Talk) -> None:
    assert talk.first_line("天" * 500).startswith("抱歉，我没有听懂")
    assert talk.route == "not_understood"


def test_customer_service_takes_over_when_it_is_asked_for(talk: Talk) -> None:
    talk.say("接通人工", menu_id="handover")

    assert talk.route == "handover"
    assert talk.reply.handover


@pytest.mark.parametrize("kind", [TurnKind.IMAGE, TurnKind.VOICE, TurnKind.VIDEO, TurnKind.UNKNOWN])
def test_what_cannot_be_read_is_pointed_to_words(talk: Talk, kind: TurnKind) -> None:
    assert "打字" in talk.send(kind)
    assert talk.route == "unreadable"


def test_a_late_answer_is_given_when_it_is_asked_for(talk: Talk, database: Database) -> None:
    assert talk.first_line("查看答复").startswith("目前没有等您查看的答复")
    assert talk.route == "waiting_answer"
    with database.transaction() as session:
        queue_notice(
            session,
            now=talk.now,
            kind="late_reply",
            openid=talk.openid,
            key="late:1",
            values={},
            body="田林十二村：一般风险（蓝色）",
        )
        notice = session.scalars(select(Notice)).one()
        notice.state, notice.channel, notice.sent_at = NoticeState.SENT, Channel.TEMPLATE, talk.now

    assert talk.first_line("查看答复") == "田林十二村：一般风险（蓝色）"


def test_the_rest_of_a_long_reply_is_given(talk: Talk) -> None:
    assert talk.say("继续", rest='第二页<a href="https://example.com">页</a>') == (
        '第二页<a href="https://example.com">页</a>'
    )
