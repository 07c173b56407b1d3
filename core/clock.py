"""Days of Asia/Shanghai. Nothing in core reads the clock: `now` is always an argument."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")


def day_of(now: datetime) -> date:
    """Return the local calendar day of an instant.

    Raises:
        ValueError: `now` has no zone, a bug in the caller.
    """
    if now.tzinfo is None:
        raise ValueError("an aware datetime is needed")
    return now.astimezone(SHANGHAI).date()


def local(now: datetime) -> datetime:
    """Return the instant as wall-clock time in Asia/Shanghai."""
    return now.astimezone(SHANGHAI)


def start_of(day: date) -> datetime:
    """Return the first instant of a local day, in UTC."""
    return datetime.combine(day, time(), SHANGHAI).astimezone(UTC)
