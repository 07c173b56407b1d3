"""Going on after a question which community is meant: the choice, or the name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from sqlalchemy.orm import Session

from core.places.service import Place
from handlers.chat import papers, people, places, risk
from handlers.chat.words import is_text
from handlers.turn import Reply, Turn

_NEXT: Final[dict[str, Callable[[Place, Turn, Session], Reply]]] = {
    risk.COLOUR: risk.colour_of,
    risk.WHY: risk.reasons_of,
    risk.SUBSCRIBE: risk.subscribed,
    risk.UNSUBSCRIBE: risk.unsubscribed,
    people.BIND: people.bound,
    papers.PAPER: papers.papers_of,
}
_READING: Final = frozenset({risk.COLOUR, risk.WHY, papers.PAPER})
# Questions whose answer to a name is not the colour.
_NAMED_FOR: Final = frozenset({risk.WHY, papers.PAPER})


def is_choice_to_read(turn: Turn) -> bool:
    """Return whether an option is chosen whose answer changes nothing."""
    return is_text(turn) and places.is_choice(turn) and places.purpose_of(turn) in _READING


def is_choice_to_write(turn: Turn) -> bool:
    """Return whether an option is chosen that changes something."""
    return is_text(turn) and places.is_choice(turn) and places.purpose_of(turn) in _NEXT


def is_name_to_write(turn: Turn) -> bool:
    """Return whether a name was asked for, to change something."""
    purpose = places.purpose_of(turn)
    return is_text(turn) and not places.is_choice(turn) and purpose in _NEXT.keys() - _READING


def is_name_to_read(turn: Turn) -> bool:
    """Return whether a name was asked for, for an answer that changes nothing."""
    conversation = turn.conversation
    return is_text(turn) and conversation is not None and places.purpose_of(turn) in _NAMED_FOR


def answer_choice(turn: Turn, session: Session) -> Reply:
    """Go on with the community that was chosen from a list.

    The list stays where the answer changes nothing: people want to see the next one, too.
    """
    reply = _go_on(places.chosen(turn, session), turn, session)
    is_reading = places.purpose_of(turn) in _READING
    return risk.keep_list(turn.conversation, reply) if is_reading else reply


def answer_name(turn: Turn, session: Session) -> Reply:
    """Go on with the community that was named."""
    listed = places.narrowed(turn, session)
    found = listed or places.named(turn, session, purpose=places.purpose_of(turn))
    return _go_on(found, turn, session)


def _go_on(found: Place | Reply, turn: Turn, session: Session) -> Reply:
    if isinstance(found, Reply):
        return found
    return _NEXT[places.purpose_of(turn)](found, turn, session)
