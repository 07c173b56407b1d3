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
from core.notices import delivery, feedback
from core.notices.delivery import Attempt, NoAttempt, Offer
from core.notices.model import Notice
from core.notices.rules import Channel, DeadReason, NoticeState
from core.people.model import Person
from tests.core.notices import outbox
from tests.core.notices.outbox import LEASE


def test_claim_takes_answers_first_then_the_longest_due_and_leaves_what_is_not_due(
    database: Database, now: datetime
) -> None:
    outbox.queue(database, now, "later")
    outbox.queue(database, now - timedelta(minutes=5), "earlier")
    outbox.queue(database, now, "answer", kind="late_reply")
    outbox.queue(database, now + timedelta(seconds=1), "not due")
    keys = [outbox.row_of(database, notice_id).key for notice_id in outbox.claim(database, now)]
    assert keys == ["answer", "earlier", "later"]


def test_claimed_notice_is_nobody_elses_until_the_lease_ends(
    database: Database, now: datetime
) -> None:
    outbox.queue(database, now, "k")
    (notice_id,) = outbox.claim(database, now, "w1")
    assert outbox.claim(database, now + timedelta(seconds=LEASE - 1), "w2") == []
    assert outbox.claim(database, now + timedelta(seconds=LEASE), "w2") == [notice_id]
    assert outbox.begin(database, now, notice_id, worker="w1") is NoAttempt.NOT_HELD
    assert isinstance(outbox.begin(database, now, notice_id, worker="w2"), Attempt)


def test_workers_that_claim_at_once_never_share_a_notice(database: Database, now: datetime) -> None:
    outbox.queue(database, now, *(f"k{number}" for number in range(40)))
    with ThreadPoolExecutor(4) as pool:
        claims = list(pool.map(lambda n: outbox.claim(database, now, f"w{n}", limit=5), range(8)))
    ids = [notice_id for claim in claims for notice_id in claim]
    assert len(ids) == len(set(ids)) == 40


def test_claim_on_postgresql_does_not_wait_for_another_claim(
    postgres_database: Database, now: datetime
) -> None:
    outbox.queue(postgres_database, now, "a", "b")
    with postgres_database.transaction() as first:
        mine = delivery.claim_notices(first, now=now, worker="w1", limit=1, lease_seconds=LEASE)
        theirs = outbox.claim(postgres_database, now, "w2")
    assert len(mine) == len(theirs) == 1
    assert mine[0].notice_id != theirs[0]


def test_sent_counts_even_when_the_lease_was_lost(database: Database, now: datetime) -> None:
    outbox.queue(database, now, "k")
    (notice_id,) = outbox.claim(database, now, "w1")
    outbox.begin(database, now, notice_id, worker="w1")
    later = now + timedelta(minutes=3)
    outbox.claim(database, later, "w2")
    outbox.sent(database, later, notice_id)
    assert outbox.row_of(database, notice_id).state == NoticeState.SENT
    assert outbox.begin(database, later, notice_id, worker="w2") is NoAttempt.NOT_HELD


def test_failure_reported_without_the_lease_changes_nothing(
    database: Database, now: datetime
) -> None:
    outbox.queue(database, now, "k")
    (notice_id,) = outbox.claim(database, now, "w1")
    later = now + timedelta(minutes=3)
    outbox.claim(database, later, "w2")
    with database.transaction() as session:
        delivery.mark_retry(
            session, now=later, notice_id=notice_id, worker="w1", code=-1, reason="", jitter=0
        )
        delivery.mark_refused(session, notice_id=notice_id, worker="w1", code=1, reason="")
        delivery.mark_unsent(session, notice_id=notice_id, worker="w1", code=1, reason="")
    row = outbox.row_of(database, notice_id)
    assert (row.state, row.leased_by, row.attempts, row.refused) == ("leased", "w2", 0, [])


def test_release_gives_back_only_what_the_worker_holds(database: Database, now: datetime) -> None:
    outbox.queue(database, now, "a", "b")
    first = outbox.claim(database, now, "w1", limit=1)
    second = outbox.claim(database, now, "w2", limit=1)
    with database.transaction() as session:
        delivery.release_notices(session, now=now, notice_ids=first + second, worker="w1")
    assert outbox.claim(database, now, "w3") == first


