"""Telling the staff who release publications that a day is held, or that real time left it."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy.orm import Session

from core.clock import day_of
from core.notices.staff import queue_for_staff
from core.people.staff.rules import Role
from core.risk.rules import MAX_CARD_AGE_DAYS

HELD: Final = "risk_publication_held"
TOLD: Final = (Role.DISTRICT_REVIEWER, Role.ADMINISTRATOR)
_PAUSED: Final = "paused"
_PAGE: Final = "/console/risk/publications"


def alert_held(session: Session, *, day: date, cause: str, count: int, now: datetime) -> None:
    """Tell the staff that the colours of a day do not go out; once in a local day.

    Args:
        session: the session of the step.
        day: the local day that is held; one that cards could not show any more is no news.
        cause: why, a value of `HoldReason`.
        count: communities that would change colour.
        now: aware instant.
    """
    if day >= day_of(now) - timedelta(days=MAX_CARD_AGE_DAYS):
        _queue(session, day=day, cause=cause, count=count, now=now)


def alert_paused(session: Session, *, community_count: int, now: datetime) -> None:
    """Tell the staff that communities are worse than what is shown; once in a local day."""
    _queue(session, day=day_of(now), cause=_PAUSED, count=community_count, now=now)


def _queue(session: Session, *, day: date, cause: str, count: int, now: datetime) -> None:
    matter = _PAUSED if cause == _PAUSED else "held"
    queue_for_staff(
        session,
        kind=HELD,
        roles=TOLD,
        key=f"{HELD}:{matter}:{day_of(now).isoformat()}",
        values={"day": day.isoformat(), "cause": cause, "count": count},
        link=_PAGE,
        now=now,
    )
