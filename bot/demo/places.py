"""The demo district's 957 communities: made-up names on real roads, easily confused on purpose."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from random import Random
from typing import Any, Final

from bot.demo.words import words
from core.importing import ImportRow

COMMUNITY_COUNT: Final = 957
POPULATION: Final = 1_100_000

_DIGITS: Final = "零一二三四五六七八九"
# How many of a street's communities are lanes, the rest having names of their own.
_LANE_SHARE: Final = {"lanes": 0.62, "mixed": 0.4, "villages": 0.28}


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoCommunity:
    """A community of the demo district; coordinates in degrees, GCJ-02."""

    code: str
    name: str
    street: str
    longitude: float
    latitude: float
    address: str
    aliases: tuple[str, ...]
    population: int

    def row(self, line: int) -> ImportRow:
        """Return the row that an operator's file would have."""
        return ImportRow(
            line,
            {
                "code": self.code,
                "name": self.name,
                "street": self.street,
                "longitude": str(self.longitude),
                "latitude": str(self.latitude),
                "aliases": "|".join(self.aliases),
                "address": self.address,
                "population": str(self.population),
            },
        )


def make_communities(seed: int) -> list[DemoCommunity]:
    """Return the district's communities by code; the same for the same seed."""
    random = Random(seed)
    taken: set[str] = set()
    made: list[DemoCommunity] = []
    for street, plan in words("district").items():
        maker = _StreetMaker(random, street, plan, taken)
        made += maker.make()
    numbered = [
        replace(community, code=f"XH{number:04}") for number, community in enumerate(made, start=1)
    ]
    return _peopled(numbered)


def _peopled(communities: list[DemoCommunity]) -> list[DemoCommunity]:
    """Return the communities with populations that add up to the district's."""
    total = sum(community.population for community in communities)
    return [
        replace(community, population=round(community.population * POPULATION / total))
        for community in communities
    ]


class _StreetMaker:
    """Makes the communities of one street; `taken` holds the names of the whole district."""

    def __init__(self, random: Random, street: str, plan: Any, taken: set[str]) -> None:
        self._random = random
        self._street = street
        self._plan = plan
        self._taken = taken
        self._lots: set[str] = set()

    def make(self) -> list[DemoCommunity]:
        made = [*self._villages(), *self._twins()]
        while len(made) < self._plan["communities"]:
            is_lane = self._random.random() < _LANE_SHARE[self._plan["style"]]
            made += self._lane() if is_lane else self._estate()
        return made[: self._plan["communities"]]

    def _villages(self) -> Iterator[DemoCommunity]:
        for base, count in self._plan["villages"]:
            for number in range(1, count + 1):
                name = f"{base}{numeral(number)}村"
                self._taken.add(name)
                aliases = (f"{base}新村{number}村",) if self._random.random() < 0.3 else ()
                people = self._random.randint(1800, 5200)
                yield self._build(name, aliases=aliases, population=people)

    def _twins(self) -> Iterator[DemoCommunity]:
        for name, *streets in words("places")["twins"]:
            if self._street in streets:
                self._taken.add(name)
                yield self._build(name, population=self._random.randint(300, 1500))

    def _lane(self) -> list[DemoCommunity]:
        lot = self._lot()
        name = lot
        if lot.endswith("弄") and self._random.random() < 0.25:
            name = f"{lot}小区"
        self._taken.update({lot, name})
        return [self._build(name, address=lot, population=self._random.randint(120, 1100))]

    def _estate(self) -> list[DemoCommunity]:
        parts = words("places")
        suffixes = parts["suffixes"]
        stem = self._random.choice(parts["first"]) + self._random.choice(parts["second"])
        suffix = self._random.choices([*suffixes], [*suffixes.values()])[0]
        name = stem + suffix
        if name in self._taken or stem[0] == stem[1]:
            return []
        self._taken.add(name)
        if self._random.random() < 0.05:
            quarters = self._random.sample(parts["quarters"], 2)
            return [self._estate_named(f"{name}（{quarter}）") for quarter in sorted(quarters)]
        return [self._estate_named(name)]

    def _estate_named(self, name: str) -> DemoCommunity:
        lot = self._lot()
        aliases = (lot,) if self._random.random() < 0.4 else ()
        if aliases:
            self._taken.add(lot)
        people = self._random.randint(300, 2600)
        return self._build(name, address=lot, aliases=aliases, population=people)

    def _lot(self) -> str:
        """Return a road with the number of a lane or house that no other community has."""
        while True:
            road = self._random.choice(self._plan["roads"])
            number = self._random.randint(3, 260) * self._random.choice((1, 1, 2, 5))
            lot = f"{road}{number}{'弄' if self._random.random() < 0.85 else '号'}"
            if lot not in self._taken and lot not in self._lots:
                self._lots.add(lot)
                return lot

    def _build(
        self, name: str, *, population: int, address: str = "", aliases: tuple[str, ...] = ()
    ) -> DemoCommunity:
        west, south, east, north = self._plan["box"]
        return DemoCommunity(
            code="",
            name=name,
            street=self._street,
            longitude=round(self._random.uniform(west, east), 6),
            latitude=round(self._random.uniform(south, north), 6),
            address=address or self._lot(),
            aliases=aliases,
            population=population,
        )


def numeral(number: int) -> str:
    """Return 1-99 as people write it in a name: 一, 十, 十二, 二十一."""
    tens, ones = divmod(number, 10)
    ten = "十" if tens == 1 else f"{_DIGITS[tens]}十" if tens else ""
    return ten + (_DIGITS[ones] if ones else "")
