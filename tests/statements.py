"""Compiled statements that the databases of a test run share: each test opens a new one.

SQLAlchemy keeps what it compiled for each engine and each instance of a dialect. A test has an
engine of its own, so that without this every test compiles its statements anew.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Engine
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.engine.default import DefaultDialect
from sqlalchemy.util import LRUCache

KEPT = 4000
_DIALECTS: tuple[type[DefaultDialect], ...] = (PGDialect_psycopg, SQLiteDialect_pysqlite)


def share_statements() -> None:
    """Have every engine that is made from now on use one cache."""
    shared: LRUCache[Any, Any] = LRUCache(KEPT)
    kept = property(lambda _engine: shared, lambda _engine, _own: None)
    Engine._compiled_cache = kept  # type: ignore[assignment]
    for dialect in _DIALECTS:
        # All of a kind are made by `core.db` in the same way, for the same server.
        dialect.__hash__ = _hash_of  # type: ignore[assignment, method-assign]
        dialect.__eq__ = _is_same  # type: ignore[assignment, method-assign]


def _hash_of(self: DefaultDialect) -> int:
    return hash(type(self))


def _is_same(self: DefaultDialect, other: object) -> bool:
    return type(self) is type(other)
