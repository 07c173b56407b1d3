"""Use cases of key areas: which of the places that somebody stayed in were one at that time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from core.keyareas.model import KeyArea
from core.keyareas.reading import PlaceReader
from core.keyareas.rules import Area, KeyAreaHit, aliases_of, hits_of, was_one_between


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


def find_hits(
    session: Session, *, places: Sequence[str], since: datetime, until: datetime
) -> list[KeyAreaHit]:
    """Return which of the typed places were key areas at any time of a stay.

    Args:
        session: may be a reading one.
        places: as typed; each may name several.
        since: aware instant, the start of the stay.
        until: aware instant, its end, not part of it.

    Returns:
        By place in the order given, then by code; each area once for a place. A place wider than
        a key area is no hit: whether the person was in that part of it is not known.
    """
    areas = list_areas(session, since=since, until=until) if places else []
    return screen(areas, places=places, since=since, until=until) if areas else []


def screen(
    areas: Sequence[Area], *, places: Sequence[str], since: datetime, until: datetime
) -> list[KeyAreaHit]:
    """Return what `find_hits` does, for a list that was read before; for many stays at once."""
    dated = [area for area in areas if was_one_between(area, since=since, until=until)]
    reader = PlaceReader(dated)
    hits = (
        hit
        for place in places
        for codes in reader.codes_in(place)
        for hit in hits_of(place, codes=codes, areas=dated)
    )
    return list(dict.fromkeys(hits))


def _area_of(row: KeyArea) -> Area:
    return Area(
        code=row.code,
        name=row.name,
        aliases=aliases_of(row.aliases),
        since=row.since,
        until=row.until,
    )
