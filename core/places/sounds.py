"""How names sound: pinyin without tones, for typed pinyin and for voice input."""

import re
from functools import lru_cache
from itertools import chain

from pypinyin import Style, lazy_pinyin

from core.places import words

_NUMBER = re.compile(r"\d+")
_DIGIT_SOUNDS = ("ling", "yi", "er", "san", "si", "wu", "liu", "qi", "ba", "jiu")
_SCALES = ("qian", "bai", "shi", "")
# What southern speech and its voice input do not tell apart.
_LOOSE = (
    (re.compile(r"([zcs])h"), r"\1"),
    (re.compile(r"ng"), "n"),
    (re.compile(r"l"), "n"),
    (re.compile(r"hu"), "f"),
)


@lru_cache(maxsize=16_384)
def readings_of(char: str) -> tuple[str, ...]:
    """Return the readings of one character in place names, the usual one first; itself if none."""
    return words.READINGS.get(char) or tuple(lazy_pinyin(char, style=Style.NORMAL))


@lru_cache(maxsize=16_384)
def syllable_of(char: str) -> str:
    """Return the usual reading of one character; itself if it has none."""
    return readings_of(char)[0]


def spelling_of(folded: str) -> str:
    """Return a folded text in pinyin without tones or spaces; other characters stay."""
    return "".join(map(syllable_of, folded))


def spellings_of(folded: str) -> frozenset[str]:
    """Return every way in which a folded name may be spelled in pinyin.

    Numbers stand in Arabic numerals, as a number (yibai) and digit by digit
    (yilingling); a character with several readings stands in each of them,
    one such character at a time.
    """
    common = [syllable_of(char) for char in folded]
    ways = {"".join(common), "".join(lazy_pinyin(folded, style=Style.NORMAL))}
    for place, char in enumerate(folded):
        for reading in readings_of(char)[1:]:
            ways.add("".join((*common[:place], reading, *common[place + 1 :])))
    if _NUMBER.search(folded):
        spoken = ((_NUMBER.sub(_as_number, way), _NUMBER.sub(_as_digits, way)) for way in ways)
        ways |= {
            way.replace("-", joint) for way in chain.from_iterable(spoken) for joint in ("", "zhi")
        }
    return frozenset(ways)


def loosened(spelling: str) -> str:
    """Return a spelling without the differences that accents blur: zh/z, ng/n, l/n, hu/f."""
    for pattern, replacement in _LOOSE:
        spelling = pattern.sub(replacement, spelling)
    return spelling


def _as_digits(match: re.Match[str]) -> str:
    return "".join(_DIGIT_SOUNDS[int(digit)] for digit in match[0])


def _as_number(match: re.Match[str]) -> str:
    """Return a number as it is read: 12 shier, 105 yibailingwu."""
    digits = match[0].lstrip("0")
    if not digits or len(digits) > len(_SCALES):
        return _as_digits(match)
    read, skipped = "", False
    for digit, scale in zip(digits, _SCALES[-len(digits) :], strict=True):
        if digit == "0":
            skipped = True
            continue
        is_bare_ten = scale == "shi" and digit == "1" and not read
        read += "ling" if skipped else ""
        read += ("" if is_bare_ten else _DIGIT_SOUNDS[int(digit)]) + scale
        skipped = False
    return read
