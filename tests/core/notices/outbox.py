"""Steps of a notice's way, each in a transaction of its own, as a worker takes them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from core.db import Database
from core.notices import delivery, service
from core.notices.delivery import Attempt, NoAttempt, Offer
from core.notices.model import Notice
from core.notices.rules import Channel

TEMPLATE_OFFER = Offer(template_id="t", is_window_open=False)
LEASE = 120.0


def queue(database: Database, now: datetime, *keys: str, kind: str = "colour_changed") -> None:
    """Queue notices to one person, by their keys."""
    with database.transaction() as session:
        for key in keys:
            service.queue_notice(
                session, now=now, kind=kind, openid="o1", key=key, values={"community": "甲"}
            )


def claim(database: Database, now: datetime, worker: str = "w", limit: int = 10) -> list[int]:
    """Claim what is due and return the ids."""
    with database.transaction() as session:
        claimed = delivery.claim_notices(
            session, now=now, worker=worker, limit=limit, lease_seconds=LEASE
        )
        return [item.notice_id for item in claimed]


def begin(
    database: Database,
    now: datetime,
    notice_id: int,
    *,
    worker: str = "w",
    offer: Offer = TEMPLATE_OFFER,
) -> Attempt | NoAttempt:
    """Begin an attempt of a claimed notice."""
    with database.transaction() as session:
        return delivery.begin_attempt(
            session, now=now, notice_id=notice_id, worker=worker, offer=offer
        )


def sent(database: Database, now: datetime, notice_id: int, msg_id: str = "m1") -> None:
    """Record that the platform accepted a notice."""
    with database.transaction() as session:
        delivery.mark_sent(
            session,
            now=now,
            notice_id=notice_id,
            channel=Channel.TEMPLATE,
            platform_msg_id=msg_id,
        )


def row_of(database: Database, notice_id: int) -> Notice:
    """Return a notice as it is stored."""
    with Session(database.engine) as session:
        return session.get_one(Notice, notice_id)
