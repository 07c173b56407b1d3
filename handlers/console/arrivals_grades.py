"""How right the forecasts were: by day, beside simpler ones, and one day against what came."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from core.arrivals.grades import find_compared_day, list_grades
from core.clock import day_of
from handlers.access import Access, access
from handlers.console.arrivals import SEEN_BY
from handlers.console.arrivals_curves import compared_curve_of
from handlers.console.visit import Visit
from handlers.forms import day_field
from handlers.page import Answer, Page

SHOWN_DAYS: Final = 28


@access(Access.STAFF, *SEEN_BY)
def grades(visit: Visit) -> Answer:
    """List the graded days; show one of them slot by slot, the newest unless one is named."""
    session = visit.reading()
    listed = list_grades(session, until_day=day_of(visit.now) - timedelta(days=1), days=SHOWN_DAYS)
    day = day_field(visit.query, "day") or (listed[0].day if listed else None)
    compared = find_compared_day(session, day=day) if day else None
    return Page(
        template="arrivals/grades",
        values={
            "grades": listed,
            "shown_days": SHOWN_DAYS,
            "day": day,
            "compared": compared,
            "curve": compared_curve_of(compared) if compared else None,
        },
    )
