"""The communities that a name may mean, each with the reason why it is thought of."""

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum

from rapidfuzz import fuzz, process

from core.places import naming, sounds, words
from core.places.keys import Neighbours, splits_number

SHORT = 2  # characters: too few for a sound or a slip of the finger to say anything
_NEAREST_LIKENESS_PCT = 50
_DIGIT = re.compile(r"\d")
_VOWELS = re.compile(r"[aeiouv]+")


class Level(IntEnum):
    """Why a community is thought of; smaller is better."""

    SAME = 0  # the name, but for 小区, the district or the block
    STANDS = 1  # the whole name stands in the sentence, with an end to either side
    SOUND = 2  # sounds the same
    CORE = 3  # the ending left out, or another one of its family
    CORE_SOUND = 4
    INSIDE = 5  # the whole name stands in the sentence, next to something unknown
    TYPO = 6  # one slip of the finger away
    SWAP = 7  # an ending of another family
    PART = 8  # only a part of the name
    LOOSE = 9  # sounds the same in an accent


# Reasons that are enough when no other community is as near.
SURE = frozenset({Level.SAME, Level.STANDS, Level.SOUND, Level.CORE, Level.CORE_SOUND})


class Pool(dict[int, Level]):
    """Ids of the communities thought of, each with its best reason."""

    def put(self, ids: Iterable[int], level: Level) -> None:
        """Add communities, or improve the reason they are there for."""
        for community_id in ids:
            self[community_id] = min(level, self.get(community_id, level))

    def best_first(self) -> list[int]:
        """Return the ids, best reason first, else as they came."""
        return sorted(self, key=self.__getitem__)


_Table = defaultdict[str, list[int]]


def _table() -> _Table:
    return defaultdict(list)


@dataclass(slots=True)
class _Keys:
    """The keys under which communities are looked up."""

    exact: _Table = field(default_factory=_table)
    same: _Table = field(default_factory=_table)
    core: _Table = field(default_factory=_table)
    sound: _Table = field(default_factory=_table)
    long_sound: _Table = field(default_factory=_table)
    core_sound: _Table = field(default_factory=_table)
    loose: _Table = field(default_factory=_table)
    parts: _Table = field(default_factory=_table)

    def add(self, name: str, community_id: int) -> None:
        """Take in one folded name or alias of a community."""
        for key in _same_names(name):
            core = naming.core_of(key)
            _append(self.same, key, community_id)
            _append(self.core, core, community_id)
            self._add_sounds(key, core, community_id)
        for part in _listed_parts(naming.without_empty_ending(name)):
            _append(self.parts, part, community_id)

    def _add_sounds(self, key: str, core: str, community_id: int) -> None:
        for way in sounds.spellings_of(key):
            _append(self.sound, way, community_id)
            _append(self.loose, sounds.loosened(way), community_id)
            if len(key) > SHORT:
                _append(self.long_sound, way, community_id)
        for way in sounds.spellings_of(core):
            _append(self.core_sound, way, community_id)


