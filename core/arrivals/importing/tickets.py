"""Importing ticket sales: how many tickets to the station a train had sold at an instant."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from itertools import pairwise
from typing import Final, TypeAlias

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
    SALES_FELL,
    Run,
    RunKey,
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
from core.arrivals.model import TicketSale, TrainRun
from core.importing import ImportOutcome, ImportRow, RowRefusedError, whole_in

TICKET_COLUMNS: Final = ("number", "day", "at", "sold")
MAX_SOLD: Final = 20_000
# Tickets are given back; when so many are at once, somebody should look.
FALL_SHARE: Final = 0.2
FALL_COUNT: Final = 20

_SaleKey: TypeAlias = "tuple[int, datetime]"


@dataclass(frozen=True, slots=True)
class _Sale:
    day: date
    number: str
    at: datetime
    sold: int


def import_tickets(session: Session, rows: Iterable[ImportRow], *, now: datetime) -> ImportOutcome:
    """Store the sales of a file; one that is known by train and instant is corrected.

    Args:
        session: the session of the import.
        rows: with the columns `TICKET_COLUMNS`; `sold` is all that was sold up to `at`.
        now: aware instant; later sales are refused.

    Returns:
        Counts and refused rows; in `days` those of the trains; in `findings` trains with more
        sold than they hold, which counts as full, and trains whose sales fell.
    """
    outcome = take_tickets(session, rows, now=now)
    note_import(session, outcome, action="tickets_imported", now=now)
    return outcome


def take_tickets(session: Session, rows: Iterable[ImportRow], *, now: datetime) -> ImportOutcome:
    """Do what `import_tickets` does, without an entry in the audit log."""
    outcome = ImportOutcome()
    stand_in_line(session)
    sales = read_rows(rows, outcome, lambda row: _sale_of(row, now=now))
    runs = find_runs(session, {sale.day for _, sale in sales})
    told = _told(sales, runs, outcome)
    known = _known(session, runs, told)
    changed = settle(outcome, told=told, known=known)
    names = {run.id: key for key, run in runs.items()}
    outcome.days |= {names[run_id][0] for run_id, _ in changed}
    _note_falls(outcome, known | told, changed=set(changed), names=names)
    name_once(outcome)
    write(
        session,
        TicketSale,
        ({"train_run_id": key[0], "at": key[1], "sold": told[key]} for key in changed),
        keys=("train_run_id", "at"),
        update=("sold",),
    )
    return outcome


def _sale_of(row: ImportRow, *, now: datetime) -> _Sale:
    sold = whole_in(row, "sold", minimum=0, maximum=MAX_SOLD)
    if sold is None:
        raise RowRefusedError("cell_empty", column="sold")
    return _Sale(
        day=train_day_in(row, now=now),
        number=train_number_in(row),
        at=past_instant_in(row, "at", now=now),
        sold=sold,
    )


def _told(
    sales: Iterable[tuple[int, _Sale]], runs: Mapping[RunKey, Run], outcome: ImportOutcome
) -> dict[_SaleKey, int]:
    """Return the sales whose trains are known; a row that says the same again counts as known."""
    told: dict[_SaleKey, int] = {}
    lines: dict[_SaleKey, int] = {}
    for line, sale in sales:
        try:
            run = run_of(runs, sale.day, sale.number)
            name = named(sale.day, sale.number)
            sold = within_capacity(run, sale.sold, name=name, outcome=outcome)
            key = (run.id, sale.at)
            _check_same(told.setdefault(key, sold), sold, name=name, first=lines.get(key, line))
        except RowRefusedError as refused:
            outcome.rejections.append(refused.at(line))
            continue
        if lines.setdefault(key, line) != line:
            outcome.unchanged_count += 1
    return told


def _check_same(sold: int, again: int, *, name: str, first: int) -> None:
    if sold != again:
        raise RowRefusedError("sale_differs", value=name, first=first)


def _known(
    session: Session, runs: Mapping[RunKey, Run], told: Mapping[_SaleKey, int]
) -> dict[_SaleKey, int]:
    """Return all sales of the days that the told ones are of."""
    if not told:
        return {}
    days = {day for day, _ in runs}
    table = TicketSale.__table__.c
    statement = (
        select(table.train_run_id, table.at, table.sold)
        .join(TrainRun, TrainRun.id == table.train_run_id)
        .where(TrainRun.day.between(min(days), max(days)))
    )
    wanted = {run_id for run_id, _ in told}
    return {
        (run_id, at): sold for run_id, at, sold in session.execute(statement) if run_id in wanted
    }


def _note_falls(
    outcome: ImportOutcome,
    sales: Mapping[_SaleKey, int],
    *,
    changed: set[_SaleKey],
    names: Mapping[int, RunKey],
) -> None:
    for before, after in pairwise(sorted(sales)):
        if before[0] != after[0] or not {before, after} & changed:
            continue
        fall = sales[before] - sales[after]
        if fall >= max(FALL_COUNT, FALL_SHARE * sales[before]):
            note(outcome, SALES_FELL, named(*names[after[0]]))
