"""What places a typed text names: the narrowest of each chain, as codes.

People write “湖北武汉”, “湖北省武汉市江岸区”, “武汉、温州”, “去过南京东路”. Names are taken from
left to right, the longest first, so that 海南 is not found in 上海南站; a name that is part of a
road or a house is none; a name after a wider one narrows it.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Final, TypeAlias

from core.keyareas.divisions import Meaning, divisions, is_province
from core.keyareas.naming import spellings_of_street
from core.keyareas.rules import Area, covers, is_street
from core.places.naming import simplify
from core.places.streets import official_codes

MAX_TYPED: Final = 500

Codes: TypeAlias = frozenset[str]

# What follows a name that stands for something else: 南京东路, 中山公园, 桂林米粉.
_NO_STAY: Final = re.compile(
    r"[东西南北中一二三四五六七八九十0-9]{0,3}(?:路|街|大街|大道|道|巷|弄|桥|村|新村|苑|小区|花园|公寓|公园"
    r"|大厦|广场|饭店|宾馆|酒店|餐厅|饭馆|面馆|小吃|米粉|拉面|火锅|烧烤|医院|银行|号线)"
    r"|\s*(?:(?:east|west|north|south|middle)\s+)?(?:road|rd|street|avenue|lu|jie|hotel)\b"
)
_JOINT: Final = re.compile(r"[\s,，、;；/·\-—的>→]*")
_SINGLE: Final = re.compile(r"[0-9a-z\u3400-\u9fff\U00020000-\U0003ffff]")
_LATIN: Final = re.compile(r"[0-9a-z]")


def _home_province() -> str:
    return next(iter(official_codes().values()))[:2]


class PlaceReader:
    """Reads texts with the names of the country, and those that a list of key areas adds."""

    def __init__(self, areas: Iterable[Area] = ()) -> None:
        """Prepare the names; the country's are prepared once.

        Args:
            areas: whose names and aliases are to be found too.
        """
        self._added: defaultdict[str, list[Meaning]] = defaultdict(list)
        for area in areas:
            for name in area.names:
                self._add(key_of(name), area.code, is_certain=True)
            if is_street(area.code):
                for name, is_certain in spellings_of_street(area.name, wider=_wider_of(area.code)):
                    self._add(key_of(name), area.code, is_certain=is_certain)
        country = _country_lengths()
        self._lengths = {
            first: _longest_first({*country.get(first, ()), *lengths})
            for first, lengths in _lengths_of(self._added).items()
        }

    @property
    def added_names(self) -> list[str]:
        """What the list is called besides what the country's places are."""
        return list(self._added)

    def _add(self, name: str, code: str, *, is_certain: bool) -> None:
        known = (*divisions().meanings.get(name, ()), *self._added.get(name, ()))
        if name and all(one.code != code for one in known):
            self._added[name].append(Meaning(code, is_certain and len(name) > 1))

    def codes_in(self, text: str) -> list[Codes]:
        """Return the places of a text; of each, the codes that its name may stand for.

        Args:
            text: as typed; of a very long one the beginning counts.
        """
        key = key_of(text[:MAX_TYPED])
        trail = _Trail()
        place = 0
        added, country = self._lengths, _country_lengths()
        while place < len(key):
            may_begin = key[place] in country or key[place] in added
            found = self._longest_at(key, place, trail) if may_begin else None
            if found is None:
                place += 1
                continue
            end, codes = found
            if codes:
                trail.add(codes, end=end)
            place = end
        return trail.leaves

    def _longest_at(self, key: str, place: int, trail: _Trail) -> tuple[int, Codes] | None:
        """Return where the longest name that begins here ends, and what it means.

        No codes: it stands for something else, and nothing within it is to be looked for.
        """
        for end in self._ends_at(key, place):
            meanings = self._meanings_of(key[place:end])
            is_alone = _is_alone(key, place, end)
            if not is_alone and _splits_word(key, place, end):
                continue
            certain = {one.code for one in meanings if one.is_certain}
            # The short name of a district counts by itself, or right behind what it is in.
            likely = {one.code for one in meanings} if is_alone else certain
            behind = _JOINT.fullmatch(key, trail.end, place) if trail.chain else None
            codes = trail.within({one.code for one in meanings}) if behind else frozenset()
            if place and trail.end == place:
                # 和平街道 right behind another city is that one's, which the list does not have.
                likely = {code for code in likely if not is_street(code)}
            codes = codes or trail.within(likely) or _without_context(likely)
            if not codes:
                continue
            return end, frozenset() if self._is_no_stay(key, end) else codes
        return None

    def _is_no_stay(self, key: str, end: int) -> bool:
        if not _NO_STAY.match(key, end):
            return False
        # 浙江路桥区 is no road.
        return not any(
            any(one.is_certain for one in self._meanings_of(key[end:after]))
            for after in self._ends_at(key, end)
        )

    def _meanings_of(self, name: str) -> tuple[Meaning, ...]:
        known = divisions().meanings.get(name, ())
        return (*known, *self._added[name]) if name in self._added else known

    def _ends_at(self, key: str, place: int) -> list[int]:
        names, added = divisions().meanings, self._added
        first = key[place : place + 1]
        ends = []
        for length in self._lengths.get(first) or _country_lengths().get(first, ()):
            end = place + length
            if end <= len(key) and ((name := key[place:end]) in names or name in added):
                ends.append(end)
        return ends


