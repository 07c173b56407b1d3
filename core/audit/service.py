"""Writing to the audit log."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from core.audit.model import AuditEntry


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
