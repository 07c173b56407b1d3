"""Masks: does a person need one where they are or where they go?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from core.masks.asking import is_mask_question
from core.masks.rules import Verdict, advice_for
from handlers.turn import KEEP, Reply, TurnKind

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from handlers.turn import Turn

MENU_KEY: Final = "masks"
"""Key of the menu button, and id of the option, that ask for the whole guidance."""

_TEMPLATES: Final = {
    Verdict.WEAR: "masks/wear",
    Verdict.NO_NEED: "masks/no_need",
    Verdict.GENERAL: "masks/guidance",
}


def matches(turn: Turn) -> bool:
    """Return whether this is a question about masks, typed or tapped."""
    if turn.kind is TurnKind.EVENT:
        return turn.event == "click" and turn.event_key == MENU_KEY
    return turn.menu_id == MENU_KEY or is_mask_question(turn.text)


def answer(turn: Turn, session: Session) -> Reply:  # noqa: ARG001 - the signature of all handlers
    """Return the verdict on the situation asked about, or the whole guidance.

    A digression: a conversation in progress goes on afterwards.
    """
    is_tapped = turn.kind is TurnKind.EVENT or turn.menu_id == MENU_KEY
    advice = advice_for("" if is_tapped else turn.text)
    return Reply(
        template=_TEMPLATES[advice.verdict],
        values={"ground": advice.ground, "has_infant": advice.has_infant},
        conversation=KEEP,
    )
