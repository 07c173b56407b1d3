"""The demo district's epidemic: small outbreaks that come and go, and what they do to the values.

Nothing here is a model of an epidemic: it makes days on which most communities are blue, some
yellow, a few red, and two grey because nobody reports from them any more.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Final

from bot.demo.places import DemoCommunity
from core.places.geo import distance_m

# The community that guides and simulator ask about: known to everybody, and quiet.
QUIET: Final = "田林十二村"
SILENT_COUNT: Final = 2
SILENT_FOR_DAYS: Final = 8
CASE_WINDOW_DAYS: Final = 14
NEARBY_M: Final = 500.0
NEARBY_DAYS: Final = 7
SMALL_COMMUNITY: Final = 300
OUTBREAKS_A_WEEK: Final = 16
STALE_STREET: Final = "华泾镇"

Values = dict[str, float]


@dataclass(slots=True, kw_only=True)
class Outbreak:
    """Cases of one community by age in days: 0 is the last day of the story, 1 the one before.

    Attributes:
        confirmed: ages of the confirmed cases.
        asym: ages of the cases without symptoms.
        cluster: age at which a cluster was recognised; None if there is none.
        close: close contacts.
        second: contacts of contacts.
        suspected: people who were suspected in the first days.
    """

    confirmed: list[int] = field(default_factory=list)
    asym: list[int] = field(default_factory=list)
    cluster: int | None = None
    close: int = 0
    second: int = 0
    suspected: int = 0

    @property
    def began(self) -> int:
        """The age of the first case."""
        return max([*self.confirmed, *self.asym])


def make_outbreaks(
    random: Random, communities: Sequence[DemoCommunity], *, days: int
) -> dict[str, Outbreak]:
    """Return the outbreaks of a story of so many days, by code of the community."""
    span = days + CASE_WINDOW_DAYS
    chosen = random.sample(
        [one for one in communities if one.name != QUIET], round(OUTBREAKS_A_WEEK * span / 7)
    )
    return {one.code: _outbreak(random, began=random.randint(0, span - 1)) for one in chosen}


def _outbreak(random: Random, *, began: int) -> Outbreak:
    size = random.choices((1, 2, 3, 4), (44, 26, 17, 13))[0]
    ages = [began, *(max(0, began - random.randint(0, 5)) for _ in range(size - 1))]
    asym = ages.pop() if size > 1 and random.random() < 0.3 else None
    return Outbreak(
        confirmed=ages,
        asym=[] if asym is None else [asym],
        cluster=max(0, began - 2) if size > 1 else None,
        close=random.randint(1, 4) * size,
        second=random.randint(2, 8) * size,
        suspected=random.choice((0, 0, 1, 2)) if size > 1 else 0,
    )


class Story:
    """The values of every community on every day of the story."""

    def __init__(self, communities: Sequence[DemoCommunity], *, seed: int, days: int) -> None:
        """Decide who falls ill; the same seed and length tell the same story."""
        random = Random(seed)
        self._communities = communities
        self._seed = seed
        self._outbreaks = make_outbreaks(random, communities, days=days)
        quiet = [one for one in communities if one.code not in self._outbreaks]
        self._silent = {
            one.code
            for one in random.sample([one for one in quiet if one.name != QUIET], SILENT_COUNT)
        }
        self._near = _neighbours(communities, self._outbreaks)
        self._habits = {one.code: _Habits(one, seed=seed) for one in communities}

    def values_on(self, age: int) -> Iterator[tuple[str, Values]]:
        """Yield the code of every community with its values, so many days before the last."""
        for community in self._communities:
            habits = self._habits[community.code]
            if community.code in self._silent and age < SILENT_FOR_DAYS:
                yield community.code, {"vuln": habits.vuln}
                continue
            values = habits.values_on(age) | self._case_values(community.code, age)
            if age == 0 and community.street == STALE_STREET:
                # One feed is late, so that a value of yesterday can be seen to stand in for it.
                del values["fever"]
            yield community.code, values

    def _case_values(self, code: str, age: int) -> Values:
        outbreak = self._outbreaks.get(code)
        values = dict.fromkeys(
            ("confirmed", "suspected", "close", "cluster", "asym", "recency", "second"), 0.0
        )
        if outbreak is not None and outbreak.began >= age:
            values |= _outbreak_values(outbreak, age)
        values["nearby"] = float(
            sum(
                _count(self._outbreaks[other], age, days=NEARBY_DAYS)
                for other in self._near.get(code, ())
            )
        )
        return values


class _Habits:
    """What a community is like whether or not somebody is ill: age, travel, coughs."""

    def __init__(self, community: DemoCommunity, *, seed: int) -> None:
        random = Random(f"{seed}:{community.code}")
        self._people = max(community.population, SMALL_COMMUNITY)
        self.vuln = round(min(0.6, max(0.12, random.gauss(0.33, 0.07))), 3)
        # People who came back from key areas and from abroad, in the whole story.
        self._returns = random.expovariate(1 / 1.6)
        self._abroad = random.expovariate(1 / 0.7)
        self._coughs = random.expovariate(1 / 0.25)
        self._phase = random.randint(0, 9)

    def values_on(self, age: int) -> Values:
        # Fewer come back from the provinces every day, more from abroad.
        keyarea = self._persons(self._returns * (0.5 + age / 20))
        overseas = self._persons(self._abroad * max(0.0, 1.2 - age / 20))
        return {
            "keyarea": self._per_mille(keyarea),
            "overseas": self._per_mille(overseas),
            "fever": self._per_mille(
                self._persons(self._coughs * (1 + ((age + self._phase) % 10) / 10))
            ),
            "homeq": self._per_mille(round((keyarea + overseas) * 0.8)),
            "vuln": self.vuln,
        }

    def _persons(self, per_mille: float) -> int:
        return round(per_mille * self._people / 1000)

    def _per_mille(self, persons: int) -> float:
        return round(persons * 1000 / self._people, 3)


def _outbreak_values(outbreak: Outbreak, age: int) -> Values:
    since_last = min(
        (case - age for case in (*outbreak.confirmed, *outbreak.asym) if case >= age),
        default=CASE_WINDOW_DAYS,
    )
    is_traced = outbreak.began - age < CASE_WINDOW_DAYS
    is_cluster = outbreak.cluster is not None and 0 <= outbreak.cluster - age < CASE_WINDOW_DAYS
    return {
        "confirmed": float(_within(outbreak.confirmed, age, days=CASE_WINDOW_DAYS)),
        "asym": float(_within(outbreak.asym, age, days=CASE_WINDOW_DAYS)),
        "cluster": float(is_cluster),
        "recency": float(max(0, CASE_WINDOW_DAYS - since_last)),
        "close": float(outbreak.close if is_traced else 0),
        "second": float(outbreak.second if is_traced else 0),
        "suspected": float(outbreak.suspected if outbreak.began - age < 5 else 0),
    }


def _within(ages: Sequence[int], age: int, *, days: int) -> int:
    return sum(0 <= case - age < days for case in ages)


def _count(outbreak: Outbreak, age: int, *, days: int) -> int:
    return _within([*outbreak.confirmed, *outbreak.asym], age, days=days)


def _neighbours(
    communities: Sequence[DemoCommunity], outbreaks: Mapping[str, Outbreak]
) -> dict[str, list[str]]:
    """Return, for each community, those with an outbreak within 500 m of it."""
    near: dict[str, list[str]] = {}
    for source in (one for one in communities if one.code in outbreaks):
        place = (source.longitude, source.latitude)
        for one in communities:
            if one is not source and distance_m((one.longitude, one.latitude), place) <= NEARBY_M:
                near.setdefault(one.code, []).append(source.code)
    return near
