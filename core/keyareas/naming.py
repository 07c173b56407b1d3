"""How people shorten the names of provinces, cities and districts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

_PROVINCE_ENDING: Final = re.compile(r"(?:壮族|回族|维吾尔)?(?:自治区|特别行政区)$|[省市]$")
_PEOPLES: Final = (
    "蒙古族|蒙古|回族|藏族|维吾尔|苗族|彝族|壮族|布依族|朝鲜族|满族|侗族|瑶族|白族|土家族|哈尼族"
    "|哈萨克族|哈萨克|傣族|黎族|傈僳族|佤族|畲族|拉祜族|水族|东乡族|纳西族|景颇族|柯尔克孜族|柯尔克孜"
    "|土族|达斡尔族|仫佬族|羌族|布朗族|撒拉族|毛南族|仡佬族|锡伯族|锡伯|阿昌族|普米族|塔吉克族|塔吉克"
    "|怒族|鄂温克族|保安族|裕固族|京族|独龙族|鄂伦春族|各族"
)
_ENDING: Final = re.compile(rf"(?:{_PEOPLES})*自治[州县旗]$|地区$|新区$|林区$|[市区县旗盟州]$")
_SHORTEST: Final = 2
_STREET_ENDING: Final = re.compile(r"(?:街道|镇|乡)(?:办事处)?$")


def province_name_of(name: str) -> str:
    """Return the name of a province, or of a city on its level, without what it is."""
    return _PROVINCE_ENDING.sub("", name)


def short_name_of(name: str) -> str:
    """Return a name without what it is: a province, a city, a district.

    A name of which only one character would be left stays whole.
    """
    short = _ENDING.sub("", name)
    return short if len(short) >= _SHORTEST else name


def spellings_of_street(name: str, *, wider: Iterable[str]) -> Iterator[tuple[str, bool]]:
    """Yield the ways to write a street or town besides the listed one, and whether each is certain.

    Args:
        name: as listed, perhaps behind what it is in.
        wider: official names of what it is in, the widest first.
    """
    own = name
    for one in wider:
        for written in (one, short_name_of(one)):
            if own.startswith(written) and len(own) - len(written) >= _SHORTEST:
                own = own.removeprefix(written)
                break
    if own != name:
        yield own, True
    short = _STREET_ENDING.sub("", own)
    if short != own and len(short) >= _SHORTEST:
        # It is half of many other words.
        yield short, False
