"""Finding forecasts as they were issued."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import Session

from core.arrivals.model import IssuedForecast
from core.arrivals.rules import FORECAST_HOURS
from core.clock import day_of, start_of


class Occasion(StrEnum):
    """Why a forecast is issued."""

    MIDNIGHT = "midnight"
    HOURLY = "hourly"
    DATA = "data"


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """A forecast that may have to be issued.

    Attributes:
        from_at: where its window begins.
        occasion: why.
    """

    from_at: datetime
    occasion: Occasion


def find_newest(
    session: Session, *, now: datetime, day: date | None = None
) -> IssuedForecast | None:
    """Return the newest forecast, or None.

    Args:
        session: may be a reading one.
        now: aware instant; what was issued later is not looked at.
        day: None: of the coming 24 hours; a local day: of that whole day.
    """
    statement = _newest_first().where(IssuedForecast.made_at <= now)
    if day is not None:
        statement = statement.where(IssuedForecast.from_at == start_of(day))
    else:
        statement = statement.where(
            IssuedForecast.from_at <= now,
            IssuedForecast.from_at > now - timedelta(hours=FORECAST_HOURS),
        )
    return session.scalars(statement.limit(1)).first()


def find_last_made(session: Session) -> datetime | None:
    """Return when the last forecast was issued; None before the first.

    Args:
        session: may be a reading one.
    """
    return session.scalar(select(func.max(IssuedForecast.made_at)))


def find_same(session: Session, *, from_at: datetime, digest: str) -> IssuedForecast | None:
    """Return the newest forecast of a window if it was made from the same, else None.

    Args:
        session: may be a reading one.
        from_at: where the window begins.
        digest: of what it would be made from.
    """
    statement = _newest_first().where(IssuedForecast.from_at == from_at).limit(1)
    newest = session.scalars(statement).first()
    return newest if newest is not None and newest.digest == digest else None


def is_issued(session: Session, *, from_at: datetime, since: datetime) -> bool:
    """Return whether a window was forecast at or after an instant."""
    statement = (
        select(IssuedForecast.id)
        .where(IssuedForecast.from_at == from_at, IssuedForecast.made_at >= since)
        .limit(1)
    )
    return session.scalar(statement) is not None


def list_day_forecasts(session: Session, *, first: date, last: date) -> dict[date, IssuedForecast]:
    """Return, by local day, the forecast that the day is graded by.

    That is the last one of the whole day that looked at nothing later than its midnight.

    Args:
        session: may be a reading one.
        first: local day.
        last: local day, included.
    """
    midnights = [start_of(first + timedelta(days=one)) for one in range((last - first).days + 1)]
    # Of each day one is wanted, of up to ten that are large.
    rows = session.execute(
        select(IssuedForecast.from_at, IssuedForecast.id)
        .where(
            IssuedForecast.from_at.in_(midnights),
            or_(
                IssuedForecast.occasion == Occasion.MIDNIGHT.value,
                IssuedForecast.made_at <= IssuedForecast.from_at,
            ),
        )
        .order_by(IssuedForecast.made_at)
    )
    newest = dict(rows.all())
    statement = _newest_first().where(IssuedForecast.id.in_(newest.values()))
    return {day_of(row.from_at): row for row in session.scalars(statement)}


def _newest_first() -> Select[Any]:
    return select(IssuedForecast).order_by(
        IssuedForecast.from_at.desc(), IssuedForecast.made_at.desc()
    )
