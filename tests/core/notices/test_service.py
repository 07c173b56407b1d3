from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    invariant,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from core.db import Database
from core.notices import feedback, service
from core.notices.model import Notice
from core.notices.rules import Channel, DeadReason, NoticeState
from core.notices.service import Attempt, NoAttempt, Offer
from core.people.model import Person

TEMPLATE_OFFER = Offer(template_id="t", is_window_open=False)
LEASE = 120.0


def _queue(database: Database, now: datetime, *keys: str, kind: str = "colour_changed") -> None:
    with database.transaction() as session:
        for key in keys:
            service.queue_notice(
                session, now=now, kind=kind, openid="o1", key=key, values={"community": "甲"}
            )


def _claim(database: Database, now: datetime, worker: str = "w", limit: int = 10) -> list[int]:
    with database.transaction() as session:
        claimed = service.claim_notices(
            session, now=now, worker=worker, limit=limit, lease_seconds=LEASE
        )
        return [item.notice_id for item in claimed]


def _begin(
    database: Database,
    now: datetime,
    notice_id: int,
    *,
    worker: str = "w",
    offer: Offer = TEMPLATE_OFFER,
) -> Attempt | NoAttempt:
    with database.transaction() as session:
        return service.begin_attempt(
            session, now=now, notice_id=notice_id, worker=worker, offer=offer
        )


def _sent(database: Database, now: datetime, notice_id: int, msg_id: str = "m1") -> None:
    with database.transaction() as session:
        service.mark_sent(
            session,
            now=now,
            notice_id=notice_id,
            channel=Channel.TEMPLATE,
            platform_msg_id=msg_id,
        )


def _row(database: Database, notice_id: int) -> Notice:
    with Session(database.engine) as session:
        return session.get_one(Notice, notice_id)


def test_same_key_twice_is_one_notice_with_the_first_values(
    database: Database, now: datetime
) -> None:
    _queue(database, now, "k", "k")
    _queue(database, now + timedelta(hours=1), "k")
    with database.reading() as session:
        rows = session.scalars(select(Notice)).all()
    assert [(row.key, row.created_at) for row in rows] == [("k", now)]


def test_notice_of_a_change_that_rolls_back_does_not_exist(
    database: Database, now: datetime
) -> None:
    with Session(database.engine) as session:
        service.queue_notice(session, now=now, kind="x", openid="o", key="k", values={})
        session.rollback()
    assert _claim(database, now) == []


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


def test_claim_takes_answers_first_then_the_longest_due_and_leaves_what_is_not_due(
    database: Database, now: datetime
) -> None:
    _queue(database, now, "later")
    _queue(database, now - timedelta(minutes=5), "earlier")
    _queue(database, now, "answer", kind="late_reply")
    _queue(database, now + timedelta(seconds=1), "not due")
    keys = [_row(database, notice_id).key for notice_id in _claim(database, now)]
    assert keys == ["answer", "earlier", "later"]


def test_claimed_notice_is_nobody_elses_until_the_lease_ends(
    database: Database, now: datetime
) -> None:
    _queue(database, now, "k")
    (notice_id,) = _claim(database, now, "w1")
    assert _claim(database, now + timedelta(seconds=LEASE - 1), "w2") == []
    assert _claim(database, now + timedelta(seconds=LEASE), "w2") == [notice_id]
    assert _begin(database, now, notice_id, worker="w1") is NoAttempt.NOT_HELD
    assert isinstance(_begin(database, now, notice_id, worker="w2"), Attempt)


def test_workers_that_claim_at_once_never_share_a_notice(database: Database, now: datetime) -> None:
    _queue(database, now, *(f"k{number}" for number in range(40)))
    with ThreadPoolExecutor(4) as pool:
        claims = list(pool.map(lambda n: _claim(database, now, f"w{n}", limit=5), range(8)))
    ids = [notice_id for claim in claims for notice_id in claim]
    assert len(ids) == len(set(ids)) == 40


def test_claim_on_postgresql_does_not_wait_for_another_claim(
    postgres_database: Database, now: datetime
) -> None:
    _queue(postgres_database, now, "a", "b")
    with postgres_database.transaction() as first:
        mine = service.claim_notices(first, now=now, worker="w1", limit=1, lease_seconds=LEASE)
        theirs = _claim(postgres_database, now, "w2")
    assert len(mine) == len(theirs) == 1
    assert mine[0].notice_id != theirs[0]


