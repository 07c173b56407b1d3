"""Importing actual arrivals: when a train came, and how many people left it here."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.arrivals.importing.cells import (
    named,
    past_instant_in,
    read_rows,
    train_day_in,
    train_number_in,
)
from core.arrivals.importing.settling import (
    CANCELLED_CAME,
    Run,
    find_runs,
    name_once,
    note,
    note_import,
    run_of,
    settle,
    stand_in_line,
    within_capacity,
    write,
)
from core.arrivals.model import TrainArrival, TrainRun
from core.clock import local
from core.importing import ImportOutcome, ImportRow, RowRefusedError, check_first, whole_in

ARRIVAL_COLUMNS: Final = ("number", "day", "actual_at")
ARRIVAL_OPTIONAL_COLUMNS: Final = ("departed_at", "alighted")
MAX_ALIGHTED: Final = 20_000
# Earlier or later than this it is a slip in a date or a time, or another train.
MAX_EARLY: Final = timedelta(hours=1)
MAX_LATE: Final = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class _Arrival:
    day: date
    number: str
    actual_at: datetime
    alighted: int | None


def import_arrivals(session: Session, rows: Iterable[ImportRow], *, now: datetime) -> ImportOutcome:
    """Store the arrivals of a file; a known one is corrected, a count that it has not is kept.

    Args:
        session: the session of the import.
        rows: with the columns `ARRIVAL_COLUMNS`, perhaps `ARRIVAL_OPTIONAL_COLUMNS`; `day` is
            the day of the scheduled arrival.
        now: aware instant; later arrivals are refused.

    Returns:
        Counts and refused rows; in `days` those of the trains; in `findings` trains of which more
        people came than they hold, which counts as full, and trains that came though cancelled.
    """
    outcome = take_arrivals(session, rows, now=now)
    note_import(session, outcome, action="arrivals_imported", now=now)
    return outcome


def take_arrivals(session: Session, rows: Iterable[ImportRow], *, now: datetime) -> ImportOutcome:
    """Do what `import_arrivals` does, without an entry in the audit log."""
    outcome = ImportOutcome()
    stand_in_line(session)
    seen: dict[str, int] = {}

    def read(row: ImportRow) -> _Arrival:
        arrival = _arrival_of(row, now=now)
        check_first(named(arrival.day, arrival.number), line=row.line, seen=seen)
        return arrival

    arrivals = read_rows(rows, outcome, read)
    days = {arrival.day for _, arrival in arrivals}
    runs, known = find_runs(session, days), _known(session, days)
    told: dict[int, tuple[datetime, int | None]] = {}
    day_of_run: dict[int, date] = {}
    for line, arrival in arrivals:
        try:
            run = run_of(runs, arrival.day, arrival.number)
            told[run.id] = _settled(arrival, run, known.get(run.id), outcome)
            day_of_run[run.id] = arrival.day
        except RowRefusedError as refused:
            outcome.rejections.append(refused.at(line))
    name_once(outcome)
    changed = settle(outcome, told=told, known=known)
    outcome.days |= {day_of_run[run_id] for run_id in changed}
    write(
        session,
        TrainArrival,
        (
            {"train_run_id": run_id, "actual_at": told[run_id][0], "alighted": told[run_id][1]}
            for run_id in changed
        ),
        keys=("train_run_id",),
        update=("actual_at", "alighted"),
    )
    return outcome


def _arrival_of(row: ImportRow, *, now: datetime) -> _Arrival:
    actual_at = past_instant_in(row, "actual_at", now=now)
    if row.cells.get("departed_at") and past_instant_in(row, "departed_at", now=now) >= actual_at:
        raise RowRefusedError("arrival_before_departure")
    return _Arrival(
        day=train_day_in(row, now=now),
        number=train_number_in(row),
        actual_at=actual_at,
        alighted=whole_in(row, "alighted", minimum=0, maximum=MAX_ALIGHTED),
    )


def _settled(
    arrival: _Arrival,
    run: Run,
    known: tuple[datetime, int | None] | None,
    outcome: ImportOutcome,
) -> tuple[datetime, int | None]:
    """Return what is stored of an arrival.

    Raises:
        RowRefusedError: no train is so early or so late.
    """
    if not run.scheduled_at - MAX_EARLY <= arrival.actual_at <= run.scheduled_at + MAX_LATE:
        scheduled = f"{local(run.scheduled_at):%Y-%m-%d %H:%M}"
        raise RowRefusedError("arrival_implausible", scheduled=scheduled)
    name = named(arrival.day, arrival.number)
    if run.is_cancelled:
        note(outcome, CANCELLED_CAME, name)
    if arrival.alighted is None:
        return arrival.actual_at, known[1] if known else None
    return arrival.actual_at, within_capacity(run, arrival.alighted, name=name, outcome=outcome)


def _known(session: Session, days: set[date]) -> dict[int, tuple[datetime, int | None]]:
    if not days:
        return {}
    table = TrainArrival.__table__.c
    statement = (
        select(table.train_run_id, table.actual_at, table.alighted)
        .join(TrainRun, TrainRun.id == table.train_run_id)
        .where(TrainRun.day.between(min(days), max(days)))
    )
    return {run_id: (at, alighted) for run_id, at, alighted in session.execute(statement)}
