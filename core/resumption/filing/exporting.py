"""The filings of a query as rows of a sheet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Final

from sqlalchemy import Row, Select, func, select
from sqlalchemy.orm import Session

from core.exports.portions import clock_cell, rows_in_portions
from core.exports.rules import Masking
from core.exports.writing import Cell
from core.people.names import mask_name
from core.places.model import Street
from core.registry.model import Company
from core.resumption.filing.model import Filing
from core.resumption.filing.reviewing import FilingQuery, conditions_of

COLUMNS: Final = (
    *("number", "company", "uscc", "street", "address", "industry", "owner"),
    *("state", "revision", "head_count", "returning_count"),
    *("submitted_at", "decided_at", "reason"),
)


def count_filing_rows(session: Session, *, query: FilingQuery) -> int:
    """Return how many rows `iterate_filing_rows` yields."""
    statement = select(func.count()).select_from(Filing)
    statement = statement.join(Company, Company.id == Filing.company_id)
    return session.scalar(statement.where(*conditions_of(query))) or 0


def iterate_filing_rows(
    session: Session, *, query: FilingQuery, masking: Masking, words: Mapping[str, str]
) -> Iterator[Sequence[Cell]]:
    """Yield the filings of a query by age, with the cells of `COLUMNS`.

    They are read in portions, each from where the last one ended: nobody who writes waits, and
    no statement takes long, however many there are. What changes meanwhile is as its portion
    found it.

    Args:
        session: may be a reading one.
        query: what to export.
        masking: whether the owner's name is whole.
        words: what states are called, by `state.<value>`.
    """
    for row in rows_in_portions(session, partial(_rows_after, query)):
        yield _cells_of(row, masking=masking, words=words)


def _rows_after(query: FilingQuery, last_id: int) -> Select[*tuple[Any, ...]]:
    return (
        select(
            Filing.id,
            Filing.number,
            Filing.state,
            Filing.revision,
            Filing.head_count,
            Filing.returning_count,
            Filing.submitted_at,
            Filing.decided_at,
            Filing.reason,
            Company.name.label("company"),
            Company.uscc,
            Company.address,
            Company.industry,
            Company.owner_name,
            Street.name.label("street"),
        )
        .join(Company, Company.id == Filing.company_id)
        .join(Street, Street.id == Company.street_id)
        .where(Filing.id > last_id, *conditions_of(query))
        .order_by(Filing.id)
    )


def _cells_of(
    row: Row[*tuple[Any, ...]], *, masking: Masking, words: Mapping[str, str]
) -> Sequence[Cell]:
    is_masked = masking is Masking.MASKED
    return (
        row.number,
        row.company,
        row.uscc,
        row.street,
        row.address,
        row.industry,
        mask_name(row.owner_name) if is_masked else row.owner_name,
        words[f"state.{row.state}"],
        row.revision,
        row.head_count,
        row.returning_count,
        clock_cell(row.submitted_at),
        clock_cell(row.decided_at),
        row.reason,
    )
