"""Pages of rulings: what the lists of overrides and of appeals share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from sqlalchemy import ColumnElement, Row, Select, func, or_
from sqlalchemy.orm import Session

from core.places.model import Community

PAGE_SIZE: Final = 25

Card = TypeVar("Card")


@dataclass(frozen=True, slots=True, kw_only=True)
class RulingPage(Generic[Card]):
    """One page of a list; `number` is never behind the last, `page_count` at least 1."""

    rows: list[Card]
    number: int
    page_count: int
    total: int


def page_of(
    session: Session,
    statement: Select[*tuple[Any, ...]],
    *,
    order_by: Sequence[ColumnElement[Any]],
    card_of: Callable[[Row[*tuple[Any, ...]]], Card],
    number: int,
    page_size: int,
) -> RulingPage[Card]:
    """Return one page of what a statement finds.

    Args:
        session: may be a reading one.
        statement: finds all of them.
        order_by: a fixed order, as no two rows are alike in it.
        card_of: returns what pages show of a row.
        number: of the page, from 1; a number behind the last page gives the last one.
        page_size: rows at most.
    """
    total = session.scalar(statement.with_only_columns(func.count())) or 0
    page_count = max(-(-total // page_size), 1)
    number = min(max(number, 1), page_count)
    rows = session.execute(
        statement.order_by(*order_by).offset((number - 1) * page_size).limit(page_size)
    )
    return RulingPage(
        rows=[card_of(row) for row in rows], number=number, page_count=page_count, total=total
    )


def is_called(text: str) -> list[ColumnElement[bool]]:
    """Return the condition that a community's name or code has a text in it; none for no text."""
    if not text:
        return []
    return [
        or_(
            Community.name.contains(text, autoescape=True),
            Community.code.contains(text, autoescape=True),
        )
    ]
