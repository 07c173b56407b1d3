"""Use cases of exports: number one, put it on record, list what was exported."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.audit.model import AuditEntry
from core.audit.service import record
from core.clock import day_of
from core.exports.rules import ALPHABET, ExportKind, Masking, export_number_for

ACTION: Final = "exported"
DRAWN_CHARACTERS: Final = 6
LISTED: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportCard:
    """An export that was made."""

    number: str
    at: datetime
    actor: str
    kind: ExportKind
    masking: Masking
    row_count: int
    reason: str


def new_number(*, now: datetime) -> str:
    """Return the number of a new export, which stands in its watermark and on record."""
    drawn = "".join(secrets.choice(ALPHABET) for _ in range(DRAWN_CHARACTERS))
    return export_number_for(day_of(now), drawn=drawn)


def record_export(
    session: Session,
    *,
    number: str,
    kind: ExportKind,
    masking: Masking,
    reason: str,
    row_count: int,
    chosen: str,
    actor: str,
    now: datetime,
) -> None:
    """Put an export on record; nothing is handed out before this has been committed.

    Args:
        session: the session of the request.
        number: from `new_number`.
        kind: of what.
        masking: whether names and numbers of people are whole.
        reason: as `export_reason_of` returns it.
        row_count: rows of the file.
        chosen: by which filter, as the address of the list has it; no personal data.
        actor: who gets it.
        now: aware instant.
    """
    record(
        session,
        now=now,
        actor=actor,
        action=ACTION,
        subject=f"export:{number}",
        kind=kind.value,
        masking=masking.value,
        reason=reason,
        row_count=row_count,
        chosen=chosen,
    )


def list_exports(session: Session, *, actor: str = "", limit: int = LISTED) -> list[ExportCard]:
    """Return the newest exports, of everybody or of one person, the newest first.

    Args:
        session: may be a reading one.
        actor: `staff:3`; empty: everybody's.
        limit: exports at most.
    """
    statement = select(AuditEntry).where(AuditEntry.action == ACTION)
    if actor:
        statement = statement.where(AuditEntry.actor == actor)
    entries = session.scalars(statement.order_by(AuditEntry.id.desc()).limit(limit))
    return [_card_of(entry) for entry in entries]


def _card_of(entry: AuditEntry) -> ExportCard:
    return ExportCard(
        number=entry.subject.partition(":")[2],
        at=entry.at,
        actor=entry.actor,
        kind=ExportKind(entry.facts["kind"]),
        masking=Masking(entry.facts["masking"]),
        row_count=entry.facts["row_count"],
        reason=entry.facts["reason"],
    )
