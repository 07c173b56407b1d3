"""Chaining the audit log by hash, and finding where the chain breaks.

Entries are written without a digest, in the transaction of their change, and wait for nobody. A
short step seals what has committed: position by position, in the order of ids as far as known.
An id whose transaction commits late is sealed late, at a later position; an id that was rolled
back is a gap in the ids, never in the positions.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Row, exists, func, select
from sqlalchemy.orm import Session

from core.audit.model import AuditEntry, AuditLink
from core.audit.rules import ORIGIN, digest_of
from core.db import take_turn

SEAL_LIMIT: Final = 1000
READ_LIMIT: Final = 1000
# No transaction lasts as long: older entries that are not sealed were put there by another way.
SETTLED_AFTER: Final = timedelta(hours=1)
# Any number that no other queue of the application has.
_SEALING: Final = 0x4855495A4C

_ENTRY: Final = (
    AuditEntry.id,
    AuditEntry.at,
    AuditEntry.actor,
    AuditEntry.action,
    AuditEntry.subject,
    AuditEntry.facts,
)


class BreakKind(StrEnum):
    """How a chain can be broken."""

    LINK_MISSING = "link_missing"  # a position is not there
    LINK_ALTERED = "link_altered"  # it does not continue the one before
    ENTRY_MISSING = "entry_missing"  # the entry of a link was deleted
    ENTRY_ALTERED = "entry_altered"  # the entry is not what was sealed
    NOT_SEALED = "not_sealed"  # an entry is older than an hour before the newest link, without one
    HEAD_LOST = "head_lost"  # a head that was noted before is not part of the chain


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The newest link; whoever notes it elsewhere can tell later whether the end was cut off."""

    position: int
    digest: bytes

    def __str__(self) -> str:
        return f"{self.position}:{self.digest.hex()}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Break:
    """Where the chain breaks first.

    Attributes:
        kind: how.
        position: of the link; 0 where there is none.
        entry_id: of the entry; 0 where it is not known.
    """

    kind: BreakKind
    position: int = 0
    entry_id: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainReport:
    """What verifying found.

    Attributes:
        head: the newest link; None where nothing is sealed.
        sealed_count: links that hold.
        open_count: entries that wait to be sealed.
        broken: where the chain breaks first; None if it holds.
    """

    head: Head | None
    sealed_count: int
    open_count: int
    broken: Break | None


def find_head(session: Session) -> Head | None:
    """Return the newest link, None where nothing is sealed."""
    statement = select(AuditLink.position, AuditLink.digest)
    row = session.execute(statement.order_by(AuditLink.position.desc()).limit(1)).one_or_none()
    return None if row is None else Head(position=row.position, digest=row.digest)


def seal_entries(session: Session, *, now: datetime, limit: int = SEAL_LIMIT) -> int:
    """Add the entries that have committed to the chain and return how many.

    Several at once take turns; writers of entries are not waited for and do not wait.

    Args:
        session: the session of the step.
        now: aware instant.
        limit: entries at most, so that the step stays short.
    """
    take_turn(session, number=_SEALING)
    head = find_head(session)
    position, previous = (head.position, head.digest) if head else (0, ORIGIN)
    for row in _open_entries(session, now=now, limit=limit):
        position += 1
        digest = _digest_of(previous, position, row)
        session.add(
            AuditLink(
                position=position,
                entry_id=row.id,
                previous=previous,
                digest=digest,
                sealed_at=now,
            )
        )
        previous = digest
    session.flush()
    return position - (head.position if head else 0)


def _open_entries(session: Session, *, now: datetime, limit: int) -> Sequence[Row[Any]]:
    is_sealed = exists().where(AuditLink.entry_id == AuditEntry.id)
    statement = (
        select(*_ENTRY)
        .where(AuditEntry.id > _settled_id(session, before=now - SETTLED_AFTER), ~is_sealed)
        .order_by(AuditEntry.id)
        .limit(limit)
    )
    return session.execute(statement).all()


def _settled_id(session: Session, *, before: datetime) -> int:
    """Return an id up to which every entry that was to commit has committed and was sealed."""
    statement = select(AuditLink.entry_id).where(AuditLink.sealed_at < before)
    return session.scalar(statement.order_by(AuditLink.position.desc()).limit(1)) or 0


def _digest_of(previous: bytes, position: int, row: Row[Any]) -> bytes:
    return digest_of(
        previous,
        position=position,
        entry_id=row.id,
        at=row.at,
        actor=row.actor,
        action=row.action,
        subject=row.subject,
        facts=row.facts,
    )


def verify_chain(session: Session, *, noted: Head | None = None) -> ChainReport:
    """Read the whole chain and return where it breaks first, if it does.

    Args:
        session: may be a reading one.
        noted: a head that was noted before; it must still be part of the chain.
    """
    position, previous, broken = 0, ORIGIN, None
    digests: Mapping[int, bytes] = {}
    for row in _links(session):
        broken = _break_at(row, after=position, previous=previous)
        if broken is not None:
            break
        position, previous = row.position, row.digest
        if noted is not None and position == noted.position:
            digests = {position: previous}
    if broken is None and noted is not None and digests.get(noted.position) != noted.digest:
        broken = Break(kind=BreakKind.HEAD_LOST, position=noted.position)
    lost = _find_unsealed(session)
    if broken is None and lost is not None:
        broken = Break(kind=BreakKind.NOT_SEALED, entry_id=lost)
    return ChainReport(
        head=Head(position=position, digest=previous) if position else None,
        sealed_count=position,
        open_count=_count_open(session),
        broken=broken,
    )


def _links(session: Session) -> Iterator[Row[Any]]:
    """Yield all links in order, each with its entry, in portions."""
    last = 0
    statement = (
        select(
            AuditLink.position,
            AuditLink.entry_id,
            AuditLink.previous,
            AuditLink.digest,
            *_ENTRY,
        )
        .outerjoin(AuditEntry, AuditEntry.id == AuditLink.entry_id)
        .order_by(AuditLink.position)
        .limit(READ_LIMIT)
    )
    while rows := session.execute(statement.where(AuditLink.position > last)).all():
        yield from rows
        last = rows[-1].position


def _break_at(row: Row[Any], *, after: int, previous: bytes) -> Break | None:
    if row.position != after + 1:
        return Break(kind=BreakKind.LINK_MISSING, position=after + 1)
    kind = None
    if row.previous != previous:
        kind = BreakKind.LINK_ALTERED
    elif row.id is None:
        kind = BreakKind.ENTRY_MISSING
    elif _digest_of(previous, row.position, row) != row.digest:
        kind = BreakKind.ENTRY_ALTERED
    if kind is None:
        return None
    return Break(kind=kind, position=row.position, entry_id=row.entry_id)


def _unsealed() -> Any:
    return ~exists().where(AuditLink.entry_id == AuditEntry.id)


def _count_open(session: Session) -> int:
    return session.scalar(select(func.count()).select_from(AuditEntry).where(_unsealed())) or 0


def _find_unsealed(session: Session) -> int | None:
    """Return an entry that should have been sealed long ago."""
    newest = session.scalar(select(func.max(AuditLink.sealed_at)))
    if newest is None:
        return None
    settled = _settled_id(session, before=newest - SETTLED_AFTER)
    statement = select(AuditEntry.id).where(_unsealed(), AuditEntry.id <= settled)
    return session.scalar(statement.order_by(AuditEntry.id).limit(1))
