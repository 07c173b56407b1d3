"""The people of a file beside the register: who is new, who moved, whom nobody can place.

The database works it out for all rows at once; `importing` reads them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Final, cast

from sqlalchemy import (
    Boolean,
    Column,
    ColumnElement,
    CursorResult,
    Date,
    Executable,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    String,
    and_,
    case,
    delete,
    exists,
    func,
    insert,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.orm import Session

from core.bulk import Writer, passing_table, refresh_statistics, table_of
from core.db import UtcDateTime
from core.residents.model import HASH_BYTES, Residence, Resident
from core.residents.rules import ALWAYS
from core.residents.service import hashes_of

RESIDENT: Final = table_of(Resident)
RESIDENCE: Final = table_of(Residence)
_R: Final = RESIDENT.c
_H: Final = RESIDENCE.c

STAGED: Final = passing_table(
    "staged_resident",
    Column("line", Integer),
    Column("id_hash", LargeBinary(HASH_BYTES)),
    Column("birth_year", SmallInteger),
    Column("community_id", Integer),
    Column("place", LargeBinary),
    Column("place_hash", LargeBinary(HASH_BYTES)),
    Column("likely_id", Integer),
    Column("likely_street_id", Integer),
    Column("since", Date),
)
# Rows that were refused for another cell: not taken, but not missing in a full file either.
REFUSED: Final = passing_table("refused_resident", Column("id_hash", LargeBinary(HASH_BYTES)))
_BY_PERSON: Final = (
    Index("ix_staged_resident", STAGED.c.id_hash, STAGED.c.line),
    Index("ix_refused_resident", REFUSED.c.id_hash),
)
PLANNED: Final = passing_table(
    "planned_resident",
    Column("resident_id", Integer),
    Column("residence_id", Integer),
    Column("deed", String(8)),
    # Somebody of whom an event told, but no register so far.
    Column("is_new", Boolean),
    Column("birth_year", SmallInteger),
    Column("community_id", Integer),
    Column("place", LargeBinary),
    Column("place_hash", LargeBinary(HASH_BYTES)),
    Column("likely_id", Integer),
    Column("likely_street_id", Integer),
    Column("start", Date),
)
OLDER_KEYS: Final = passing_table(
    "staged_older_key",
    Column("id_hash", LargeBinary(HASH_BYTES)),
    Column("older_hash", LargeBinary(HASH_BYTES)),
)
_S: Final = STAGED.c
_P: Final = PLANNED.c
_PLACE_COLUMNS: Final = ("community_id", "place", "place_hash", "likely_id", "likely_street_id")
# Nobody said where: an event told of them, or a register without a word.
IS_WORDLESS: Final = and_(_H.community_id.is_(None), _H.place_hash.is_(None))


class Deed(StrEnum):
    """What a row does to where somebody lives."""

    OPEN = "open"  # they had no residence
    FILL = "fill"  # the standing one was not known, or wrong from its first day
    MOVE = "move"
    KEEP = "keep"


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What the rows of a file did, counted in people.

    Attributes:
        created_count: new to the register.
        updated_count: who moved, were placed, came back, or have another birth year.
        moved_count: of the updated, those who live elsewhere now.
        born_count: of the updated, those with another birth year.
    """

    created_count: int
    updated_count: int
    moved_count: int
    born_count: int


@dataclass(slots=True)
class PersonKeys:
    """The hashes of the people of a file; who was known by an older key is hashed anew.

    Only a file that names somebody can do that: of the identifier itself nothing is kept.
    """

    session: Session
    _writer: Writer | None = field(init=False)

    def __post_init__(self) -> None:
        self._writer = None

    def hash_of(self, person_key: str) -> bytes:
        """Return the hash by the newest key."""
        newest, *older = hashes_of(person_key)
        if older:
            if self._writer is None:
                self._writer = Writer(self.session, OLDER_KEYS, ("id_hash", "older_hash"))
            for one in older:
                self._writer.add(newest, one)
        return newest

    def renew(self) -> None:
        """Give everybody of the file the hash by the newest key."""
        if self._writer is None:
            return
        self._writer.flush()
        refresh_statistics(self.session, OLDER_KEYS)
        known = _R.id_hash == OLDER_KEYS.c.older_hash
        # Twice in the file is twice here, but it is the same hash.
        self.session.execute(update(RESIDENT).where(known).values(id_hash=OLDER_KEYS.c.id_hash))


