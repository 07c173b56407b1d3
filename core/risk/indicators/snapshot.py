"""A folder of Parquet files with what the indicators are computed from, for DuckDB and Spark.

It holds numbers of rows, days and kinds: no name, no document, no hash of one.
"""

from __future__ import annotations

import csv
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.db import Base
from core.places.model import Community, CommunityNear
from core.residents.model import Residence, Resident
from core.risk.events.model import EpidemicEvent
from core.risk.indicators.computing import counts_of
from core.risk.indicators.definition import TABLES
from core.risk.indicators.rules import CommunityCounts
from core.risk.indicators.statements import sql_of

if TYPE_CHECKING:
    import duckdb

PORTION_ROWS: Final = 20_000

_MODELS: Final[Mapping[str, type[Base]]] = {
    "community": Community,
    "community_near": CommunityNear,
    "resident": Resident,
    "residence": Residence,
    "epidemic_event": EpidemicEvent,
}
_TYPES: Final[Mapping[str, str]] = {
    "int64": "BIGINT",
    "string": "VARCHAR",
    "date": "DATE",
    "timestamp": "TIMESTAMP",
}
# Rows of a window side by side: what lies outside of it is not even unpacked.
_ORDERS: Final[Mapping[str, str]] = {"epidemic_event": "reported_on, resident_id"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """What was written: a file `<table>.parquet` for each of `definition.TABLES`."""

    folder: Path
    row_counts: Mapping[str, int]


def write_snapshot(session: Session, *, folder: Path) -> Snapshot:
    """Write what the indicators are computed from, as it is now, into a folder.

    Args:
        session: may be a reading one; its tables are read in portions.
        folder: is made if need be; files of an earlier snapshot are replaced.
    """
    folder.mkdir(parents=True, exist_ok=True)
    counts: dict[str, int] = {}
    with _engine() as engine:
        for name in TABLES:
            with tempfile.NamedTemporaryFile(
                "w", encoding="utf-8", newline="", suffix=".csv", dir=folder
            ) as sheet:
                counts[name] = _write_rows(session, name, sheet.file)
                sheet.flush()
                _convert(engine, name, sheet=Path(sheet.name), folder=folder)
    return Snapshot(folder=folder, row_counts=counts)


def _write_rows(session: Session, name: str, sheet: IO[str]) -> int:
    table = _MODELS[name].__table__
    statement = select(*(table.c[column] for column in TABLES[name]))
    rows = session.execute(statement.execution_options(yield_per=PORTION_ROWS))
    writer, count = csv.writer(sheet), 0
    for portion in rows.partitions():
        # What is None becomes an empty cell, which is read as null.
        writer.writerows(portion)
        count += len(portion)
    return count


def _convert(engine: duckdb.DuckDBPyConnection, name: str, *, sheet: Path, folder: Path) -> None:
    columns = ", ".join(f"'{column}': '{_TYPES[kind]}'" for column, kind in TABLES[name].items())
    order = f" ORDER BY {_ORDERS[name]}" if name in _ORDERS else ""
    # The names are ours, and a path is quoted; DuckDB takes no parameters in COPY.
    engine.execute(
        f"COPY (SELECT * FROM read_csv({_quoted(sheet)}, auto_detect = false,"  # noqa: S608
        f" delim = ',', quote = '\"', escape = '\"', columns = {{{columns}}}){order})"
        f" TO {_quoted(folder / f'{name}.parquet')} (FORMAT parquet)"
    )


def count_snapshot(folder: Path, *, day: date, memory: str = "4GB") -> list[CommunityCounts]:
    """Return what is counted at the end of a day, by DuckDB from a snapshot.

    Args:
        folder: of `write_snapshot`.
        day: local day.
        memory: how much DuckDB may take; beyond that it works on the disk, in the folder.

    Returns:
        The rows that `computing.read_counts` returns for the database of the snapshot.
    """
    with _engine() as engine:
        engine.execute(f"SET memory_limit = '{memory}'")
        engine.execute(f"SET temp_directory = {_quoted(folder / 'spill')}")
        for name in TABLES:
            path = _quoted(folder / f"{name}.parquet")
            engine.execute(f"CREATE VIEW {name} AS SELECT * FROM read_parquet({path})")  # noqa: S608
        result = engine.execute(sql_of(day, dialect="duckdb"))
        names = [column[0] for column in result.description or ()]
        return counts_of(dict(zip(names, row, strict=True)) for row in result.fetchall())


@contextmanager
def _engine() -> Iterator[duckdb.DuckDBPyConnection]:
    import duckdb

    # Nothing is fetched from outside.
    with duckdb.connect(
        config={"autoinstall_known_extensions": False, "autoload_known_extensions": False}
    ) as connection:
        yield connection


def _quoted(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"
