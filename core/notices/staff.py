"""Notices to the staff: the same one to everybody whose role and area of duty it concerns."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime

from sqlalchemy.orm import Session

from core.notices.rules import Value, staff_key_for
from core.notices.service import NoticeDraft, queue_notices
from core.people.staff.rules import Role
from core.people.staff.wechat import list_staff_openids


def queue_for_staff(
    session: Session,
    *,
    kind: str,
    roles: Collection[Role],
    key: str,
    values: Mapping[str, Value],
    link: str,
    now: datetime,
    street_id: int | None = None,
    community_ids: Collection[int] | None = None,
    staff_ids: Collection[int] | None = None,
) -> int:
    """Queue a notice to the staff whom a matter concerns and who hear in WeChat.

    Whoever has not bound a WeChat account sees the matter on the console alone.

    Args:
        session: the session of the change that the notice tells of.
        kind: names the wording.
        roles: whom it concerns.
        key: identity of the matter, at most 140 characters; nobody is told twice of the same.
        values: what the wording names; no personal data.
        link: page of the console that a tap opens.
        now: aware instant; the notices are due at once.
        street_id: a street that the matter is about.
        community_ids: communities that it is about; with neither it is of the whole district.
        staff_ids: those of them whom it is for; None: all.

    Returns:
        How many of the staff are told, or were told before.
    """
    readers = list_staff_openids(
        session, roles=roles, street_id=street_id, community_ids=community_ids
    )
    drafts = [
        NoticeDraft(
            kind=kind,
            openid=reader.openid,
            key=staff_key_for(key, staff_id=reader.staff_id),
            values=values,
            link=link,
        )
        for reader in readers
        if staff_ids is None or reader.staff_id in staff_ids
    ]
    queue_notices(session, now=now, drafts=drafts)
    return len(drafts)