def duplicates(session: Session) -> list[tuple[int, int]]:
    """Return the lines of people who stood in an earlier line, with that line; drop them."""
    for index in _BY_PERSON:
        index.create(session.connection())
    refresh_statistics(session, STAGED, REFUSED)
    firsts = (
        select(_S.id_hash, func.min(_S.line).label("first"))
        .group_by(_S.id_hash)
        .having(func.count() > 1)
        .subquery()
    )
    later = and_(_S.id_hash == firsts.c.id_hash, _S.line > firsts.c.first)
    rows = session.execute(
        select(_S.line, firsts.c.first).join(firsts, later).order_by(_S.line)
    ).all()
    if rows:
        lines = select(_S.line).join(firsts, later)
        session.execute(delete(STAGED).where(_S.line.in_(lines.scalar_subquery())))
    return [(line, first) for line, first in rows]


def apply(session: Session, *, today: date, now: datetime) -> Done:
    """Do to the register what the staged rows say; return what that was.

    Args:
        session: where `STAGED` and `PLANNED` are open, and the first one filled.
        today: local day, from which on somebody lives where they moved to, if nothing else is
            said.
        now: aware instant.
    """
    _recall_places(session)
    _plan(session, today=today)
    refresh_statistics(session, PLANNED)
    opened, joined, changed, born, planned_count = _planned_counts(session)
    _change_residents(session, now=now)
    _change_residences(session)
    added = _add_residents(session, now=now)
    refresh_statistics(session, RESIDENCE)
    return Done(
        created_count=added + joined,
        updated_count=planned_count - joined,
        moved_count=changed + opened - joined,
        born_count=born,
    )


def count_known(session: Session) -> int:
    """Return how many people stand in the register, without those of whom nobody says where."""
    return _count_standing(session)


def count_unnamed(session: Session) -> int:
    """Return how many of those the file does not name."""
    return _count_standing(session, _is_unnamed())


def _count_standing(session: Session, *conditions: ColumnElement[bool]) -> int:
    standing = (_H.until_day.is_(None), ~IS_WORDLESS, *conditions)
    return session.scalar(select(func.count()).select_from(RESIDENCE).where(*standing)) or 0


def end_unnamed(session: Session, *, today: date) -> int:
    """End the residences of those whom the file does not name; return how many.

    No register can say of somebody that they have left a place which nobody knows: they stay on
    the work-list.
    """
    return _changed(
        session,
        update(RESIDENCE)
        .where(_H.until_day.is_(None), _H.from_day < today, ~IS_WORDLESS, _is_unnamed())
        .values(until_day=today),
    )


def _is_unnamed() -> ColumnElement[bool]:
    """Return whether no row of the file names the person of a residence."""
    named = (
        select(table.c.id_hash)
        .join(RESIDENT, _R.id_hash == table.c.id_hash)
        .where(_R.id == _H.resident_id)
        .correlate(RESIDENCE)
        for table in (STAGED, REFUSED)
    )
    return and_(*(~exists(one) for one in named))


def lines_unplaced(session: Session) -> list[int]:
    """Return the lines of people who live in the register, but in no known community."""
    return list(
        session.scalars(
            select(_S.line)
            .join(RESIDENT, _R.id_hash == _S.id_hash)
            .join(RESIDENCE, _H.resident_id == _R.id)
            .where(_H.until_day.is_(None), _H.community_id.is_(None))
            .order_by(_S.line)
        )
    )


