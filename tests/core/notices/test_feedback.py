from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.audit.model import AuditEntry
from core.notices import delivery, feedback, service
from core.notices.delivery import Attempt, NoAttempt, Offer
from core.notices.model import Notice, NoticeReceipt
from core.notices.rules import Channel, DeadReason, NoticeState
from core.people.model import MessageConsent, Person

OFFER = Offer(template_id="t", subscribe_template_id="s", is_window_open=False)


def _sent(session: Session, now: datetime, *, msg_id: str | None = "m1") -> Notice:
    """Bring one notice to where the platform accepted it; without an id, to just before."""
    service.queue_notice(session, now=now, kind="colour_changed", openid="o1", key="k", values={})
    (claimed,) = delivery.claim_notices(session, now=now, worker="w", limit=1, lease_seconds=60)
    attempt = delivery.begin_attempt(
        session, now=now, notice_id=claimed.notice_id, worker="w", offer=OFFER
    )
    assert isinstance(attempt, Attempt)
    if msg_id:
        _mark(session, now, attempt, msg_id)
    return session.get_one(Notice, claimed.notice_id)


def _mark(session: Session, now: datetime, attempt: Attempt | Notice, msg_id: str) -> None:
    notice_id = attempt.notice_id if isinstance(attempt, Attempt) else attempt.id
    assert attempt.channel is not None
    delivery.mark_sent(
        session,
        now=now,
        notice_id=notice_id,
        channel=Channel(attempt.channel),
        platform_msg_id=msg_id,
    )


def _confirm(session: Session, now: datetime, status: str, openid: str = "o1") -> None:
    feedback.confirm_delivery(session, now=now, openid=openid, platform_msg_id="m1", status=status)
    session.flush()


@pytest.mark.parametrize(
    ("status", "state", "reason"),
    [
        ("success", NoticeState.DELIVERED, None),
        ("failed:user block", NoticeState.DEAD, DeadReason.BLOCKED),
        ("failed: system failed", NoticeState.QUEUED, None),
    ],
)
def test_report_settles_the_notice(
    session: Session, now: datetime, status: str, state: NoticeState, reason: DeadReason | None
) -> None:
    notice = _sent(session, now)
    _confirm(session, now, status)
    assert (notice.state, notice.dead_reason) == (state, reason)


def test_report_twice_changes_nothing(session: Session, now: datetime) -> None:
    notice = _sent(session, now)
    _confirm(session, now, "success")
    _confirm(session, now + timedelta(hours=1), "failed:user block")
    assert (notice.state, notice.delivered_at) == (NoticeState.DELIVERED, now)


def test_report_that_came_before_the_id_was_recorded_is_applied_then(
    session: Session, now: datetime
) -> None:
    notice = _sent(session, now, msg_id=None)
    _confirm(session, now, "success")
    assert notice.state == NoticeState.LEASED
    _mark(session, now, notice, "m1")
    assert notice.state == NoticeState.DELIVERED
    session.flush()
    assert session.scalar(select(func.count()).select_from(NoticeReceipt)) == 0


def test_report_and_record_that_crossed_are_joined_by_the_sweep(
    session: Session, now: datetime
) -> None:
    notice = _sent(session, now)
    session.add(NoticeReceipt(platform_msg_id="m1", openid="o1", status="success", received_at=now))
    session.flush()
    feedback.sweep_notices(session, now=now)
    assert notice.state == NoticeState.DELIVERED


def test_report_to_another_person_does_not_settle_it(session: Session, now: datetime) -> None:
    notice = _sent(session, now)
    _confirm(session, now, "success", openid="o2")
    assert notice.state == NoticeState.SENT


def test_consents_add_up_are_used_one_by_one_and_cleared(session: Session, now: datetime) -> None:
    for _ in range(2):
        feedback.record_consent(session, now=now, openid="o1", template_id="s")
    feedback.mark_unfollowed(session, now=now, openid="o1")
    notice = _sent(session, now)
    assert notice.channel == Channel.SUBSCRIBE
    remaining = select(MessageConsent.remaining)
    assert session.scalar(remaining) == 1
    feedback.clear_consent(session, now=now, openid="o1", template_id="s")
    assert session.scalar(remaining) == 0


