"""Reminding those who report for a site that has not reported; twice a day at most."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Final

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from core.clock import day_of
from core.notices.model import Notice
from core.notices.service import NoticeDraft, queue_notices
from core.people.model import Person
from core.sites.model import Site, SiteContract, SiteMember, SiteReport
from core.sites.rules import MemberState, Reminder, ReportState, reminder_at
from core.sites.settings import find_due
from core.workplaces.rules import RUNNING

SITE_REPORT_DUE: Final = "site_report_due"
# Keys in one statement; both databases bound how many values one may have.
_KEYS: Final = 5000
_RUNNING: Final = tuple(state.value for state in RUNNING)


def remind_sites(session: Session, *, now: datetime) -> int:
    """Queue for who reports for a site that its report is due; return how many are told.

    Called once a minute. The first reminder goes out half an hour before the hour of the day, the
    second an hour after it; who has reported, or was told, is left alone.

    Args:
        session: the session of the step.
        now: aware instant.
    """
    due = find_due(session, day=day_of(now))
    reminder = reminder_at(now, due=due)
    if reminder is None:
        return 0
    drafts = [
        NoticeDraft(
            kind=SITE_REPORT_DUE,
            openid=openid,
            key=f"site_due:{day_of(now)}:{reminder}:{site_id}:{openid}",
            values={
                "site": name,
                "due": f"{due:%H:%M}",
                "is_over": int(reminder is Reminder.SECOND),
            },
            link=site_path(site_id),
        )
        for site_id, name, openid in _list_missing(session, day_of(now))
    ]
    drafts = _not_told(session, drafts)
    queue_notices(session, now=now, drafts=drafts)
    return len(drafts)


def site_path(site_id: int) -> str:
    """Return the address of the page on which somebody reports for a site."""
    return f"/h5/site/{site_id}"


def _list_missing(session: Session, day: date) -> list[tuple[int, str, str]]:
    """Return site, name and openid of those who report for a site that has not reported."""
    has_reported = exists(
        select(SiteReport.id).where(
            SiteReport.site_id == Site.id,
            SiteReport.day == day,
            SiteReport.state == ReportState.STANDING.value,
        )
    )
    rows = session.execute(
        select(Site.id, Site.name, Person.openid)
        .join(SiteContract, SiteContract.site_id == Site.id)
        .join(SiteMember, SiteMember.contract_id == SiteContract.id)
        .join(Person, Person.id == SiteMember.person_id)
        .where(
            Site.state.in_(_RUNNING),
            SiteContract.until.is_(None),
            SiteMember.state == MemberState.ACTIVE.value,
            ~has_reported,
        )
        .order_by(Site.id, SiteMember.id)
    )
    return [(site_id, name, openid) for site_id, name, openid in rows]


def _not_told(session: Session, drafts: Sequence[NoticeDraft]) -> list[NoticeDraft]:
    keys = [draft.key for draft in drafts]
    told: set[str] = set()
    for start in range(0, len(keys), _KEYS):
        told.update(
            session.scalars(select(Notice.key).where(Notice.key.in_(keys[start : start + _KEYS])))
        )
    return [draft for draft in drafts if draft.key not in told]
