"""The demo district's epidemic, day by day: what the feeds bring about whom.

No model of an epidemic: scenes of a few people, and around them those who come home, their
isolation, coughs, and the companions that a phone's track names and a test lets go. The files of
a day are the same however many days the story has, so that it can be told further.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import chain, count
from random import Random
from typing import Final

from bot.demo.places import DemoCommunity
from bot.demo.residents import resident_id
from bot.demo.scenes import CAST, SUSPECTED_DAYS, DemoEvent, make_outbreaks, make_scenes
from core.importing import ImportRow
from core.risk.events.rules import FEED_OF, Ending, EventKind, Feed

# The feeds of events; the register of residents is a file of its own.
FEEDS: Final = (Feed.CASES, Feed.CONTACTS, Feed.FEVER_CLINICS, Feed.ARRIVALS, Feed.ISOLATION)
# Tracks of phones were compared from this day on.
FLAGGED_FROM: Final = -27
# Rates are of so many people at least, as the indicators count them.
SMALL_COMMUNITY: Final = 300
ISOLATED_DAYS: Final = 14
FEVER_DAYS: Final = 2
_ISOLATED_SHARE: Final = 0.8
# Of those who come from abroad one in so many is in no register, of whom again one has no address.
_GUEST_EVERY: Final = 6
_HOMELESS_EVERY: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class EventFile:
    """What the feeds deliver at once.

    Attributes:
        rows: of the file.
        silent: feeds that have nothing new to tell.
    """

    rows: Iterator[ImportRow]
    silent: tuple[Feed, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Habits:
    """What a community is like whether or not somebody is ill.

    Attributes:
        code: of the community.
        residents: in the register.
        returns: people who come home from key areas in a day of a middling wave, on average.
        abroad: who come from abroad.
        coughs: who see a doctor.
        phase: shifts the days on which more of them do.
    """

    code: str
    residents: int
    returns: float
    abroad: float
    coughs: float
    phase: int

    def some(self, random: Random, mean: float) -> set[int]:
        """Return the numbers of some residents who are in no scene."""
        drawn = poisson(random, mean)
        return {random.randrange(CAST, self.residents) for _ in range(drawn)}


def _habits_of(code: str, residents: int, *, seed: int) -> _Habits:
    random = Random(f"{seed}:{code}:habits")
    people = max(residents, SMALL_COMMUNITY) / 1000
    return _Habits(
        code=code,
        residents=residents,
        returns=people * random.expovariate(1 / 1.6) / 14,
        abroad=people * random.expovariate(1 / 0.7) / 14,
        coughs=people * random.expovariate(1 / 0.25) / 7,
        phase=random.randint(0, 9),
    )


def poisson(random: Random, mean: float) -> int:
    """Return how often something happens that happens `mean` times on average (Knuth)."""
    limit, product, times = math.exp(-mean), random.random(), 0
    while product > limit:
        product *= random.random()
        times += 1
    return times


class Epidemic:
    """The story of a district: scenes that are written, and habits that are drawn."""

    def __init__(
        self,
        communities: Sequence[DemoCommunity],
        residents: Mapping[str, int],
        *,
        seed: int,
        first: int,
        last: int,
        flags_a_day: int = 0,
    ) -> None:
        """Decide who falls ill.

        Args:
            communities: of the district.
            residents: how many are in the register, by code of community.
            seed: of the district.
            first: the first day of the story; day 0 is the last one of its first telling.
            last: the last day.
            flags_a_day: companions that tracks name in a day, about.
        """
        self.scenes = make_scenes(communities, seed=seed)
        self._seed = seed
        self._days = range(first, last + 1)
        self._flags_share = flags_a_day / sum(residents.values())
        self._habits = [_habits_of(code, number, seed=seed) for code, number in residents.items()]
        # What is told on a day: events that begin, and those that end.
        self._due: dict[int, list[tuple[DemoEvent, bool]]] = defaultdict(list)
        # Whoever is confirmed after the last day is suspected before.
        until = last + SUSPECTED_DAYS
        outbreaks = make_outbreaks(communities, self.scenes, seed=seed, first=first, last=until)
        for scene in (*self.scenes.values(), *outbreaks):
            self._note(event for event in scene.events() if event.day >= first)

    def days(self) -> range:
        """Return the days of the story; their files are asked for in this order."""
        return self._days

    def file_for(self, days: range, *, zero: date) -> EventFile:
        """Return the file that tells of some days, as all feeds together deliver it.

        Args:
            days: of the story; those before were asked for.
            zero: the date of day 0.
        """
        told: dict[object, DemoEvent] = {}
        over: set[object] = set()
        flags: list[Iterator[dict[str, str]]] = []
        for day in days:
            self._note(self._drawn_on(day))
            for event, is_over in self._due.pop(day, ()):
                # Whoever is in two outbreaks is told of once, and of an ending with its beginning.
                key = event.person_id, event.kind, event.day
                told[key] = event
                if is_over:
                    over.add(key)
            if self._flags_share and day >= FLAGGED_FROM:
                flags.append(self._flags_on(day, zero=zero))
        cells = chain(
            (_cells_of(event, zero=zero, is_over=key in over) for key, event in told.items()),
            *flags,
        )
        feeds = {FEED_OF[event.kind] for event in told.values()}
        feeds |= {Feed.CONTACTS} if flags else set()
        return EventFile(
            rows=map(ImportRow, count(2), cells),
            silent=tuple(feed for feed in FEEDS if feed not in feeds),
        )

    def _note(self, events: Iterable[DemoEvent]) -> None:
        for event in events:
            self._due[event.day].append((event, event.ended == event.day))
            if event.ended is not None and event.ended > event.day:
                self._due[event.ended].append((event, True))

    def _drawn_on(self, day: int) -> Iterator[DemoEvent]:
        random = Random(f"{self._seed}:day:{day}")
        # Fewer come back from the provinces every day, more from abroad.
        returning = min(2.0, max(0.25, 0.6 - day / 20))
        abroad = min(1.4, max(0.1, 1.2 + day / 20))
        for one in self._habits:
            for number in one.some(random, one.returns * returning):
                person_id = resident_id(one.code, number)
                yield from _arrival(random, person_id, EventKind.KEY_AREA_ARRIVAL, day=day)
            for number in one.some(random, one.abroad * abroad):
                if random.randrange(_GUEST_EVERY):
                    person_id = resident_id(one.code, number)
                    yield from _arrival(random, person_id, EventKind.OVERSEAS_ARRIVAL, day=day)
                else:
                    yield _guest(random, one.code, number=number, day=day)
            coughs = one.coughs * (1 + (day + one.phase) % 10 / 10)
            for number in one.some(random, coughs):
                yield DemoEvent(
                    resident_id(one.code, number),
                    EventKind.FEVER,
                    day,
                    ended=day + FEVER_DAYS,
                    ending=Ending.EXCLUDED,
                )

    def _flags_on(self, day: int, *, zero: date) -> Iterator[dict[str, str]]:
        """Yield companions who were tested and let go before the day was over."""
        random = Random(f"{self._seed}:flags:{day}")
        reported_on = (zero + timedelta(days=day)).isoformat()
        for one in self._habits:
            number = round(one.residents * self._flags_share)
            for person in random.sample(range(CAST, one.residents), number):
                yield {
                    "person_id": resident_id(one.code, person),
                    "kind": EventKind.SECOND_CONTACT.value,
                    "reported_on": reported_on,
                    "ended_on": reported_on,
                    "ending": Ending.EXCLUDED.value,
                    "route": "track",
                }


def _arrival(random: Random, person_id: str, kind: EventKind, *, day: int) -> Iterator[DemoEvent]:
    """Yield an arrival, and mostly the isolation that follows it."""
    yield DemoEvent(person_id, kind, day)
    if random.random() < _ISOLATED_SHARE:
        yield DemoEvent(
            person_id,
            EventKind.HOME_ISOLATION,
            day,
            ended=day + ISOLATED_DAYS,
            ending=Ending.RELEASED,
        )


def _guest(random: Random, code: str, *, number: int, day: int) -> DemoEvent:
    """Return the arrival of somebody in no register, who named where they stay or did not."""
    is_housed = random.randrange(_HOMELESS_EVERY) > 0
    return DemoEvent(
        resident_id(f"{code}-guest", number + day * 10_000 % 90_000),
        EventKind.OVERSEAS_ARRIVAL,
        day,
        community_code=code if is_housed else "",
    )


def _cells_of(event: DemoEvent, *, zero: date, is_over: bool) -> dict[str, str]:
    cells = {
        "person_id": event.person_id,
        "kind": event.kind.value,
        "reported_on": (zero + timedelta(days=event.day)).isoformat(),
        "cluster": event.cluster,
        "route": event.route,
        "community_code": event.community_code,
    }
    if is_over and event.ended is not None and event.ending is not None:
        cells["ended_on"] = (zero + timedelta(days=event.ended)).isoformat()
        cells["ending"] = event.ending.value
    return cells
