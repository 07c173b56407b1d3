"""The book-keeping of delivery: claim a notice, begin an attempt, record how it went.

Each call of a worker (claim, begin, record) is one transaction, so a crash between any two
leaves a row that says how far it got.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from core.notices.model import Notice, NoticeReceipt
from core.notices.rules import (
    OPEN_STATES,
    Channel,
    DeadReason,
    NoticeState,
    Reach,
    Receipt,
    Value,
    candidates_for,
)
from core.people.model import MessageConsent, Person


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimedNotice:
    """A notice that a worker holds, with what is needed to look up the ways to the person."""

    notice_id: int
    openid: str
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What the account can do at this moment for one notice.

    Attributes:
        template_id: template message configured for the kind, empty: none.
        subscribe_template_id: the same for subscription messages.
        is_window_open: the person's customer-service window; None when nobody can tell.
        closed: channels whose quota is used up, and when they open again.
    """

    template_id: str = ""
    subscribe_template_id: str = ""
    is_window_open: bool | None = None
    closed: Mapping[Channel, datetime] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One message to hand to the platform now.

    Attributes:
        is_repeat: an earlier attempt on this channel ended without an answer.
    """

    notice_id: int
    kind: str
    openid: str
    channel: Channel
    template_id: str
    client_msg_id: str
    values: Mapping[str, Value]
    body: str | None
    link: str
    page_path: str
    queued_at: datetime
    is_repeat: bool


class NoAttempt(StrEnum):
    """Why there is nothing to send for a notice that was claimed."""

    NOT_HELD = "not_held"
    ARRIVED = "arrived"
    WAITING = "waiting"
    EXPIRED = "expired"
    UNREACHABLE = "unreachable"


def claim_notices(
    session: Session, *, now: datetime, worker: str, limit: int, lease_seconds: float
) -> list[ClaimedNotice]:
    """Lease the notices that are due, answers before the rest, the longest due first.

    Several workers may claim at the same time and never get the same notice: PostgreSQL skips
    rows that another transaction holds, SQLite lets one writer in at a time.

    Args:
        session: a session whose transaction holds nothing but this claim.
        now: aware instant.
        worker: name of the worker, unique among those that run.
        limit: how many at most.
        lease_seconds: how long the worker has them; must end within the platform's guard
            against doubles.
    """
    due = (
        select(Notice)
        .where(Notice.state.in_(OPEN_STATES), Notice.next_at <= now)
        .order_by(Notice.priority, Notice.next_at, Notice.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    notices = session.scalars(due).all()
    for notice in notices:
        notice.lease(worker=worker, until=now + timedelta(seconds=lease_seconds))
    return [
        ClaimedNotice(notice_id=notice.id, openid=notice.openid, kind=notice.kind)
        for notice in notices
    ]


def postpone_notice(session: Session, *, notice_id: int, worker: str, next_at: datetime) -> None:
    """Put a claimed notice back until `next_at`, without counting a failure."""
    notice = _lock(session, notice_id)
    if notice is not None and notice.is_held_by(worker):
        notice.release(next_at=next_at)


def begin_attempt(
    session: Session, *, now: datetime, notice_id: int, worker: str, offer: Offer
) -> Attempt | NoAttempt:
    """Choose the channel of a claimed notice and note that the attempt starts.

    Args:
        session: a session whose transaction holds nothing but this.
        now: aware instant.
        notice_id: a claimed notice.
        worker: who claimed it.
        offer: what the account can do now.

    Returns:
        What to send; or why there is nothing to send, in which case the row already says so.
    """
    notice = _lock(session, notice_id)
    if notice is None or not notice.is_held_by(worker):
        return NoAttempt.NOT_HELD
    if _adopt_receipt(session, now=now, notice=notice):
        return NoAttempt.ARRIVED
    if notice.is_stale(now):
        notice.die(DeadReason.EXPIRED)
        return NoAttempt.EXPIRED
    candidates = candidates_for(
        notice.kind,
        _reach(session, openid=notice.openid, offer=offer),
        refused={Channel(name) for name in notice.refused},
        unsure=notice.unsure,
    )
    if not candidates:
        notice.die(DeadReason.REFUSED if notice.refused else DeadReason.UNREACHABLE)
        return NoAttempt.UNREACHABLE
    channel = next((channel for channel in candidates if channel not in offer.closed), None)
    if channel is None:
        notice.release(next_at=min(offer.closed[channel] for channel in candidates))
        return NoAttempt.WAITING
    return _begin(notice, now=now, channel=channel, offer=offer)


def _begin(notice: Notice, *, now: datetime, channel: Channel, offer: Offer) -> Attempt:
    is_repeat = notice.unsure is channel
    template_id = {
        Channel.TEMPLATE: offer.template_id,
        Channel.SUBSCRIBE: offer.subscribe_template_id,
        Channel.CUSTOM: "",
    }[channel]
    notice.begin(now=now, channel=channel, template_id=template_id)
    return Attempt(
        notice_id=notice.id,
        kind=notice.kind,
        openid=notice.openid,
        channel=channel,
        template_id=template_id,
        client_msg_id=notice.client_msg_id,
        values=notice.values,
        body=notice.body,
        link=notice.link,
        page_path=notice.page_path,
        queued_at=notice.created_at,
        is_repeat=is_repeat,
    )


def _reach(session: Session, *, openid: str, offer: Offer) -> Reach:
    row = session.execute(
        select(Person.is_following, MessageConsent.remaining)
        .outerjoin(
            MessageConsent,
            (MessageConsent.person_id == Person.id)
            & (MessageConsent.template_id == offer.subscribe_template_id),
        )
        .where(Person.openid == openid)
    ).first()
    is_following, consents_left = (None, 0) if row is None else (row[0], row[1] or 0)
    return Reach(
        is_following=is_following,
        has_template=bool(offer.template_id),
        consents_left=consents_left if offer.subscribe_template_id else 0,
        is_window_open=offer.is_window_open,
    )


def _adopt_receipt(session: Session, *, now: datetime, notice: Notice) -> bool:
    """Settle an old attempt by a delivery report that nobody could place when it came.

    After a crash the message id of a sent notice is lost, and once the platform's guard is over
    a repeat would be a double. The platform reported the delivery all the same: a report to this
    person, from after the attempt, that fits no other notice belongs to this one.
    """
    if notice.unsure is not Channel.TEMPLATE or not notice.is_past_guard(now):
        return False
    receipt = session.scalars(
        select(NoticeReceipt)
        .where(
            NoticeReceipt.openid == notice.openid,
            NoticeReceipt.received_at >= notice.attempt_at,
            NoticeReceipt.status == Receipt.SUCCESS,
        )
        .order_by(NoticeReceipt.received_at)
        .limit(1)
    ).first()
    if receipt is None:
        return False
    notice.succeed(
        now=receipt.received_at,
        channel=Channel.TEMPLATE,
        platform_msg_id=receipt.platform_msg_id,
    )
    notice.arrive(now=receipt.received_at)
    session.delete(receipt)
    return True


def mark_sent(
    session: Session,
    *,
    now: datetime,
    notice_id: int,
    channel: Channel,
    platform_msg_id: str | None,
) -> None:
    """Record that the platform accepted a notice.

    It holds whoever has the lease by now: that the message went out is a fact. A notice that
    is settled already is left alone.

    Args:
        session: a session whose transaction holds nothing but this.
        now: aware instant.
        notice_id: the notice that was sent.
        channel: what carried it.
        platform_msg_id: the platform's id of the message; None where it gives none.
    """
    notice = _lock(session, notice_id)
    if notice is None or notice.state not in OPEN_STATES:
        return
    notice.succeed(now=now, channel=channel, platform_msg_id=platform_msg_id)
    if channel is Channel.SUBSCRIBE:
        _use_consent(session, now=now, notice=notice)
    receipt = session.get(NoticeReceipt, platform_msg_id) if platform_msg_id else None
    if receipt is not None:
        session.delete(receipt)
        settle(notice, Receipt(receipt.status), now=now, jitter=0.5)


def settle(notice: Notice, receipt: Receipt, *, now: datetime, jitter: float) -> None:
    """Apply what the platform reports about a notice that it had accepted."""
    if receipt is Receipt.SUCCESS:
        notice.arrive(now=now)
    elif receipt is Receipt.BLOCKED:
        notice.note_error(code=None, reason="user block")
        notice.die(DeadReason.BLOCKED)
    else:
        notice.bounce(now=now, jitter=jitter)


def mark_retry(
    session: Session,
    *,
    now: datetime,
    notice_id: int,
    worker: str,
    code: int | None,
    reason: str,
    jitter: float,
    retry_at: datetime | None = None,
    is_unsure: bool = False,
) -> None:
    """Record a failure that may pass; after too many of them the notice is dead.

    Args:
        session: a session whose transaction holds nothing but this.
        now: aware instant.
        notice_id: the notice that was tried.
        worker: who tried; without the lease nothing is recorded.
        code: error code of the platform, if it answered.
        reason: short technical text, free of personal data.
        jitter: 0 up to 1, for the back-off.
        retry_at: when to try again after a failure that is not the notice's; None counts it and
            leaves the instant to the back-off.
        is_unsure: the message may have arrived all the same.
    """
    notice = _lock(session, notice_id)
    if notice is not None and notice.is_held_by(worker):
        notice.fail(
            now=now, code=code, reason=reason, retry_at=retry_at, jitter=jitter, is_unsure=is_unsure
        )


def mark_unsent(
    session: Session, *, notice_id: int, worker: str, code: int | None, reason: str
) -> None:
    """Record that an attempt came to nothing through no fault of the notice; the lease stays."""
    notice = _lock(session, notice_id)
    if notice is not None and notice.is_held_by(worker):
        notice.note_error(code=code, reason=reason)
        notice.attempt_at = None


def mark_refused(
    session: Session, *, notice_id: int, worker: str, code: int | None, reason: str
) -> None:
    """Record that the channel of the attempt will not carry this notice; another one may."""
    notice = _lock(session, notice_id)
    if notice is not None and notice.is_held_by(worker):
        notice.refuse(code=code, reason=reason)


def release_notices(
    session: Session, *, now: datetime, notice_ids: Sequence[int], worker: str
) -> None:
    """Put back what a worker claimed and did not begin, so that nobody waits for its lease."""
    session.execute(
        update(Notice)
        .where(
            Notice.id.in_(notice_ids),
            Notice.state == NoticeState.LEASED,
            Notice.leased_by == worker,
        )
        .values(state=NoticeState.QUEUED, leased_by=None, next_at=now)
    )


def _use_consent(session: Session, *, now: datetime, notice: Notice) -> None:
    session.execute(
        update(MessageConsent)
        .where(
            MessageConsent.person_id.in_(select(Person.id).where(Person.openid == notice.openid)),
            MessageConsent.template_id == notice.template_id,
            MessageConsent.remaining > 0,
        )
        .values(remaining=MessageConsent.remaining - 1, changed_at=now)
    )


def _lock(session: Session, notice_id: int) -> Notice | None:
    return session.get(Notice, notice_id, with_for_update=True)
