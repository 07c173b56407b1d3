"""Reading short commands: word tables as patterns, numbers as people write them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from typing import Final

from handlers.turn import Turn, TurnKind

Matcher = Callable[[Turn], bool]

MAX_COMMAND_CHARACTERS = 40
POLITE_START: Final = "(?:请|我要|我想|想)"
POLITE_END: Final = "[吧吗呢啊呀。.!！?？~～]"
_NUMBERS: Final = {name: place for place, name in enumerate("一二三四五六七八九十", start=1)} | {
    "两": 2
}
_CHOICE: Final = re.compile(
    r"(?:第|选|选择)?\s*(\d{1,2}|[一二两三四五六七八九十])\s*(?:个|号|项)?\s*[.。、!！]?"
)


def is_text(turn: Turn) -> bool:
    """Return whether something was typed or tapped."""
    return turn.kind is TurnKind.TEXT and bool(turn.text)


def asks(pattern: str, *, key: str = "") -> Matcher:
    """Return a matcher of texts that hold the pattern, or of taps on the menu button `key`."""
    compiled = re.compile(pattern, re.IGNORECASE)

    def matches(turn: Turn) -> bool:
        if turn.kind is TurnKind.EVENT:
            return bool(key) and turn.event == "click" and turn.event_key == key
        return is_text(turn) and compiled.search(turn.text) is not None

    return matches


def says(pattern: str, *, key: str = "") -> Matcher:
    """Return a matcher of texts that are the pattern and nothing else, politeness aside."""
    return asks(rf"^\s*{POLITE_START}?\s*(?:{pattern})\s*{POLITE_END}*\s*$", key=key)


def has_event(*names: str) -> Matcher:
    """Return a matcher of these events."""
    wanted = frozenset(names)

    def matches(turn: Turn) -> bool:
        return turn.kind is TurnKind.EVENT and turn.event in wanted

    return matches


def choice_of(text: str) -> int | None:
    """Return the number that a person chose (1 is the first), or None where they chose none."""
    if len(text) > MAX_COMMAND_CHARACTERS:
        return None
    found = _CHOICE.fullmatch(unicodedata.normalize("NFKC", text).strip())
    if found is None:
        return None
    digits = found[1]
    return int(digits) if digits.isdigit() else _NUMBERS[digits]
