"""The names of provinces, cities and districts with their codes, and how people shorten them.

Source: docs/sources.md#administrative-division-codes
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final

from core.keyareas.latin import latin_names
from core.keyareas.naming import province_name_of, short_name_of
from core.places.streets import official_codes

# Names that were given up before this year are hardly written any more.
_STILL_WRITTEN_SINCE: Final = 2010
_LINE: Final = re.compile(r" *(\d{2}|\d{4}) (?:province|county)=\"(.*)\"")
_NAMED: Final = re.compile(r"(?:\[(\d*)-(\d*)\])?(.+)")

# What is called so is in every city; without the city's name it says nothing.
_NO_PLACE: Final = re.compile(
    r"市辖区|县|.*直辖.*|.*行政单位|.*行政委[员員][会會]|(?:新?市|新?城|[东西南北]?郊|矿|新|[东西南北中])区"
)
_PROVINCE_DIGITS: Final = 2


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a name can stand for.

    Attributes:
        code: six digits.
        is_certain: whether the name means the place wherever it stands in a text. The short name
            of a district is also half of other words.
    """

    code: str
    is_certain: bool


@dataclass(frozen=True, slots=True)
class Divisions:
    """All names.

    Attributes:
        meanings: by name, full ones and short ones.
        names: the official name of each code that is in use.
    """

    meanings: Mapping[str, tuple[Meaning, ...]]
    names: Mapping[str, str]


@cache
def divisions() -> Divisions:
    """Return the names of the country, read once."""
    found: defaultdict[str, dict[str, bool]] = defaultdict(dict)
    named = list(_named_codes())
    names = {code: name for code, name, ended in named if not ended}
    for code, name, ended in named:
        # 襄樊 is still written for what became 襄阳 and kept its code.
        is_renamed = code in names and code.endswith("00")
        if ended and int(ended) < _STILL_WRITTEN_SINCE and not is_renamed:
            continue
        for written, is_certain in _spellings(code, name):
            known = found[written].get(code, False)
            found[written][code] = known or is_certain
    for written, code in latin_names(names):
        found[written][code] = True
    for written, code in _own_places():
        # 湖南 stays the province, though a street has its name.
        if not any(found[written].values()):
            found[written][code] = written.endswith("街道")
    meanings = {
        written: tuple(Meaning(code, is_certain) for code, is_certain in codes.items())
        for written, codes in found.items()
    }
    return Divisions(meanings, names)


def is_province(code: str) -> bool:
    """Return whether a code is that of a province or of a city on its level."""
    return code.endswith("0000")


def _own_places() -> Iterator[tuple[str, str]]:
    """Yield the ways to write the district's own streets, with the code of the district."""
    for street, code in official_codes().items():
        short = street.removesuffix("街道").removesuffix("镇")
        for written in dict.fromkeys((street, short, short.removesuffix("路"))):
            yield written, code[:6]


def _named_codes() -> Iterator[tuple[str, str, str]]:
    """Yield code, name, and the year in which it was given up; empty while it is in use."""
    province = ""
    text = files("stdnum.cn").joinpath("loc.dat").read_text("utf-8")
    for line in text.splitlines():
        match = _LINE.match(line)
        if match is None:
            continue
        if len(match[1]) == _PROVINCE_DIGITS:
            province = match[1]
            continue
        for part in match[2].split(","):
            named = _NAMED.fullmatch(part)
            if named is None:
                raise RuntimeError("the list of divisions has another form")
            yield province + match[1], named[3], named[2] or ""


def _spellings(code: str, name: str) -> Iterator[tuple[str, bool]]:
    """Yield the ways to write a name, and whether each is certain."""
    if _NO_PLACE.fullmatch(name):
        return
    yield name, True
    if is_province(code):
        yield province_name_of(name), True
    else:
        yield short_name_of(name), code.endswith("00") or short_name_of(name) == name
