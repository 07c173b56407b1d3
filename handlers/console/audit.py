"""The audit log, for administrators and auditors; that they look at it is part of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from core.audit.chain import find_head
from core.audit.service import AuditQuery, list_entries, record_once
from core.codes.rules import subject_of
from core.people.staff.rules import Role
from core.registry.searching import search_companies
from handlers.access import Access, access
from handlers.console.visit import Visit
from handlers.forms import day_field, number_field, period_of, text_field
from handlers.page import Answer, Page

AUDITED_BY: Final = (Role.ADMINISTRATOR, Role.AUDITOR)
# Turning pages and changing filters for a while is one look.
ONE_LOOK: Final = timedelta(hours=1)


@access(Access.STAFF, *AUDITED_BY)
def audit(visit: Visit) -> Answer:
    """List entries by period, actor, action, subject and company, the newest first."""
    session = visit.reading()
    first, last = day_field(visit.query, "from"), day_field(visit.query, "to")
    since, until = period_of(first, last)
    company = text_field(visit.query, "company")
    companies = search_companies(session, text=company)
    query = AuditQuery(
        since=since,
        until=until,
        actor=text_field(visit.query, "actor"),
        action=text_field(visit.query, "action"),
        subject=text_field(visit.query, "subject"),
        subjects=[subject_of(one.id) for one in companies] if company else None,
    )
    older_than = number_field(visit.query, "older")
    page = list_entries(session, query=query, older_than=older_than)
    kept = {
        "from": first.isoformat() if first else "",
        "to": last.isoformat() if last else "",
        "actor": query.actor,
        "action": query.action,
        "subject": query.subject,
        "company": company,
    }
    record_once(
        visit.writing(),
        now=visit.now,
        actor=f"staff:{visit.staff.staff_id}",
        action="audit_seen",
        subject="audit:0",
        within=ONE_LOOK,
    )
    return Page(
        template="audit",
        values={
            "page": page,
            "kept": {name: value for name, value in kept.items() if value},
            "is_first": older_than is None,
            "is_reversed": bool(first and last and first > last),
            "head": find_head(session),
            "companies": {subject_of(one.id): one.name for one in companies},
        },
    )
