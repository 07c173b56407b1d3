"""Rules of key areas: which code covers which, and when a stay was in one.

Codes are those of GB/T 2260: two digits each for province, city and district.

Source: docs/sources.md#administrative-division-codes
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

ALIAS_MARK: Final = "|"
CODE_LENGTH: Final = 6
_CODE: Final = re.compile(r"[1-8][0-9]{5}", re.ASCII)
# Between province and district there is a city, if only in name.
_WITHOUT_CITY: Final = re.compile(r"..00(?!00)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Area:
    """A key area for as long as it was one.

    Attributes:
        code: six digits; `420000` is a province with all that is in it.
        name: as the list has it.
        aliases: other names that people write.
        since: aware instant from which it was one.
        until: aware instant from which it was none any more; None: it still is.
    """

    code: str
    name: str
    aliases: tuple[str, ...] = ()
    since: datetime
    until: datetime | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """All that it is called."""
        return (self.name, *self.aliases)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyAreaHit:
    """A typed place that was a key area; `place` is as it was typed."""

    code: str
    name: str
    place: str


def is_area_code(text: str) -> bool:
    """Return whether a text has the form of a code."""
    return _CODE.fullmatch(text) is not None and not _WITHOUT_CITY.match(text)


def covers(area: str, place: str) -> bool:
    """Return whether the area of one code holds that of another, or is it."""
    return place.startswith(prefix_of(area))


def prefix_of(code: str) -> str:
    """Return the digits that all codes within an area begin with."""
    if code.endswith("0000"):
        return code[:2]
    return code[:4] if code.endswith("00") else code


def was_one_between(area: Area, *, since: datetime, until: datetime) -> bool:
    """Return whether an area was a key area at any moment of a window.

    Args:
        area: the area.
        since: aware instant, the start of the window.
        until: aware instant, its end, which is not part of it.
    """
    return area.since < until and (area.until is None or area.until > since)


def aliases_of(text: str) -> tuple[str, ...]:
    """Return the names of a cell, `|` between them, each once, in their order."""
    names = (part.strip() for part in text.split(ALIAS_MARK))
    return tuple(dict.fromkeys(name for name in names if name))


def hits_of(place: str, *, codes: Iterable[str], areas: Sequence[Area]) -> list[KeyAreaHit]:
    """Return the areas that hold one of the codes which a typed place may stand for."""
    wanted = tuple(codes)
    return [
        KeyAreaHit(code=area.code, name=area.name, place=place)
        for area in areas
        if any(covers(area.code, code) for code in wanted)
    ]
