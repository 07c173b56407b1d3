"""Telling those who decide that people wait for them, at most once an hour."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from core.clock import local
from core.notices.model import Notice
from core.notices.service import NoticeDraft, queue_notices
from core.registration.model import Registration
from core.registration.rules import (
    NEWS_WITHIN,
    TELL_EVERY,
    RegistrationState,
    is_telling_due,
)
from core.registration.telling import Decider, list_deciders, sheet_path

OWNER_WAITING: Final = "owner_waiting"
# Keys in one statement; both databases bound how many values one may have.
_KEYS: Final = 5000


@dataclass(frozen=True, slots=True, kw_only=True)
class _Waiting:
    """Those of a department who wait.

    Attributes:
        first_at: when the first of the newest ones came.
        last_at: when the last one came.
    """

    workplace_id: int
    department: str
    count: int
    first_at: datetime
    last_at: datetime


def tell_waiting(session: Session, *, now: datetime) -> int:
    """Queue for those who decide how many people wait for them; return how many are told.

    Called once a minute. An owner is told of the whole workplace, a manager of their department:
    two minutes after somebody new came, and not within an hour of the last time. Where nobody new
    came since, nothing is said again.
    """
    waiting = _list_waiting(session, now=now)
    if not waiting:
        return 0
    deciders = list_deciders(session, workplace_ids={one.workplace_id for one in waiting})
    told = _find_told(session, deciders, now=now)
    drafts = []
    for decider in deciders:
        theirs = [one for one in waiting if decider.decides(one.workplace_id, one.department)]
        if theirs and is_telling_due(
            first_at=min(one.first_at for one in theirs),
            last_at=max(one.last_at for one in theirs),
            told_at=told.get(decider),
            now=now,
        ):
            count = sum(one.count for one in theirs)
            drafts.append(_draft_of(decider, count=count, now=now))
    queue_notices(session, now=now, drafts=drafts)
    return len(drafts)


def _list_waiting(session: Session, *, now: datetime) -> list[_Waiting]:
    """Return who waits in the companies to which somebody came of late."""
    since = now - NEWS_WITHIN
    is_waiting = Registration.state == RegistrationState.SUBMITTED.value
    with_news = select(Registration.workplace_id).where(is_waiting, Registration.changed_at > since)
    rows = session.execute(
        select(
            Registration.workplace_id,
            Registration.department,
            func.count().label("people"),
            func.min(case((Registration.changed_at > since, Registration.changed_at))).label(
                "first_at"
            ),
            func.max(Registration.changed_at).label("last_at"),
        )
        .where(is_waiting, Registration.workplace_id.in_(with_news))
        .group_by(Registration.workplace_id, Registration.department)
    )
    return [
        _Waiting(
            workplace_id=row.workplace_id,
            department=row.department,
            count=row.people,
            # A department to which nobody came of late has waited for long enough.
            first_at=row.first_at or row.last_at,
            last_at=row.last_at,
        )
        for row in rows
    ]


def _find_told(
    session: Session, deciders: Iterable[Decider], *, now: datetime
) -> Mapping[Decider, datetime]:
    """Return when each was last told, if that was of late; the keys of notices tell."""
    hours = int(NEWS_WITHIN / TELL_EVERY) + 1
    of_key = {
        _key_of(decider, now - back * TELL_EVERY): decider
        for decider in deciders
        for back in range(hours)
    }
    keys = list(of_key)
    told: dict[Decider, datetime] = {}
    for start in range(0, len(keys), _KEYS):
        rows = session.execute(
            select(Notice.key, Notice.created_at).where(Notice.key.in_(keys[start : start + _KEYS]))
        )
        for key, created_at in rows:
            decider = of_key[key]
            told[decider] = max(created_at, told.get(decider, created_at))
    return told


def _key_of(decider: Decider, at: datetime) -> str:
    """Return the identity of what a person is told within an hour of the clock."""
    return f"waiting:{local(at):%Y%m%d%H}:{decider.workplace_id}:{decider.openid}"


def _draft_of(decider: Decider, *, count: int, now: datetime) -> NoticeDraft:
    return NoticeDraft(
        kind=OWNER_WAITING,
        openid=decider.openid,
        key=_key_of(decider, now),
        values={"company": decider.workplace_name, "count": count},
        link=sheet_path(decider.workplace_id),
    )
