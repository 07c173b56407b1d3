"""Use cases of places: find the community that is meant, the nearest ones, a street."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from secrets import randbits
from typing import Final

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from core.db import upsert
from core.errors import NotFoundError
from core.places.matching import Finding, PlaceIndex, PlaceName
from core.places.model import Community, CommunityAlias, PlaceRevision, Street

MAX_BOOKS = 8
REVISION_BITS = 62
NEARBY_M = 1500.0


class CommunityNotFoundError(NotFoundError):
    """There is no community with this code."""

    code = "community_not_found"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A community as conversations need it.

    Attributes:
        id: of the row.
        code: in the district's register.
        name: as registered.
        street: name of its street or town.
        street_id: of the row.
    """

    id: int
    code: str
    name: str
    street: str
    street_id: int


@dataclass(frozen=True, slots=True)
class PlaceBook:
    """The register of communities at one revision, indexed for look-ups without the database."""

    revision: int
    index: PlaceIndex
    places: Mapping[int, Place]
    by_code: Mapping[str, Place]


_REVISION: Final = select(PlaceRevision.__table__.c.number)
REVISION: Final = _REVISION.scalar_subquery()
"""For a statement that checks, beside what it reads, whether `last_book` is the current one."""
# Reference data that is read on every message. The revision is checked against the database each
# time, so an import by another process is seen by the next message.
_books: dict[str, PlaceBook] = {}
_building = threading.Lock()


def current_book(session: Session) -> PlaceBook:
    """Return the indexed register, built anew when the database has a later revision."""
    connection = session.connection()
    revision = connection.execute(_REVISION).scalar() or 0
    url = _url_of(connection.engine)
    book = _books.get(url)
    if book is None or book.revision != revision:
        with _building:
            book = _books.get(url)
            if book is None or book.revision != revision:
                book = _build(session, revision)
                while len(_books) >= MAX_BOOKS:
                    _books.pop(next(iter(_books)))
                _books[url] = book
    return book


def last_book(session: Session) -> PlaceBook | None:
    """Return the register as this process read it last, without asking the database.

    It may be out of date: what it leads to holds only if its revision is still `REVISION`.
    """
    return _books.get(_url_of(session.connection().engine))


@lru_cache(maxsize=MAX_BOOKS)
def _url_of(engine: Engine) -> str:
    # Spelling or hashing an address takes longer than the statement that goes before.
    return engine.url.render_as_string(hide_password=False)


def _build(session: Session, revision: int) -> PlaceBook:
    aliases: dict[int, list[str]] = {}
    for community_id, name in session.execute(
        select(CommunityAlias.community_id, CommunityAlias.name).order_by(CommunityAlias.id)
    ):
        aliases.setdefault(community_id, []).append(name)
    names, places = [], {}
    rows = session.execute(
        select(
            Community.id,
            Community.code,
            Community.name,
            Street.name,
            Street.id,
            Community.longitude,
            Community.latitude,
            Community.address,
        )
        .join(Street, Street.id == Community.street_id)
        .order_by(Community.id)
    )
    for identity, code, name, street, street_id, longitude, latitude, address in rows:
        places[identity] = Place(
            id=identity, code=code, name=name, street=street, street_id=street_id
        )
        names.append(
            PlaceName(
                community_id=identity,
                name=name,
                street=street,
                aliases=tuple(aliases.get(identity, ())),
                longitude=longitude,
                latitude=latitude,
                code=code,
                address=address,
            )
        )
    return PlaceBook(
        revision=revision,
        index=PlaceIndex.build(names),
        places=places,
        by_code={place.code: place for place in places.values()},
    )


def find_places(session: Session, *, text: str) -> tuple[Finding, PlaceBook]:
    """Return which communities a text means, and the register that the ids refer to."""
    book = current_book(session)
    return book.index.find(text), book


def get_place(session: Session, *, code: str) -> Place:
    """Return the community with this code.

    Raises:
        CommunityNotFoundError: there is none.
    """
    place = current_book(session).by_code.get(code)
    if place is None:
        raise CommunityNotFoundError(community_code=code[:32])
    return place


def list_nearest(
    session: Session, *, longitude: float, latitude: float, limit: int = 5
) -> list[tuple[Place, float]]:
    """Return the nearest communities with their distance in metres, nearest first.

    Args:
        session: may be a reading one.
        longitude: degrees, GCJ-02.
        latitude: degrees, GCJ-02.
        limit: how many at most; farther than 1,500 m is not near.
    """
    book = current_book(session)
    found = book.index.nearest(longitude, latitude, limit=limit, within_m=NEARBY_M)
    return [(book.places[identity], distance_m) for identity, distance_m in found]


def find_street(session: Session, *, code: str) -> Street | None:
    """Return the street or town with this administrative code."""
    return session.scalar(select(Street).where(Street.code == code))


def list_streets(session: Session) -> list[Street]:
    """Return all streets and towns by code."""
    return list(session.scalars(select(Street).order_by(Street.code)))


def list_places(session: Session) -> list[Place]:
    """Return all communities by code."""
    return sorted(current_book(session).places.values(), key=lambda place: place.code)


def mark_changed(session: Session) -> None:
    """Give the register a new revision, so that every process reads it again."""
    statement = upsert(session, PlaceRevision, keys=["id"], update=["number"])
    session.execute(statement.values(id=1, number=randbits(REVISION_BITS)))
