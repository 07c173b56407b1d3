"""Masks: does a person need one where they are or where they go?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from core.masks.asking import is_mask_question
from core.masks.following import follows_up, leans_on_before
from core.masks.rules import Verdict, advice_for
from handlers.chat import places
from handlers.turn import KEEP, Conversation, Reply, TurnKind

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from handlers.turn import Turn

MENU_KEY: Final = "masks"
"""Key of the menu button, and id of the option, that ask for the whole guidance."""
NAME: Final = "masks"
"""Name of the conversation in which a short question follows up on the last answer."""

_TEMPLATES: Final = {
    Verdict.WEAR: "masks/wear",
    Verdict.NO_NEED: "masks/no_need",
    Verdict.GENERAL: "masks/guidance",
}


def matches(turn: Turn) -> bool:
    """Return whether this is a question about masks, typed or tapped, or follows up on one."""
    if turn.kind is TurnKind.EVENT:
        return turn.event == "click" and turn.event_key == MENU_KEY
    if turn.menu_id == MENU_KEY or is_mask_question(turn.text):
        return True
    return _is_our_conversation(turn) and not turn.menu_id and follows_up(turn.text)


def answer(turn: Turn, session: Session) -> Reply:  # noqa: ARG001 - the signature of all handlers
    """Return the verdict on the situation asked about, or the whole guidance.

    A digression from a conversation in progress, which goes on afterwards; without one, short
    questions may follow.
    """
    is_tapped = turn.kind is TurnKind.EVENT or turn.menu_id == MENU_KEY
    advice = advice_for("" if is_tapped else turn.text, before=_situation_before(turn))
    is_free = not places.is_waiting(turn) or _is_our_conversation(turn)
    return Reply(
        template=_TEMPLATES[advice.verdict],
        values={"ground": advice.ground, "has_infant": advice.has_infant},
        conversation=Conversation(name=NAME, data={"cues": advice.situation}) if is_free else KEEP,
    )


def _is_our_conversation(turn: Turn) -> bool:
    return turn.conversation is not None and turn.conversation.name == NAME


def _situation_before(turn: Turn) -> str:
    """Return the situation that the question follows up on; empty if it stands for itself."""
    if turn.kind is TurnKind.EVENT or turn.menu_id or turn.conversation is None:
        return ""
    if not _is_our_conversation(turn):
        return ""
    if is_mask_question(turn.text) and not leans_on_before(turn.text):
        return ""
    return str(turn.conversation.data.get("cues", ""))
