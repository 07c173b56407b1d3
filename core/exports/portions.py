"""Rows of a sheet in portions: nobody who writes waits, and no statement takes long."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row, Select
from sqlalchemy.orm import Session

from core.clock import local

# One statement reads as many: far from the two seconds after which a reader is given up.
CHUNK: Final = 2000


def rows_in_portions(
    session: Session, statement_after: Callable[[int], Select[*tuple[Any, ...]]]
) -> Iterator[Row[*tuple[Any, ...]]]:
    """Yield the rows of a statement, however many there are, each portion from the last one's end.

    What changes meanwhile is as its portion found it.

    Args:
        session: may be a reading one.
        statement_after: returns the statement for what follows an id, in the order of ids; its
            rows have an `id`.
    """
    last_id = 0
    while rows := session.execute(statement_after(last_id).limit(CHUNK)).all():
        yield from rows
        last_id = rows[-1].id


def clock_cell(instant: datetime | None) -> str | None:
    """Return an instant as a sheet shows it: day and minute in Asia/Shanghai."""
    return f"{local(instant):%Y-%m-%d %H:%M}" if instant else None
