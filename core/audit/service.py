"""Writing to the audit log, and reading it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.audit.model import AuditEntry
from core.bulk import Writer, table_of

PAGE_SIZE: Final = 50


def record(
    session: Session,
    *,
    now: datetime,
    actor: str,
    action: str,
    subject: str,
    **facts: str | float | bool | None,
) -> None:
    """Add one entry, in the transaction of the change that it tells of.

    Args:
        session: the session of the change.
        now: aware instant of the change.
        actor: `person:7`, `staff:3`, `system:nightly`, `operator:import`.
        action: a verb of the domain, for example `community_bound`.
        subject: what was changed, for example `person:7`.
        **facts: small values that explain it; never personal data.
    """
    session.add(AuditEntry(at=now, actor=actor, action=action, subject=subject, facts=facts))


def record_all(
    session: Session,
    *,
    now: datetime,
    actor: str,
    action: str,
    facts_by_subject: Mapping[str, Mapping[str, Any]],
) -> None:
    """Add one entry for each of many subjects, as `record` does for one.

    Args:
        session: the session of the change.
        now: aware instant of the change.
        actor: who did it.
        action: a verb of the domain.
        facts_by_subject: small values that explain it; never personal data.
    """
    # What came before is to stand before.
    session.flush()
    writer = Writer(session, table_of(AuditEntry), ("at", "actor", "action", "subject", "facts"))
    for subject, facts in facts_by_subject.items():
        writer.add(now, actor, action, subject, dict(facts))
    writer.flush()


def record_once(
    session: Session, *, now: datetime, actor: str, action: str, subject: str, within: timedelta
) -> bool:
    """Add an entry, unless the same one was added a short while ago; return whether it was.

    For looks that go on for a while, as turning the pages of a list.

    Args:
        session: the session of the request.
        now: aware instant.
        actor: who looks.
        action: what they do.
        subject: at what.
        within: how long one entry stands for what follows.
    """
    newest = (
        select(AuditEntry.id)
        .where(
            AuditEntry.actor == actor,
            AuditEntry.action == action,
            AuditEntry.subject == subject,
            AuditEntry.at > now - within,
        )
        .limit(1)
    )
    if session.execute(newest).first() is not None:
        return False
    record(session, now=now, actor=actor, action=action, subject=subject)
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditQuery:
    """What entries to list.

    Attributes:
        since: aware instant; entries from it on.
        until: aware instant; entries before it.
        actor: exactly, or the kind alone: `staff`.
        action: exactly.
        subject: exactly, or the kind alone.
        subjects: one of these, exactly; None: any.
    """

    since: datetime | None = None
    until: datetime | None = None
    actor: str = ""
    action: str = ""
    subject: str = ""
    subjects: Collection[str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditPage:
    """Entries, the newest first, and where the next page begins; None where there is none."""

    entries: list[AuditEntry]
    older_than: int | None


def list_entries(
    session: Session, *, query: AuditQuery, older_than: int | None = None, limit: int = PAGE_SIZE
) -> AuditPage:
    """Return one page of the entries that a query asks for, by id, the newest first.

    Args:
        session: may be a reading one.
        query: what to list.
        older_than: `AuditPage.older_than` of the page before; None: the first page.
        limit: entries at most.
    """
    statement = select(AuditEntry).order_by(AuditEntry.id.desc()).limit(limit + 1)
    if query.since is not None:
        statement = statement.where(AuditEntry.at >= query.since)
    if query.until is not None:
        statement = statement.where(AuditEntry.at < query.until)
    if query.action:
        statement = statement.where(AuditEntry.action == query.action)
    for column, wanted in ((AuditEntry.actor, query.actor), (AuditEntry.subject, query.subject)):
        if wanted:
            is_kind = ":" not in wanted
            statement = statement.where(
                column.startswith(f"{wanted}:", autoescape=True) if is_kind else column == wanted
            )
    if query.subjects is not None:
        statement = statement.where(AuditEntry.subject.in_(query.subjects))
    if older_than is not None:
        statement = statement.where(AuditEntry.id < older_than)
    entries = list(session.scalars(statement))
    has_more = len(entries) > limit
    return AuditPage(
        entries=entries[:limit], older_than=entries[limit - 1].id if has_more else None
    )
