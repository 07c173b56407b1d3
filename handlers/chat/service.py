"""The desk: help, a human being, the health code, reading on, leaving, what cannot be read."""

from __future__ import annotations

from sqlalchemy.orm import Session

from core.notices.service import find_waiting_answer
from handlers.chat import places
from handlers.chat.words import asks, says
from handlers.turn import KEEP, Rendered, Reply, Turn, TurnKind

is_help = says(
    "帮助|幫助|help|菜单|功能|你好+|您好+|hello|hi|嗨|在吗|怎么用|使用说明|可以问什么|能做什么|你能做什么|[?？]+",
    key="help",
)
is_human = asks("人工|客服|轉人工|转人工|投诉|举报|rengong|找人|电话是多少|联系你们", key="human")
is_thanks = says("谢谢(?:你|您)?|多谢|感谢|好的?|收到|知道了|明白了?|ok|嗯+|哦+|辛苦了?")
is_cancel = says("取消|退出|算了|不要了|不用了|停止|cancel|quit|exit")
is_reading_on = says("继续|繼續|更多|下一页|接着|往下|继续看|jixu")
is_waiting_answer = says("查看(?:答复|回复|答案)")
is_health_code = asks(
    "健康码|健康碼|随申码|隨申碼|绿码|黄码|红码|jiankangma|suishenma|变黄了|变红了|码(?:是|变|黄|红|绿)",
    key="health_code",
)
is_mild = asks("黄码|码.{0,3}黄|变黄")
is_severe = asks("红码|码.{0,3}红|变红")


def answer_help(turn: Turn, session: Session) -> Reply:  # noqa: ARG001
    """Say what can be asked."""
    return Reply(template="help/menu", conversation=KEEP)


def answer_not_understood(turn: Turn, session: Session) -> Reply:  # noqa: ARG001
    """Say what can be asked instead."""
    return Reply(template="help/not_understood", conversation=KEEP)


def answer_human(turn: Turn, session: Session) -> Reply:  # noqa: ARG001
    """Say how to reach a human being, and when."""
    return Reply(template="service/human")


def is_handover(turn: Turn) -> bool:
    """Return whether the person confirms that they want to write with customer service."""
    return turn.menu_id == "handover" or says("接通人工|转接客服|接通客服")(turn)


def answer_handover(turn: Turn, session: Session) -> Reply:  # noqa: ARG001
    """Hand the person over to customer service."""
    return Reply(template="service/handover", handover=True)


def answer_thanks(turn: Turn, session: Session) -> Reply:  # noqa: ARG001
    """Acknowledge, briefly."""
    return Reply(template="service/thanks", conversation=KEEP)


def answer_cancel(turn: Turn, session: Session) -> Reply:  # noqa: ARG001
    """Leave whatever was in progress."""
    return Reply(template="service/cancelled", values={"had_one": places.is_waiting(turn)})


def answer_reading_on(turn: Turn, session: Session) -> Reply:  # noqa: ARG001
    """Give the part of the last reply that did not fit."""
    if not turn.rest:
        return Reply(template="service/nothing_more", conversation=KEEP)
    return Reply(
        template="service/rest",
        values={"rest": Rendered(turn.rest)},
        conversation=turn.conversation,
    )


def answer_waiting(turn: Turn, session: Session) -> Reply:
    """Give the late answer of which the person was told that it is ready."""
    answer = find_waiting_answer(session, now=turn.now, openid=turn.openid)
    if answer is None:
        return Reply(template="service/no_answer", conversation=KEEP)
    return Reply(template="service/rest", values={"rest": Rendered(answer)}, conversation=KEEP)


def answer_health_code(turn: Turn, session: Session) -> Reply:  # noqa: ARG001
    """Say where the health code is shown, and what to do about a yellow or red one."""
    colour = "red" if is_severe(turn) else "yellow" if is_mild(turn) else ""
    return Reply(template="service/health_code", values={"colour": colour}, conversation=KEEP)


def is_unreadable(turn: Turn) -> bool:
    """Return whether the message is of a kind that this account does not read."""
    return turn.kind not in {TurnKind.TEXT, TurnKind.EVENT, TurnKind.LOCATION}


def answer_unreadable(turn: Turn, session: Session) -> Reply:  # noqa: ARG001
    """Point politely to what works instead of pictures, voices and the like."""
    return Reply(template="service/unreadable", values={"kind": turn.kind.value}, conversation=KEEP)
