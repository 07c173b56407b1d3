"""What the account answers to mask questions."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

import pytest
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from core.masks.rules import Ground
from handlers.chat.masks import answer, matches
from handlers.turn import KEEP, Conversation, Reply, Turn, TurnKind

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

NOW: Final = datetime(2020, 3, 28, 1, 0, tzinfo=UTC)
TEMPLATES: Final = Path(__file__).parents[3] / "templates" / "chat"
NO_SESSION: Final = cast("Session", None)
MAX_BYTES: Final = 2048


def _turn(
    text: str = "",
    *,
    kind: TurnKind = TurnKind.TEXT,
    menu_id: str = "",
    event: str = "",
    event_key: str = "",
    conversation: Conversation | None = None,
) -> Turn:
    return Turn(
        key="1",
        openid="o1",
        account="gh_1",
        kind=kind,
        sent_at=NOW,
        now=NOW,
        text=text,
        menu_id=menu_id,
        event=event,
        event_key=event_key,
        conversation=conversation,
    )


def _text_of(reply: Reply) -> str:
    """Return a reply as a person reads it."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        undefined=StrictUndefined,
        autoescape=False,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(f"{reply.template}.txt").render(reply.values)


@pytest.mark.parametrize(
    ("text", "first_line"),
    [
        ("我一个人坐电梯要戴口罩吗", "建议佩戴口罩"),
        ("没有发烧在家要戴口罩吗", "可以不戴口罩"),
        ("在家发烧要戴口罩吗", "建议佩戴口罩"),
        ("独自开车要戴口罩吗", "可以不戴口罩"),
    ],
)
def test_a_situation_gets_the_verdict_in_the_first_line(text: str, first_line: str) -> None:
    assert _text_of(answer(_turn(text), NO_SESSION)).startswith(first_line)


@pytest.mark.parametrize(
    "turn",
    [
        _turn("口罩"),
        _turn(kind=TurnKind.EVENT, event="click", event_key="masks"),
        _turn("坐地铁要戴口罩吗", menu_id="masks"),
    ],
    ids=["word", "menu", "option"],
)
def test_masks_in_general_get_the_whole_guidance(turn: Turn) -> None:
    text = _text_of(answer(turn, NO_SESSION))
    assert "四戴" in text
    assert "三不戴" in text


def _after(question: str, text: str, *, menu_id: str = "") -> Turn:
    """Return the message that comes after a mask question was answered."""
    conversation = answer(_turn(question), NO_SESSION).conversation
    assert isinstance(conversation, Conversation)
    return _turn(text, menu_id=menu_id, conversation=conversation)


def test_a_mask_question_leaves_the_conversation_in_progress() -> None:
    turn = _turn("坐地铁要戴口罩吗", conversation=Conversation(name="choose_community"))
    assert answer(turn, NO_SESSION).conversation is KEEP


def test_another_conversation_takes_no_short_question_for_one_about_masks() -> None:
    assert not matches(_turn("在家呢", conversation=Conversation(name="choose_community")))


def test_without_a_mask_answer_before_a_short_question_is_not_about_masks() -> None:
    assert not matches(_turn("在家呢"))


@pytest.mark.parametrize(
    ("question", "text", "first_line"),
    [
        ("在家要戴口罩吗", "那坐公交呢", "建议佩戴口罩"),
        ("坐地铁要戴口罩吗", "在家呢？", "可以不戴口罩"),
        ("坐电梯要戴口罩吗", "那一个人呢", "建议佩戴口罩"),
        ("办公室里要戴口罩吗", "那就我一个人呢", "可以不戴口罩"),
        ("坐电梯要戴口罩吗", "那一个人要戴吗", "建议佩戴口罩"),
        ("我发烧去超市要戴口罩吗", "那在家呢", "建议佩戴口罩"),
        ("我发烧去超市要戴口罩吗", "在家要戴口罩吗", "可以不戴口罩"),
        ("口罩", "开车呢", "可以不戴口罩"),
    ],
)
def test_a_short_question_follows_up(question: str, text: str, first_line: str) -> None:
    turn = _after(question, text)
    assert matches(turn)
    assert _text_of(answer(turn, NO_SESSION)).startswith(first_line)


def test_follow_ups_may_follow_each_other() -> None:
    turn = _after("坐电梯要戴口罩吗", "那一个人呢")
    conversation = answer(turn, NO_SESSION).conversation
    assert isinstance(conversation, Conversation)
    again = _turn("那没人呢", conversation=conversation)
    assert matches(again)
    assert _text_of(answer(again, NO_SESSION)).startswith("建议佩戴口罩")


def test_the_conversation_remembers_no_word_of_the_question() -> None:
    turn = _turn("我住田林十二村，坐地铁要戴口罩吗")
    conversation = answer(turn, NO_SESSION).conversation
    assert isinstance(conversation, Conversation)
    assert dict(conversation.data) == {"cues": "C"}


def test_a_tapped_option_is_no_follow_up() -> None:
    assert not matches(_after("坐地铁要戴口罩吗", "那坐公交呢", menu_id="colour"))


def test_the_menu_forgets_the_situation_before() -> None:
    conversation = Conversation(name="masks", data={"cues": "S"})
    turn = _turn("口罩", menu_id="masks", conversation=conversation)
    assert answer(turn, NO_SESSION).conversation == Conversation(name="masks", data={"cues": ""})


@pytest.mark.parametrize("has_infant", [True, False], ids=["infant", "no_infant"])
@pytest.mark.parametrize("ground", [None, *Ground])
@pytest.mark.parametrize("template", ["masks/wear", "masks/no_need", "masks/guidance"])
def test_every_answer_fits_a_message(
    template: str, ground: Ground | None, *, has_infant: bool
) -> None:
    text = _text_of(Reply(template=template, values={"ground": ground, "has_infant": has_infant}))
    assert len(text.encode()) <= MAX_BYTES
    assert ("3岁及以下" in text) == has_infant
    assert "\n\n\n" not in text
    assert "\n小提示" in text


@pytest.mark.parametrize(
    ("turn", "is_ours"),
    [
        (_turn("坐地铁要戴口罩吗"), True),
        (_turn("anything", menu_id="masks"), True),
        (_turn(kind=TurnKind.EVENT, event="click", event_key="masks"), True),
        (_turn(kind=TurnKind.EVENT, event="click", event_key="risk"), False),
        (_turn(kind=TurnKind.EVENT, event="scan", event_key="masks"), False),
        (_turn("田林十二村什么颜色"), False),
        (_turn(kind=TurnKind.IMAGE), False),
    ],
    ids=["text", "option", "click", "other_click", "scan", "colour", "picture"],
)
def test_the_route_takes_what_is_about_masks(turn: Turn, *, is_ours: bool) -> None:
    assert matches(turn) is is_ours
