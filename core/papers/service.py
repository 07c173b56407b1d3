"""Use cases of the papers: the newest ones, of one street or of all."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from core.papers.model import Paper
from core.places.model import Street

LIST_LIMIT: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperCard:
    """A paper as a reader sees it; of no street (None, empty) when it is the district's own."""

    title: str
    published_on: date
    url: str
    street_id: int | None
    street: str


def list_papers(
    session: Session, *, street_id: int | None, today: date, limit: int = LIST_LIMIT
) -> list[PaperCard]:
    """Return the papers of one street, the newest first.

    Args:
        session: may be a reading one.
        street_id: the street; None for the district's own paper.
        today: the local day; what is dated later has not come out yet.
        limit: how many at most.
    """
    statement = _cards(today=today).where(
        Paper.street_id.is_(None) if street_id is None else Paper.street_id == street_id
    )
    return _read(session, statement, limit=limit)


def list_newest_papers(
    session: Session, *, today: date, limit: int = LIST_LIMIT
) -> list[PaperCard]:
    """Return the newest papers of all streets and of the district, the newest first."""
    return _read(session, _cards(today=today), limit=limit)


def _cards(*, today: date) -> Select[*tuple[Any, ...]]:
    return (
        select(Paper.title, Paper.published_on, Paper.url, Paper.street_id, Street.name)
        .outerjoin(Street, Street.id == Paper.street_id)
        .where(Paper.published_on <= today)
        .order_by(Paper.published_on.desc(), Paper.id.desc())
    )


def _read(session: Session, statement: Select[*tuple[Any, ...]], *, limit: int) -> list[PaperCard]:
    rows: Iterable[Any] = session.execute(statement.limit(limit))
    return [
        PaperCard(
            title=title,
            published_on=published_on,
            url=url,
            street_id=street_id,
            street=street or "",
        )
        for title, published_on, url, street_id, street in rows
    ]