@dataclass(slots=True)
class _Trail:
    """The places so far; `chain` leads from the widest to the narrowest of the last one."""

    chain: list[Codes] = field(default_factory=list)
    leaves: list[Codes] = field(default_factory=list)
    end: int = 0

    def within(self, codes: Collection[str]) -> Codes:
        """Return those of the codes that lie within a place named before, the narrowest first."""
        for wider in reversed(self.chain):
            inner = _inside(wider, codes)
            if inner:
                return inner
        return frozenset()

    def add(self, codes: Codes, *, end: int) -> None:
        """Note a place; behind a wider one it replaces that."""
        self.end = end
        for depth in reversed(range(len(self.chain))):
            if _inside(self.chain[depth], codes) == codes:
                if depth == len(self.chain) - 1:
                    self.leaves.pop()
                self.chain = [*self.chain[: depth + 1], codes]
                self.leaves.append(codes)
                return
        self.chain = [codes]
        self.leaves.append(codes)


def key_of(text: str) -> str:
    """Return a text in the one spelling that names are compared in: half-width, simplified."""
    return " ".join(simplify(text).casefold().split())


def _wider_of(code: str) -> list[str]:
    """Return the names of the province, city and district that a street is in."""
    names = divisions().names
    wider = (f"{code[:2]}0000", f"{code[:4]}00", code[:6])
    return [names[one] for one in dict.fromkeys(wider) if one in names]


def _inside(wider: Codes, codes: Collection[str]) -> Codes:
    return frozenset(
        code for code in codes if any(code != one and covers(one, code) for one in wider)
    )


def _without_context(codes: Collection[str]) -> Codes:
    """Return what a name may mean that nothing before it explains.

    A province's name means the province, or a city of the same name in it. Of districts of the
    same name those of this city are meant, if there are any; else it may be each of them.
    """
    provinces = [code for code in codes if is_province(code)]
    if provinces:
        return frozenset(code for code in codes if any(covers(one, code) for one in provinces))
    home = _home_province()
    return frozenset(code for code in codes if code.startswith(home)) or frozenset(codes)


def _is_alone(key: str, start: int, end: int) -> bool:
    """Return whether a name stands by itself between marks, blanks or the ends of the text."""
    before, after = key[start - 1 : start] if start else "", key[end : end + 1]
    return not _SINGLE.match(before) and not _SINGLE.match(after)


def _splits_word(key: str, start: int, end: int) -> bool:
    """Return whether a name in Latin letters is only a part of a word."""
    before, after = key[start - 1 : start] if start else "", key[end : end + 1]
    starts_within = _LATIN.match(key[start]) and _LATIN.match(before)
    ends_within = _LATIN.match(key[end - 1]) and _LATIN.match(after)
    return bool(starts_within or ends_within)


def _lengths_of(names: Iterable[str]) -> Mapping[str, tuple[int, ...]]:
    """Return how long the names are that begin with a character, the longest first."""
    lengths: defaultdict[str, set[int]] = defaultdict(set)
    for name in names:
        lengths[name[0]].add(len(name))
    return {first: _longest_first(found) for first, found in lengths.items()}


def _longest_first(lengths: Iterable[int]) -> tuple[int, ...]:
    return tuple(sorted(lengths, reverse=True))


@cache
def _country_lengths() -> Mapping[str, tuple[int, ...]]:
    return _lengths_of(divisions().meanings)
