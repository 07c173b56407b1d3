"""The audit log, for administrators and auditors."""

from __future__ import annotations

from typing import Final

from core.audit.chain import find_head
from core.audit.service import AuditQuery, list_entries
from core.people.staff.rules import Role
from handlers.access import Access, access
from handlers.console.fields import day_field, number_field, period_of, text_field
from handlers.console.visit import Answer, Page, Visit

AUDITED_BY: Final = (Role.ADMINISTRATOR, Role.AUDITOR)


@access(Access.STAFF, *AUDITED_BY)
def audit(visit: Visit) -> Answer:
    """List entries by period, actor, action and subject, the newest first."""
    session = visit.reading()
    first, last = day_field(visit.query, "from"), day_field(visit.query, "to")
    since, until = period_of(first, last)
    query = AuditQuery(
        since=since,
        until=until,
        actor=text_field(visit.query, "actor"),
        action=text_field(visit.query, "action"),
        subject=text_field(visit.query, "subject"),
    )
    older_than = number_field(visit.query, "older")
    page = list_entries(session, query=query, older_than=older_than)
    kept = {
        "from": first.isoformat() if first else "",
        "to": last.isoformat() if last else "",
        "actor": query.actor,
        "action": query.action,
        "subject": query.subject,
    }
    return Page(
        template="audit",
        values={
            "page": page,
            "kept": {name: value for name, value in kept.items() if value},
            "is_first": older_than is None,
            "is_reversed": bool(first and last and first > last),
            "head": find_head(session),
        },
    )
