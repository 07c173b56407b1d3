"""Many rows at once: tables that live for one transaction, and the quickest way to fill a table.

What a file of a million people changes is worked out by the database, in a fixed number of
statements over such a table: no row of it is an object for longer than it takes to read it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, Final, TypeAlias, cast

from sqlalchemy import (
    Column,
    Connection,
    Date,
    Dialect,
    LargeBinary,
    MetaData,
    Table,
    func,
    select,
    text,
)
from sqlalchemy.orm import Session
from sqlalchemy.schema import CreateTable, DropTable

from core.db import Base

BATCH_ROWS: Final = 10_000
# A file of the whole district sorts and joins in memory instead of in the file's pages.
_CACHE_KIB: Final = 128 * 1024
_USUAL_CACHE_KIB: Final = 2 * 1024
_METADATA: Final = MetaData()
# Any number that no other advisory lock of the application has.
_LOCK: Final = 0x62756C6B

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
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
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
