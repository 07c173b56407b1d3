"""Use cases of the outbox: queue a notice, see how full it is, find an answer that waits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.db import upsert
from core.notices.model import Notice
from core.notices.rules import (
    LATE_REPLY,
    OPEN_STATES,
    NoticeState,
    Value,
    client_msg_id_for,
    priority_of,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeDraft:
    """A notice before it is queued.

    Attributes:
        kind: names the wording, `templates/notices/<kind>.txt`.
        openid: whom to tell.
        key: identity of the notice, at most 160 characters; the same key twice is one notice.
        values: what the wording names; no personal data.
        body: text of a late chat reply.
        link: page that a tap opens.
        page_path: page of the mini program that a tap opens; wins over `link`.
    """

    kind: str
    openid: str
    key: str
    values: Mapping[str, Value] = field(default_factory=dict)
    body: str | None = None
    link: str = ""
    page_path: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxStatus:
    """How full the outbox is.

    Attributes:
        counts: notices by state.
        due_count: open notices that could be sent now.
        oldest_due_seconds: how long the longest of them has been due; 0 if none is.
        next_at: when the next open notice is due, None if there is none.
    """

    counts: Mapping[NoticeState, int]
    due_count: int
    oldest_due_seconds: float
    next_at: datetime | None


def queue_notice(
    session: Session,
    *,
    now: datetime,
    kind: str,
    openid: str,
    key: str,
    values: Mapping[str, Value],
    body: str | None = None,
    link: str = "",
    page_path: str = "",
) -> None:
    """Queue one notice, unless one with this key exists already.

    Args:
        session: the session of the change that the notice tells of.
        now: aware instant; the notice is due at once.
        kind: names the wording.
        openid: whom to tell.
        key: identity of the notice, at most 160 characters.
        values: what the wording names; no personal data.
        body: text of a late chat reply.
        link: page that a tap opens.
        page_path: page of the mini program that a tap opens.
    """
    draft = NoticeDraft(
        kind=kind, openid=openid, key=key, values=values, body=body, link=link, page_path=page_path
    )
    queue_notices(session, now=now, drafts=[draft])


def queue_notices(session: Session, *, now: datetime, drafts: Sequence[NoticeDraft]) -> None:
    """Queue many notices in one statement; those whose key exists are left alone."""
    if not drafts:
        return
    rows: list[dict[str, object]] = [
        {
            "kind": draft.kind,
            "openid": draft.openid,
            "key": draft.key,
            "client_msg_id": client_msg_id_for(draft.key),
            "values": dict(draft.values),
            "body": draft.body,
            "link": draft.link,
            "page_path": draft.page_path,
            "priority": priority_of(draft.kind),
            "state": NoticeState.QUEUED,
            "created_at": now,
            "next_at": now,
            "refused": [],
            "attempts": 0,
        }
        for draft in drafts
    ]
    session.execute(upsert(session, Notice, keys=["key"], update=[]), rows)


def get_outbox_status(session: Session, *, now: datetime) -> OutboxStatus:
    """Return depth and age of the outbox."""
    counts = dict.fromkeys(NoticeState, 0)
    for state, count in session.execute(
        select(Notice.state, func.count()).group_by(Notice.state)
    ).all():
        counts[NoticeState(state)] = count
    is_open = Notice.state.in_(OPEN_STATES)
    due_count, oldest_at = session.execute(
        select(func.count(), func.min(Notice.next_at)).where(is_open, Notice.next_at <= now)
    ).one()
    return OutboxStatus(
        counts=counts,
        due_count=due_count,
        oldest_due_seconds=(now - oldest_at).total_seconds() if oldest_at else 0.0,
        next_at=session.scalar(select(func.min(Notice.next_at)).where(is_open)),
    )


def find_waiting_answer(session: Session, *, now: datetime, openid: str) -> str | None:
    """Return the newest late answer of which the person was only told that it is ready.

    Args:
        session: a session that may only read.
        now: aware instant; older answers than a day are not worth giving.
        openid: who asks.
    """
    notice = session.scalars(
        select(Notice)
        .where(
            Notice.openid == openid,
            Notice.kind == LATE_REPLY,
            Notice.state.in_([NoticeState.SENT, NoticeState.DELIVERED]),
            Notice.body.is_not(None),
        )
        .order_by(Notice.id.desc())
        .limit(1)
    ).first()
    return None if notice is None or notice.is_stale(now) else notice.body
