"""Issuing the forecasts that are due, without a transaction that is open while they are made."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import structlog

from core.arrivals.drawing import ArrivalsWithoutBasisError
from core.arrivals.fitting import fit_day, is_fitted, keep_references
from core.arrivals.issued import Due, find_same
from core.arrivals.issuing import keep_forecast, list_due, load_due, prepared_of
from core.clock import day_of
from core.db import Database

log = structlog.get_logger()


def issue_due(
    database: Database, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)
) -> int:
    """Issue the forecasts that are due and differ from the newest of their window.

    The reference tables of the day come first, once. Of a window without a timetable or a count
    of earlier days there is nothing to say yet.

    Args:
        database: where from and where to.
        now: tells the instant.

    Returns:
        How many were issued.
    """
    with database.reading() as session:
        dues = list_due(session, now=now())
    if dues:
        _fit(database, at=now())
    return sum(_issue(database, due, at=now()) for due in dues)


def _fit(database: Database, *, at: datetime) -> None:
    day = day_of(at)
    with database.reading() as session:
        references = None if is_fitted(session, day=day) else fit_day(session, day=day)
    if references is not None:
        with database.transaction() as session:
            keep_references(session, references=references, now=at)


def _issue(database: Database, due: Due, *, at: datetime) -> bool:
    with database.reading() as session:
        known = load_due(session, due=due, now=at)
        if find_same(session, from_at=known.from_at, digest=known.digest) is not None:
            return False
    try:
        prepared = prepared_of(known)
    except ArrivalsWithoutBasisError:
        # Of today nothing may be known, and of tomorrow the timetable.
        return False
    with database.transaction() as session:
        row = keep_forecast(session, prepared, now=at, occasion=due.occasion)
    log.info("arrivals forecast", forecast=row.id, occasion=row.occasion, flags=row.flags)
    return True
