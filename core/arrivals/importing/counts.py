"""Importing gate counts: how many people passed the check point from an instant on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from core.arrivals.importing.cells import past_instant_in, read_rows
from core.arrivals.importing.settling import FILE_SOURCE, note_import, settle, stand_in_line, write
from core.arrivals.model import GateCount
from core.arrivals.rules import SLOT_MINUTES
from core.clock import day_of, local
from core.importing import (
    ImportOutcome,
    ImportRow,
    RowRefusedError,
    check_first,
    shown,
    text_in,
    whole_in,
)

COUNT_COLUMNS: Final = ("starts_at", "count")
COUNT_OPTIONAL_COLUMNS: Final = ("minutes", "station")
MAX_COUNT: Final = 100_000
LENGTHS: Final = (5, 10, 15, 20, 30, 60)
LONGEST: Final = timedelta(minutes=max(LENGTHS))
_DELETE_ROWS: Final = 500


@dataclass(frozen=True, slots=True)
class _Count:
    starts_at: datetime
    minutes: int | None
    count: int


def import_counts(session: Session, rows: Iterable[ImportRow], *, now: datetime) -> ImportOutcome:
    """Store the counts of a file; what it counts anew replaces what was counted then.

    Args:
        session: the session of the import.
        rows: with the columns `COUNT_COLUMNS`, perhaps `COUNT_OPTIONAL_COLUMNS`. Without
            `minutes` a count holds for the shortest time between two rows of the file.
        now: aware instant; counts that begin later are refused.

    Returns:
        Counts and refused rows; in `days` those whose counts changed.
    """
    outcome = ImportOutcome()
    stand_in_line(session)
    counts = _read(rows, outcome, now=now)
    usual = _usual_minutes([count.starts_at for _, count in counts])
    told = _told(counts, usual, outcome)
    known = _known(session, told)
    changed = settle(outcome, told=told, known=known)
    replaced = _overlapped(known, {start: told[start][0] for start in changed})
    outcome.days |= {day_of(start) for start in (*changed, *replaced)}
    for begin in range(0, len(replaced), _DELETE_ROWS):
        portion = replaced[begin : begin + _DELETE_ROWS]
        session.execute(delete(GateCount).where(GateCount.starts_at.in_(portion)))
    write(
        session,
        GateCount,
        (
            {
                "starts_at": start,
                "minutes": told[start][0],
                "count": told[start][1],
                "source": FILE_SOURCE,
            }
            for start in changed
        ),
        keys=("starts_at",),
        update=("minutes", "count", "source"),
    )
    note_import(session, outcome, action="counts_imported", now=now)
    return outcome


def _read(
    rows: Iterable[ImportRow], outcome: ImportOutcome, *, now: datetime
) -> list[tuple[int, _Count]]:
    stations: list[str] = []
    seen: dict[str, int] = {}

    def read(row: ImportRow) -> _Count:
        count = _count_of(row, now=now)
        _check_station(row, stations)
        check_first(f"{local(count.starts_at):%Y-%m-%d %H:%M}", line=row.line, seen=seen)
        return count

    return sorted(read_rows(rows, outcome, read), key=lambda one: one[1].starts_at)


def _count_of(row: ImportRow, *, now: datetime) -> _Count:
    starts_at = past_instant_in(row, "starts_at", now=now)
    if starts_at.minute % SLOT_MINUTES or starts_at.second:
        raise RowRefusedError("count_off_grid", value=shown(row.cells["starts_at"]))
    count = whole_in(row, "count", minimum=0, maximum=MAX_COUNT)
    if count is None:
        raise RowRefusedError("cell_empty", column="count")
    minutes = whole_in(row, "minutes")
    if minutes is not None and minutes not in LENGTHS:
        known = ", ".join(map(str, LENGTHS))
        raise RowRefusedError("count_minutes_unknown", value=minutes, known=known)
    return _Count(starts_at, minutes, count)


def _check_station(row: ImportRow, stations: list[str]) -> None:
    """Check that a file is of one station: several in one sum would be nobody's."""
    station = text_in(row, "station", max_length=60, is_required=False)
    if not stations:
        stations.append(station)
    elif station != stations[0]:
        raise RowRefusedError("station_differs", value=shown(station), first=shown(stations[0]))


def _usual_minutes(starts: Sequence[datetime]) -> int:
    """Return how long a count without a length is, from starts in the order of time."""
    shortest = min((after - before for before, after in pairwise(starts)), default=timedelta())
    minutes = int(shortest.total_seconds() // 60)
    return minutes if minutes in LENGTHS else SLOT_MINUTES


def _told(
    counts: Iterable[tuple[int, _Count]], usual: int, outcome: ImportOutcome
) -> dict[datetime, tuple[int, int]]:
    """Return length and count by start; what begins before the one before is over is refused."""
    told: dict[datetime, tuple[int, int]] = {}
    busy_until, busy_line = None, 0
    for line, count in counts:
        if busy_until is not None and count.starts_at < busy_until:
            refused = RowRefusedError("count_overlaps", first=busy_line)
            outcome.rejections.append(refused.at(line))
            continue
        minutes = count.minutes or usual
        busy_until, busy_line = count.starts_at + timedelta(minutes=minutes), line
        told[count.starts_at] = (minutes, count.count)
    return told


def _known(
    session: Session, told: Mapping[datetime, tuple[int, int]]
) -> dict[datetime, tuple[int, int]]:
    """Return what was counted when the told counts were, and just before."""
    if not told:
        return {}
    table = GateCount.__table__.c
    statement = select(table.starts_at, table.minutes, table.count).where(
        table.starts_at.between(min(told) - LONGEST, max(told) + LONGEST)
    )
    return {start: (minutes, count) for start, minutes, count in session.execute(statement)}


def _overlapped(
    known: Mapping[datetime, tuple[int, int]], written: Mapping[datetime, int]
) -> list[datetime]:
    """Return the starts of known counts that written ones take the place of."""
    slot = timedelta(minutes=SLOT_MINUTES)
    taken = {
        start + slot * place
        for start, minutes in written.items()
        for place in range(minutes // SLOT_MINUTES)
    }
    return [
        start
        for start, (minutes, _) in known.items()
        if start not in written
        and any(start + slot * place in taken for place in range(minutes // SLOT_MINUTES))
    ]
