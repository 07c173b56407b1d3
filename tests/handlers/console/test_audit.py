from __future__ import annotations

from datetime import UTC, datetime, timedelta

import time_machine
from sqlalchemy import select

from core.audit.model import AuditEntry
from core.people.staff.rules import Role
from tests.console import COMPANIES, District
from tests.handlers.console.conftest import Enter


def test_looking_at_the_record_is_on_record_once_an_hour(
    come_in: Enter, district: District
) -> None:
    def seen() -> list[str]:
        with district.database.transaction() as session:
            rows = session.scalars(select(AuditEntry).where(AuditEntry.action == "audit_seen"))
            return [entry.actor for entry in rows]

    client, other = come_in(Role.AUDITOR), come_in(Role.ADMINISTRATOR, name="li")
    for path in ("", "?older=50", "?action=signed_in"):
        client.get(f"/console/audit{path}")
    assert seen() == ["staff:1"]
    other.get("/console/audit")
    assert seen() == ["staff:1", "staff:2"]
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=29), tick=False):
        client.get("/console/")
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=58), tick=False):
        client.get("/console/audit")
        assert len(seen()) == 2
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=61), tick=False):
        client.get("/console/audit")
    assert seen() == ["staff:1", "staff:2", "staff:1"]


def test_entries_of_a_company_are_found_by_name_and_by_code(
    come_in: Enter, district: District
) -> None:
    client = come_in(Role.AUDITOR)
    address = "/console/audit?company=甲子"
    rows = client.get(address).text.split("<tbody>")[1]
    assert "提交备案" in rows
    assert COMPANIES[0] in rows
    assert COMPANIES[1] not in rows
    assert "提交登记" not in rows
    subject = f"subject=company:{district.companies[0]}"
    linked = client.get(f"/console/audit?{subject}").text.split("<tbody>")[1]
    assert linked.count("<tr>") == rows.count("<tr>")
    nothing = client.get("/console/audit?company=火星<b>")
    assert "没有符合条件的记录" in nothing.text
    assert 'value="火星&lt;b&gt;"' in nothing.text


def test_every_action_that_is_recorded_here_has_a_name(come_in: Enter, district: District) -> None:
    auditor = come_in(Role.AUDITOR)
    reviewer = come_in(Role.DISTRICT_REVIEWER, name="li")
    for path in (
        "audit",
        "registrations",
        f"registrations/{district.registrations['李四']}",
        f"filings/{district.filings[0]}",
    ):
        (auditor if path == "audit" else reviewer).get(f"/console/{path}")
    page = auditor.get("/console/audit").text
    with district.database.transaction() as session:
        actions = set(session.scalars(select(AuditEntry.action)))
    assert {"audit_seen", "registrations_listed", "registration_seen", "filing_opened"} <= actions
    listed = page.split("<tbody>")[1]
    assert not [action for action in actions if f">{action}<" in listed]
