"""Importing trains: one row per train and local day of arrival."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.arrivals.importing.cells import (
    at_time,
    flag_in,
    named,
    read_rows,
    train_day_in,
    train_instant_in,
    train_number_in,
)
from core.arrivals.importing.origin_codes import origin_code_of
from core.arrivals.importing.settling import (
    FILE_SOURCE,
    RunKey,
    note_import,
    settle,
    stand_in_line,
    write,
)
from core.arrivals.model import TrainRun
from core.arrivals.rules import CLASS_OF_LETTER, TrainClass, class_of
from core.clock import day_of
from core.importing import (
    ImportOutcome,
    ImportRow,
    RowRefusedError,
    check_first,
    instant_in,
    shown,
    text_in,
    whole_in,
)
from core.keyareas.rules import is_area_code

TRAIN_COLUMNS: Final = ("number", "origin")
TRAIN_OPTIONAL_COLUMNS: Final = (
    *("scheduled_at", "day", "time", "departs_at", "capacity", "class", "origin_code"),
    *("cancelled", "delay_minutes"),
)
MAX_CAPACITY: Final = 5000
DELAYS: Final = (-60, 1440)

_FIELDS: Final = (
    *("train_class", "origin", "origin_code", "scheduled_at", "capacity", "live_delay_minutes"),
    "is_cancelled",
)
_UNSAID: Final = {"capacity": None, "live_delay_minutes": None, "is_cancelled": False}


def import_trains(session: Session, rows: Iterable[ImportRow], *, now: datetime) -> ImportOutcome:
    """Store the trains of a file; one that is known by day and number gets what the file says.

    Args:
        session: the session of the import.
        rows: with the columns `TRAIN_COLUMNS`, perhaps `TRAIN_OPTIONAL_COLUMNS`: `scheduled_at`,
            or `day` and `time`, is needed. What a row leaves empty stays as it was.
        now: aware instant.

    Returns:
        Counts and refused rows; in `days` those whose trains changed.
    """
    outcome = take_trains(session, rows, source=FILE_SOURCE, now=now)
    note_import(session, outcome, action="trains_imported", now=now)
    return outcome


def take_trains(
    session: Session, rows: Iterable[ImportRow], *, source: str, now: datetime
) -> ImportOutcome:
    """Do what `import_trains` does, for any source, without an entry in the audit log."""
    outcome = ImportOutcome()
    stand_in_line(session)
    seen: dict[str, int] = {}

    def read(row: ImportRow) -> tuple[RunKey, dict[str, Any]]:
        key, said = _train_of(row, now=now)
        check_first(named(*key), line=row.line, seen=seen)
        return key, said

    trains = [train for _, train in read_rows(rows, outcome, read)]
    known = _known(session, {day for (day, _), _ in trains})
    told = {key: _UNSAID | known.get(key, {}) | said for key, said in trains}
    changed = settle(outcome, told=told, known=known)
    outcome.days |= {day for day, _ in changed}
    write(
        session,
        TrainRun,
        (
            {"day": day, "number": number, "source": source, "changed_at": now} | told[day, number]
            for day, number in changed
        ),
        keys=("day", "number"),
        update=(*_FIELDS, "source", "changed_at"),
    )
    return outcome


def _known(session: Session, days: set[date]) -> dict[RunKey, dict[str, Any]]:
    if not days:
        return {}
    table = TrainRun.__table__.c
    statement = select(table.day, table.number, *(table[name] for name in _FIELDS)).where(
        table.day.between(min(days), max(days))
    )
    return {
        (day, number): dict(zip(_FIELDS, values, strict=True))
        for day, number, *values in session.execute(statement)
    }


def _train_of(row: ImportRow, *, now: datetime) -> tuple[RunKey, dict[str, Any]]:
    """Return day and number of a train, and what a row says of it."""
    number = train_number_in(row)
    scheduled_at = _scheduled_in(row, now=now)
    _check_departure(row, scheduled_at)
    origin = text_in(row, "origin", max_length=40)
    said = {
        "origin": origin,
        "origin_code": _origin_code_in(row) or origin_code_of(origin),
        "scheduled_at": scheduled_at,
        "train_class": _class_in(row, number),
        "capacity": whole_in(row, "capacity", minimum=1, maximum=MAX_CAPACITY),
        "live_delay_minutes": whole_in(row, "delay_minutes", minimum=DELAYS[0], maximum=DELAYS[1]),
        "is_cancelled": flag_in(row, "cancelled"),
    }
    key = (day_of(scheduled_at), number)
    return key, {name: value for name, value in said.items() if value is not None}


def _scheduled_in(row: ImportRow, *, now: datetime) -> datetime:
    if row.cells.get("day") and not row.cells.get("scheduled_at"):
        text_in(row, "time", max_length=40)
        return at_time(train_day_in(row, now=now), row, "time")
    return train_instant_in(row, "scheduled_at", now=now)


def _check_departure(row: ImportRow, scheduled_at: datetime) -> None:
    if not row.cells.get("departs_at"):
        return
    departs_at = instant_in(row, "departs_at", latest=scheduled_at + timedelta(days=1))
    if departs_at >= scheduled_at:
        raise RowRefusedError("arrival_before_departure")


def _origin_code_in(row: ImportRow) -> str:
    code = text_in(row, "origin_code", max_length=6, is_required=False)
    if code and not is_area_code(code):
        raise RowRefusedError("area_code_wrong", value=shown(code), digits=6)
    return code


def _class_in(row: ImportRow, number: str) -> str:
    text = text_in(row, "class", max_length=12, is_required=False)
    if not text:
        return class_of(number).value
    if text.upper() in CLASS_OF_LETTER:
        return CLASS_OF_LETTER[text.upper()].value
    try:
        return TrainClass(text.lower()).value
    except ValueError:
        raise RowRefusedError(
            "train_class_unknown", value=shown(text), known=", ".join(TrainClass)
        ) from None