def test_sent_counts_even_when_the_lease_was_lost(database: Database, now: datetime) -> None:
    _queue(database, now, "k")
    (notice_id,) = _claim(database, now, "w1")
    _begin(database, now, notice_id, worker="w1")
    later = now + timedelta(minutes=3)
    _claim(database, later, "w2")
    _sent(database, later, notice_id)
    assert _row(database, notice_id).state == NoticeState.SENT
    assert _begin(database, later, notice_id, worker="w2") is NoAttempt.NOT_HELD


def test_failure_reported_without_the_lease_changes_nothing(
    database: Database, now: datetime
) -> None:
    _queue(database, now, "k")
    (notice_id,) = _claim(database, now, "w1")
    later = now + timedelta(minutes=3)
    _claim(database, later, "w2")
    with database.transaction() as session:
        service.mark_retry(
            session, now=later, notice_id=notice_id, worker="w1", code=-1, reason="", jitter=0
        )
        service.mark_refused(session, notice_id=notice_id, worker="w1", code=1, reason="")
        service.mark_unsent(session, notice_id=notice_id, worker="w1", code=1, reason="")
    row = _row(database, notice_id)
    assert (row.state, row.leased_by, row.attempts, row.refused) == ("leased", "w2", 0, [])


def test_release_gives_back_only_what_the_worker_holds(database: Database, now: datetime) -> None:
    _queue(database, now, "a", "b")
    first = _claim(database, now, "w1", limit=1)
    second = _claim(database, now, "w2", limit=1)
    with database.transaction() as session:
        service.release_notices(session, now=now, notice_ids=first + second, worker="w1")
    assert _claim(database, now, "w3") == first


def test_channels_that_are_closed_let_the_notice_wait_for_the_first_to_open(
    database: Database, now: datetime
) -> None:
    _queue(database, now, "k")
    (notice_id,) = _claim(database, now)
    soon, late = now + timedelta(minutes=1), now + timedelta(days=1)
    offer = Offer(
        template_id="t",
        is_window_open=True,
        closed={Channel.TEMPLATE: late, Channel.CUSTOM: soon},
    )
    assert _begin(database, now, notice_id, offer=offer) is NoAttempt.WAITING
    row = _row(database, notice_id)
    assert (row.state, row.next_at, row.attempts) == ("queued", soon, 0)


def test_after_the_guard_a_delivery_report_settles_what_a_crash_left_open(
    database: Database, now: datetime
) -> None:
    _queue(database, now, "k")
    (notice_id,) = _claim(database, now, "w1")
    _begin(database, now, notice_id, worker="w1")  # sent, then the worker was killed
    with database.transaction() as session:
        feedback.confirm_delivery(
            session,
            now=now + timedelta(seconds=2),
            openid="o1",
            platform_msg_id="m7",
            status="success",
        )
    later = now + timedelta(hours=1)
    assert _claim(database, later, "w2") == [notice_id]
    assert _begin(database, later, notice_id, worker="w2") is NoAttempt.ARRIVED
    row = _row(database, notice_id)
    assert (row.state, row.platform_msg_id) == (NoticeState.DELIVERED, "m7")


def test_outbox_status_counts_depth_and_age(database: Database, now: datetime) -> None:
    _queue(database, now - timedelta(minutes=4), "old")
    _queue(database, now, "new")
    (notice_id,) = _claim(database, now - timedelta(minutes=4), limit=1)
    with database.reading() as session:
        status = service.get_outbox_status(session, now=now)
    assert status.counts[NoticeState.LEASED] == 1
    assert (status.due_count, status.oldest_due_seconds) == (2, 120.0)
    _begin(database, now, notice_id)
    _sent(database, now, notice_id)
    with database.reading() as session:
        status = service.get_outbox_status(session, now=now - timedelta(seconds=1))
    assert status.counts[NoticeState.SENT] == 1
    assert (status.due_count, status.oldest_due_seconds, status.next_at) == (0, 0.0, now)


def test_notice_that_cannot_reach_its_person_is_dead(database: Database, now: datetime) -> None:
    with database.transaction() as session:
        session.add(Person(openid="o1", is_following=False, created_at=now))
    _queue(database, now, "a")
    for notice_id in _claim(database, now):
        assert _begin(database, now, notice_id) is NoAttempt.UNREACHABLE
    with database.reading() as session:
        dead = session.scalars(select(Notice).where(Notice.state == NoticeState.DEAD)).all()
    assert [(row.key, row.dead_reason) for row in dead] == [("a", DeadReason.UNREACHABLE)]


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
    for notice_id in _claim(database, now):
        _begin(database, now, notice_id)
        _sent(database, now, notice_id, f"m{notice_id}")
    with database.reading() as session:
        assert service.find_waiting_answer(session, now=now, openid="o1") == "text 2"
        assert service.find_waiting_answer(session, now=now, openid="o2") is None
        later = now + timedelta(days=1, seconds=1)
        assert service.find_waiting_answer(session, now=later, openid="o1") is None


