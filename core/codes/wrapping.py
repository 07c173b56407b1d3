"""Breaking Chinese text into lines of about one length, by the rules of its punctuation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final
from unicodedata import category

Measure = Callable[[str], float]

# A line does not begin with these, nor end with those.
_NEVER_FIRST: Final = frozenset("，。、；：？！）】》」』”’·…—％%,.;:?!)]}")
_NEVER_LAST: Final = frozenset("（【《「『“‘([{")
# A last line shorter than this looks lost.
_ORPHAN_SHARE: Final = 0.25
_HALVINGS: Final = 8


def lines_of(text: str, *, width: float, measure: Measure) -> list[str]:
    """Return the lines of a paragraph; the last one is no orphan.

    Args:
        text: in one line.
        width: of the lines, in the unit of `measure`.
        measure: returns how wide a text is.

    Returns:
        At least one line. A word too long for a line is broken where the line ends.
    """
    lines = _filled(_pieces_of(text, width=width, measure=measure), width=width, measure=measure)
    if len(lines) == 1 or measure(lines[-1]) >= width * _ORPHAN_SHARE:
        return lines
    return balanced_lines_of(text, width=width, measure=measure)


def balanced_lines_of(text: str, *, width: float, measure: Measure) -> list[str]:
    """Return the fewest lines that a heading fits in, none of them much shorter than the others.

    Args and Returns are those of `lines_of`.
    """
    pieces = _pieces_of(text, width=width, measure=measure)
    best = _filled(pieces, width=width, measure=measure)
    line_count = len(best)
    # The narrowest width that needs no more lines.
    low, high = measure(text) / line_count, width
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        lines = _filled(pieces, width=middle, measure=measure)
        if len(lines) <= line_count and max(map(measure, lines)) <= width:
            best, high = lines, middle
        else:
            low = middle
    return best


def _pieces_of(text: str, *, width: float, measure: Measure) -> list[str]:
    """Return the parts of a text between which a line may end."""
    pieces: list[str] = []
    for one in text:
        if pieces and _stay_together(pieces[-1][-1], one) and measure(pieces[-1] + one) <= width:
            pieces[-1] += one
        else:
            pieces.append(one)
    return pieces


def _stay_together(before: str, after: str) -> bool:
    return (
        after in _NEVER_FIRST
        or before in _NEVER_LAST
        or (_is_of_word(before) and _is_of_word(after))
    )


def _is_of_word(one: str) -> bool:
    """Return whether a character belongs to a word or a number that is not to be torn."""
    return one in "-/.@_&'" or category(one) in {"Lu", "Ll", "Nd"}


def _filled(pieces: list[str], *, width: float, measure: Measure) -> list[str]:
    lines = [""]
    for piece in pieces:
        line = lines[-1] + piece
        if lines[-1] and measure(line.rstrip()) > width:
            lines.append("")
            line = piece.lstrip()
        lines[-1] = line
    return [line.strip() for line in lines]
