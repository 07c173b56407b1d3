"""Names of people: Chinese ones with rare characters and dots, Latin ones; masking, comparing."""

from __future__ import annotations

import re
from typing import Final
from unicodedata import category, normalize

from core.errors import InvalidInputError

MAX_LENGTH: Final = 50
# Nobody's name; what is longer is not worth normalising.
_MAX_TYPED: Final = 500
_MAX_STARS: Final = 2

DOT: Final = "·"
# What keyboards and registers write for the dot of a name; NFKC has made ･ a ・ before.
_DOTS: Final = "・•‧∙⋅●᛫ᐧ⸱"
_LIKE_APOSTROPHE: Final = "’‘ʼʹ′`´＇"
_LIKE_HYPHEN: Final = "‐‑‒–—−"
_ONE_SPELLING: Final = str.maketrans(
    dict.fromkeys(_DOTS, DOT)
    | dict.fromkeys(_LIKE_APOSTROPHE, "'")
    | dict.fromkeys(_LIKE_HYPHEN, "-")
)
_SEPARATORS: Final = frozenset(" ·'-")
# Written like a digit, and a character of names.
_LETTER_ZERO: Final = "〇"

_HAN: Final = "\u3005\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003fffd"
_BLANK_BESIDE_HAN: Final = re.compile(rf"(?<=[{_HAN}]) +(?=[{_HAN}·])|(?<=·) +")
_FULL_STOP_IN_HAN: Final = re.compile(rf"(?<=[{_HAN}]) *\. *(?=[{_HAN}])")
_VARIATION_SELECTORS: Final = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]")
_ACCENTS: Final = re.compile("[\u0300-\u036f]")


class InvalidNameError(InvalidInputError):
    """What was typed is no name."""

    code = "name_invalid"


class NameMissingError(InvalidNameError):
    """Nothing was typed."""

    code = "name_missing"


class NameTooLongError(InvalidNameError):
    """More characters than a name may have; fact `max`."""

    code = "name_too_long"


class NameCharacterError(InvalidNameError):
    """A digit, a symbol or a control character, or a separator that separates nothing."""

    code = "name_character"


def name_of(text: str) -> str:
    """Return a name in its one spelling.

    Full-width characters, look-alikes of the dot, hyphen and apostrophe, and blanks between
    Chinese characters are mended; what no name has is refused. As a name begins with a letter,
    none can be taken for a formula by a spreadsheet.

    Returns:
        1 to 50 characters: letters of any script, with single `·`, `-`, `'` or blanks between.

    Raises:
        NameMissingError: nothing was typed.
        NameTooLongError: more than 50 characters.
        NameCharacterError: a character that stands in no name.

    Source: docs/sources.md#names-of-people
    """
    if len(text) > _MAX_TYPED:
        raise NameTooLongError(max=MAX_LENGTH)
    name = _one_spelling(text)
    if not name:
        raise NameMissingError
    if not _is_name(name):
        raise NameCharacterError
    if len(name) > MAX_LENGTH:
        raise NameTooLongError(max=MAX_LENGTH)
    return name


def _one_spelling(text: str) -> str:
    # Some look-alikes decompose into a blank and an accent: they are mended before NFKC too.
    name = normalize("NFKC", text.translate(_ONE_SPELLING)).translate(_ONE_SPELLING)
    name = _VARIATION_SELECTORS.sub("", name)
    name = "".join(one for one in name if category(one) != "Cf").strip()
    name = _FULL_STOP_IN_HAN.sub(DOT, name)
    return _BLANK_BESIDE_HAN.sub("", re.sub(" +", " ", name))


def _is_name(name: str) -> bool:
    """Return whether a text is letters, with single separators between them."""
    is_after_letter = False
    for one in name:
        if one in _SEPARATORS:
            if not is_after_letter:
                return False
            is_after_letter = False
        elif category(one)[0] == "L" or one == _LETTER_ZERO:
            is_after_letter = True
        elif not (category(one)[0] == "M" and is_after_letter):
            return False
    return is_after_letter


def name_key(name: str) -> str:
    """Return what is the same for all spellings of a name: its letters, in lower case.

    The register may leave out a dot, a blank or an accent that the person writes.
    """
    plain = _ACCENTS.sub("", normalize("NFD", name.casefold()))
    return normalize("NFKC", "".join(one for one in plain if one not in _SEPARATORS))


def mask_name(name: str) -> str:
    """Return a name with its first character; that of a single one is hidden too."""
    return f"{name[:1] if len(name) > 1 else ''}{'*' * min(max(len(name) - 1, 1), _MAX_STARS)}"
