"""Use cases of what the platform reports: deliveries, consents, people who are gone."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from core.db import upsert
from core.notices.delivery import settle
from core.notices.model import Notice, NoticeReceipt
from core.notices.rules import ANSWER_LIFETIME, Channel, NoticeState, Receipt, receipt_of
from core.people.model import MessageConsent, Person

# Longer than any notice lives, so that a report can still be matched to its notice.
RECEIPT_LIFETIME = timedelta(days=4)
SWEEP_LIMIT = 500


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
    """Record that a person accepted one more subscription message (`subscribe_msg_popup_event`)."""
    session.execute(
        upsert(session, Person, keys=["openid"], update=[]).values(
            openid=openid, created_at=now, came_by=""
        )
    )
    person_id = session.scalars(select(Person.id).where(Person.openid == openid)).one()
    statement = upsert(session, MessageConsent, keys=["person_id", "template_id"], update=[])
    session.execute(
        statement.values(person_id=person_id, template_id=template_id, remaining=0, changed_at=now)
    )
    session.execute(
        update(MessageConsent)
        .where(MessageConsent.person_id == person_id, MessageConsent.template_id == template_id)
        .values(remaining=MessageConsent.remaining + 1, changed_at=now)
    )


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
