"""Computing the indicators of a day from people and events, in a fixed number of statements.

An appeal that was won and may bear on the day costs up to two more.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final, TypeAlias

import structlog
from sqlalchemy import Date, bindparam, delete, exists, select, text
from sqlalchemy.orm import Session

from core.bulk import mapped, write_all
from core.db import upsert
from core.residents.model import Resident
from core.risk.events.rules import Feed
from core.risk.events.service import watermarks
from core.risk.indicators.appealed import settle
from core.risk.indicators.rules import (
    COUNTED,
    FEEDS_OF,
    CommunityCounts,
    Fraction,
    fractions_of,
    unplaced_of,
)
from core.risk.indicators.statements import sql_of
from core.risk.model import IndicatorValue

log = structlog.get_logger()

COMPUTED: Final = "computed"

_VALUE: Final = IndicatorValue.__table__.c
_KEYS: Final = ("day", "community_id", "indicator")
_RESULTS: Final = ("value", "numerator", "denominator")
_DIALECTS: Final[Mapping[str, str]] = {"sqlite": "sqlite", "postgresql": "postgres"}

_Key: TypeAlias = tuple[int, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class IndicatorRun:
    """What computing the indicators of a day did.

    Attributes:
        day: the local day.
        written_count: values that were added or differ from what was stored.
        missing_feeds: those that are not complete for the day, in the order of `Feed`; what
            needs them is not known.
        unplaced_count: entries of people of whom nobody knows where they live; a person counts
            once for each indicator.
    """

    day: date
    written_count: int = 0
    missing_feeds: tuple[Feed, ...] = ()
    unplaced_count: int = 0


def compute_indicators(
    session: Session,
    *,
    day: date,
    now: datetime,
    community_ids: Collection[int] | None = None,
) -> IndicatorRun:
    """Compute the indicators of a day and store those whose feeds are complete for it.

    A value that was imported or won in an appeal stands, and one that was won holds for the days
    after as long as the same events are counted; see `appealed`. What was computed before and is
    not known any more is removed, so that the same inputs give the same rows.

    Args:
        session: the session of the step.
        day: the local day whose end is described.
        now: aware instant of the run, for the record.
        community_ids: only these; None: all.

    Returns:
        What was done; nothing as long as nobody is in the register and no feed has come.
    """
    if not session.scalar(select(exists().select_from(Resident))):
        return IndicatorRun(day=day)
    missing = _missing_feeds(session, day=day)
    counts = read_counts(session, day=day, community_ids=community_ids)
    usable = {code for code, feeds in FEEDS_OF.items() if feeds.isdisjoint(missing)}
    known = {
        (counted.community_id, code): fraction
        for counted in counts
        if counted.community_id is not None
        for code, fraction in fractions_of(counted, day=day)
        if code in usable
    }
    counted_values = {key: fraction.value for key, fraction in known.items()}
    for key, value in settle(session, counted_values, day=day).items():
        known[key] = Fraction(value)
    run = IndicatorRun(
        day=day,
        written_count=_store(session, known, day=day, community_ids=community_ids),
        missing_feeds=missing,
        unplaced_count=sum(unplaced_of(one) for one in counts if one.community_id is None),
    )
    log.info(
        "risk_indicators_computed",
        day=str(day),
        at=now.isoformat(),
        written=run.written_count,
        unplaced=run.unplaced_count,
    )
    if missing:
        log.warning("risk_feeds_missing", day=str(day), feeds=[feed.value for feed in missing])
    return run


def read_values(
    session: Session, *, day: date, community_ids: Collection[int] | None = None
) -> dict[int, dict[str, float]]:
    """Return what has come by now as values by community and indicator; nothing is stored.

    Appeals that were won bear on them as on the values of a night.

    Args:
        session: may be a reading one.
        day: the local day whose end is described; it need not be over, nor its feeds complete.
        community_ids: only these; None: all.
    """
    values = {
        (counted.community_id, code): fraction.value
        for counted in read_counts(session, day=day, community_ids=community_ids)
        if counted.community_id is not None
        for code, fraction in fractions_of(counted, day=day)
    }
    values |= settle(session, values, day=day)
    by_community: dict[int, dict[str, float]] = {}
    for (community_id, code), value in values.items():
        by_community.setdefault(community_id, {})[code] = value
    return by_community


def read_counts(
    session: Session, *, day: date, community_ids: Collection[int] | None = None
) -> list[CommunityCounts]:
    """Return what is counted at the end of a day, by community in order; one statement.

    Returns:
        Every community, also those where nobody lives; first, if all are wanted, the people of
        whom nobody knows where they live.
    """
    if community_ids is not None and not community_ids:
        return []
    dialect = _DIALECTS[session.get_bind().dialect.name]
    statement = text(sql_of(day, dialect=dialect, community_ids=community_ids)).columns(
        last_infected_on=Date
    )
    with mapped(session):
        return counts_of(session.execute(statement).mappings())


def counts_of(rows: Any) -> list[CommunityCounts]:
    """Return the rows of the definition in order of communities, whatever engine they are from.

    Args:
        rows: mappings with the columns `rules.COUNTED`.
    """
    counts = [CommunityCounts(**{name: _whole(row[name]) for name in COUNTED}) for row in rows]
    return sorted(counts, key=lambda one: one.community_id or 0)


def _whole(number: Any) -> Any:
    # A sum is of a wider type in some engines, as Decimal.
    return number if number is None or isinstance(number, (int, date)) else int(number)


def _missing_feeds(session: Session, *, day: date) -> tuple[Feed, ...]:
    marks = watermarks(session)
    needed = frozenset[Feed]().union(*FEEDS_OF.values())
    return tuple(
        feed for feed in Feed if feed in needed and (feed not in marks or marks[feed] < day)
    )


def _store(
    session: Session,
    known: Mapping[_Key, Fraction],
    *,
    day: date,
    community_ids: Collection[int] | None,
) -> int:
    """Store values that differ, and remove computed ones that are not known any more."""
    wanted = None if community_ids is None else set(community_ids)
    columns = (_VALUE.community_id, _VALUE.indicator, _VALUE.origin, *(_VALUE[n] for n in _RESULTS))
    stored = {
        (row[0], row[1]): (row[2], tuple(row[3:]))
        for row in session.execute(select(*columns).where(_VALUE.day == day))
        if wanted is None or row[0] in wanted
    }
    changed = [
        (key, fraction)
        for key, fraction in known.items()
        if key not in stored or (stored[key][0] == COMPUTED and stored[key][1] != tuple(fraction))
    ]
    gone = [
        key
        for key, (origin, _) in stored.items()
        if origin == COMPUTED and key not in known and key[1] in FEEDS_OF
    ]
    _remove(session, gone, day=day)
    _write(session, changed, day=day)
    return len(changed)


def _write(session: Session, changed: Collection[tuple[_Key, Fraction]], *, day: date) -> None:
    if not changed:
        return
    statement = upsert(
        session,
        IndicatorValue,
        keys=_KEYS,
        update=_RESULTS,
        # An appeal may have been won meanwhile.
        over=_VALUE.origin == COMPUTED,
    )
    write_all(
        session,
        statement,
        columns=(*_KEYS, "origin", *_RESULTS),
        rows=((day, *key, COMPUTED, *fraction) for key, fraction in changed),
    )


def _remove(session: Session, keys: Collection[_Key], *, day: date) -> None:
    if not keys:
        return
    statement = delete(IndicatorValue.__table__).where(  # type: ignore[arg-type]
        _VALUE.day == day,
        _VALUE.community_id == bindparam("of_community"),
        _VALUE.indicator == bindparam("of_indicator"),
        _VALUE.origin == COMPUTED,
    )
    session.connection().execute(
        statement,
        [{"of_community": community_id, "of_indicator": code} for community_id, code in keys],
    )
