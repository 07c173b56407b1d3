"""Small districts of people and events, and what is to be counted there, worked out by hand."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from hypothesis import strategies as st
from sqlalchemy import insert
from sqlalchemy.orm import Session

from core.places.model import Community, CommunityNear, Street
from core.residents.model import Residence, Resident
from core.risk.events.model import EpidemicEvent
from core.risk.events.rules import FEED_OF, Ending, EventKind
from core.risk.indicators.rules import CommunityCounts

DAY = date(2020, 3, 27)
NOW = datetime(2020, 3, 28, tzinfo=UTC)
INFECTIONS = (EventKind.CONFIRMED, EventKind.ASYMPTOMATIC)


@dataclass(frozen=True)
class Home:
    resident: int
    community: int | None
    since: date
    until: date | None = None


@dataclass(frozen=True)
class Event:
    resident: int
    kind: EventKind
    reported: date
    ended: date | None = None
    ending: Ending | None = None
    community: int | None = None
    cluster: str | None = None
    is_withdrawn: bool = False

    @property
    def is_open(self) -> bool:
        return self.ended is None or self.ended > DAY

    def is_within(self, days: int) -> bool:
        return DAY - timedelta(days=days) < self.reported <= DAY

    @property
    def is_infection(self) -> bool:
        is_excluded = not self.is_open and self.ending is Ending.EXCLUDED
        return self.kind in INFECTIONS and self.is_within(14) and not is_excluded


@dataclass(frozen=True)
class District:
    community_count: int
    birth_years: dict[int, int | None] = field(default_factory=dict)
    homes: list[Home] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    near: set[tuple[int, int]] = field(default_factory=set)

    # --- by brute force ----------------------------------------------------------------------

    def counts(self) -> list[CommunityCounts]:
        return [self._count(place) for place in (None, *range(1, self.community_count + 1))]

    def _count(self, place: int | None) -> CommunityCounts:
        living = [one for one in self._registered() if one[1] == place and place is not None]
        years = [self.birth_years[resident] for resident, _ in living]
        states = self._states()
        infected = [one for one in self._live() if one.is_infection and self._place(one) == place]
        return CommunityCounts(
            community_id=place,
            residents=len(living),
            birth_years=sum(year is not None for year in years),
            aged=sum(year is not None and DAY.year - year >= 60 for year in years),
            **{
                name: sum(found == (rank, place) for found in states.values())
                for rank, name in enumerate(("confirmed", "asym", "suspected", "close", "second"))
            },
            keyarea=self._people(EventKind.KEY_AREA_ARRIVAL, place, days=14),
            overseas=self._people(EventKind.OVERSEAS_ARRIVAL, place, days=14),
            fever=self._people(EventKind.FEVER, place, days=7),
            homeq=self._people(EventKind.HOME_ISOLATION, place, days=None),
            cluster=len({one.cluster for one in infected} & self._clusters()),
            nearby=sum(self._infected_lately(other) for here, other in self.near if here == place),
            last_infected_on=max((one.reported for one in infected), default=None),
        )

    def _live(self) -> list[Event]:
        return [one for one in self.events if not one.is_withdrawn and one.reported <= DAY]

    def _registered(self) -> list[tuple[int, int | None]]:
        return [
            (one.resident, one.community)
            for one in self.homes
            if one.since <= DAY and (one.until is None or one.until > DAY)
        ]

    def _place(self, event: Event) -> int | None:
        home = dict(self._registered()).get(event.resident)
        return event.community if home is None else home

    def _ranked(self) -> Iterator[tuple[int, Event]]:
        for one in self._live():
            if one.kind is EventKind.CONFIRMED and one.is_infection:
                yield 0, one
            elif one.kind is EventKind.ASYMPTOMATIC and one.is_infection:
                if one.is_open or one.ending is Ending.RELEASED:
                    yield 1, one
            elif one.kind is EventKind.SUSPECTED and one.is_open:
                yield 2, one
            elif one.kind is EventKind.CLOSE_CONTACT and one.is_open and one.is_within(14):
                yield 3, one
            elif one.kind is EventKind.SECOND_CONTACT and one.is_open and one.is_within(14):
                yield 4, one

    def _states(self) -> dict[int, tuple[int, int | None]]:
        found: dict[int, list[tuple[int, int]]] = defaultdict(list)
        for rank, one in self._ranked():
            found[one.resident].append((rank, self._place(one) or 0))
        return {resident: (min(all_)[0], min(all_)[1] or None) for resident, all_ in found.items()}

    def _people(self, kind: EventKind, place: int | None, *, days: int | None) -> int:
        return len(
            {
                one.resident
                for one in self._live()
                if one.kind is kind
                and self._place(one) == place
                and (one.is_open if days is None else one.is_within(days))
            }
        )

    def _infected_lately(self, place: int) -> int:
        found = [one for one in self._live() if one.is_infection and one.is_within(7)]
        return len({one.resident for one in found if self._place(one) == place})

    def _clusters(self) -> set[str]:
        members: dict[str, set[int]] = defaultdict(set)
        for one in self._live():
            if one.is_infection and one.cluster is not None:
                members[one.cluster].add(one.resident)
        return {name for name, people in members.items() if len(people) >= 2}

    # --- in a database -----------------------------------------------------------------------

    def store(self, session: Session) -> None:
        session.execute(insert(Street), [{"id": 1, "code": "310104011", "name": "田林街道"}])
        self._store(session, Community, self._communities())
        self._store(
            session, CommunityNear, [{"community_id": a, "near_id": b} for a, b in self.near]
        )
        self._store(session, Resident, self._residents())
        self._store(session, Residence, self._residences())
        self._store(session, EpidemicEvent, self._events())

    def _store(self, session: Session, table: type, rows: list[dict[str, object]]) -> None:
        if rows:
            session.execute(insert(table), rows)

    def _communities(self) -> list[dict[str, object]]:
        return [
            {"id": n, "code": f"T{n}", "name": f"新村{n}", "street_id": 1, "changed_at": NOW}
            for n in range(1, self.community_count + 1)
        ]

    def _residents(self) -> list[dict[str, object]]:
        return [
            {"id": n, "id_hash": n.to_bytes(32, "big"), "birth_year": year, "changed_at": NOW}
            for n, year in self.birth_years.items()
        ]

    def _residences(self) -> list[dict[str, object]]:
        return [
            {
                "resident_id": one.resident,
                "community_id": one.community,
                "from_day": one.since,
                "until_day": one.until,
            }
            for one in self.homes
        ]

    def _events(self) -> list[dict[str, object]]:
        # One feed may report the same of a person and a day once; another one may repeat it.
        return [
            {
                "resident_id": one.resident,
                "community_id": one.community,
                "kind": one.kind.value,
                "reported_on": one.reported,
                "ended_on": one.ended,
                "ending": one.ending and one.ending.value,
                "cluster": one.cluster,
                "feed": f"{FEED_OF[one.kind].value}{number}",
                "entered_by": "feed",
                "changed_at": NOW,
                "withdrawn_at": NOW if one.is_withdrawn else None,
            }
            for number, one in enumerate(self.events)
        ]


def ago(days: int) -> date:
    return DAY - timedelta(days=days)


@st.composite
def districts(draw: st.DrawFn) -> District:
    """Up to four communities, a dozen people, thirty events around the edges of the windows."""
    count = draw(st.integers(1, 4))
    places = st.none() | st.integers(1, count)
    people = range(1, draw(st.integers(2, 12)) + 1)
    edges = st.sampled_from([-1, 0, 1, 5, 6, 7, 8, 13, 14, 15, 40])
    years = st.none() | st.sampled_from([1930, 1959, 1960, 1961, 2019])
    homes: list[Home] = []
    for resident in people:
        moved = draw(st.none() | edges)
        if draw(st.booleans()):
            until = None if moved is None else ago(moved)
            homes.append(Home(resident, draw(places), ago(400), until))
            if moved is not None and draw(st.booleans()):
                homes.append(Home(resident, draw(places), ago(moved)))
    pairs = draw(st.sets(st.tuples(st.integers(1, count), st.integers(1, count)), max_size=5))
    near = {(a, b) for a, b in pairs if a != b}
    return District(
        community_count=count,
        birth_years={resident: draw(years) for resident in people},
        homes=homes,
        events=draw(st.lists(_events(people, places, edges), max_size=30)),
        near=near | {(b, a) for a, b in near},
    )


def _events(
    people: range, places: st.SearchStrategy[int | None], edges: st.SearchStrategy[int]
) -> st.SearchStrategy[Event]:
    @st.composite
    def one(draw: st.DrawFn) -> Event:
        reported = ago(draw(edges))
        length = draw(st.none() | st.sampled_from([0, 1, 6, 7, 14, 40]))
        return Event(
            resident=draw(st.sampled_from(people)),
            kind=draw(st.sampled_from(EventKind)),
            reported=reported,
            ended=None if length is None else reported + timedelta(days=length),
            ending=None if length is None else draw(st.sampled_from(Ending)),
            community=draw(places),
            cluster=draw(st.none() | st.sampled_from(["婚宴", "一家", "工地"])),
            is_withdrawn=draw(st.sampled_from([False] * 5 + [True])),
        )

    return one()
