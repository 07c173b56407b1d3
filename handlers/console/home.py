"""The page that staff come to: who they are, and what there is for them."""

from __future__ import annotations

from core.clock import day_of
from core.people.staff.rules import Role
from core.people.staff.service import list_area_names
from core.risk.listing import count_colours_of
from handlers.access import Access, access
from handlers.console.audit import AUDITED_BY
from handlers.console.communities import SEEN_BY
from handlers.console.visit import Answer, Page, Visit


@access(Access.STAFF, *Role)
def home(visit: Visit) -> Answer:
    """Show who is signed in, their area of duty and the cards of their role."""
    session, staff = visit.reading(), visit.staff
    counts = None
    if staff.role in SEEN_BY:
        counts = count_colours_of(session, area=staff.area, today=day_of(visit.now))
    return Page(
        template="home",
        values={
            "area_names": list_area_names(session, area=staff.area),
            "counts": counts,
            "may_audit": staff.role in AUDITED_BY,
            "done": visit.query.get("done", ""),
        },
    )
