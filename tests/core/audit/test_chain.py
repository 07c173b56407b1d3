from __future__ import annotations

import threading
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import Session

from core.audit.chain import (
    SETTLED_AFTER,
    BreakKind,
    ChainReport,
    Head,
    find_head,
    seal_entries,
    verify_chain,
)
from core.audit.model import AuditEntry, AuditLink
from core.audit.service import record
from core.db import Database

GUARDED = ["audit_entry", "audit_link"]


def write(database: Database, now: datetime, *, count: int = 1) -> None:
    with database.transaction() as session:
        for number in range(count):
            record(
                session,
                now=now,
                actor="staff:3",
                action="looked",
                subject=f"person:{number}",
                share=0.25,
                why="复核",
            )


def seal(database: Database, now: datetime, *, limit: int = 1000) -> int:
    with database.transaction() as session:
        return seal_entries(session, now=now, limit=limit)


def verify(database: Database, *, noted: Head | None = None) -> ChainReport:
    with database.reading() as session:
        return verify_chain(session, noted=noted)


def tamper(database: Database, *statements: str) -> None:
    """Do what only somebody who owns the database can: change rows behind the triggers."""
    with database.transaction() as session:
        if database.url.get_backend_name() == "postgresql":
            session.execute(text("SET LOCAL session_replication_role = replica"))
        else:
            for table in GUARDED:
                for verb in ("update", "delete"):
                    session.execute(text(f"DROP TRIGGER {table}_{verb}_guard"))
            session.execute(text("PRAGMA defer_foreign_keys = ON"))
        for statement in statements:
            session.execute(text(statement))


def test_committed_entries_are_chained_and_hold(database: Database, now: datetime) -> None:
    write(database, now, count=5)
    assert verify(database).open_count == 5
    assert seal(database, now, limit=3) == 3
    assert seal(database, now, limit=3) == 2
    assert seal(database, now) == 0
    write(database, now)
    report = verify(database)
    assert (report.sealed_count, report.open_count, report.broken) == (5, 1, None)
    with database.reading() as session:
        assert report.head == find_head(session)
        links = session.scalars(select(AuditLink).order_by(AuditLink.position)).all()
    assert [one.position for one in links] == [1, 2, 3, 4, 5]
    assert [one.previous for one in links[1:]] == [one.digest for one in links[:-1]]


def test_empty_log_is_whole(database: Database, now: datetime) -> None:
    assert seal(database, now) == 0
    assert verify(database) == ChainReport(head=None, sealed_count=0, open_count=0, broken=None)


def test_entry_that_commits_late_is_sealed_late_and_breaks_nothing(
    postgres_database: Database, now: datetime
) -> None:
    database = postgres_database
    with Session(database.engine) as late:
        record(late, now=now, actor="staff:1", action="slow", subject="person:1")
        late.flush()  # it has its id, and has not committed
        write(database, now)
        assert seal(database, now) == 1, "nobody waits for the slow one"
        late.commit()
    assert seal(database, now + timedelta(minutes=1)) == 1
    with database.reading() as session:
        ids = session.scalars(select(AuditLink.entry_id).order_by(AuditLink.position)).all()
    assert ids == [2, 1]
    assert verify(database).broken is None


def test_gap_of_a_change_that_was_undone_is_no_break(database: Database, now: datetime) -> None:
    write(database, now)
    with Session(database.engine) as undone:
        record(undone, now=now, actor="staff:1", action="undone", subject="person:1")
        undone.flush()
        undone.rollback()
    write(database, now)
    assert seal(database, now) == 2
    assert verify(database).broken is None


