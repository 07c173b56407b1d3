"""How many people come in any stretch of time that somebody asks for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final

from sqlalchemy.orm import Session

from core.arrivals.bodies import forecast_in, kept_in
from core.arrivals.issued import find_newest
from core.arrivals.rules import SLOT_MINUTES, Band
from core.clock import local

SLOT: Final = timedelta(minutes=SLOT_MINUTES)
DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowView:
    """A stretch of a forecast.

    Attributes:
        starts_at: start of the five minutes in which it begins.
        ends_at: end of the five minutes in which it ends.
        band: persons at the check point.
        needed: the most posts that any five minutes of it need.
    """

    starts_at: datetime
    ends_at: datetime
    band: Band
    needed: int


def find_window(
    session: Session, *, now: datetime, start: time, end: time, day: date | None = None
) -> WindowView | None:
    """Return who comes between two times of the clock, or None without a forecast.

    Args:
        session: may be a reading one.
        now: aware instant.
        start: local time; its next occurrence from the start of the forecast's window on.
        end: local time after that, at most a day later; what lies beyond the window is left out.
        day: as `core.arrivals.overview.find_board` takes it.
    """
    row = find_newest(session, now=now, day=day)
    if row is None:
        return None
    # Arrays take a while to load, and only here are they needed.
    from core.arrivals.forecasting import window_of

    kept = kept_in(row.body)
    starts_at = _next(start, from_at=kept.from_at)
    ends_at = min(_next(end, from_at=starts_at + SLOT), kept.until_at)
    first, last = (starts_at - kept.from_at) // SLOT, -((kept.from_at - ends_at) // SLOT)
    found = window_of(forecast_in(row.body), starts_at, ends_at)
    return WindowView(
        starts_at=kept.from_at + first * SLOT,
        ends_at=kept.from_at + last * SLOT,
        band=found,
        needed=max(kept.needed[first:last]),
    )


def _next(clock: time, *, from_at: datetime) -> datetime:
    """Return the first instant with a time of the clock, from another instant on."""
    here = local(from_at)
    found = here.replace(hour=clock.hour, minute=clock.minute, second=0, microsecond=0)
    return found if found >= here else found + DAY
