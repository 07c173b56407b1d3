"""Use cases of what the platform reports: deliveries, consents, people who are gone."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from core.audit.service import record
from core.db import upsert
from core.notices.delivery import settle
from core.notices.model import Notice, NoticeReceipt
from core.notices.rules import ANSWER_LIFETIME, Channel, NoticeState, Receipt, receipt_of
from core.people.model import MessageConsent, Person
from core.people.service import register_person

# Longer than any notice lives, so that a report can still be matched to its notice.
RECEIPT_LIFETIME = timedelta(days=4)
SWEEP_LIMIT = 500
# Page and platform tell of the same yes within seconds; an event may be sent again for a while.
SAME_YES: Final = timedelta(minutes=10)


def confirm_delivery(
    session: Session,
    *,
    now: datetime,
    openid: str,
    platform_msg_id: str,
    status: str,
    channel: Channel = Channel.TEMPLATE,
) -> None:
    """Record the platform's report about a message that it had accepted.

    The report may come before the sender has recorded the message id: it is kept then, and
    applied when the id is known. The same report twice changes nothing.

    Args:
        session: the session of the event.
        now: aware instant.
        openid: the receiver.
        platform_msg_id: `MsgID` of the event.
        status: `Status` of a TEMPLATESENDJOBFINISH event, or `success` or `failed`.
        channel: what carried the message.
    """
    receipt = receipt_of(status)
    notice = session.scalars(
        select(Notice)
        .where(
            Notice.platform_msg_id == platform_msg_id,
            Notice.channel == channel,
            Notice.openid == openid,
        )
        .order_by(Notice.id.desc())
        .limit(1)
        .with_for_update()
    ).first()
    if notice is None:
        _keep_receipt(
            session, now=now, openid=openid, platform_msg_id=platform_msg_id, receipt=receipt
        )
    elif notice.state == NoticeState.SENT:
        settle(notice, receipt, now=now, jitter=0.5)


def _keep_receipt(
    session: Session, *, now: datetime, openid: str, platform_msg_id: str, receipt: Receipt
) -> None:
    session.execute(
        upsert(session, NoticeReceipt, keys=["platform_msg_id"], update=["status"]).values(
            platform_msg_id=platform_msg_id, openid=openid, status=receipt, received_at=now
        )
    )


def record_consent(session: Session, *, now: datetime, openid: str, template_id: str) -> None:
    """Record that a person accepted one more subscription message (`subscribe_msg_popup_event`).

    A yes of which the page has told already is not counted again.
    """
    consent = _lock_consent(session, now=now, openid=openid, template_id=template_id)
    if _is_fresh(consent.said_at, now):
        consent.said_at = None
    else:
        consent.remaining, consent.changed_at = consent.remaining + 1, now
        consent.heard_at = now
    session.flush()


def accept_messages(
    session: Session, *, now: datetime, openid: str, template_ids: Collection[str]
) -> int:
    """Record what a page tells of a person's yes, and return how many templates it is new for.

    The platform tells of the same yes by an event, before or after, as a rule; and a page may
    be sent twice. It is counted once.

    Args:
        session: the session of the request.
        now: aware instant.
        openid: the person.
        template_ids: those that they accepted one message of.
    """
    count = 0
    for template_id in sorted(template_ids):
        consent = _lock_consent(session, now=now, openid=openid, template_id=template_id)
        if _is_fresh(consent.heard_at, now):
            consent.heard_at = None
        elif not _is_fresh(consent.said_at, now):
            consent.remaining, consent.changed_at = consent.remaining + 1, now
            consent.said_at = now
            count += 1
    if count:
        person = session.scalars(select(Person.id).where(Person.openid == openid)).one()
        themselves = f"person:{person}"
        record(
            session,
            now=now,
            actor=themselves,
            action="messages_accepted",
            subject=themselves,
            count=count,
        )
    session.flush()
    return count


def _lock_consent(
    session: Session, *, now: datetime, openid: str, template_id: str
) -> MessageConsent:
    """Return the row of a person and a template, added if it is new, held until the commit."""
    person_id = register_person(session, openid=openid, now=now).id
    statement = upsert(session, MessageConsent, keys=["person_id", "template_id"], update=[])
    session.execute(
        statement.values(person_id=person_id, template_id=template_id, remaining=0, changed_at=now)
    )
    held = (
        select(MessageConsent)
        .where(MessageConsent.person_id == person_id, MessageConsent.template_id == template_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return session.scalars(held).one()


def _is_fresh(instant: datetime | None, now: datetime) -> bool:
    return instant is not None and now - instant < SAME_YES


def clear_consent(session: Session, *, now: datetime, openid: str, template_id: str) -> None:
    """Record that a person accepts no more messages of a template (`43101`, or a change event)."""
    session.execute(
        update(MessageConsent)
        .where(
            MessageConsent.person_id.in_(select(Person.id).where(Person.openid == openid)),
            MessageConsent.template_id == template_id,
        )
        .values(remaining=0, changed_at=now)
    )


def mark_unfollowed(session: Session, *, now: datetime, openid: str) -> None:
    """Record that the platform says a person does not follow the account."""
    session.execute(
        update(Person)
        .where(Person.openid == openid, Person.is_following.is_not(False))
        .values(is_following=False, unfollowed_at=now)
    )


def forget_notices(session: Session, *, openid: str) -> None:
    """Delete every trace of a person in the outbox (`user_authorization_revoke`)."""
    session.execute(delete(Notice).where(Notice.openid == openid))
    session.execute(delete(NoticeReceipt).where(NoticeReceipt.openid == openid))


def sweep_notices(session: Session, *, now: datetime) -> None:
    """Apply reports that crossed their record, delete those that fit nothing, and old answers."""
    crossed = session.execute(
        select(Notice, NoticeReceipt)
        .join(
            NoticeReceipt,
            (NoticeReceipt.platform_msg_id == Notice.platform_msg_id)
            & (NoticeReceipt.openid == Notice.openid),
        )
        .where(Notice.state == NoticeState.SENT)
        .limit(SWEEP_LIMIT)
    ).all()
    for notice, receipt in crossed:
        session.delete(receipt)
        settle(notice, Receipt(receipt.status), now=now, jitter=0.5)
    session.execute(delete(NoticeReceipt).where(NoticeReceipt.received_at < now - RECEIPT_LIFETIME))
    session.execute(
        update(Notice)
        .where(
            Notice.body.is_not(None),
            Notice.state.in_([NoticeState.SENT, NoticeState.DELIVERED]),
            Notice.created_at < now - 2 * ANSWER_LIFETIME,
        )
        .values(body=None)
    )
