"""What every kind does with rows that were read: find their trains, count, write, note it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final, TypeAlias, TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.arrivals.importing.cells import named
from core.arrivals.model import TrainRun
from core.audit.service import record
from core.bulk import write_all
from core.db import Base, take_turn, upsert
from core.importing import ImportOutcome, RowRefusedError

Key = TypeVar("Key")
RunKey: TypeAlias = "tuple[date, str]"

FILE_SOURCE: Final = "file"
FILE_ACTOR: Final = "operator:import"
STATION_SUBJECT: Final = "register:arrivals"

# Codes of findings; what an operator reads of them is in `bot/import_report.py`.
OVER_CAPACITY: Final = "over_capacity"
SALES_FELL: Final = "sales_fell"
CANCELLED_CAME: Final = "cancelled_came"

# Any number that no other queue of the application has.
_SETTLING: Final = 0x61727276


@dataclass(frozen=True, slots=True)
class Run:
    """What is known of a train that a row names."""

    id: int
    scheduled_at: datetime
    capacity: int | None
    is_cancelled: bool


def stand_in_line(session: Session) -> None:
    """Wait until nobody else settles rows: a file and the feed may tell of the same train."""
    take_turn(session, number=_SETTLING)


def find_runs(session: Session, days: Collection[date]) -> dict[RunKey, Run]:
    """Return the trains of the days from the first to the last of some days."""
    if not days:
        return {}
    table = TrainRun.__table__.c
    statement = select(
        table.day,
        table.number,
        table.id,
        table.scheduled_at,
        table.capacity,
        table.is_cancelled,
    ).where(table.day.between(min(days), max(days)))
    return {(day, number): Run(*rest) for day, number, *rest in session.execute(statement)}


def run_of(runs: Mapping[RunKey, Run], day: date, number: str) -> Run:
    """Return the train that a row names.

    Raises:
        RowRefusedError: no timetable has it.
    """
    run = runs.get((day, number))
    if run is None:
        raise RowRefusedError("train_unknown", value=named(day, number))
    return run


def within_capacity(run: Run, count: int, *, name: str, outcome: ImportOutcome) -> int:
    """Return a number of people, at most what the train holds; more is noted as a finding."""
    if run.capacity is None or count <= run.capacity:
        return count
    note(outcome, OVER_CAPACITY, name)
    return run.capacity


def note(outcome: ImportOutcome, finding: str, name: str) -> None:
    """Add a train to a finding."""
    outcome.findings.setdefault(finding, []).append(name)


def name_once(outcome: ImportOutcome) -> None:
    """Leave each train once in a finding, however many rows noted it."""
    for finding, names in outcome.findings.items():
        outcome.findings[finding] = list(dict.fromkeys(names))


def settle(
    outcome: ImportOutcome, *, told: Mapping[Key, object], known: Mapping[Key, object]
) -> list[Key]:
    """Count what is new, changed and known; return the keys of what must be written, as told."""
    changed = []
    for key, values in told.items():
        if key not in known:
            outcome.created_count += 1
        elif known[key] != values:
            outcome.updated_count += 1
        else:
            outcome.unchanged_count += 1
            continue
        changed.append(key)
    return changed


def write(
    session: Session,
    table: type[Base],
    rows: Iterable[Mapping[str, Any]],
    *,
    keys: Sequence[str],
    update: Sequence[str],
) -> None:
    """Write rows over what has their keys.

    Args:
        session: of a transaction.
        table: where to.
        rows: with the same columns.
        keys: columns of a unique constraint.
        update: columns that a known row gets; empty leaves it alone.
    """
    given = list(rows)
    if given:
        columns = tuple(given[0])
        statement = upsert(session, table, keys=keys, update=update)
        values = ([row[name] for name in columns] for row in given)
        write_all(session, statement, columns=columns, rows=values)


def note_import(session: Session, outcome: ImportOutcome, *, action: str, now: datetime) -> None:
    """Write what a file did into the audit log."""
    record(
        session,
        now=now,
        actor=FILE_ACTOR,
        action=action,
        subject=STATION_SUBJECT,
        created=outcome.created_count,
        updated=outcome.updated_count,
        unchanged=outcome.unchanged_count,
        rejected=len(outcome.rejections),
    )
