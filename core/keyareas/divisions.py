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

from core.places.streets import official_codes

# Names that were given up before this year are hardly written any more.
_STILL_WRITTEN_SINCE: Final = 2010
_LINE: Final = re.compile(r" *(\d{2}|\d{4}) (?:province|county)=\"(.*)\"")
_NAMED: Final = re.compile(r"(?:\[(\d*)-(\d*)\])?(.+)")

_PROVINCE_ENDING: Final = re.compile(r"(?:壮族|回族|维吾尔)?(?:自治区|特别行政区)$|[省市]$")
_PEOPLES: Final = (
    "蒙古族|蒙古|回族|藏族|维吾尔|苗族|彝族|壮族|布依族|朝鲜族|满族|侗族|瑶族|白族|土家族|哈尼族"
    "|哈萨克族|哈萨克|傣族|黎族|傈僳族|佤族|畲族|拉祜族|水族|东乡族|纳西族|景颇族|柯尔克孜族|柯尔克孜"
    "|土族|达斡尔族|仫佬族|羌族|布朗族|撒拉族|毛南族|仡佬族|锡伯族|锡伯|阿昌族|普米族|塔吉克族|塔吉克"
    "|怒族|鄂温克族|保安族|裕固族|京族|独龙族|鄂伦春族|各族"
)
_ENDING: Final = re.compile(rf"(?:{_PEOPLES})*自治[州县旗]$|地区$|新区$|林区$|[市区县旗盟州]$")
# What is called so is in every city; without the city's name it says nothing.
_NO_PLACE: Final = re.compile(
    r"市辖区|县|.*直辖.*|.*行政单位|.*行政委[员員][会會]|(?:新?市|新?城|[东西南北]?郊|矿|新|[东西南北中])区"
)
_SHORTEST: Final = 2


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
    names: dict[str, str] = {}
    for code, name, is_current in _named_codes():
        if is_current:
            names[code] = name
        for written, is_certain in _spellings(code, name):
            known = found[written].get(code, False)
            found[written][code] = known or is_certain
    for written, code in _own_places():
        # 湖南 stays the province, though a street has its name.
        if not any(found[written].values()):
            found[written][code] = written.endswith("街道")
    meanings = {
        written: tuple(Meaning(code, is_certain) for code, is_certain in codes.items())
        for written, codes in found.items()
    }
    return Divisions(meanings, names)


def short_name_of(name: str) -> str:
    """Return a name without what it is: a province, a city, a district.

    A name of which only one character would be left stays whole.
    """
    short = _ENDING.sub("", name)
    return short if len(short) >= _SHORTEST else name


def is_province(code: str) -> bool:
    """Return whether a code is that of a province or of a city on its level."""
    return code.endswith("0000")


def _own_places() -> Iterator[tuple[str, str]]:
    """Yield the ways to write the district's own streets, with the code of the district."""
    for street, code in official_codes().items():
        short = street.removesuffix("街道").removesuffix("镇")
        for written in dict.fromkeys((street, short, short.removesuffix("路"))):
            yield written, code[:6]


def _named_codes() -> Iterator[tuple[str, str, bool]]:
    """Yield code, name, and whether it is in use."""
    province = ""
    text = files("stdnum.cn").joinpath("loc.dat").read_text("utf-8")
    for line in text.splitlines():
        match = _LINE.match(line)
        if match is None:
            continue
        if len(match[1]) == _SHORTEST:
            province = match[1]
            continue
        for part in match[2].split(","):
            named = _NAMED.fullmatch(part)
            if named is None:
                raise RuntimeError("the list of divisions has another form")
            if not named[2] or int(named[2]) >= _STILL_WRITTEN_SINCE:
                yield province + match[1], named[3], not named[2]


def _spellings(code: str, name: str) -> Iterator[tuple[str, bool]]:
    """Yield the ways to write a name, and whether each is certain."""
    if _NO_PLACE.fullmatch(name):
        return
    yield name, True
    if is_province(code):
        yield _PROVINCE_ENDING.sub("", name), True
    else:
        yield short_name_of(name), code.endswith("00") or short_name_of(name) == name
