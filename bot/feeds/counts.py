"""Reading counts of any stations: `station,starts_at,count`, as CSV, spreadsheet or Parquet."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import numpy as np

from bot.feeds.tables import read_table
from core.arrivals.validation import CountSet
from core.clock import SHANGHAI
from core.importing import (
    FileRefusedError,
    ImportRow,
    Rejection,
    RowRefusedError,
    instant_in,
    number_in,
    shown,
    text_in,
)

COLUMNS: Final = ("station", "starts_at", "count")
PARQUET_MARK: Final = b"PAR1"
MAX_NAME: Final = 100
MAX_COUNT: Final = 10_000_000
MAX_CELLS: Final = 200_000_000
MAX_DAYS: Final = 4000
MINUTES_PER_DAY: Final = 1440
# From the longest: a file of hours is also one of half hours, with every other one missing.
SLOT_LENGTHS: Final = (1440, 720, 480, 360, 240, 180, 120, 60, 30, 20, 15, 12, 10, 6, 5, 4, 3, 2, 1)
GRID_SHARE: Final = 0.9
LATEST: Final = datetime(9000, 1, 1, tzinfo=UTC)


class CountsRefusedError(Exception):
    """A file that cannot be used, in a sentence for the operator."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CountsFile:
    """What a file holds.

    Attributes:
        counts: of all its stations.
        rejections: rows that were left out, by line.
    """

    counts: CountSet
    rejections: tuple[Rejection, ...]


@dataclass(frozen=True, slots=True)
class _Row:
    line: int
    station: str
    starts_at: datetime
    count: float

    @property
    def minute(self) -> int:
        return self.starts_at.hour * 60 + self.starts_at.minute


def read_counts(path: Path) -> CountsFile:
    """Return the counts of a file.

    Times without a zone are those of Asia/Shanghai, others are turned into them. How long a slot
    is follows from the times themselves. A slot without a row was not counted, which is not 0.

    Raises:
        CountsRefusedError: it cannot be read, or no row of it can be used.
    """
    refused: list[Rejection] = []
    try:
        with path.open("rb") as file:
            is_parquet = file.read(len(PARQUET_MARK)) == PARQUET_MARK
        rows = list(_parquet_rows(path, refused) if is_parquet else _table_rows(path, refused))
    except OSError as error:
        raise CountsRefusedError(f"{path} cannot be read: {error.strerror}") from error
    if not rows:
        raise CountsRefusedError(f"{path.name} has no row that can be used")
    length, phase = _slots_of(rows)
    counts = _placed(rows, length=length, phase=phase, refused=refused, name=path.name)
    refused.sort(key=lambda one: one.line)
    return CountsFile(counts=counts, rejections=tuple(refused))


# ---- rows -----------------------------------------------------------------------------------


def _table_rows(path: Path, refused: list[Rejection]) -> Iterator[_Row]:
    instants: dict[str, datetime] = {}
    try:
        for row in read_table(path, required=COLUMNS, optional=(), refused=refused):
            try:
                yield _row_of(row, instants)
            except RowRefusedError as error:
                refused.append(error.at(row.line))
    except FileRefusedError as error:
        facts = ", ".join(f"{name}: {value}" for name, value in error.rejection.facts.items())
        raise CountsRefusedError(
            f"{path.name}, line {error.rejection.line}: {error.rejection.code} ({facts})"
        ) from error


def _row_of(row: ImportRow, instants: dict[str, datetime]) -> _Row:
    cell = row.cells["starts_at"]
    if cell not in instants:
        # A file of many stations says every instant many times.
        instants[cell] = instant_in(row, "starts_at", latest=LATEST).astimezone(SHANGHAI)
    count = number_in(row, "count", minimum=0, maximum=MAX_COUNT)
    if count is None:
        raise RowRefusedError("cell_empty", column="count")
    return _Row(row.line, text_in(row, "station", max_length=MAX_NAME), instants[cell], count)