def test_several_sealers_and_writers_at_once_give_one_chain(
    database: Database, now: datetime
) -> None:
    failures: list[Exception] = []

    def run(work: object) -> None:
        try:
            for _ in range(8):
                work()  # type: ignore[operator]
        except Exception as error:  # noqa: BLE001  told below
            failures.append(error)

    works = [lambda: write(database, now, count=3)] * 3 + [lambda: seal(database, now, limit=5)] * 3
    threads = [threading.Thread(target=run, args=[work]) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    while seal(database, now):
        pass
    report = verify(database)
    assert failures == []
    assert (report.sealed_count, report.open_count, report.broken) == (72, 0, None)


def test_old_entries_are_not_looked_through_again(database: Database, now: datetime) -> None:
    write(database, now, count=2)
    assert seal(database, now) == 2
    later = now + SETTLED_AFTER + timedelta(seconds=1)
    write(database, later)
    assert seal(database, later) == 1
    assert verify(database).broken is None


@pytest.mark.parametrize(
    ("statement", "kind", "position"),
    [
        ("UPDATE audit_entry SET actor = 'staff:9' WHERE id = 3", BreakKind.ENTRY_ALTERED, 3),
        ("DELETE FROM audit_entry WHERE id = 3", BreakKind.ENTRY_MISSING, 3),
        ("DELETE FROM audit_link WHERE position = 3", BreakKind.LINK_MISSING, 3),
        (
            "UPDATE audit_link SET previous = digest WHERE position = 4",
            BreakKind.LINK_ALTERED,
            4,
        ),
    ],
    ids=lambda value: value.value if isinstance(value, BreakKind) else None,
)
def test_break_is_named_with_its_place(
    database: Database, now: datetime, statement: str, kind: BreakKind, position: int
) -> None:
    write(database, now, count=5)
    seal(database, now)
    if "DELETE FROM audit_entry" in statement and database.engine.dialect.name == "sqlite":
        # The foreign key stands in the way too: the link goes and comes back without its entry.
        _delete_without_key(database, statement)
    else:
        tamper(database, statement)
    broken = verify(database).broken
    assert broken is not None
    assert (broken.kind, broken.position) == (kind, position)


def _delete_without_key(database: Database, statement: str) -> None:
    with database.engine.connect() as connection:
        raw = connection.connection.dbapi_connection
        assert raw is not None
        raw.execute("PRAGMA foreign_keys = OFF")
        raw.execute("DROP TRIGGER audit_entry_delete_guard")
        raw.execute(statement)
        raw.execute("PRAGMA foreign_keys = ON")


def test_end_that_was_cut_off_is_told_by_a_head_that_was_noted(
    database: Database, now: datetime
) -> None:
    write(database, now, count=5)
    seal(database, now)
    noted = verify(database).head
    assert noted is not None
    tamper(
        database,
        "DELETE FROM audit_link WHERE position > 3",
        "DELETE FROM audit_entry WHERE id > 3",
    )
    assert verify(database).broken is None, "what is left holds together"
    broken = verify(database, noted=noted).broken
    assert broken is not None
    assert (broken.kind, broken.position) == (BreakKind.HEAD_LOST, 5)


def test_head_that_was_noted_stays_part_of_the_chain(database: Database, now: datetime) -> None:
    write(database, now, count=2)
    seal(database, now)
    noted = verify(database).head
    write(database, now)
    seal(database, now)
    assert verify(database, noted=noted).broken is None
    forged = Head(position=2, digest=bytes(32))
    broken = verify(database, noted=forged).broken
    assert broken is not None
    assert broken.kind is BreakKind.HEAD_LOST


def test_entry_that_was_slipped_in_among_old_ones_is_told(
    database: Database, now: datetime
) -> None:
    write(database, now, count=3)
    with database.transaction() as session:
        session.add(
            AuditEntry(id=10, at=now, actor="staff:3", action="looked", subject="x:1", facts={})
        )
    seal(database, now)
    with database.transaction() as session:
        session.add(
            AuditEntry(id=5, at=now, actor="staff:3", action="forged", subject="x:1", facts={})
        )
    later = now + SETTLED_AFTER + timedelta(seconds=1)
    with database.transaction() as session:
        session.add(
            AuditEntry(id=11, at=later, actor="staff:3", action="looked", subject="x:1", facts={})
        )
    seal(database, later)
    broken = verify(database).broken
    assert broken is not None
    assert (broken.kind, broken.entry_id) == (BreakKind.NOT_SEALED, 5)


@pytest.mark.parametrize("table", GUARDED)
@pytest.mark.parametrize("verb", ["UPDATE", "DELETE"])
def test_database_refuses_to_change_what_was_written(
    database: Database, now: datetime, table: str, verb: str
) -> None:
    write(database, now)
    seal(database, now)
    column = "action" if table == "audit_entry" else "entry_id"
    changes = {
        "UPDATE": f"UPDATE {table} SET {column} = {column}",
        "DELETE": f"DELETE FROM {table}",
    }
    with pytest.raises(DatabaseError, match="never changed"), database.transaction() as session:
        session.execute(text(changes[verb]))
    assert verify(database).sealed_count == 1


def test_database_refuses_to_empty_the_log_at_once(
    postgres_database: Database, now: datetime
) -> None:
    write(postgres_database, now)
    with (
        pytest.raises(DatabaseError, match="never changed"),
        postgres_database.transaction() as session,
    ):
        session.execute(text("TRUNCATE audit_entry, audit_link"))


def test_head_is_written_so_that_it_can_be_noted() -> None:
    assert str(Head(position=7, digest=bytes(range(32)))).startswith("7:000102")