def test_consent_of_one_template_does_not_count_for_another(
    session: Session, now: datetime
) -> None:
    feedback.record_consent(session, now=now, openid="o1", template_id="other")
    feedback.mark_unfollowed(session, now=now, openid="o1")
    service.queue_notice(session, now=now, kind="colour_changed", openid="o1", key="k", values={})
    (claimed,) = delivery.claim_notices(session, now=now, worker="w", limit=1, lease_seconds=60)
    found = delivery.begin_attempt(
        session, now=now, notice_id=claimed.notice_id, worker="w", offer=OFFER
    )
    assert found is NoAttempt.UNREACHABLE


def test_person_who_is_gone_is_marked_with_the_day(session: Session, now: datetime) -> None:
    session.add(Person(openid="o1", is_following=True, created_at=now))
    session.flush()
    feedback.mark_unfollowed(session, now=now, openid="o1")
    person = session.scalars(select(Person)).one()
    assert (person.is_following, person.unfollowed_at) == (False, now)


def test_person_who_withdraws_leaves_nothing_in_the_outbox(session: Session, now: datetime) -> None:
    _sent(session, now)
    service.queue_notice(session, now=now, kind="x", openid="o2", key="k2", values={})
    _confirm(session, now, "success", openid="o1")
    feedback.forget_notices(session, openid="o1")
    assert list(session.scalars(select(Notice.openid))) == ["o2"]


def test_sweep_forgets_answers_nobody_came_for_and_reports_that_fit_nothing(
    session: Session, now: datetime
) -> None:
    notice = _sent(session, now)
    notice.body = "text"
    session.add(NoticeReceipt(platform_msg_id="x", openid="o", status="success", received_at=now))
    session.flush()
    feedback.sweep_notices(session, now=now + timedelta(hours=47))
    session.refresh(notice)
    assert notice.body == "text"
    feedback.sweep_notices(session, now=now + timedelta(days=5))
    session.refresh(notice)
    assert notice.body is None
    assert session.scalar(select(func.count()).select_from(NoticeReceipt)) == 0


# --- one yes, told by page and platform -----------------------------------------------------


def _left(session: Session, template_id: str = "T1") -> int:
    session.expire_all()
    consent = select(MessageConsent.remaining).where(MessageConsent.template_id == template_id)
    return session.scalars(consent).one()


_TELLERS = {
    "page": lambda session, now: feedback.accept_messages(
        session, now=now, openid="o1", template_ids=["T1"]
    ),
    "platform": lambda session, now: feedback.record_consent(
        session, now=now, openid="o1", template_id="T1"
    ),
}


@pytest.mark.parametrize(
    ("told", "left"),
    [
        (["page"], 1),
        (["platform"], 1),
        (["page", "platform"], 1),
        (["platform", "page"], 1),
        (["page", "page", "platform"], 1),  # a form that was sent twice
        (["page", "platform", "platform"], 2),  # and one more yes, in an article
        (["page", "platform", "page", "platform"], 2),
        (["platform", "page", "platform", "page"], 2),
    ],
)
def test_one_yes_is_counted_once_whoever_tells_of_it(
    session: Session, now: datetime, told: list[str], left: int
) -> None:
    for place, teller in enumerate(told):
        _TELLERS[teller](session, now + timedelta(seconds=place))
    assert _left(session) == left


def test_page_that_tells_long_after_the_last_yes_tells_of_another(
    session: Session, now: datetime
) -> None:
    feedback.record_consent(session, now=now, openid="o1", template_id="T1")
    later = now + feedback.SAME_YES
    assert feedback.accept_messages(session, now=later, openid="o1", template_ids=["T1"]) == 1
    assert _left(session) == 2


def test_yes_on_a_page_is_on_record_with_its_count_alone(session: Session, now: datetime) -> None:
    feedback.accept_messages(session, now=now, openid="o1", template_ids=["T1", "T2"])
    feedback.accept_messages(session, now=now, openid="o1", template_ids=["T1", "T2"])
    (entry,) = session.scalars(
        select(AuditEntry).where(AuditEntry.action == "messages_accepted")
    ).all()
    assert entry.facts == {"count": 2}
