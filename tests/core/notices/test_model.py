from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core.notices.model import Notice
from core.notices.rules import MAX_ATTEMPTS, Channel, DeadReason, NoticeState


def _notice(now: datetime, key: str = "k", **options: object) -> Notice:
    values = {
        "kind": "colour_changed",
        "openid": "o1",
        "key": key,
        "client_msg_id": f"id-{key}",
        "priority": 1,
        "state": NoticeState.QUEUED,
        "created_at": now,
        "next_at": now,
        "attempts": 0,
        "refused": [],
    }
    return Notice(**(values | options))


def _leased(now: datetime) -> Notice:
    notice = _notice(now)
    notice.lease(worker="w", until=now + timedelta(minutes=2))
    notice.begin(now=now, channel=Channel.CUSTOM, template_id="")
    return notice


def test_attempt_leaves_a_trace_until_its_outcome_is_known(now: datetime) -> None:
    notice = _leased(now)
    assert notice.unsure is Channel.CUSTOM
    notice.succeed(now=now, channel=Channel.CUSTOM, platform_msg_id=None)
    assert notice.unsure is None


def test_repeated_attempt_keeps_the_instant_of_the_first(now: datetime) -> None:
    notice = _leased(now)
    later = now + timedelta(minutes=5)
    notice.begin(now=later, channel=Channel.CUSTOM, template_id="")
    assert notice.attempt_at == now
    notice.begin(now=later, channel=Channel.TEMPLATE, template_id="t")
    assert notice.attempt_at == later


def test_failure_that_is_not_the_notices_own_is_not_counted(now: datetime) -> None:
    notice = _leased(now)
    retry_at = now + timedelta(minutes=5)
    notice.fail(now=now, code=None, reason="", retry_at=retry_at, jitter=0, is_unsure=False)
    assert (notice.attempts, notice.next_at, notice.unsure) == (0, retry_at, None)


def test_last_allowed_failure_ends_it(now: datetime) -> None:
    notice = _leased(now)
    for number in range(MAX_ATTEMPTS):
        assert notice.state == NoticeState.LEASED, number
        notice.fail(now=now, code=-1, reason="x", retry_at=None, jitter=0, is_unsure=False)
        if notice.state == NoticeState.QUEUED:
            notice.lease(worker="w", until=now)
    assert (notice.state, notice.dead_reason) == (NoticeState.DEAD, DeadReason.GAVE_UP)


def test_text_of_an_answer_is_gone_once_it_was_said_or_given_up(now: datetime) -> None:
    said, given_up = _leased(now), _leased(now)
    said.body = given_up.body = "text"
    said.succeed(now=now, channel=Channel.CUSTOM, platform_msg_id=None)
    given_up.die(DeadReason.REFUSED)
    assert (said.body, given_up.body) == (None, None)


def test_bounced_notice_waits_until_its_id_is_forgotten(now: datetime) -> None:
    notice = _leased(now)
    notice.succeed(now=now, channel=Channel.TEMPLATE, platform_msg_id="1")
    notice.bounce(now=now, jitter=0)
    assert notice.state == NoticeState.QUEUED
    assert notice.next_at > now + timedelta(minutes=10)


@pytest.mark.parametrize("final", ["delivered", "dead"])
def test_final_notice_does_not_move(now: datetime, final: str) -> None:
    notice = _leased(now)
    if final == "delivered":
        notice.succeed(now=now, channel=Channel.TEMPLATE, platform_msg_id="1")
        notice.arrive(now=now)
    else:
        notice.die(DeadReason.REFUSED)
    with pytest.raises(ValueError, match="cannot become"):
        notice.lease(worker="w", until=now)


FORBIDDEN: list[tuple[str, dict[str, object], str]] = [
    ("a key is used once", {"key": "k0", "client_msg_id": "other"}, "key"),
    ("an id is used once", {"client_msg_id": "id-k0"}, "client_msg_id"),
    ("a state that does not exist", {"state": "lost"}, "ck_notice_state"),
    ("a channel that does not exist", {"channel": "pigeon"}, "ck_notice_channel"),
    ("leased by nobody", {"state": "leased"}, "ck_notice_lease"),
    ("a lease of what is not leased", {"leased_by": "w"}, "ck_notice_lease"),
    ("sent at no time", {"state": "sent"}, "ck_notice_sent"),
    ("an attempt on no channel", {"attempt_at": datetime.now(UTC)}, "ck_notice_attempt"),
    ("dead for no reason", {"state": "dead"}, "ck_notice_dead"),
    ("fewer attempts than none", {"attempts": -1}, "ck_notice_attempts"),
]


def test_database_refuses_what_cannot_be(session: Session, now: datetime) -> None:
    session.add(_notice(now, "k0"))
    session.flush()
    messages = {}
    for name, options, _ in FORBIDDEN:
        key = str(options.get("key", "k1"))
        row = _notice(now, key, **{k: v for k, v in options.items() if k != "key"})
        with pytest.raises(IntegrityError) as caught, session.begin_nested():
            session.add(row)
        messages[name] = str(caught.value.orig)
    assert all(part in messages[name] for name, _, part in FORBIDDEN)
