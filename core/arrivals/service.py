"""What is known of arrivals, as the model wants it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final, TypeAlias

import numpy as np
from sqlalchemy import Row, Select, select
from sqlalchemy.orm import Session

from core.arrivals.inputs import CountTable, History, Inputs, TrainInput, history_of, no_counts
from core.arrivals.model import GateCount, TicketFeed, TicketSale, TrainArrival, TrainRun
from core.arrivals.rules import FORECAST_HOURS, SLOT_MINUTES, SLOTS, TrainClass
from core.clock import day_of, start_of

# What the references look at, and what the intervals are held against with what that rests on.
HISTORY_DAYS: Final = 90
COUNT_DAYS: Final = 84
# A train of three hours ago may still be on its way, or its people on the stairs.
BEFORE_HOURS: Final = 3

_Sales: TypeAlias = "dict[int, tuple[tuple[datetime, int], ...]]"


# ---- what the model is given ----------------------------------------------------------------


def load_inputs(
    session: Session, *, now: datetime, hours: int = FORECAST_HOURS, from_at: datetime | None = None
) -> Inputs:
    """Return all that is known at an instant, in a fixed number of statements.

    Args:
        session: may be a reading one.
        now: aware instant; later sales, arrivals and counts are left out, so that a past one
            gives what was known then as far as it was not corrected since.
        hours: of the window.
        from_at: aware instant at which the window begins; None: `now`.
    """
    coming = load_coming(session, now=now, hours=hours, from_at=from_at)
    return replace(coming, history=load_history(session, now=now))


def load_coming(
    session: Session, *, now: datetime, hours: int = FORECAST_HOURS, from_at: datetime | None = None
) -> Inputs:
    """Return what `load_inputs` does, without the history that the references are fitted from.

    Trains are those of all the local days that the window touches: a night without any is one of
    a day that has a timetable all the same.
    """
    begin = from_at or now
    last = day_of(begin + timedelta(hours=hours, microseconds=-1))
    before = min(begin, now) - timedelta(hours=BEFORE_HOURS)
    runs = _runs().where(
        TrainRun.scheduled_at >= min(before, start_of(day_of(begin))),
        TrainRun.scheduled_at < start_of(last + timedelta(days=1)),
    )
    feed = find_feed(session)
    trains = _trains(session, runs.order_by(TrainRun.scheduled_at, TrainRun.number), now=now)
    return Inputs(
        now=now,
        trains=tuple(trains),
        history=history_of(()),
        counts=load_counts(session, now=now),
        tickets_until=_tickets_until(feed, trains, now=now),
        is_feed_live=feed is not None and feed.complete_at is not None,
    )


def load_history(session: Session, *, now: datetime, days: int = HISTORY_DAYS) -> History:
    """Return the trains of the last days before today, by day and number.

    Args:
        session: may be a reading one.
        now: aware instant; of its own local day there is none.
        days: local days.
    """
    today = day_of(now)
    runs = _runs().where(TrainRun.day >= today - timedelta(days=days), TrainRun.day < today)
    return history_of(_trains(session, runs.order_by(TrainRun.day, TrainRun.number), now=now))


def load_counts(session: Session, *, now: datetime, days: int = COUNT_DAYS) -> CountTable:
    """Return the counts of the last days and of today, five minutes by five minutes.

    A longer count is spread over its time.

    Args:
        session: may be a reading one.
        now: aware instant; counts that were not over by then are left out.
        days: before today.
    """
    first = day_of(now) - timedelta(days=days)
    table = GateCount.__table__.c
    rows = session.execute(
        select(table.starts_at, table.minutes, table.count)
        .where(table.starts_at >= start_of(first), table.starts_at < now)
        .order_by(table.starts_at)
    ).all()
    over = [
        (starts_at, minutes, count)
        for starts_at, minutes, count in rows
        if starts_at + timedelta(minutes=minutes) <= now
    ]
    return _table_of(over) if over else no_counts(day_of(now))


def find_feed(session: Session) -> TicketFeed | None:
    """Return the live feed that was last asked; None without one.

    Args:
        session: may be a reading one.
    """
    return session.scalars(
        select(TicketFeed).order_by(TicketFeed.polled_at.desc(), TicketFeed.source).limit(1)
    ).first()


def _runs() -> Select[*tuple[Any, ...]]:
    return select(
        TrainRun.id,
        TrainRun.number,
        TrainRun.train_class,
        TrainRun.origin,
        TrainRun.scheduled_at,
        TrainRun.capacity,
        TrainRun.is_cancelled,
        TrainRun.live_delay_minutes,
        TrainArrival.actual_at,
        TrainArrival.alighted,
    ).outerjoin(TrainArrival, TrainArrival.train_run_id == TrainRun.id)


def _trains(session: Session, runs: Select[*tuple[Any, ...]], *, now: datetime) -> list[TrainInput]:
    """Return the trains of a statement with their sales, in its order."""
    sales = _sales(session, runs, now=now)
    return [_train_of(row, sales, now=now) for row in session.execute(runs)]


def _sales(session: Session, runs: Select[*tuple[Any, ...]], *, now: datetime) -> _Sales:
    ids = runs.with_only_columns(TrainRun.id, maintain_column_froms=True).order_by(None)
    rows = session.execute(
        select(TicketSale.train_run_id, TicketSale.at, TicketSale.sold)
        .where(TicketSale.train_run_id.in_(ids), TicketSale.at <= now)
        .order_by(TicketSale.train_run_id, TicketSale.at)
    )
    found: defaultdict[int, list[tuple[datetime, int]]] = defaultdict(list)
    for run_id, at, sold in rows:
        found[run_id].append((at, sold))
    return {run_id: tuple(sold) for run_id, sold in found.items()}


def _train_of(row: Row[*tuple[Any, ...]], sales: _Sales, *, now: datetime) -> TrainInput:
    has_come = row.actual_at is not None and row.actual_at <= now
    return TrainInput(
        number=row.number,
        train_class=TrainClass(row.train_class),
        origin=row.origin,
        scheduled_at=row.scheduled_at,
        capacity=row.capacity or 0,
        is_cancelled=row.is_cancelled,
        sold=sales.get(row.id, ()),
        live_delay_minutes=row.live_delay_minutes,
        actual_at=row.actual_at if has_come else None,
        alighted=row.alighted if has_come else None,
    )


def _table_of(rows: Sequence[tuple[datetime, int, int]]) -> CountTable:
    """Return counts in the order of time as a table, from the day of the first."""
    start_day, last_day = day_of(rows[0][0]), day_of(rows[-1][0])
    # A count may go on after midnight.
    values = np.full(((last_day - start_day).days + 2) * SLOTS, np.nan)
    midnight = start_of(start_day)
    for starts_at, minutes, count in rows:
        length = minutes // SLOT_MINUTES
        place = int((starts_at - midnight).total_seconds()) // (SLOT_MINUTES * 60)
        values[place : place + length] = count / length
    table = values.reshape(-1, SLOTS)
    return CountTable(
        start_day=start_day, values=table if np.isfinite(table[-1]).any() else table[:-1]
    )


def _tickets_until(
    feed: TicketFeed | None, coming: Iterable[TrainInput], *, now: datetime
) -> datetime | None:
    """Return up to when sales are known: as the live feed says, else the newest of a file."""
    if feed is not None and feed.complete_at is not None:
        return min(feed.complete_at, now)
    return max((train.sold[-1][0] for train in coming if train.sold), default=None)