def _recall_places(session: Session) -> None:
    """Place the words that an officer placed before."""
    placed = RESIDENCE.alias("placed")
    found = (
        select(placed.c.community_id)
        .where(placed.c.place_hash == _S.place_hash, placed.c.community_id.is_not(None))
        .order_by(placed.c.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    session.execute(
        update(STAGED)
        .where(_S.place_hash.is_not(None), _S.community_id.is_(None))
        .values(community_id=found)
    )


def _add_residents(session: Session, *, now: datetime) -> int:
    """Add everybody whom nobody told of before, with their residence; return how many."""
    newest = session.scalar(select(func.max(_R.id))) or 0
    known = exists(select(_R.id).where(_R.id_hash == _S.id_hash))
    # In the order of their hashes: the unique index grows at its end, not everywhere.
    new = (
        select(_S.id_hash, _S.birth_year, literal(now, UtcDateTime))
        .where(~known)
        .order_by(_S.id_hash)
    )
    session.execute(insert(RESIDENT).from_select(["id_hash", "birth_year", "changed_at"], new))
    refresh_statistics(session, RESIDENT)
    live = (
        select(
            _R.id,
            *(_S[name] for name in _PLACE_COLUMNS),
            func.coalesce(_S.since, literal(ALWAYS, Date)),
        )
        .join_from(RESIDENT, STAGED, _R.id_hash == _S.id_hash)
        .where(_R.id > newest)
        .order_by(_R.id)
    )
    return _changed(
        session,
        insert(RESIDENCE).from_select(["resident_id", *_PLACE_COLUMNS, "from_day"], live),
    )


def _changed(session: Session, statement: Executable) -> int:
    """Execute a statement that writes; return how many rows it wrote."""
    kept = statement.execution_options(preserve_rowcount=True)
    return cast("CursorResult[Any]", session.execute(kept)).rowcount


def _plan(session: Session, *, today: date) -> None:
    """Note what every row changes; those that change nothing are left out."""
    last_until = (
        select(func.max(_H.until_day))
        .where(_H.resident_id == _R.id)
        .correlate(RESIDENT)
        .scalar_subquery()
    )
    standing = RESIDENCE.alias("standing")
    deed, start = _deed_of(standing.c, last_until, today=today)
    born = and_(_S.birth_year.is_not(None), _R.birth_year.is_distinct_from(_S.birth_year))
    rows = (
        select(
            _R.id.label("resident_id"),
            standing.c.id.label("residence_id"),
            deed.label("deed"),
            and_(standing.c.id.is_(None), last_until.is_(None)).label("is_new"),
            case((born, _S.birth_year)).label("birth_year"),
            *(_S[name] for name in _PLACE_COLUMNS),
            start.label("start"),
        )
        .join(RESIDENT, _R.id_hash == _S.id_hash)
        .outerjoin(standing, and_(standing.c.resident_id == _R.id, standing.c.until_day.is_(None)))
        .subquery()
    )
    changing = or_(rows.c.deed != Deed.KEEP.value, rows.c.birth_year.is_not(None))
    names = [column.name for column in PLANNED.columns]
    session.execute(
        insert(PLANNED).from_select(
            names, select(*(rows.c[name] for name in names)).where(changing)
        )
    )


def _deed_of(
    standing: Any, last_until: ColumnElement[Any], *, today: date
) -> tuple[ColumnElement[str], ColumnElement[Any]]:
    """Return what a row does to the standing residence, and from which day on."""
    says_nothing = and_(_S.community_id.is_(None), _S.place_hash.is_(None))
    is_same = or_(
        _S.community_id == standing.community_id,
        _S.place_hash == standing.place_hash,
        says_nothing,
    )
    since = func.coalesce(_S.since, literal(today, Date))
    was_unknown = and_(standing.community_id.is_(None), _S.since.is_(None))
    deed = case(
        (standing.id.is_(None), Deed.OPEN.value),
        (is_same, Deed.KEEP.value),
        (or_(was_unknown, since <= standing.from_day), Deed.FILL.value),
        else_=Deed.MOVE.value,
    )
    start = case(
        (standing.id.is_not(None), since),
        (last_until.is_(None), func.coalesce(_S.since, literal(ALWAYS, Date))),
        (since > last_until, since),
        else_=last_until,
    )
    return deed, start


def _change_residents(session: Session, *, now: datetime) -> None:
    session.execute(
        update(RESIDENT)
        .where(_R.id == _P.resident_id)
        .values(
            birth_year=func.coalesce(_P.birth_year, _R.birth_year),
            changed_at=literal(now, UtcDateTime),
        )
    )


def _change_residences(session: Session) -> None:
    stands = _H.id == _P.residence_id
    session.execute(
        update(RESIDENCE).where(stands, _P.deed == Deed.MOVE.value).values(until_day=_P.start)
    )
    session.execute(
        update(RESIDENCE)
        .where(stands, _P.deed == Deed.FILL.value)
        .values({_H[name]: _P[name] for name in _PLACE_COLUMNS})
    )
    begun = (
        select(_P.resident_id, *(_P[name] for name in _PLACE_COLUMNS), _P.start)
        .where(_P.deed.in_([Deed.OPEN.value, Deed.MOVE.value]))
        .order_by(_P.resident_id)
    )
    session.execute(
        insert(RESIDENCE).from_select(["resident_id", *_PLACE_COLUMNS, "from_day"], begun)
    )


def _planned_counts(session: Session) -> tuple[int, int, int, int, int]:
    """Return how many came (back), are new, live elsewhere, have another birth year; and all."""
    conditions = (
        _P.deed == Deed.OPEN.value,
        _P.is_new.is_(True),
        _P.deed.in_([Deed.MOVE.value, Deed.FILL.value]),
        and_(_P.birth_year.is_not(None), _P.is_new.is_(False)),
    )
    sums = [func.coalesce(func.sum(case((one, 1), else_=0)), 0) for one in conditions]
    row = session.execute(select(*sums, func.count()).select_from(PLANNED)).one()
    return row[0], row[1], row[2], row[3], row[4]
