"""Use cases of residents: know somebody by a hash, place those whom nobody could place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    LargeBinary,
    bindparam,
    case,
    func,
    select,
    type_coerce,
    update,
)
from sqlalchemy.orm import Session

from core.audit.service import record
from core.db import keyring, upsert
from core.errors import ConflictError, InvalidInputError, NotFoundError
from core.people.staff.rules import Area
from core.places.service import CommunityNotFoundError, Place, current_book
from core.residents.model import PERSON_COLUMN, PLACE_COLUMN, Residence, Resident
from core.residents.rules import ALWAYS, mask_place, person_key_of

REGISTER: Final = "register:residents"
PAGE_SIZE: Final = 20


class ResidenceNotFoundError(NotFoundError):
    """There is no such residence, or it lies outside of one's area."""

    code = "residence_not_found"


class ResidencePlacedError(ConflictError):
    """Somebody placed it meanwhile."""

    code = "residence_placed"


class PersonMissingError(InvalidInputError):
    """Nothing was typed by which a person is told apart."""

    code = "person_missing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Unplaced:
    """People of whom the register wrote the same words, which name no known community.

    Attributes:
        residence_id: by which they are placed, all at once.
        place: the words, without the flat; empty where the register wrote nothing.
        person_count: how many they are; whoever has no words at all is placed alone.
        likely: the community that the words may mean.
    """

    residence_id: int
    place: str
    person_count: int
    likely: Place | None


@dataclass(frozen=True, slots=True, kw_only=True)
class UnplacedPage:
    """One page of the work-list, most people first, those without any words last.

    Attributes:
        rows: of this page.
        number: of this page, from 1; never behind the last.
        page_count: at least 1.
        total: rows of all pages.
        person_count: people of all pages.
    """

    rows: list[Unplaced]
    number: int
    page_count: int
    total: int
    person_count: int


def id_hashes(person_id: str) -> list[bytes]:
    """Return what a person is found by, the one to store first; search with `IN`.

    Args:
        person_id: any stable identifier of the source; of itself nothing is kept.
    """
    return hashes_of(person_key_of(person_id))


def hashes_of(person_key: str) -> list[bytes]:
    """Return what a person is found by, whose identifier has its one spelling already."""
    return keyring().lookup_hashes(person_key, column=PERSON_COLUMN)


def get_or_add_residents(
    session: Session, *, person_ids: Sequence[str], now: datetime
) -> list[int]:
    """Return the ids of some people, in their order; who is not known is added.

    For a handful of people; files go through `core.residents.importing`.

    Raises:
        PersonMissingError: an identifier is empty.
    """
    keys = [person_key_of(one) for one in person_ids]
    if not all(keys):
        raise PersonMissingError
    hashes = [hashes_of(key) for key in keys]
    known = _known_ids(session, hashes)
    new = sorted({ways[0] for ways in hashes if known.keys().isdisjoint(ways)})
    if new:
        statement = upsert(session, Resident, keys=["id_hash"], update=[])
        rows = [{"id_hash": one, "changed_at": now} for one in new]
        session.connection().execute(statement, rows)
        known |= _known_ids(session, hashes)
    return [next(known[way] for way in ways if way in known) for ways in hashes]


def _known_ids(session: Session, hashes: Sequence[Sequence[bytes]]) -> dict[bytes, int]:
    wanted = [way for ways in hashes for way in ways]
    rows = session.execute(
        select(Resident.id_hash, Resident.id).where(Resident.id_hash.in_(wanted))
    )
    return dict(rows.all())


def add_unplaced(session: Session, *, resident_id: int) -> None:
    """Put somebody without a home on the work-list, from the day on which the last home ended."""
    ended = session.scalar(
        select(func.max(Residence.until_day)).where(Residence.resident_id == resident_id)
    )
    session.add(Residence(resident_id=resident_id, from_day=ended or ALWAYS))
    session.flush()


def count_unplaced(session: Session, *, area: Area) -> int:
    """Return how many people of an area live in no known community.

    Args:
        session: may be a reading one.
        area: of duty; of those whom nothing points to any street only the district knows.
    """
    return session.scalar(select(func.count(Residence.id)).where(*_unplaced_in(area))) or 0