class OutboxMachine(RuleBasedStateMachine):
    """Workers that claim, send, die and come back, on a platform that drops repeated ids.

    The machine keeps the platform's memory: which message ids it accepted, when, how often.
    """

    database: Database
    start: datetime

    def __init__(self) -> None:
        super().__init__()
        with self.database.transaction() as session:
            session.execute(text("DELETE FROM notice"))
        self.at = self.start
        self.keys: set[str] = set()
        self.accepted: dict[str, datetime] = {}
        self.arrivals: dict[str, int] = {}

    attempts = Bundle("attempts")
    workers = st.sampled_from(["w1", "w2", "w3"])

    @rule(key=st.sampled_from("abcdef"))
    def queue(self, key: str) -> None:
        _queue(self.database, self.at, key)
        self.keys.add(key)

    @rule(minutes=st.sampled_from([0.1, 1, 2.5]))
    def wait(self, minutes: float) -> None:
        self.at += timedelta(minutes=minutes)

    @rule(target=attempts, worker=workers, limit=st.integers(1, 3))
    def claim_and_begin(self, worker: str, limit: int) -> list[Attempt]:
        begun = [
            _begin(self.database, self.at, notice_id, worker=worker)
            for notice_id in _claim(self.database, self.at, worker, limit)
        ]
        return [attempt for attempt in begun if isinstance(attempt, Attempt)]

    @rule(batch=attempts, worker=workers, outcome=st.sampled_from(["ok", "lost", "busy", "crash"]))
    def send(self, batch: list[Attempt], worker: str, outcome: str) -> None:
        for attempt in batch:
            if self._still_open(attempt.notice_id) and outcome != "crash":
                self._send(attempt, worker, outcome)

    def _still_open(self, notice_id: int) -> bool:
        row = _row(self.database, notice_id)
        return row.state == NoticeState.LEASED and row.next_at > self.at

    def _send(self, attempt: Attempt, worker: str, outcome: str) -> None:
        if outcome != "busy":
            seen = self.accepted.get(attempt.client_msg_id)
            if seen is None or self.at - seen > timedelta(minutes=10):
                self.accepted[attempt.client_msg_id] = self.at
                key = attempt.client_msg_id
                self.arrivals[key] = self.arrivals.get(key, 0) + 1
        if outcome == "ok":
            _sent(self.database, self.at, attempt.notice_id, f"m{attempt.notice_id}")
            return
        with self.database.transaction() as session:
            service.mark_retry(
                session,
                now=self.at,
                notice_id=attempt.notice_id,
                worker=worker,
                code=None,
                reason="",
                jitter=0.5,
                is_unsure=outcome == "lost",
            )

    @invariant()
    def nothing_is_lost(self) -> None:
        with Session(self.database.engine) as session:
            rows = session.scalars(select(Notice)).all()
        assert {row.key for row in rows} == self.keys
        for row in rows:
            if row.state == NoticeState.SENT:
                assert self.arrivals[row.client_msg_id] >= 1
            else:
                assert row.state in {NoticeState.QUEUED, NoticeState.LEASED}

    @invariant()
    def nobody_is_told_twice_while_the_platform_remembers(self) -> None:
        # A notice that stays open for more than ten minutes after it was accepted needs a
        # delivery report: that is `test_after_the_guard_…`.
        if self.at - self.start <= timedelta(minutes=10):
            assert all(count == 1 for count in self.arrivals.values())

    def teardown(self) -> None:
        """Let a worker that never fails finish: everything queued is sent."""
        for _ in range(40):
            self.at += timedelta(minutes=3)
            for notice_id in _claim(self.database, self.at, "last", 10):
                attempt = _begin(self.database, self.at, notice_id, worker="last")
                assert isinstance(attempt, Attempt)
                self._send(attempt, "last", "ok")
        with Session(self.database.engine) as session:
            states = set(session.scalars(select(Notice.state)))
        assert states <= {NoticeState.SENT}


def test_outbox_survives_whatever_workers_do(database: Database, now: datetime) -> None:
    machine = type("Machine", (OutboxMachine,), {"database": database, "start": now})
    examples = 15 if database.engine.dialect.name == "sqlite" else 8
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=20,
            suppress_health_check=list(HealthCheck),
        ),
    )
