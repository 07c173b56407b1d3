"""Which community is meant: asking back, and reading the choice."""

from __future__ import annotations

import re

from sqlalchemy.orm import Session

from core.places.matching import Finding, Fit
from core.places.naming import name_in
from core.places.service import Place, PlaceBook, current_book, find_places
from handlers.chat.words import choice_of
from handlers.turn import Conversation, Reply, Turn

CHOOSE = "choose_community"
NAME = "name_community"
SHOWN = "community_shown"
"""The conversation that remembers whose card was shown; it asks nothing and waits for nothing."""
_NO_NAMES = frozenset({"", "小区", "社区", "儿", "家", "这", "这里"})
_SOMEBODY_ELSE = re.compile(
    "隔壁|旁边|附近|对面|别的|其他|哪|妈|爸|爷|奶|姥|外婆|外公|岳|公婆|儿子|女儿|朋友|同事|亲戚|邻居|公司|单位|学校"
)
_YES = frozenset({"是", "是的", "对", "对的", "嗯", "就是", "就是这个", "是这个"})


def ask_which(finding: Finding, book: PlaceBook, *, purpose: str) -> Reply:
    """Return the question which of several communities is meant."""
    places = [book.places[identity] for identity in finding.ids]
    return Reply(
        template="places/several",
        values={"places": places, "purpose": purpose},
        conversation=Conversation(
            name=CHOOSE, data={"for": purpose, "codes": [place.code for place in places]}
        ),
    )


def ask_name(*, purpose: str, said: str = "") -> Reply:
    """Return the question for a community's name.

    Args:
        purpose: what the community is for.
        said: what was named instead, a street or another city; empty if nothing was.
    """
    return Reply(
        template="places/which",
        values={"purpose": purpose, "said": said[:20]},
        conversation=Conversation(name=NAME, data={"for": purpose}),
    )


def not_found(finding: Finding, book: PlaceBook, *, purpose: str) -> Reply:
    """Return that no community has this name, with the names closest to it."""
    places = [book.places[identity] for identity in finding.nearest]
    conversation = Conversation(
        name=CHOOSE, data={"for": purpose, "codes": [place.code for place in places]}
    )
    return Reply(
        template="places/none",
        values={"said": finding.said[:20], "places": places, "purpose": purpose},
        conversation=conversation if places else Conversation(name=NAME, data={"for": purpose}),
    )


def settle(finding: Finding, book: PlaceBook, *, purpose: str) -> Place | Reply:
    """Return the one community that is meant, or the reply that asks further."""
    if finding.fit is Fit.ONE:
        return book.places[finding.ids[0]]
    if finding.fit is Fit.SEVERAL:
        return ask_which(finding, book, purpose=purpose)
    if finding.fit is Fit.NONE:
        return not_found(finding, book, purpose=purpose)
    return ask_name(purpose=purpose, said=finding.said or finding.street)


def means_own(text: str) -> bool:
    """Return whether a text names no place at all, so that one's own community is meant.

    A street, another city, the parents' home are places, if none that has a colour.
    """
    return name_in(text) in _NO_NAMES and _SOMEBODY_ELSE.search(text) is None


def named(turn: Turn, session: Session, *, purpose: str) -> Place | Reply:
    """Return the community that the turn's text names, or the reply that asks further."""
    finding, book = find_places(session, text=turn.text)
    return settle(finding, book, purpose=purpose)


def is_waiting(turn: Turn) -> bool:
    """Return whether a conversation in progress waits for what the person says next."""
    return turn.conversation is not None and turn.conversation.name != SHOWN


def purpose_of(turn: Turn) -> str:
    """Return what a tapped option or a conversation in progress is for; empty if neither."""
    purpose, colon, _ = turn.menu_id.partition(":")
    if colon:
        return purpose
    if turn.conversation is not None and turn.conversation.name in {CHOOSE, NAME}:
        return str(turn.conversation.data.get("for", ""))
    return ""


def is_choice(turn: Turn) -> bool:
    """Return whether the turn taps an option, or answers a list with a number."""
    if ":" in turn.menu_id:
        return True
    return _number(turn) is not None


def _number(turn: Turn) -> int | None:
    conversation = turn.conversation
    if conversation is None or conversation.name != CHOOSE:
        return None
    codes = conversation.data.get("codes")
    if isinstance(codes, list) and len(codes) == 1 and turn.text.rstrip("。.!！") in _YES:
        return 1
    return choice_of(turn.text)


def chosen(turn: Turn, session: Session) -> Place | Reply:
    """Return the community that was chosen, or the reply that the number is not in the list."""
    book = current_book(session)
    _, colon, code = turn.menu_id.partition(":")
    if colon:
        return book.by_code.get(code) or ask_name(purpose=purpose_of(turn))
    codes = turn.conversation.data["codes"] if turn.conversation is not None else []
    listed = [str(code) for code in codes] if isinstance(codes, list) else []
    number = _number(turn) or 0
    if not 1 <= number <= len(listed):
        return Reply(
            template="places/out_of_range",
            values={"count": len(listed)},
            conversation=turn.conversation,
        )
    return book.by_code.get(listed[number - 1]) or ask_name(purpose=purpose_of(turn))


def narrowed(turn: Turn, session: Session) -> Place | None:
    """Return the listed community that a text describes, by its street or name; None if unclear."""
    conversation = turn.conversation
    if conversation is None or conversation.name != CHOOSE:
        return None
    codes = conversation.data.get("codes")
    by_code = current_book(session).by_code
    listed = [
        by_code[str(code)]
        for code in (codes if isinstance(codes, list) else [])
        if str(code) in by_code
    ]
    fitting = [
        place
        for place in listed
        if place.street in turn.text
        or place.street.removesuffix("街道").removesuffix("镇") in turn.text
    ]
    return fitting[0] if len(fitting) == 1 else None
