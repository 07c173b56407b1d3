"""Rules of key areas: which code covers which, and when a stay was in one.

Codes are those of GB/T 2260: two digits each for province, city and district; three more of
GB/T 10114 for a street or town.

Source: docs/sources.md#administrative-division-codes
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

ALIAS_MARK: Final = "|"
CODE_LENGTH: Final = 6
STREET_CODE_LENGTH: Final = 9
_CODE: Final = re.compile(r"[1-8][0-9]{5}(?:[0-9]{3})?", re.ASCII)
# Between province and district there is a city, if only in name; no street has the number zero,
# and none is in a province.
_IMPOSSIBLE: Final = re.compile(r"..00(?!00)|.{6}000|..0000.+")


class Level(StrEnum):
    """How a key area is classed; each of them is screened for, the worst comes first."""

    HIGH = "high"
    MEDIUM = "medium"
    WATCHED = "watched"  # not classed yet, or not any more


_BY_LEVEL: Final = {level: place for place, level in enumerate(Level)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Area:
    """A key area for as long as it was one.

    Attributes:
        code: six digits; `420000` is a province with all that is in it. Nine: a street.
        name: as the list has it.
        aliases: other names that people write.
        since: aware instant from which it was one.
        until: aware instant from which it was none any more; None: it still is.
    """

    code: str
    name: str
    aliases: tuple[str, ...] = ()
    level: Level = Level.MEDIUM
    since: datetime
    until: datetime | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """All that it is called."""
        return (self.name, *self.aliases)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyAreaHit:
    """A typed place that was a key area.

    Attributes:
        code: of the area.
        level: the worst that it had during the stay.
        place: as it was typed.
    """

    code: str
    name: str
    level: Level = Level.MEDIUM
    place: str


def is_area_code(text: str) -> bool:
    """Return whether a text has the form of a code."""
    return _CODE.fullmatch(text) is not None and not _IMPOSSIBLE.match(text)


def is_street(code: str) -> bool:
    """Return whether a code is that of a street or town."""
    return len(code) == STREET_CODE_LENGTH


def covers(area: str, place: str) -> bool:
    """Return whether the area of one code holds that of another, or is it."""
    return place.startswith(prefix_of(area))


def prefix_of(code: str) -> str:
    """Return the digits that all codes within an area begin with."""
    if is_street(code):
        return code
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


def is_one_at(area: Area, at: datetime) -> bool:
    """Return whether an area is a key area at an aware instant."""
    return area.since <= at and (area.until is None or area.until > at)


def aliases_of(text: str) -> tuple[str, ...]:
    """Return the names of a cell, `|` between them, each once, in their order."""
    names = (part.strip() for part in text.split(ALIAS_MARK))
    return tuple(dict.fromkeys(name for name in names if name))


def areas_holding(codes: Iterable[str], *, areas: Sequence[Area]) -> list[Area]:
    """Return the areas that hold one of the codes which a typed place may stand for."""
    wanted = tuple(codes)
    return [area for area in areas if any(covers(area.code, code) for code in wanted)]


def worst_of(levels: Iterable[Level]) -> Level | None:
    """Return the worst of some levels; None of none."""
    return min(levels, key=_BY_LEVEL.__getitem__, default=None)
