"""Many rows at once: tables that live for one transaction, and the quickest way to fill a table.

What a file of a million people changes is worked out by the database, in a fixed number of
statements over such a table: no row of it is an object for longer than it takes to read it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from itertools import repeat
from typing import Any, Final, TypeAlias, cast

from sqlalchemy import (
    Column,
    Connection,
    Date,
    Dialect,
    Insert,
    LargeBinary,
    MetaData,
    Table,
    text,
)
from sqlalchemy.orm import Session
from sqlalchemy.schema import CreateTable, DropTable

from core.db import Base, take_turn

BATCH_ROWS: Final = 10_000
# A file of the whole district sorts and joins in memory instead of in the file's pages.
_CACHE_KIB: Final = 128 * 1024
_USUAL_CACHE_KIB: Final = 2 * 1024
# More than the file of a district has.
_MAPPED_BYTES: Final = 2**31
_METADATA: Final = MetaData()
# Any number that no other queue of the application has.
_IMPORTING: Final = 0x62756C6B

_Convert: TypeAlias = Callable[[Any], Any]


def passing_table(name: str, *columns: Column[Any]) -> Table:
    """Return a table for the rows of a file; each transaction that opens it has its own."""
    return Table(name, _METADATA, *columns, prefixes=["TEMPORARY"], postgresql_on_commit="DROP")


def table_of(mapped: type[Base]) -> Table:
    """Return the table of a mapped class."""
    return cast("Table", mapped.__table__)


@contextmanager
def opened(session: Session, *tables: Table) -> Iterator[None]:
    """Have passing tables for a while, empty at first; a transaction that fails takes them away.

    Those who do so at the same time take turns: two files may both name somebody new.
    """
    connection = session.connection()
    take_turn(session, number=_IMPORTING)
    _set_cache(connection, _CACHE_KIB)
    for table in tables:
        # Its indexes are made once it is filled.
        connection.execute(CreateTable(table))
    yield
    for table in tables:
        connection.execute(DropTable(table))
    _set_cache(connection, _USUAL_CACHE_KIB)


def _set_cache(connection: Connection, size_kib: int) -> None:
    if connection.dialect.name == "sqlite":
        for schema in ("main", "temp"):
            connection.exec_driver_sql(f"PRAGMA {schema}.cache_size=-{size_kib}")


@contextmanager
def mapped(session: Session) -> Iterator[None]:
    """Let SQLite read its file through the memory map for a while.

    A statement that looks at every event and every resident is a third quicker without a copy of
    each page; the memory is the system's, which takes it back when it wants.
    """
    connection = session.connection()
    if connection.dialect.name != "sqlite":
        yield
        return
    connection.exec_driver_sql(f"PRAGMA mmap_size={_MAPPED_BYTES}")
    try:
        yield
    finally:
        connection.exec_driver_sql("PRAGMA mmap_size=0")


def refresh_statistics(session: Session, *tables: Table) -> None:
    """Tell PostgreSQL at once what the tables hold now: its plans rest on that."""
    connection = session.connection()
    if connection.dialect.name == "postgresql":
        for table in tables:
            connection.execute(text(f"ANALYZE {table.name}"))


class Writer:
    """Fills a table with rows, batch by batch; `flush` writes the last one."""

    def __init__(self, session: Session, table: Table, columns: Sequence[str]) -> None:
        """Write to some columns of a table, in this order."""
        self._connection = session.connection()
        self._statement = _statement_for(self._connection.dialect, table, columns)
        converts = [_convert_for(self._connection.dialect, table.c[name]) for name in columns]
        self._converts = [(place, one) for place, one in enumerate(converts) if one is not None]
        self._rows: list[Sequence[Any]] = []

    def add(self, *values: Any) -> None:
        """Take a row: a value for each column."""
        if self._converts:
            row = list(values)
            for place, convert in self._converts:
                if row[place] is not None:
                    row[place] = convert(row[place])
            self._rows.append(row)
        else:
            self._rows.append(values)
        if len(self._rows) >= BATCH_ROWS:
            self.flush()

    def flush(self) -> None:
        """Write what was taken."""
        rows, self._rows = self._rows, []
        if not rows:
            return
        cursor = self._connection.connection.cursor()
        try:
            if self._connection.dialect.name == "postgresql":
                with cursor.copy(self._statement) as copy:
                    for row in rows:
                        copy.write_row(row)
            else:
                cursor.executemany(self._statement, rows)
        finally:
            cursor.close()


def _statement_for(dialect: Dialect, table: Table, columns: Sequence[str]) -> str:
    named = ", ".join(columns)
    if dialect.name == "postgresql":
        return f"COPY {table.name} ({named}) FROM STDIN"
    marks = ", ".join("?" * len(columns))
    return f"INSERT INTO {table.name} ({named}) VALUES ({marks})"  # noqa: S608  our own names


def _convert_for(dialect: Dialect, column: Column[Any]) -> _Convert | None:
    """Return how a driver wants the values of a column; None: as they are."""
    if isinstance(column.type, LargeBinary):
        return None
    convert: _Convert | None = column.type.dialect_impl(dialect).bind_processor(dialect)
    if convert is not None and isinstance(column.type, Date):
        # A file repeats a day thousands of times.
        return lru_cache(maxsize=4096)(convert)
    return convert


def write_all(
    session: Session, statement: Insert, *, columns: Sequence[str], rows: Iterable[Sequence[Any]]
) -> None:
    """Execute an insert for each of many rows, by the driver alone.

    What SQLAlchemy does for a row costs several times what the database does for it.

    Args:
        session: the session of the step.
        statement: as `core.db.upsert` makes it.
        columns: all that are written, those with a default of Python's among them.
        rows: a value for each of the columns, in their order.
    """
    given = list(zip(*rows, strict=True))
    if not given:
        return
    connection = session.connection()
    dialect = connection.dialect
    compiled = statement.compile(dialect=dialect, column_keys=list(columns), for_executemany=True)
    if compiled.insert_prefetch:
        raise ValueError("columns with a default are missing among those that are written")
    # What a condition compares with is the same for every row.
    values: dict[str, Iterable[Any]] = {
        name: repeat(value) for name, value in compiled.params.items()
    }
    for name, column in zip(columns, given, strict=True):
        convert = _convert_for(dialect, cast("Table", statement.table).c[name])
        values[name] = column if convert is None else list(map(convert, column))
    cursor = connection.connection.cursor()
    try:
        cursor.executemany(str(compiled), _sent(values, order=compiled.positiontup))
    finally:
        cursor.close()


def _sent(values: Mapping[str, Iterable[Any]], *, order: Sequence[str] | None) -> list[Any]:
    """Return the values row by row: by place for SQLite's driver, by name for PostgreSQL's."""
    if order is not None:
        return list(zip(*(values[name] for name in order), strict=False))
    return [dict(zip(values, row, strict=True)) for row in zip(*values.values(), strict=False)]
