"""Names of provinces and cities in Latin letters: HUBEI, Wu Han, Tibet.

Source: docs/sources.md#administrative-division-codes
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from pypinyin import lazy_pinyin

from core.keyareas.naming import province_name_of, short_name_of

# Shorter ones are as often a word or somebody's name.
_SHORTEST: Final = 4
# What is not, or not only, written by its sound.
_OWN_NAMES: Final[Mapping[str, str]] = {
    "shaanxi": "610000",
    "xi'an": "610100",
    "inner mongolia": "150000",
    "hohhot": "150100",
    "harbin": "230100",
    "tibet": "540000",
    "lhasa": "540100",
    "urumqi": "650100",
    "hong kong": "810000",
    "hongkong": "810000",
    "macao": "820000",
    "macau": "820000",
}


def latin_names(names: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield the ways to write provinces and cities in small Latin letters, each with its code.

    Two may sound alike, as 苏州 and 宿州: the name then stands for either.

    Args:
        names: the official name by code.
    """
    for code, name in names.items():
        if not code.endswith("00"):
            continue
        short = province_name_of(name) if code.endswith("0000") else short_name_of(name)
        sounds = lazy_pinyin(short)
        for written in dict.fromkeys(("".join(sounds), " ".join(sounds))):
            if written.isascii() and len(written) >= _SHORTEST:
                yield written, code
    yield from ((written, code) for written, code in _OWN_NAMES.items() if code in names)
