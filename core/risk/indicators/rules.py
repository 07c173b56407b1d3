"""The thirteen indicators of people: which feeds they need, and their values from whole numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import date
from typing import Final, NamedTuple

from core.risk.events.rules import Feed

LONG_WINDOW_DAYS: Final = 14
SHORT_WINDOW_DAYS: Final = 7
AGED_FROM_YEARS: Final = 60
CLUSTER_FROM_PERSONS: Final = 2
# In a community of twenty people one traveller would be 50 per mille.
MIN_POPULATION: Final = 300
PER_MILLE: Final = 1000

FEEDS_OF: Final[Mapping[str, frozenset[Feed]]] = {
    "confirmed": frozenset({Feed.CASES}),
    "suspected": frozenset({Feed.CASES}),
    "close": frozenset({Feed.CONTACTS}),
    "cluster": frozenset({Feed.CASES}),
    "asym": frozenset({Feed.CASES}),
    "recency": frozenset({Feed.CASES}),
    "keyarea": frozenset({Feed.ARRIVALS}),
    "fever": frozenset({Feed.FEVER_CLINICS}),
    "second": frozenset({Feed.CONTACTS}),
    "overseas": frozenset({Feed.ARRIVALS}),
    "nearby": frozenset({Feed.CASES}),
    "homeq": frozenset({Feed.ISOLATION}),
    # The register stands until it is changed; nobody delivers it every day.
    "vuln": frozenset(),
}
"""The feeds that must be complete for a day before an indicator of that day is known."""

_COUNTS: Final = ("confirmed", "suspected", "close", "cluster", "asym", "second", "nearby")
_RATES: Final = ("keyarea", "fever", "overseas", "homeq")


@dataclass(frozen=True, slots=True, kw_only=True)
class CommunityCounts:
    """What was counted for a community at the end of a day: whole numbers alone.

    Attributes:
        community_id: None for the people of whom nobody knows where they live.
        residents: in the register of the day.
        birth_years: of these, whose year of birth is known.
        aged: of these, who turn 60 in the year of the day, or are older.
        last_infected_on: local day of the newest infection of the long window.
        others: persons (clusters for `cluster`) under the codes of the indicators.
    """

    community_id: int | None
    residents: int
    birth_years: int
    aged: int
    confirmed: int
    asym: int
    suspected: int
    close: int
    second: int
    keyarea: int
    fever: int
    overseas: int
    homeq: int
    cluster: int
    nearby: int
    last_infected_on: date | None


COUNTED: Final = tuple(field.name for field in fields(CommunityCounts))


class Fraction(NamedTuple):
    """A value and what it was computed from.

    The denominator of a mere count is None, and so are both of a value that was won in an appeal.
    """

    value: float
    numerator: float | None = None
    denominator: float | None = None


def fractions_of(counts: CommunityCounts, *, day: date) -> Iterator[tuple[str, Fraction]]:
    """Yield code and value of every indicator that the counts tell, in the order of `FEEDS_OF`.

    Rates are per mille of the registered residents, of 300 at least. `vuln` is a share of those
    whose year of birth is known; where there is nobody, it is missing.

    Args:
        counts: of one community.
        day: the local day whose end they describe.

    Source: docs/sources.md#risk-indicators
    """
    population = max(counts.residents, MIN_POPULATION)
    for code in FEEDS_OF:
        if code in _RATES:
            number = getattr(counts, code)
            yield code, Fraction(number * PER_MILLE / population, number, population)
        elif code in _COUNTS:
            number = getattr(counts, code)
            yield code, Fraction(float(number), number)
        elif code == "recency":
            days = recency_of(counts.last_infected_on, day=day)
            yield code, Fraction(float(days), days)
        elif counts.birth_years:
            share = counts.aged / counts.birth_years
            yield code, Fraction(share, counts.aged, counts.birth_years)


def recency_of(last_infected_on: date | None, *, day: date) -> int:
    """Return 14 less the days since the last infection, from 14 (today) down to 0 (none)."""
    if last_infected_on is None:
        return 0
    return max(0, LONG_WINDOW_DAYS - (day - last_infected_on).days)


def unplaced_of(counts: CommunityCounts) -> int:
    """Return how many entries of people had no community; a person counts once an indicator."""
    persons = ("confirmed", "asym", "suspected", "close", "second", *_RATES)
    return sum(getattr(counts, code) for code in persons)
