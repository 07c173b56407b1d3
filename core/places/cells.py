"""Where something is, in a row of a file: the street, and the point on the map."""

from __future__ import annotations

from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.importing import ImportRow, RowRefusedError, number_in
from core.places.model import Street
from core.places.streets import likely_street, official_codes

# China, with room for the error of a map's offset.
LONGITUDES: Final = (73.0, 136.0)
LATITUDES: Final = (3.0, 54.0)


class Streets:
    """The streets by name; the district's own are created when no file named them before."""

    def __init__(self, session: Session) -> None:
        """Read the streets that there are."""
        self._session = session
        self._ids = dict(session.execute(select(Street.name, Street.id)).all())
        self._names = {identity: name for name, identity in self._ids.items()}

    def id_of(self, name: str) -> int:
        """Return the id of a street.

        Raises:
            RowRefusedError: the district has no such street.
        """
        found = self._ids.get(name)
        if found is not None:
            return found
        official = official_codes()
        if name in official:
            return self._create(name, official[name])
        likely = likely_street(name, [*self._ids, *official])
        if likely:
            raise RowRefusedError("street_unknown_like", value=name, likely=likely)
        raise RowRefusedError("street_unknown", value=name)

    def name_of(self, identity: int) -> str:
        """Return the name of a street."""
        return self._names[identity]

    def _create(self, name: str, code: str) -> int:
        street = Street(name=name, code=code)
        self._session.add(street)
        self._session.flush()
        self._ids[name] = street.id
        self._names[street.id] = name
        return street.id


def point_in(row: ImportRow) -> tuple[float | None, float | None]:
    """Return `longitude` and `latitude` of a row in degrees; both None where neither is told.

    Raises:
        RowRefusedError: one of the two, swapped, or nowhere in the country.
    """
    longitude, latitude = number_in(row, "longitude"), number_in(row, "latitude")
    if longitude is None and latitude is None:
        return None, None
    if longitude is None or latitude is None:
        raise RowRefusedError("coordinates_incomplete")
    if _is_in_china(longitude, latitude):
        return longitude, latitude
    code = "coordinates_swapped" if _is_in_china(latitude, longitude) else "coordinates_implausible"
    raise RowRefusedError(code, longitude=longitude, latitude=latitude)


def _is_in_china(longitude: float, latitude: float) -> bool:
    west, east = LONGITUDES
    south, north = LATITUDES
    return west <= longitude <= east and south <= latitude <= north
