"""The definition of what is counted, once, for every engine that it is compiled for.

Ibis serves as a compiler alone: it makes the text of one statement, which is kept in `compiled/`
and runs wherever the tables are. What comes out are whole numbers and days, so that no engine
rounds differently; see `rules.fractions_of` for the values.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final, TypeAlias

from core.risk.events.rules import Ending, EventKind
from core.risk.indicators.rules import (
    AGED_FROM_YEARS,
    CLUSTER_FROM_PERSONS,
    COUNTED,
    LONG_WINDOW_DAYS,
    SHORT_WINDOW_DAYS,
)
from core.risk.indicators.statements import ANY_COMMUNITY, ANY_DAY, DIALECTS, name_for

# Ibis has no types of its own; these names tell what is meant.
Table: TypeAlias = Any
BooleanValue: TypeAlias = Any

TABLES: Final[Mapping[str, Mapping[str, str]]] = {
    "community": {"id": "int64"},
    "community_near": {"community_id": "int64", "near_id": "int64"},
    "resident": {"id": "int64", "birth_year": "int64"},
    "residence": {
        "resident_id": "int64",
        "community_id": "int64",
        "from_day": "date",
        "until_day": "date",
    },
    "epidemic_event": {
        "resident_id": "int64",
        "community_id": "int64",
        "kind": "string",
        "reported_on": "date",
        "ended_on": "date",
        "ending": "string",
        "cluster": "string",
        "withdrawn_at": "timestamp",
    },
}
"""The columns that the definition reads; a snapshot needs no others."""

# A person counts for the first that applies.
STATES: Final = ("confirmed", "asym", "suspected", "close", "second")
EXPOSURES: Final = ("keyarea", "overseas", "fever", "homeq")
_ITEMS: Final = tuple(
    name
    for name in COUNTED
    if name not in {"community_id", "birth_years", "aged", "last_infected_on"}
)
# What sqlglot calls the dialects that Ibis calls otherwise.
_GRAMMARS: Final = {"pyspark": "spark"}
# Where nobody knows the community. The numbers of communities begin at 1.
NOWHERE: Final = 0
# State and place in one whole number, so that the least one is the worst state and its place.
_STATE_STEP: Final = 2**40


def compiled(day: date, *, dialect: str, community_ids: Collection[int] | None = None) -> str:
    """Return the statement of a day for an engine; takes seconds, see `statements.sql_of`."""
    import ibis
    import sqlglot
    from sqlglot.optimizer.eliminate_subqueries import eliminate_subqueries

    text = str(ibis.to_sql(expression(day, community_ids=community_ids), dialect=dialect))
    # Named parts instead of nested ones: SQLite's parser has a limited depth.
    grammar = _GRAMMARS.get(dialect, dialect)
    return eliminate_subqueries(sqlglot.parse_one(text, read=grammar)).sql(grammar, pretty=True)


def write_statements(folder: Path) -> None:
    """Write the statements of all engines, for all communities and for some."""
    for dialect in DIALECTS:
        for wanted in (None, [ANY_COMMUNITY]):
            text = compiled(ANY_DAY, dialect=dialect, community_ids=wanted)
            path = folder / name_for(dialect, is_some=wanted is not None)
            path.write_text(text + "\n", encoding="utf-8")


def expression(day: date, *, community_ids: Collection[int] | None = None) -> Table:
    """Return the counts at the end of a day as an expression over the tables of `TABLES`.

    Args:
        day: local day.
        community_ids: whose rows are wanted; None: all.

    Source: docs/sources.md#risk-indicators
    """
    return _Definition(day, community_ids=community_ids).counts()


class _Definition:
    """The parts of the definition for one day; every method returns an expression."""

    def __init__(self, day: date, *, community_ids: Collection[int] | None) -> None:
        import ibis

        self._ibis = ibis
        self._day = day
        self._wanted = None if community_ids is None else sorted(community_ids)
        self._community, self._near, self._resident, self._residence, self._event = (
            ibis.table(dict(columns), name=name) for name, columns in TABLES.items()
        )

    def counts(self) -> Table:
        """Return one row a community, and one for people without."""
        infections = self._infections()
        # One tall table instead of joins: without statistics an engine may join row by row.
        tall = self._ibis.union(
            self._places(),
            self._register(),
            self._states(infections),
            self._exposures(),
            self._newest(infections),
            self._clusters(infections),
            self._nearby(infections),
        )
        if self._wanted is not None:
            tall = tall.filter(tall.place.isin(self._wanted))
        wide = tall.group_by("place").aggregate(
            birth_years=tall.birth_years.sum(),
            aged=tall.aged.sum(),
            last_infected_on=tall.last_infected_on.max(),
            **{
                name: self._ibis.cases((tall.item == number, tall.number), else_=0).sum()
                for number, name in enumerate(_ITEMS)
            },
        )
        found = {name: wide[name] for name in COUNTED if name != "community_id"}
        return wide.select(community_id=wide.place.nullif(NOWHERE), **found)

    def _tall(self, table: Table, name: Any, number: Any, **others: Any) -> Table:
        """Return the rows of a part as all parts have them: where, what was counted, how many.

        Args:
            table: with the column `place`.
            name: of what was counted, or an expression of its place in `_ITEMS`.
            number: how many.
            **others: what the rows of a place have besides.
        """
        ibis = self._ibis
        absent = {
            "birth_years": ibis.literal(0, "int64"),
            "aged": ibis.literal(0, "int64"),
            "last_infected_on": ibis.null("date"),
        }
        return table.select(
            place=table.place.cast("int64"),
            item=self._item(name) if isinstance(name, str) else name,
            number=number.cast("int64"),
            **(absent | others),
        )

    def _item(self, name: str) -> Any:
        return self._ibis.literal(_ITEMS.index(name), "int64")

    def _places(self) -> Table:
        """Return every community, and the place of people without, each counted as nothing."""
        nowhere = self._ibis.literal(NOWHERE, "int64").name("place").as_table()
        places = self._community.select(place=self._community.id).union(nowhere)
        return self._tall(places, "residents", self._ibis.literal(0))

    # --- whose events count, and where -------------------------------------------------------

    def _lives(self, table: Table) -> BooleanValue:
        return (table.from_day <= self._day) & (
            table.until_day.isnull() | (table.until_day > self._day)
        )

    def _after(self, table: Table, window_days: int) -> BooleanValue:
        """Return whether an event was reported in the window that ends with the day."""
        return table.reported_on.between(self._day - timedelta(days=window_days - 1), self._day)

    def _is_open(self, table: Table) -> BooleanValue:
        return (table.reported_on <= self._day) & (
            table.ended_on.isnull() | (table.ended_on > self._day)
        )

    def _events(self, kinds: Collection[EventKind], when: BooleanValue) -> Table:
        event = self._event
        found = event.filter(
            event.kind.isin([kind.value for kind in kinds]), when, event.withdrawn_at.isnull()
        ).select("resident_id", "community_id", "kind")
        if self._wanted is None:
            return found
        # Everybody who lived there once or is said to live there; `_placed` looks where they do.
        members = self._residence.filter(self._residence.community_id.isin(self._wanted))
        said = event.filter(event.community_id.isin(self._wanted))
        people = members.select("resident_id").union(said.select("resident_id"))
        return found.filter(found.resident_id.isin(people.resident_id))

    def _placed(self, events: Table, *names: str) -> Table:
        """Return events with the place of their person: that of the register, else their own."""
        home = self._residence
        joined = events.left_join(home, [events.resident_id == home.resident_id, self._lives(home)])
        place = self._ibis.coalesce(home.community_id, events.community_id, NOWHERE)
        return joined.select(
            resident_id=events.resident_id, place=place, **{name: events[name] for name in names}
        )

    # --- the parts -----------------------------------------------------------------------------

    def _register(self) -> Table:
        """Return how many people live in a community, and how old they are."""
        home, resident = self._residence, self._resident
        living = home.filter(self._lives(home), home.community_id.notnull())
        if self._wanted is not None:
            living = living.filter(living.community_id.isin(self._wanted))
        people = living.join(resident, living.resident_id == resident.id).select(
            place=living.community_id, birth_year=resident.birth_year
        )
        is_aged = people.birth_year <= self._day.year - AGED_FROM_YEARS
        found = people.group_by("place").aggregate(
            number=people.count(),
            birth_years=people.birth_year.count(),
            aged=self._ibis.cases((is_aged, 1), else_=0).sum(),
        )
        return self._tall(
            found,
            "residents",
            found.number,
            birth_years=found.birth_years.cast("int64"),
            aged=found.aged.cast("int64"),
        )

    def _infections(self) -> Table:
        """Return the reports of confirmed and asymptomatic infections of the long window.

        `state` is null where the infection has turned into another one: the person does not
        count as asymptomatic any more, and the infection was one all the same.
        """
        event = self._event
        is_recent = self._after(event, LONG_WINDOW_DAYS)
        events = event.filter(
            event.kind.isin([EventKind.CONFIRMED.value, EventKind.ASYMPTOMATIC.value]),
            is_recent,
            event.withdrawn_at.isnull(),
        )
        stands = self._is_open(events) | (events.ending != Ending.EXCLUDED.value)
        is_same = self._is_open(events) | (events.ending == Ending.RELEASED.value)
        events = events.filter(stands)
        is_confirmed = events.kind == EventKind.CONFIRMED.value
        state = self._ibis.cases(
            (is_confirmed, STATES.index("confirmed")), (is_same, STATES.index("asym"))
        )
        return self._placed(events.mutate(state=state), "state", "reported_on", "cluster")

    def _states(self, infections: Table) -> Table:
        """Return how many people of a community are in each state; each counts once."""
        event = self._event
        suspected = self._events([EventKind.SUSPECTED], self._is_open(event))
        contacts = self._events(
            [EventKind.CLOSE_CONTACT, EventKind.SECOND_CONTACT],
            self._after(event, LONG_WINDOW_DAYS) & self._is_open(event),
        )
        events = suspected.union(contacts)
        state = self._ibis.cases(
            (events.kind == EventKind.SUSPECTED.value, STATES.index("suspected")),
            (events.kind == EventKind.CLOSE_CONTACT.value, STATES.index("close")),
            else_=STATES.index("second"),
        )
        others = self._placed(events.mutate(state=state), "state")
        known = infections.filter(infections.state.notnull())
        both = known.select("resident_id", "place", "state").union(others)
        marks = both.select("resident_id", mark=both.state * _STATE_STEP + both.place)
        worst = marks.group_by("resident_id").aggregate(mark=marks.mark.min())
        place = worst.mark & (_STATE_STEP - 1)
        found = worst.select(place=place, state=worst.mark - place)
        counted = found.group_by("place", "state").aggregate(number=found.count())
        item = self._ibis.cases(
            *(
                (counted.state == rank * _STATE_STEP, self._item(name))
                for rank, name in enumerate(STATES)
            )
        )
        return self._tall(counted, item, counted.number)

    def _exposures(self) -> Table:
        """Return how many people of a community travelled, had fever, or stay at home."""
        event = self._event
        arrivals = self._events(
            [EventKind.KEY_AREA_ARRIVAL, EventKind.OVERSEAS_ARRIVAL],
            self._after(event, LONG_WINDOW_DAYS),
        )
        fever = self._events([EventKind.FEVER], self._after(event, SHORT_WINDOW_DAYS))
        at_home = self._events([EventKind.HOME_ISOLATION], self._is_open(event))
        events = arrivals.union(fever, at_home)
        people = self._placed(events, "kind").distinct()
        counted = people.group_by("place", "kind").aggregate(number=people.count())
        item = self._ibis.cases(*((counted.kind == name, self._item(name)) for name in EXPOSURES))
        return self._tall(counted, item, counted.number)

    def _newest(self, infections: Table) -> Table:
        """Return the day of the newest infection of a community."""
        found = infections.group_by("place").aggregate(newest=infections.reported_on.max())
        return self._tall(found, "confirmed", self._ibis.literal(0), last_infected_on=found.newest)

    def _clusters(self, infections: Table) -> Table:
        """Return how many clusters touch a community; they need two people, wherever they live."""
        linked = infections.filter(infections.cluster.notnull())
        people = linked.select("cluster", "resident_id").distinct()
        sizes = people.group_by("cluster").aggregate(person_count=people.count())
        large = sizes.filter(sizes.person_count >= CLUSTER_FROM_PERSONS)
        touched = linked.select("place", "cluster").distinct()
        found = touched.join(large, touched.cluster == large.cluster)
        counted = found.group_by("place").aggregate(number=found.count())
        return self._tall(counted, "cluster", counted.number)

    def _nearby(self, infections: Table) -> Table:
        """Return how many people were infected around a community in the short window."""
        near = self._near
        recent = infections.filter(self._after(infections, SHORT_WINDOW_DAYS))
        people = recent.select("place", "resident_id").distinct()
        # Whoever is near to me has me near to them: the table has a row for both directions.
        around = people.join(near, people.place == near.community_id)
        counted = around.group_by(place=around.near_id).aggregate(number=around.count())
        return self._tall(counted, "nearby", counted.number)


if __name__ == "__main__":
    write_statements(Path(__file__).with_name("compiled"))
