"""Arrivals in the demo district: weeks of trains, tickets and counts up to the moment of loading.

What is told of today and the next days goes through the use cases of an operator's imports. The
weeks before are written as those would leave them: reading a month of text takes a while.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import numpy as np
from sqlalchemy.orm import Session

from bot.demo.timetable import planted
from core.arrivals.fitting import fit_day, is_fitted, keep_references
from core.arrivals.grading import grade_day
from core.arrivals.importing.arrivals import import_arrivals
from core.arrivals.importing.counts import import_counts
from core.arrivals.importing.origin_codes import origin_code_of
from core.arrivals.importing.settling import FILE_SOURCE, find_runs, write
from core.arrivals.importing.tickets import import_tickets
from core.arrivals.importing.trains import import_trains
from core.arrivals.inputs import TrainInput, slot_start
from core.arrivals.issued import Occasion, is_issued
from core.arrivals.issuing import issue_forecast
from core.arrivals.keeping import kept_sales
from core.arrivals.model import GateCount, TicketSale, TrainArrival, TrainRun
from core.arrivals.planting import PlantedDay
from core.arrivals.rules import SLOT_MINUTES
from core.clock import day_of, start_of
from core.importing import ImportOutcome, ImportRow

# Trains are known, and their tickets sold, before their day.
DAYS_AHEAD: Final = 2
# The nights leave most of the history to be learnt from, and fit it as seldom as they may.
NIGHTS_SHARE: Final = 5
FITTED_EVERY: Final = 7
# Enough for a look; the worker soon issues what rests on more.
DRAWS: Final = 400
_SLOT: Final = timedelta(minutes=SLOT_MINUTES)


@dataclass(frozen=True, slots=True, kw_only=True)
class ArrivalsReport:
    """What was loaded: days before today, and trains."""

    days: int
    trains: int


def load_arrivals(session: Session, *, days: int, now: datetime) -> ArrivalsReport:
    """Load the station's last days as they went, and what is known of the next.

    Args:
        session: of a transaction.
        days: of history before today.
        now: aware instant; nothing that is later has happened.
    """
    today = day_of(now)
    past = [planted(today - timedelta(days=number)) for number in range(days, 0, -1)]
    next_days = [planted(today + timedelta(days=number)) for number in range(DAYS_AHEAD + 1)]
    if past:
        write_history(session, past, now=now)
    trains = [train for day in next_days for train in day.trains]
    # Yesterday's last trains may come, and go through the gate, today.
    recent = [*(past[-1].trains if past else ()), *trains]
    come = [train for train in recent if train.actual_at is not None and train.actual_at <= now]
    steps = (
        (import_trains, map(train_cells, trains)),
        (import_tickets, _ticket_cells(trains, now=now)),
        (import_arrivals, map(arrival_cells, come)),
        (import_counts, _count_cells(next_days[0], now=now)),
    )
    for take, cells in steps:
        _check(take(session, _rows_of(cells), now=now))
    return ArrivalsReport(days=days, trains=len(trains) + sum(len(day.trains) for day in past))


def write_history(session: Session, days: Sequence[PlantedDay], *, now: datetime) -> None:
    """Write days that are over, but for what is there already.

    Args:
        session: of a transaction.
        days: local days, in order.
        now: aware instant; trains that come later are left out of the arrivals.
    """
    trains = [train for day in days for train in day.trains]
    runs = [_run_row(train, now=now) for train in trains]
    write(session, TrainRun, runs, keys=("day", "number"), update=())
    known = find_runs(session, {day.day for day in days})
    ids = [known[day_of(train.scheduled_at), train.number].id for train in trains]
    sales = [
        {"train_run_id": run_id, "at": at, "sold": sold}
        for run_id, train in zip(ids, trains, strict=True)
        for at, sold in _kept_of(train)
    ]
    write(session, TicketSale, sales, keys=("train_run_id", "at"), update=())
    come = [
        {"train_run_id": run_id, "actual_at": train.actual_at, "alighted": train.alighted}
        for run_id, train in zip(ids, trains, strict=True)
        if train.actual_at is not None and train.actual_at <= now
    ]
    write(session, TrainArrival, come, keys=("train_run_id",), update=())
    counts = [row for day in days for row in _count_rows(day)]
    write(session, GateCount, counts, keys=("starts_at",), update=())


def issue_forecasts(session: Session, *, days: int, now: datetime) -> None:
    """Issue and grade the forecasts of some nights, and issue those of today and of this hour.

    Args:
        session: of a transaction.
        days: of history before today; a night for every fifth of them.
        now: aware instant.
    """
    today = day_of(now)
    nights = [today - timedelta(days=number) for number in range(days // NIGHTS_SHARE, -1, -1)]
    for place, day in enumerate(nights):
        at = start_of(day)
        if place % FITTED_EVERY == 0 and not is_fitted(session, day=day):
            keep_references(session, references=fit_day(session, day=day), now=at)
        if not is_issued(session, from_at=at, since=at):
            issue_forecast(session, now=at, occasion=Occasion.MIDNIGHT, draws=DRAWS)
        if day < today:
            grade_day(session, day=day, now=start_of(day + timedelta(days=1)))
    issue_forecast(session, now=now, occasion=Occasion.HOURLY, draws=DRAWS)


def train_cells(train: TrainInput) -> dict[str, str]:
    """Return what a timetable says of a train."""
    return {
        "number": train.number,
        "origin": train.origin,
        "scheduled_at": train.scheduled_at.isoformat(),
        "capacity": str(train.capacity),
        "cancelled": str(int(train.is_cancelled)),
    }


def ticket_cells(train: TrainInput, *, at: datetime, sold: int) -> dict[str, str]:
    """Return what was sold for a train up to an instant."""
    return {
        "number": train.number,
        "day": day_of(train.scheduled_at).isoformat(),
        "at": at.isoformat(),
        "sold": str(int(sold)),
    }


def arrival_cells(train: TrainInput) -> dict[str, str]:
    """Return how a train came.

    Raises:
        ValueError: it did not.
    """
    if train.actual_at is None:
        raise ValueError("a train that has not come")
    return {
        "number": train.number,
        "day": day_of(train.scheduled_at).isoformat(),
        "actual_at": train.actual_at.isoformat(),
        "alighted": "" if train.alighted is None else str(int(train.alighted)),
    }


def _run_row(train: TrainInput, *, now: datetime) -> dict[str, Any]:
    return {
        "day": day_of(train.scheduled_at),
        "number": train.number,
        "train_class": train.train_class.value,
        "origin": train.origin,
        "origin_code": origin_code_of(train.origin),
        "scheduled_at": train.scheduled_at,
        "capacity": train.capacity,
        "live_delay_minutes": None,
        "is_cancelled": train.is_cancelled,
        "source": FILE_SOURCE,
        "changed_at": now,
    }


def _count_rows(day: PlantedDay) -> Iterator[dict[str, Any]]:
    for slot, people in enumerate(day.counts):
        start = slot_start(day.day, slot)
        if np.isfinite(people):
            yield {
                "starts_at": start,
                "minutes": SLOT_MINUTES,
                "count": round(people),
                "source": FILE_SOURCE,
            }


def _kept_of(train: TrainInput) -> list[tuple[datetime, int]]:
    """Return the sales of a train that is over, as they are kept: one for each lead."""
    sold = dict(train.sold)
    return [
        (at, sold[at]) for at in sorted(kept_sales(list(sold), scheduled_at=train.scheduled_at))
    ]


def _ticket_cells(trains: Iterable[TrainInput], *, now: datetime) -> Iterator[dict[str, str]]:
    for train in trains:
        for at, sold in train.sold:
            if at <= now:
                yield ticket_cells(train, at=at, sold=sold)


def _count_cells(day: PlantedDay, *, now: datetime) -> Iterator[dict[str, str]]:
    for row in _count_rows(day):
        if row["starts_at"] + _SLOT <= now:
            yield {
                "starts_at": row["starts_at"].isoformat(),
                "minutes": str(row["minutes"]),
                "count": str(row["count"]),
            }


def _rows_of(cells: Iterable[dict[str, str]]) -> Iterator[ImportRow]:
    return (ImportRow(line, row) for line, row in enumerate(cells, start=2))


def _check(outcome: ImportOutcome) -> None:
    """Check that no row was refused.

    Raises:
        RuntimeError: one was, a bug in what was made up.
    """
    if outcome.rejections:
        raise RuntimeError(f"the demo's station is wrong: {outcome.rejections[0]}")
