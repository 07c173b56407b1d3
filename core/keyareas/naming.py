"""How people shorten the names of provinces, cities and districts."""

from __future__ import annotations

import re
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


def province_name_of(name: str) -> str:
    """Return the name of a province, or of a city on its level, without what it is."""
    return _PROVINCE_ENDING.sub("", name)


def short_name_of(name: str) -> str:
    """Return a name without what it is: a province, a city, a district.

    A name of which only one character would be left stays whole.
    """
    short = _ENDING.sub("", name)
    return short if len(short) >= _SHORTEST else name
