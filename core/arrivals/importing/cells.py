"""Reading the cells that the kinds share: train numbers, days, instants, yes and no."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta
from typing import Final, TypeVar
from unicodedata import normalize

from core.arrivals.rules import TrainNumberInvalidError, number_of
from core.clock import SHANGHAI, local
from core.importing import (
    ImportOutcome,
    ImportRow,
    RowRefusedError,
    day_in,
    instant_in,
    shown,
    text_in,
)

Read = TypeVar("Read")

# A timetable may be known so long before, and tickets are sold about so long before.
MAX_DAYS_AHEAD: Final = 60
# Before that it is a slip; and the first day of the calendar has no day before it.
FIRST_DAY: Final = date(2000, 1, 1)
# The clocks of two machines differ.
CLOCK_TOLERANCE: Final = timedelta(minutes=5)

_YES: Final = frozenset({"1", "true", "yes", "y", "是"})
_NO: Final = frozenset({"0", "false", "no", "n", "否"})


def read_rows(
    rows: Iterable[ImportRow], outcome: ImportOutcome, read: Callable[[ImportRow], Read]
) -> list[tuple[int, Read]]:
    """Return line and content of the rows that can be read; refused ones join the outcome."""
    found: list[tuple[int, Read]] = []
    for row in rows:
        try:
            found.append((row.line, read(row)))
        except RowRefusedError as refused:
            outcome.rejections.append(refused.at(row.line))
    return found


def train_number_in(row: ImportRow) -> str:
    """Return the train number of a row, in its one spelling.

    Raises:
        RowRefusedError: empty, or no number of a train.
    """
    # A number without a letter is one in a spreadsheet, too, and loses nothing there.
    text = text_in(row, "number", max_length=12)
    try:
        return number_of(text)
    except TrainNumberInvalidError:
        raise RowRefusedError("train_number_wrong", value=shown(text)) from None


def train_day_in(row: ImportRow, *, now: datetime) -> date:
    """Return the local day on which a train is to arrive.

    Raises:
        RowRefusedError: as for `day_in`, or before 2000.
    """
    day = day_in(row, "day", latest=local(now + timedelta(days=MAX_DAYS_AHEAD)).date())
    _check_not_early(day, "day")
    return day


def train_instant_in(row: ImportRow, column: str, *, now: datetime) -> datetime:
    """Return the instant at which a train is to arrive.

    Raises:
        RowRefusedError: as for `instant_in`, or before 2000.
    """
    at = instant_in(row, column, latest=now + timedelta(days=MAX_DAYS_AHEAD))
    _check_not_early(at.date(), column)
    return at


def past_instant_in(row: ImportRow, column: str, *, now: datetime) -> datetime:
    """Return the instant in a cell, which must have been.

    Raises:
        RowRefusedError: as for `instant_in`, before 2000, or it is still to come.
    """
    latest = now + CLOCK_TOLERANCE
    at = instant_in(row, column, latest=latest)
    _check_not_early(at.date(), column)
    if at > latest:
        shown_at = f"{local(at):%Y-%m-%d %H:%M}"
        raise RowRefusedError("instant_to_come", column=column, value=shown_at)
    return at


def _check_not_early(day: date, column: str) -> None:
    if day < FIRST_DAY:
        raise RowRefusedError(
            "day_too_early", column=column, value=str(day), earliest=str(FIRST_DAY)
        )


def flag_in(row: ImportRow, column: str) -> bool | None:
    """Return whether a cell says yes; None when it says nothing.

    Raises:
        RowRefusedError: it says neither yes nor no.
    """
    text = normalize("NFKC", row.cells.get(column, "")).lower()
    if not text:
        return None
    if text not in _YES | _NO:
        raise RowRefusedError("neither_yes_nor_no", column=column, value=shown(text))
    return text in _YES


def named(day: date, number: str) -> str:
    """Return how a report names a train of a day."""
    return f"{day} {number}"


def at_time(day: date, row: ImportRow, column: str) -> datetime:
    """Return the instant of a time of day, `9:05` or `09:05:00`, on a local day.

    Raises:
        RowRefusedError: no time of day.
    """
    cells = {column: f"{day} {row.cells.get(column, '')}"}
    midnight = datetime(day.year, day.month, day.day, tzinfo=SHANGHAI)
    return instant_in(ImportRow(row.line, cells), column, latest=midnight)