def test_channels_that_are_closed_let_the_notice_wait_for_the_first_to_open(
    database: Database, now: datetime
) -> None:
    outbox.queue(database, now, "k")
    (notice_id,) = outbox.claim(database, now)
    soon, late = now + timedelta(minutes=1), now + timedelta(days=1)
    offer = Offer(
        template_id="t",
        is_window_open=True,
        closed={Channel.TEMPLATE: late, Channel.CUSTOM: soon},
    )
    assert outbox.begin(database, now, notice_id, offer=offer) is NoAttempt.WAITING
    row = outbox.row_of(database, notice_id)
    assert (row.state, row.next_at, row.attempts) == ("queued", soon, 0)


def test_after_the_guard_a_delivery_report_settles_what_a_crash_left_open(
    database: Database, now: datetime
) -> None:
    outbox.queue(database, now, "k")
    (notice_id,) = outbox.claim(database, now, "w1")
    outbox.begin(database, now, notice_id, worker="w1")  # sent, then the worker was killed
    with database.transaction() as session:
        feedback.confirm_delivery(
            session,
            now=now + timedelta(seconds=2),
            openid="o1",
            platform_msg_id="m7",
            status="success",
        )
    later = now + timedelta(hours=1)
    assert outbox.claim(database, later, "w2") == [notice_id]
    assert outbox.begin(database, later, notice_id, worker="w2") is NoAttempt.ARRIVED
    row = outbox.row_of(database, notice_id)
    assert (row.state, row.platform_msg_id) == (NoticeState.DELIVERED, "m7")


def test_notice_that_cannot_reach_its_person_is_dead(database: Database, now: datetime) -> None:
    with database.transaction() as session:
        session.add(Person(openid="o1", is_following=False, created_at=now))
    outbox.queue(database, now, "a")
    for notice_id in outbox.claim(database, now):
        assert outbox.begin(database, now, notice_id) is NoAttempt.UNREACHABLE
    with database.reading() as session:
        dead = session.scalars(select(Notice).where(Notice.state == NoticeState.DEAD)).all()
    assert [(row.key, row.dead_reason) for row in dead] == [("a", DeadReason.UNREACHABLE)]


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
        outbox.queue(self.database, self.at, key)
        self.keys.add(key)

    @rule(minutes=st.sampled_from([0.1, 1, 2.5]))
    def wait(self, minutes: float) -> None:
        self.at += timedelta(minutes=minutes)

    @rule(target=attempts, worker=workers, limit=st.integers(1, 3))
    def claim_and_begin(self, worker: str, limit: int) -> list[Attempt]:
        begun = [
            outbox.begin(self.database, self.at, notice_id, worker=worker)
            for notice_id in outbox.claim(self.database, self.at, worker, limit)
        ]
        return [attempt for attempt in begun if isinstance(attempt, Attempt)]

    @rule(batch=attempts, worker=workers, outcome=st.sampled_from(["ok", "lost", "busy", "crash"]))
    def send(self, batch: list[Attempt], worker: str, outcome: str) -> None:
        for attempt in batch:
            if self._still_open(attempt.notice_id) and outcome != "crash":
                self._send(attempt, worker, outcome)

    def _still_open(self, notice_id: int) -> bool:
        row = outbox.row_of(self.database, notice_id)
        return row.state == NoticeState.LEASED and row.next_at > self.at

    def _send(self, attempt: Attempt, worker: str, outcome: str) -> None:
        if outcome != "busy":
            seen = self.accepted.get(attempt.client_msg_id)
            if seen is None or self.at - seen > timedelta(minutes=10):
                self.accepted[attempt.client_msg_id] = self.at
                key = attempt.client_msg_id
                self.arrivals[key] = self.arrivals.get(key, 0) + 1
        if outcome == "ok":
            outbox.sent(self.database, self.at, attempt.notice_id, f"m{attempt.notice_id}")
            return
        with self.database.transaction() as session:
            delivery.mark_retry(
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
            for notice_id in outbox.claim(self.database, self.at, "last", 10):
                attempt = outbox.begin(self.database, self.at, notice_id, worker="last")
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
