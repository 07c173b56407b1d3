"""How people are told apart, from when on they live somewhere, and what of an address is shown."""

from __future__ import annotations

import re
from datetime import date
from typing import Final
from unicodedata import category, normalize

MAX_PERSON_ID: Final = 64
MAX_PLACE: Final = 200
MAX_AGE_YEARS: Final = 130
# From when on somebody lives where the register found them first, if it does not say.
ALWAYS: Final = date(1900, 1, 1)
# A file that leaves out more of those who stand in the register is taken for cut off.
MAX_MISSING_SHARE: Final = 0.1
# Of a small register any share is a few people.
FEW_MISSING: Final = 20
# A register that gets more new people at once is taken for one whose identifiers are spelled anew.
MAX_NEW_SHARE: Final = 0.1
MANY_NEW: Final = 1_000

# What nobody sees, and accents that stand alone.
_INVISIBLE: Final = frozenset({"Cf", "Mn"})
# A flat, or what follows a building: nobody needs it to find the community.
_FLAT: Final = re.compile(r"(?<=[号幢栋座楼室层])[\s,，#-]*\d[\w-]*|\d+(?=[室户])")


def person_key_of(text: str) -> str:
    """Return the one spelling of an identifier: half-width, without white space, capitals.

    Args:
        text: any stable identifier of the source, as typed.

    Returns:
        What is hashed; empty if nothing was typed.
    """
    if text.isascii():
        return "".join(text.split()).upper()
    visible = "".join(one for one in normalize("NFKC", text) if category(one) not in _INVISIBLE)
    # Capitals and accents that lost their blank may join anew.
    return normalize("NFKC", "".join(visible.split()).upper())


def most_new_for(known_count: int) -> int | None:
    """Return how many new people a file may bring until somebody should look at it.

    The same people under identifiers that are spelled anew would stand there twice, and every
    share of the people of a community would be half of what it is.

    Args:
        known_count: people of the register before the file.

    Returns:
        None for the first register: all are new.
    """
    return max(MANY_NEW, round(known_count * MAX_NEW_SHARE)) if known_count else None


def mask_place(text: str) -> str:
    """Return an address as officers may read it: without the flat."""
    return _FLAT.sub("***", text)