def list_unplaced(session: Session, *, area: Area, number: int = 1) -> UnplacedPage:
    """Return one page of the people of an area who live in no known community, by their words.

    Args:
        session: may be a reading one.
        area: of duty, as for `count_unplaced`.
        number: of the page, from 1; a number behind the last page gives the last one.
    """
    groups = (
        select(func.min(Residence.id).label("first"), func.count().label("person_count"))
        .where(*_unplaced_in(area))
        .group_by(
            Residence.place_hash,
            # Who has no words is like nobody else.
            case((Residence.place_hash.is_(None), Residence.id)),
        )
        .subquery()
    )
    total, person_count = session.execute(
        select(func.count(), func.coalesce(func.sum(groups.c.person_count), 0)).select_from(groups)
    ).one()
    page_count = max(-(-total // PAGE_SIZE), 1)
    number = min(max(number, 1), page_count)
    page = (
        select(Residence.id, Residence.place, Residence.likely_id, groups.c.person_count)
        .join(groups, groups.c.first == Residence.id)
        .order_by(
            case((Residence.place_hash.is_(None), 1), else_=0),
            groups.c.person_count.desc(),
            Residence.id,
        )
        .offset((number - 1) * PAGE_SIZE)
        .limit(PAGE_SIZE)
    )
    places = current_book(session).places
    rows = [
        Unplaced(
            residence_id=row.id,
            place=mask_place(row.place or ""),
            person_count=row.person_count,
            likely=None if row.likely_id is None else places.get(row.likely_id),
        )
        for row in session.execute(page)
    ]
    return UnplacedPage(
        rows=rows,
        number=number,
        page_count=page_count,
        total=total,
        person_count=int(person_count),
    )


def place_resident(
    session: Session,
    *,
    residence_id: int,
    community_id: int,
    area: Area,
    staff_id: int,
    now: datetime,
) -> int:
    """Place somebody, and all of whom the register wrote the same words; return how many.

    They live there from the day on from which the register has those words, and the next file
    that has them needs nobody to place them again.

    Raises:
        ResidenceNotFoundError: there is none, or it is outside of the area.
        ResidencePlacedError: somebody placed it meanwhile.
        CommunityNotFoundError: there is none, or it is outside of the area.
    """
    residence = _locked(session, residence_id, area=area)
    place = current_book(session).places.get(community_id)
    if place is None or not area.covers(community_id=place.id, street_id=place.street_id):
        raise CommunityNotFoundError
    same = Residence.id == residence_id
    if residence.place_hash is not None:
        same = Residence.place_hash == residence.place_hash
    unplaced = _unplaced_in(Area())
    count = session.scalar(select(func.count(Residence.id)).where(same, *unplaced)) or 0
    session.connection().execute(
        update(Residence).where(same, *unplaced).values(community_id=community_id)
    )
    session.expire(residence)
    record(
        session,
        now=now,
        actor=f"staff:{staff_id}",
        action="resident_placed",
        subject=f"residence:{residence_id}",
        community_id=community_id,
    )
    return count


def _locked(session: Session, residence_id: int, *, area: Area) -> Residence:
    """Return a standing residence of an area that nobody placed yet, locked."""
    statement = select(Residence).where(Residence.id == residence_id, Residence.until_day.is_(None))
    residence = session.scalar(
        statement.with_for_update().execution_options(populate_existing=True)
    )
    if residence is None:
        raise ResidenceNotFoundError
    is_ours = session.scalar(
        select(Residence.id).where(Residence.id == residence_id, *_pointing_to(area))
    )
    if is_ours is None:
        raise ResidenceNotFoundError
    if residence.community_id is not None:
        raise ResidencePlacedError
    return residence


def _unplaced_in(area: Area) -> list[ColumnElement[bool]]:
    return [
        Residence.community_id.is_(None),
        Residence.until_day.is_(None),
        *_pointing_to(area),
    ]


def _pointing_to(area: Area) -> list[ColumnElement[bool]]:
    if area.community_ids is not None:
        return [Residence.likely_id.in_(sorted(area.community_ids))]
    return [] if area.street_id is None else [Residence.likely_street_id == area.street_id]


def reseal_places(session: Session) -> int:
    """Encrypt and hash anew the words that an older key of the ring sealed; return how many.

    People themselves are hashed anew by the next file that names them: see docs/operations.md.
    """
    ring = keyring()
    sealed = session.execute(
        select(Residence.id, type_coerce(Residence.place, LargeBinary)).where(
            Residence.place_hash.is_not(None)
        )
    )
    rows: list[dict[str, Any]] = []
    for identity, place in sealed:
        if not ring.is_current(place):
            words = ring.decrypt(place, column=PLACE_COLUMN)
            rows.append({"known_id": identity, "words": words, "hash": place_hash_of(words)})
    if rows:
        session.connection().execute(
            update(Residence)
            .where(Residence.id == bindparam("known_id"))
            .values(place=bindparam("words"), place_hash=bindparam("hash")),
            rows,
        )
    return len(rows)


def place_hash_of(place: str) -> bytes:
    """Return the hash by which the words of a register are found again."""
    return keyring().lookup_hashes(place, column=PLACE_COLUMN)[0]