_TYPES: Final = "SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM read_parquet(?))"
_ROWS: Final = """
    SELECT coalesce(CAST(station AS VARCHAR), '') AS station,
           {starts_at} AS starts_at,
           coalesce(CAST("count" AS VARCHAR), '') AS "count"
    FROM read_parquet(?)
"""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def _parquet_rows(path: Path, refused: list[Rejection]) -> Iterator[_Row]:
    # Loaded for such a file alone: it is large.
    import duckdb

    # Nothing is fetched from anywhere: the reader of Parquet is built in.
    config: dict[str, str | bool | int | float | list[str]] = {
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
    }
    try:
        with duckdb.connect(config=config) as connection:
            types = dict(connection.execute(_TYPES, [str(path)]).fetchall())
            missing = [name for name in COLUMNS if name not in types]
            if missing:
                raise CountsRefusedError(f"{path.name} lacks the column {', '.join(missing)}")
            is_zoned = types["starts_at"] == "TIMESTAMP WITH TIME ZONE"
            # An instant is taken as a number: a zone of the database's would need its tables.
            starts_at = "epoch_us(starts_at)" if is_zoned else "CAST(starts_at AS VARCHAR)"
            found: Sequence[tuple[Any, ...]] = connection.execute(
                _ROWS.format(starts_at=starts_at), [str(path)]
            ).fetchall()
    except duckdb.Error as error:
        raise CountsRefusedError(
            f"{path.name} cannot be read: {str(error).splitlines()[0]}"
        ) from error
    yield from _checked(found, refused)


def _checked(found: Iterable[tuple[Any, ...]], refused: list[Rejection]) -> Iterator[_Row]:
    instants: dict[str, datetime] = {}
    texts: dict[object, str] = {}
    for line, (station, starts_at, count) in enumerate(found, start=1):
        if starts_at not in texts:
            texts[starts_at] = _text_of(starts_at)
        cells = {"station": station, "starts_at": texts[starts_at], "count": count}
        row = ImportRow(line, cells)
        try:
            yield _row_of(row, instants)
        except RowRefusedError as error:
            refused.append(error.at(line))


def _text_of(starts_at: object) -> str:
    if isinstance(starts_at, int):
        return (_EPOCH + timedelta(microseconds=starts_at)).isoformat()
    return "" if starts_at is None else str(starts_at)


# ---- slots ----------------------------------------------------------------------------------


def _slots_of(rows: Sequence[_Row]) -> tuple[int, int]:
    """Return the length of a slot and the minute at which the first one of a day begins."""
    minutes = Counter(row.minute for row in rows)
    for length in SLOT_LENGTHS:
        phases: Counter[int] = Counter()
        for minute, count in minutes.items():
            phases[minute % length] += count
        phase, most = phases.most_common(1)[0]
        if most >= GRID_SHARE * len(rows):
            return length, phase
    raise AssertionError("every minute is a whole number of minutes")


def _placed(
    rows: Iterable[_Row], *, length: int, phase: int, refused: list[Rejection], name: str
) -> CountSet:
    """Return the table of all rows that are on the grid; the first of two alike counts."""
    kept: dict[tuple[str, date, int], tuple[int, float]] = {}
    for row in rows:
        slot, off = divmod(row.minute - phase, length)
        key = row.station, row.starts_at.date(), slot
        told = f"{row.station} {row.starts_at:%Y-%m-%d %H:%M}"
        if off:
            refused.append(Rejection(row.line, "count_off_slot", _facts(told, minutes=length)))
        elif key in kept:
            refused.append(Rejection(row.line, "code_twice", _facts(told, first=kept[key][0])))
        else:
            kept[key] = row.line, row.count
    stations = sorted({station for station, _, _ in kept})
    days = sorted({day for _, day, _ in kept})
    slots = MINUTES_PER_DAY // length
    if len(days) > MAX_DAYS or len(stations) * len(days) * slots > MAX_CELLS:
        raise CountsRefusedError(
            f"{name} has {len(stations)} stations on {len(days)} days: too many"
        )
    values = np.full((len(stations), len(days), slots), np.nan)
    place_of_station = _places(stations)
    place_of_day = _places(days)
    for (station, day, slot), (_, count) in kept.items():
        values[place_of_station[station], place_of_day[day], slot] = count
    return CountSet(
        stations=tuple(stations),
        days=tuple(days),
        slot_minutes=length,
        first_minute=phase,
        values=values,
    )


def _facts(value: str, **others: int) -> Mapping[str, str | int]:
    return {"value": shown(value), **others}


def _places(things: Sequence[Any]) -> Mapping[Any, int]:
    return {thing: place for place, thing in enumerate(things)}
