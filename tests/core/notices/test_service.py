from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from core.db import Database
from core.notices import service
from core.notices.model import Notice
from core.notices.rules import NoticeState
from tests.core.notices import outbox


def test_same_key_twice_is_one_notice_with_the_first_values(
    database: Database, now: datetime
) -> None:
    outbox.queue(database, now, "k", "k")
    outbox.queue(database, now + timedelta(hours=1), "k")
    with database.reading() as session:
        rows = session.scalars(select(Notice)).all()
    assert [(row.key, row.created_at) for row in rows] == [("k", now)]


def test_notice_of_a_change_that_rolls_back_does_not_exist(
    database: Database, now: datetime
) -> None:
    with Session(database.engine) as session:
        service.queue_notice(session, now=now, kind="x", openid="o", key="k", values={})
        session.rollback()
    assert outbox.claim(database, now) == []


def test_nothing_to_queue_queues_nothing(session: Session, now: datetime) -> None:
    service.queue_notices(session, now=now, drafts=[])
    assert session.scalars(select(Notice)).all() == []


def test_body_is_encrypted_in_the_table(database: Database, now: datetime) -> None:
    with database.transaction() as session:
        service.queue_notice(
            session, now=now, kind="late_reply", openid="o", key="k", values={}, body="王小明"
        )
        raw = session.execute(text("SELECT body FROM notice")).scalar_one()
        stored = session.scalars(select(Notice.body)).one()
    assert "王小明".encode() not in bytes(raw)
    assert stored == "王小明"


def test_outbox_status_counts_depth_and_age(database: Database, now: datetime) -> None:
    outbox.queue(database, now - timedelta(minutes=4), "old")
    outbox.queue(database, now, "new")
    (notice_id,) = outbox.claim(database, now - timedelta(minutes=4), limit=1)
    with database.reading() as session:
        status = service.get_outbox_status(session, now=now)
    assert status.counts[NoticeState.LEASED] == 1
    assert (status.due_count, status.oldest_due_seconds) == (2, 120.0)
    outbox.begin(database, now, notice_id)
    outbox.sent(database, now, notice_id)
    with database.reading() as session:
        status = service.get_outbox_status(session, now=now - timedelta(seconds=1))
    assert status.counts[NoticeState.SENT] == 1
    assert (status.due_count, status.oldest_due_seconds, status.next_at) == (0, 0.0, now)


def test_waiting_answer_is_the_newest_that_was_only_announced(
    database: Database, now: datetime
) -> None:
    with database.transaction() as session:
        for number in (1, 2):
            service.queue_notice(
                session,
                now=now,
                kind="late_reply",
                openid="o1",
                key=f"k{number}",
                values={},
                body=f"text {number}",
            )
    for notice_id in outbox.claim(database, now):
        outbox.begin(database, now, notice_id)
        outbox.sent(database, now, notice_id, f"m{notice_id}")
    with database.reading() as session:
        assert service.find_waiting_answer(session, now=now, openid="o1") == "text 2"
        assert service.find_waiting_answer(session, now=now, openid="o2") is None
        later = now + timedelta(days=1, seconds=1)
        assert service.find_waiting_answer(session, now=later, openid="o1") is None
