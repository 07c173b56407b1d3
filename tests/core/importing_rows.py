"""Rows for the tests of what files bring: how they are numbered, loaded and counted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TypeAlias

from sqlalchemy.orm import Session

from core.importing import ImportOutcome, ImportRow

Cells: TypeAlias = dict[str, str]
Load: TypeAlias = Callable[..., ImportOutcome]


def rows_of(rows: Sequence[Cells]) -> list[ImportRow]:
    """Return the rows of a file whose first line is the header."""
    return [ImportRow(line, row) for line, row in enumerate(rows, start=2)]


def loader_of(use_case: Callable[..., ImportOutcome]) -> Load:
    """Return `load(session, now, *rows)`, after which the session reads all anew."""

    def load(session: Session, now: datetime, *rows: Cells) -> ImportOutcome:
        outcome = use_case(session, rows_of(rows), now=now)
        session.flush()
        session.expire_all()
        return outcome

    return load


def counts(outcome: ImportOutcome) -> tuple[int, int, int, int]:
    """Return how many rows were new, changed, known and refused."""
    return (
        outcome.created_count,
        outcome.updated_count,
        outcome.unchanged_count,
        len(outcome.rejections),
    )
