"""What a night computed, in words that do not depend on the database, to compare two of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import zip_longest
from typing import Final, TypeAlias

from sqlalchemy import Select, select

from core.db import Database
from core.places.model import Community
from core.risk.model import IndicatorValue, Publication, RiskScore

Row: TypeAlias = "tuple[object, ...]"

_VALUE, _SCORE = IndicatorValue.__table__.c, RiskScore.__table__.c
# Ids and the moment of computing are each database's own.
_STATEMENTS: Final[tuple[Select[*tuple[object, ...]], ...]] = (
    select(
        Community.code,
        *(column for column in _VALUE if column.name != "community_id"),
    )
    .join(Community, Community.id == _VALUE.community_id)
    .order_by(_VALUE.day, Community.code, _VALUE.indicator),
    select(
        Community.code,
        *(column for column in _SCORE if column.name not in {"id", "community_id", "scored_at"}),
    )
    .join(Community, Community.id == _SCORE.community_id)
    .order_by(_SCORE.day, Community.code, _SCORE.version),
    select(
        *(
            column
            for column in Publication.__table__.c
            if column.name not in {"scored_at", "released_at"}
        )
    ).order_by(Publication.day),
)


def computed_rows(database: Database) -> Iterator[Row]:
    """Yield the values, scores and publications of every day, floats to the last bit."""
    for statement in _STATEMENTS:
        # One that reads in portions: a district's history is a million rows.
        with database.engine.connect() as connection:
            found = connection.execution_options(yield_per=10_000).execute(statement)
            for row in found:
                yield tuple(map(_exact, row))


def _exact(cell: object) -> object:
    if isinstance(cell, float):
        return cell.hex()
    return json.dumps(cell) if isinstance(cell, list) else cell


def first_difference(one: Database, other: Database) -> tuple[Row | None, Row | None] | None:
    """Return the first rows in which two databases differ, or None if they hold the same."""
    pairs = zip_longest(computed_rows(one), computed_rows(other))
    return next(((mine, theirs) for mine, theirs in pairs if mine != theirs), None)
