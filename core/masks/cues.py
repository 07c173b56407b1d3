"""The cues: what the words of a mask question can tell.

The words themselves are two tables, `words_wear` and `words_ease`, in simplified characters. The
longest word at a place wins, so a longer word can also take a shorter one out of play (`INERT`:
在家 is home, 在家乐福 is not). A new word goes there and nowhere else.
"""

from __future__ import annotations

from enum import StrEnum


class Cue(StrEnum):
    """What a word tells; the value is its mark in a sentence that has been read."""

    SYMPTOM = "S"
    MEDICAL = "M"
    EXPOSED = "K"
    """Confirmed, suspected, contact or high-risk area."""
    FRAIL = "L"
    PUBLIC = "C"
    """Closed or crowded by its nature, whoever is there just now."""
    ROOM = "R"
    """A room that others share, unless one is alone in it."""
    WORK = "W"
    """An occupation among others, unless at home or alone."""
    TREAT = "%"
    """A pleasure mostly had among others, unless at home."""
    SIGHT = "Q"
    """Open air that draws crowds, unless few people are there."""
    BUSY = "B"
    OTHERS = "P"
    SEVERAL = "&"
    """A number of people, who at home are the family."""
    FEW = "F"
    EMPTY = "E"
    ALONE = "A"
    HOME = "H"
    FAMILY = "Y"
    OUTDOORS = "O"
    EXERCISE = "X"
    DRIVING = "D"
    OUTING = "G"
    """Going out, nowhere in particular."""
    POLLUTION = "Z"
    """Haze, pollen, dust: masks of another kind, outside the guidance."""
    HANDLING = "T"
    """Buying, washing, throwing away: the person asks about the mask itself."""
    NOT = "N"
    JOINT = "J"
    GOES = "V"
    RIDES = "$"
    """Takes some vehicle, known or not."""
    LINK = "U"
    """Small verbs and determiners between a negation and what it negates."""
    WAITS = "*"
    """For others to come: in a shared room one is not alone for long."""
    OVER = "I"
    REMOTE = "@"
    INERT = "~"
