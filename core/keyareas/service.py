"""The dated list of key areas, for a window or as of an instant.

A list is as its rows say: an area that is imported today with a start three days ago has been one
for three days, and whoever stayed there then is found. What was known at some hour of the past is
another question, which the versions answer.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from core.db import share_turn, take_turn
from core.keyareas.model import KeyArea
from core.keyareas.rules import Area, Level, aliases_of

# Any number that no other queue of the application has.
_LISTING: Final = 0x6B657961


def hold_list(session: Session) -> None:
    """Keep the list as it is until the end of a transaction that stores what was screened.

    Otherwise a stay could be screened by the old list and stored too late to be screened again.
    It is asked for before any row is held for whose sake an import would wait.
    """
    share_turn(session, number=_LISTING)


def change_list(session: Session) -> None:
    """Wait until all that was screened is stored, and let nobody screen until the new list is."""
    take_turn(session, number=_LISTING)


def list_areas(
    session: Session, *, since: datetime | None = None, until: datetime | None = None
) -> list[Area]:
    """Return the areas that were key areas at any moment of a window, by code and start.

    Args:
        session: may be a reading one.
        since: aware instant, the start of the window; None: from the beginning.
        until: aware instant, its end, not part of it; None: for ever.
    """
    statement = select(KeyArea).order_by(KeyArea.code, KeyArea.since)
    if since is not None:
        statement = statement.where(or_(KeyArea.until.is_(None), KeyArea.until > since))
    if until is not None:
        statement = statement.where(KeyArea.since < until)
    return [_area_of(row) for row in session.scalars(statement)]


def list_rows_at(session: Session, *, at: datetime) -> list[KeyArea]:
    """Return the rows of the list that are key areas at an instant, by code and start.

    Args:
        session: may be a reading one.
        at: aware instant; one to come is answered by what is announced.
    """
    statement = (
        select(KeyArea)
        .where(KeyArea.since <= at, or_(KeyArea.until.is_(None), KeyArea.until > at))
        .order_by(KeyArea.code, KeyArea.since)
    )
    return list(session.scalars(statement))


def _area_of(row: KeyArea) -> Area:
    return Area(
        code=row.code,
        name=row.name,
        aliases=aliases_of(row.aliases),
        level=Level(row.level),
        since=row.since,
        until=row.until,
    )
