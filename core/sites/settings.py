"""By when sites report: the hour of the district, and who set it."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.audit.service import record
from core.clock import day_of, start_of
from core.sites.model import SiteSetting
from core.sites.rules import DUE


def find_due(session: Session, *, day: date) -> time:
    """Return the time of day in Asia/Shanghai by which sites report; 10:00 before anybody set it.

    Args:
        session: may be a reading one.
        day: local day of the report.
    """
    minutes = session.scalar(
        select(SiteSetting.due_minutes)
        .where(SiteSetting.valid_from <= start_of(day))
        .order_by(SiteSetting.valid_from.desc(), SiteSetting.id.desc())
        .limit(1)
    )
    return DUE if minutes is None else time(*divmod(minutes, 60))


def set_due(session: Session, *, due: time, actor: str, now: datetime) -> None:
    """Set the time of day by which sites report, from tomorrow on: nobody is late all at once.

    Args:
        session: the session of the change.
        due: time of day in Asia/Shanghai, whole minutes.
        actor: who sets it, as `staff:3`.
        now: aware instant.
    """
    minutes = due.hour * 60 + due.minute
    tomorrow = start_of(day_of(now) + timedelta(days=1))
    session.add(SiteSetting(due_minutes=minutes, valid_from=tomorrow, set_by=actor))
    record(
        session,
        now=now,
        actor=actor,
        action="site_due_set",
        subject="sites:0",
        due_minutes=minutes,
    )
    session.flush()
