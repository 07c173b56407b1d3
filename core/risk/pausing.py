"""The record that real time left raises of a day to people, and reading it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.audit.model import AuditEntry
from core.audit.service import record
from core.clock import day_of
from core.risk.alerting import alert_paused

log = structlog.get_logger()

ACTION: Final = "realtime_held"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """How many communities were left as they are, and the instant of the newest such run."""

    community_count: int
    at: datetime


def note_pause(session: Session, *, community_count: int, now: datetime) -> None:
    """Record that communities are worse than what is shown, and are not shown so."""
    today = day_of(now)
    log.warning("risk_realtime_held", day=str(today), communities=community_count)
    newest = find_pause(session, today=today)
    if newest is None or newest.community_count != community_count:
        record(
            session,
            now=now,
            actor="system:realtime",
            action=ACTION,
            subject=_subject_of(today),
            communities=community_count,
        )
        session.flush()
        alert_paused(session, community_count=community_count, now=now)


def find_pause(session: Session, *, today: date) -> Pause | None:
    """Return what real time left to people today, the newest; None if it did not."""
    row = session.execute(
        select(AuditEntry.at, AuditEntry.facts)
        .where(AuditEntry.action == ACTION, AuditEntry.subject == _subject_of(today))
        .order_by(AuditEntry.id.desc())
        .limit(1)
    ).first()
    return None if row is None else Pause(community_count=int(row.facts["communities"]), at=row.at)


def _subject_of(today: date) -> str:
    return f"risk_publication:{today.isoformat()}"
