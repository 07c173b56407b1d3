"""The audit log is written in the transaction of the change."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.audit.model import AuditEntry
from core.audit.service import AuditQuery, list_entries, record, record_once
from core.db import Database


def test_an_entry_is_kept_with_its_change(database: Database, now: datetime) -> None:
    with database.transaction() as session:
        record(session, now=now, actor="staff:3", action="looked", subject="person:7", rows=2)

    with database.reading() as session:
        entry = session.scalars(select(AuditEntry)).one()
    assert (entry.at, entry.actor, entry.facts) == (now, "staff:3", {"rows": 2})


def test_an_entry_goes_with_a_change_that_fails(database: Database, now: datetime) -> None:
    def look_and_fail() -> None:
        with database.transaction() as session:
            record(session, now=now, actor="staff:3", action="looked", subject="person:7")
            raise LookupError

    with pytest.raises(LookupError):
        look_and_fail()

    with database.reading() as session:
        assert session.scalars(select(AuditEntry)).all() == []


# --- reading ------------------------------------------------------------------------------------


def _fill(session: Session, now: datetime) -> None:
    rows = [
        ("staff:1", "signed_in", "staff:1", 0),
        ("staff:12", "looked", "person:7", 1),
        ("person:7", "left", "person:7", 2),
        ("staff:1", "looked", "person:71", 3),
    ]
    for actor, action, subject, hours in rows:
        record(
            session,
            now=now + timedelta(hours=hours),
            actor=actor,
            action=action,
            subject=subject,
        )
    session.flush()


@pytest.mark.parametrize(
    ("values", "found"),
    [
        ({}, [4, 3, 2, 1]),
        ({"actor": "staff:1"}, [4, 1]),
        ({"actor": "staff"}, [4, 2, 1]),
        ({"actor": "st"}, []),
        ({"actor": "%"}, []),
        ({"action": "looked"}, [4, 2]),
        ({"subject": "person:7"}, [3, 2]),
        ({"subject": "person", "actor": "staff"}, [4, 2]),
    ],
    ids=str,
)
def test_entries_are_found_the_newest_first(
    session: Session, now: datetime, values: dict[str, str], found: list[int]
) -> None:
    _fill(session, now)
    page = list_entries(session, query=AuditQuery(**values))  # type: ignore[arg-type]
    first = min(one.id for one in list_entries(session, query=AuditQuery()).entries)
    assert [one.id - first + 1 for one in page.entries] == found
    assert page.older_than is None


def test_period_holds_its_beginning_and_not_its_end(session: Session, now: datetime) -> None:
    _fill(session, now)
    query = AuditQuery(since=now + timedelta(hours=1), until=now + timedelta(hours=3))
    page = list_entries(session, query=query)
    assert [one.action for one in page.entries] == ["left", "looked"]


def test_pages_follow_each_other_without_gap_or_repetition(session: Session, now: datetime) -> None:
    _fill(session, now)
    seen, older_than = [], None
    for _ in range(2):
        page = list_entries(session, query=AuditQuery(), older_than=older_than, limit=2)
        seen += [one.action for one in page.entries]
        older_than = page.older_than
    assert seen == ["looked", "left", "looked", "signed_in"]
    assert older_than is None


def test_look_that_goes_on_is_recorded_once(session: Session, now: datetime) -> None:
    hour = timedelta(hours=1)

    def look(minutes: int, actor: str = "staff:1") -> bool:
        return record_once(
            session,
            now=now + timedelta(minutes=minutes),
            actor=actor,
            action="audit_seen",
            subject="audit:0",
            within=hour,
        )

    assert [look(0), look(5), look(59), look(60), look(61)] == [True, False, False, True, False]
    assert look(61, actor="staff:2")
    session.flush()
    page = list_entries(session, query=AuditQuery(action="audit_seen"))
    assert [entry.actor for entry in page.entries] == ["staff:2", "staff:1", "staff:1"]


def test_entries_of_some_subjects_are_found(session: Session, now: datetime) -> None:
    for number in range(3):
        record(session, now=now, actor="staff:1", action="x", subject=f"company:{number}")
    session.flush()

    def subjects(wanted: list[str] | None) -> list[str]:
        page = list_entries(session, query=AuditQuery(action="x", subjects=wanted))
        return [entry.subject for entry in page.entries]

    assert subjects(["company:0", "company:2"]) == ["company:2", "company:0"]
    assert subjects([]) == []
    assert len(subjects(None)) == 3
