"""The busy and the quiet hours of Shanghai South: open to anybody, in words alone."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from core.arrivals.public import find_public_hours
from core.clock import day_of
from handlers.access import Access, access
from handlers.h5.visit import Visit
from handlers.page import Answer, Page

# A forecast comes every hour, or with new data; a minute is nothing to it.
KEEP_SECONDS: Final = 60


@access(Access.PUBLIC)
def arrivals(visit: Visit) -> Answer:
    """Show how busy the station will be, hour by hour, today and tomorrow."""
    session, today = visit.reading(), day_of(visit.now)
    days = [
        find_public_hours(session, now=visit.now, day=day)
        for day in (today, today + timedelta(days=1))
    ]
    known = [one for one in days if one is not None and one.hours]
    return Page(
        template="arrivals/hours",
        values={"days": known, "today": today},
        keep_seconds=KEEP_SECONDS,
    )
