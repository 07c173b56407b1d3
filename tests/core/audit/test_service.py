"""The audit log is written in the transaction of the change."""

from __future__ import annotations

from datetime import datetime

import pytest
from sqlalchemy import select

from core.audit.model import AuditEntry
from core.audit.service import record
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
