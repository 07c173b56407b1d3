"""The one screening of employees, shop staff, site workers and arrivals against the list.

A stay counts as of its own days. Where somebody is at home, by the first digits of their ID, is
no stay: it only tells what to ask them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from functools import cached_property
from typing import Final

from sqlalchemy.orm import Session

from core.keyareas.divisions import divisions, is_province
from core.keyareas.reading import MAX_TYPED, PlaceReader, key_of
from core.keyareas.rules import (
    Area,
    KeyAreaHit,
    areas_holding,
    covers,
    is_area_code,
    prefix_of,
    was_one_between,
    worst_of,
)
from core.keyareas.service import list_areas

# Cities on the level of a province, by the first two digits.
_CITIES: Final = ("11", "12", "31", "50")
_PREFIX_LENGTHS: Final = (2, 4, 6, 9)
# Places of one list, read one by one, from which on it pays to look for its names at first.
_MANY: Final = 100


class Screener:
    """Screens stays against one list, for as many people as there are.

    What a typed place means is worked out once, for all who typed the same.
    """

    def __init__(self, areas: Sequence[Area]) -> None:
        """Prepare a list.

        Args:
            areas: of all days that the stays may be of; each counts for its own days.
        """
        self._areas = tuple(areas)
        self._reader = PlaceReader(self._areas)
        self._held: dict[str, tuple[Area, ...]] = {}

    def hits_of(
        self, places: Sequence[str], *, since: datetime, until: datetime
    ) -> list[KeyAreaHit]:
        """Return which of the typed places were key areas at any time of a stay.

        Args:
            places: as typed; each may name several.
            since: aware instant, the start of the stay.
            until: aware instant, its end, not part of it.

        Returns:
            By place in the order given, then by code; each area once for a place. A place wider
            than a key area is no hit: whether the person was in that part of it is not known.
        """
        return [
            hit
            for place in dict.fromkeys(places)
            for hit in _hits_in(place, self._held_by(place), since=since, until=until)
        ]

    def may_hit(self, places: Sequence[str]) -> bool:
        """Return whether any of the typed places is on the list, whatever the days."""
        return any(map(self._held_by, places))

    def home_question_of(self, home: str, *, since: datetime, until: datetime) -> list[Area]:
        """Return the key areas which to ask somebody about because their home is there.

        People live for decades where their ID does not say: home is no stay, and no hit.

        Args:
            home: the first six digits of a resident's ID number, or what was typed of it; what
                names no place asks nothing.
            since: aware instant, the start of the days that are asked about.
            until: aware instant, their end, not part of it.

        Returns:
            In the order of the list; also what is only a part of where the home is.
        """
        read = [frozenset({home})] if is_area_code(home) else self._reader.codes_in(home)
        codes = frozenset[str]().union(*read)
        return [
            area
            for area in self._areas
            if was_one_between(area, since=since, until=until)
            and any(covers(area.code, code) or covers(code, area.code) for code in codes)
        ]

    def _held_by(self, place: str) -> tuple[Area, ...]:
        """Return the areas of the list, of any days, that hold what a place means."""
        found = self._held.get(place)
        if found is None:
            found = self._held[place] = self._read(place)
        return found

    def _read(self, place: str) -> tuple[Area, ...]:
        if len(self._held) >= _MANY and not self._named.search(key_of(place[:MAX_TYPED])):
            return ()
        found = (
            area
            for codes in self._reader.codes_in(place)
            for area in areas_holding(codes, areas=self._areas)
        )
        return tuple(sorted(dict.fromkeys(found), key=lambda area: (area.code, area.since)))

    @cached_property
    def _named(self) -> re.Pattern[str]:
        """What finds any name that can mean a place within the list.

        Most places hold none. To see that takes a tenth of the time of reading them, but to make
        this as long as to read some dozens.
        """
        prefixes = {prefix_of(area.code) for area in self._areas}
        names = [
            name
            for name, meanings in divisions().meanings.items()
            if any(_is_within(one.code, prefixes) for one in meanings)
        ]
        names += self._reader.added_names
        return re.compile("|".join(map(re.escape, sorted(set(names)))) or r"(?!)")


def find_hits(
    session: Session, *, places: Sequence[str], since: datetime, until: datetime
) -> list[KeyAreaHit]:
    """Return which of the typed places were key areas at any time of a stay.

    Args:
        session: may be a reading one.
        places: as typed; each may name several.
        since: aware instant, the start of the stay.
        until: aware instant, its end, not part of it.

    Returns:
        As `Screener.hits_of`.
    """
    areas = list_areas(session, since=since, until=until) if places else []
    return Screener(areas).hits_of(places, since=since, until=until) if areas else []


def areas_met_by(
    origin: str, *, areas: Iterable[Area], since: datetime, until: datetime
) -> list[Area]:
    """Return the key areas from which people of an origin may come, as of a window.

    A city of which only a part is a key area counts, unlike in a stay: who of its people lives in
    that part is not known before they are asked.

    Args:
        origin: code of GB/T 2260, as of a train; empty: nobody knows.
        areas: the list, in the order in which to return them.
        since: aware instant, the start of the window.
        until: aware instant, its end, not part of it.
    """
    is_city = origin.startswith(_CITIES) or (origin != "" and not is_province(origin))
    return [
        area
        for area in areas
        if was_one_between(area, since=since, until=until)
        and (covers(area.code, origin) or (is_city and covers(origin, area.code)))
    ]


def _hits_in(
    place: str, held: Iterable[Area], *, since: datetime, until: datetime
) -> Iterator[KeyAreaHit]:
    dated: dict[str, list[Area]] = {}
    for area in held:
        if was_one_between(area, since=since, until=until):
            dated.setdefault(area.code, []).append(area)
    for code, times in dated.items():
        level = worst_of(area.level for area in times)
        if level is not None:
            yield KeyAreaHit(code=code, name=times[-1].name, level=level, place=place)


def _is_within(code: str, prefixes: set[str]) -> bool:
    return any(code[:length] in prefixes for length in _PREFIX_LENGTHS if length <= len(code))