class Register:
    """The names of all communities, and what a person may have meant by another one."""

    __slots__ = ("_kinds", "_names", "_near", "_tails", "keys")

    def __init__(self, names: Mapping[int, Sequence[str]]) -> None:
        """Prepare the communities.

        Args:
            names: for each id the folded registered name, then the folded
                aliases.
        """
        self.keys = _Keys()
        registered = _table()
        for community_id, (name, *_) in names.items():
            registered[name].append(community_id)
        for community_id, own in names.items():
            for name in dict.fromkeys(filter(None, own)):
                self.keys.add(name, community_id)
                # A registered name outranks the same words as another's alias.
                if name not in registered or community_id in registered[name]:
                    _append(self.keys.exact, name, community_id)
        self._names = sorted(self.keys.exact)
        self._tails = frozenset(
            name[cut:] for name in self._names for cut in range(1, len(name) - 1)
        ) & frozenset(self._names)
        self._near = Neighbours(self.keys.exact.keys() | self.keys.same.keys())
        self._kinds = {
            community_id: naming.kind_of(naming.without_empty_ending(name))
            for community_id, (name, *_) in names.items()
        }

    def sentence_keys(self) -> dict[str, tuple[int, ...]]:
        """Return what to look for in a sentence: names, and names less 小区, with their ids.

        A shortened name that may lead to another community as well stands
        there without ids, so that the sentence is searched with care.
        """
        found: dict[str, tuple[int, ...]] = {}
        for short, ids in self.keys.same.items():
            if len(short) > SHORT:
                sure = tuple(ids) if self._leads_to_one(short) else ()
                found[short] = found[short + "小区"] = sure
        found.update((name, tuple(ids)) for name, ids in self.keys.exact.items())
        return found

    def fill(self, pool: Pool, name: str) -> None:
        """Put the communities into a pool that a folded name may mean."""
        keys = self.keys
        short = naming.without_empty_ending(name)
        tables = ((keys.exact, name), (keys.same, name), (keys.same, short))
        same = dict.fromkeys(found for table, key in tables for found in table.get(key, ()))
        pool.put(same, Level.SAME)
        if name not in keys.exact:
            self._fill_slips(pool, keys.exact, name)
        if not same:
            self._fill_slips(pool, keys.same, short)
            self._fill_sounding(pool, name, short)
        self._fill_cores(pool, short, has_same=bool(same))
        pool.put(self.beginning_with(name if same else short), Level.PART)
        if not pool:
            pool.put(self._holding(short), Level.PART)
            pool.put(keys.parts.get(short, ()), Level.PART)
        if not pool:
            spelling = sounds.loosened(sounds.spelling_of(short))
            pool.put(keys.loose.get(spelling, ()), Level.LOOSE)

    def beginning_with(self, start: str) -> Iterator[int]:
        """Yield the communities whose folded name goes on after `start`."""
        for name in self._names[bisect_right(self._names, start) :]:
            if not name.startswith(start):
                return
            if not splits_number(name, len(start)):
                yield from self.keys.exact[name]

    def goes_on_after(self, start: str) -> bool:
        """Return whether a registered name begins with `start` and goes on."""
        return any(True for _ in self.beginning_with(start))

    def may_go_on_before(self, name: str) -> bool:
        """Return whether a longer registered name ends in a name."""
        return name in self._tails

    def closest(self, name: str, *, limit: int) -> tuple[int, ...]:
        """Return the communities whose names are spelled most like a folded name, best first."""
        table = self.keys.sound if name.isascii() else self.keys.exact
        found = process.extract(
            name,
            table.keys(),
            scorer=fuzz.ratio,
            limit=limit,
            score_cutoff=_NEAREST_LIKENESS_PCT,
        )
        ids = dict.fromkeys(community_id for key, *_ in found for community_id in table[key])
        return tuple(ids)[:limit]

    def _fill_slips(self, pool: Pool, table: _Table, name: str) -> None:
        if len(name) > SHORT:
            for near in self._near.near(name):
                pool.put(table.get(near, ()), Level.TYPO)

    def _fill_sounding(self, pool: Pool, name: str, short: str) -> None:
        level = Level.SOUND if _says_enough(short) else Level.LOOSE
        for way in dict.fromkeys((sounds.spelling_of(name), sounds.spelling_of(short))):
            pool.put(self.keys.sound.get(way, ()), level)

    def _fill_cores(self, pool: Pool, short: str, *, has_same: bool) -> None:
        """Put in the communities whose name has another ending, or that are meant without one."""
        core, kind = naming.core_of(short), naming.kind_of(short)
        if has_same and core != short:
            return
        for found in self.keys.core.get(core, ()):
            level = Level.CORE if core == short or self._is_kin(found, kind) else Level.SWAP
            pool.put((found,), level)
        if has_same:
            return
        sure = _says_enough(core)
        for found in self.keys.core_sound.get(sounds.spelling_of(core), ()):
            is_near = sure and (core == short or self._is_kin(found, kind))
            pool.put((found,), Level.CORE_SOUND if is_near else Level.SWAP)

    def _is_kin(self, community_id: int, kind: str) -> bool:
        """Return whether an ending is of the same family as that of a community's name."""
        return words.FAMILIES.get(self._kinds[community_id]) == words.FAMILIES.get(kind)

    def _leads_to_one(self, short: str) -> bool:
        pool = Pool()
        # What is a name by itself is looked at with 小区 after it: that is what is asked for.
        self.fill(pool, short + "小区" if short in self.keys.exact else short)
        return len(pool) == 1 and pool.best_first()[0] in self.keys.same[short]

    def _holding(self, part: str) -> Iterator[int]:
        """Yield the communities with `part` inside their folded name."""
        if len(part) <= SHORT and not part[0].isdecimal():
            return
        for name in self._names:
            place = name.find(part)
            if place < 0 or splits_number(name, place) or splits_number(name, place + len(part)):
                continue
            yield from self.keys.exact[name]


def _append(table: _Table, key: str, community_id: int) -> None:
    if key and community_id not in table[key]:
        table[key].append(community_id)


def _same_names(name: str) -> tuple[str, ...]:
    """Return a folded name in the forms that say the same: less 小区, the district, the block."""
    forms = dict.fromkeys((name, naming.without_empty_ending(name)))
    for form in tuple(forms):
        for other in (naming.without_district(form), naming.without_block(form)):
            if naming.core_of(other):
                forms[other] = None
    return tuple(forms)


def _listed_parts(name: str) -> tuple[str, ...]:
    """Return what may stand for a folded name that lists several numbers.

    3-4村 is 3村 and 4村; 34村, with Arabic numerals, may mean it too.
    """
    listed = next((found for found in naming.numbers_in(name) if "-" in found), "")
    others = (*listed.split("-"), listed.replace("-", "")) if listed else ()
    return tuple(name.replace(listed, number) for number in others)


def _says_enough(short: str) -> bool:
    """Return whether the sound of a folded name is long enough to be sure of it."""
    if not short.isascii():
        return len(short) > SHORT
    return bool(_DIGIT.search(short)) or len(_VOWELS.findall(short)) > SHORT
