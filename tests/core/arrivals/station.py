"""A station in a database: planted days as their trains, sales, arrivals and counts."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta

from sqlalchemy import insert
from sqlalchemy.orm import Session

from core.arrivals.importing.origin_codes import origin_code_of
from core.arrivals.inputs import slot_start
from core.arrivals.model import GateCount, TicketSale, TrainArrival, TrainRun
from core.arrivals.planting import PlantedDay
from core.clock import day_of

SLOT = timedelta(minutes=5)


def store_days(session: Session, days: Iterable[PlantedDay], *, now: datetime) -> None:
    """Store what is known of planted days at an instant."""
    runs: list[dict[str, object]] = []
    sales: list[dict[str, object]] = []
    arrivals: list[dict[str, object]] = []
    counts: list[dict[str, object]] = []
    for day in days:
        for train in day.trains:
            key = len(runs) + 1
            runs.append(
                {
                    "id": key,
                    "day": day_of(train.scheduled_at),
                    "number": train.number,
                    "train_class": train.train_class.value,
                    "origin": train.origin,
                    "origin_code": origin_code_of(train.origin),
                    "scheduled_at": train.scheduled_at,
                    "capacity": train.capacity,
                    "is_cancelled": False,
                    "source": "test",
                    "changed_at": now,
                }
            )
            sales += [
                {"train_run_id": key, "at": at, "sold": sold}
                for at, sold in train.sold
                if at <= now
            ]
            if train.actual_at is not None and train.actual_at <= now:
                came = {"actual_at": train.actual_at, "alighted": train.alighted}
                arrivals.append({"train_run_id": key, **came})
        counts += counts_of(day, until=now)
    for table, rows in (
        (TrainRun, runs),
        (TicketSale, sales),
        (TrainArrival, arrivals),
        (GateCount, counts),
    ):
        if rows:
            session.execute(insert(table), rows)


def counts_of(day: PlantedDay, *, until: datetime) -> list[dict[str, object]]:
    """Return the rows of a day's counts that were over by an instant."""
    return [
        {"starts_at": at, "minutes": 5, "count": int(count), "source": "test"}
        for slot, count in enumerate(day.counts)
        if (at := slot_start(day.day, slot)) + SLOT <= until
    ]


def days_around(day: date, *, before: int, after: int) -> list[date]:
    return [day + timedelta(days=place) for place in range(-before, after + 1)]
