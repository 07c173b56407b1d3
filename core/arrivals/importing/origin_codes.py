"""Where a train comes from, as a code that the list of key areas understands.

Source: docs/sources.md#administrative-division-codes
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from core.keyareas.divisions import divisions

# A city's stations are called after it and where in it they are.
_STATION: Final = "站"
_SIDE: Final = re.compile(r"[东西南北]$")
_SHORTEST: Final = 2
# Great stations that are called after no division.
_OTHERS: Final = {"汉口": "420100"}


@lru_cache(maxsize=4096)
def origin_code_of(origin: str) -> str:
    """Return the six-digit code of the place that a station is called after.

    Args:
        origin: name of a station, for example that of a city with or without a side.

    Returns:
        The code of the only place that can be meant; empty where there is none, or several.
    """
    name = origin.strip().removesuffix(_STATION)
    names = [name]
    if _SIDE.search(name) and len(name) > _SHORTEST:
        names.append(name[:-1])
    for written in names:
        meanings = divisions().meanings.get(written, ())
        # In a sentence a district's bare name may be anything; that of a station is a place.
        codes = [one.code for one in meanings if one.is_certain] or [one.code for one in meanings]
        if codes:
            return codes[0] if len(codes) == 1 else ""
    return _OTHERS.get(name, "")
