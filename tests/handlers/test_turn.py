from __future__ import annotations

import dataclasses
from datetime import datetime

import pytest

from handlers.turn import KEEP, SILENCE, Conversation, Keep, Rendered, Reply, Turn, TurnKind


def _turn(now: datetime) -> Turn:
    return Turn(key="1", openid="o", account="gh", kind=TurnKind.TEXT, sent_at=now, now=now)


def test_turn_cannot_be_changed_by_a_handler(now: datetime) -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        _turn(now).text = "x"  # type: ignore[misc]


def test_turn_begins_without_anything_that_was_not_sent(now: datetime) -> None:
    turn = _turn(now)
    assert (turn.text, turn.event, turn.menu_id, turn.label, turn.rest) == ("",) * 5
    assert (turn.longitude, turn.latitude, turn.conversation) == (None, None, None)
    assert turn.fields == {}


def test_kinds_are_lower_case_words() -> None:
    assert all(kind.value == kind.name.lower() for kind in TurnKind)


def test_reply_ends_the_conversation_unless_it_says_otherwise() -> None:
    assert Reply(template="help/menu").conversation is None
    assert Reply(template="help/menu", conversation=KEEP).conversation is Keep.KEEP
    assert not Reply(template="help/menu").handover


def test_silence_says_nothing_and_leaves_the_conversation() -> None:
    assert SILENCE.template == ""
    assert SILENCE.conversation is KEEP


def test_conversations_with_the_same_content_are_the_same() -> None:
    assert Conversation(name="choose", data={"a": [1]}) == Conversation(
        name="choose", data={"a": [1]}
    )
    assert Conversation(name="choose") == Conversation(name="choose", data={})


def test_rendered_text_is_text() -> None:
    assert Rendered("<a>") == "<a>"
    assert isinstance(Rendered("x"), str)
