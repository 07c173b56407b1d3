"""How finely the gate was counted."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.arrivals.model import GateCount
from core.arrivals.rules import SLOT_MINUTES
from core.clock import start_of

QUARTER_MINUTES: Final = 15
HOUR_MINUTES: Final = 60


def find_count_minutes(session: Session, *, first: date, last: date) -> int:
    """Return how long the longest count of some local days is, in minutes; 5 without any.

    Args:
        session: may be a reading one.
        first: local day.
        last: local day, included.
    """
    longest = session.scalar(
        select(func.max(GateCount.minutes)).where(
            GateCount.starts_at >= start_of(first),
            GateCount.starts_at < start_of(last + timedelta(days=1)),
        )
    )
    return longest or SLOT_MINUTES


def window_for(count_minutes: int) -> int:
    """Return in windows of how many minutes counts are held against a forecast: 15, or 60."""
    return QUARTER_MINUTES if QUARTER_MINUTES % count_minutes == 0 else HOUR_MINUTES
