"""The page that staff come to: who they are, and what there is for them."""

from __future__ import annotations

from core.cases.listing import CaseCounts, count_cases
from core.clock import day_of
from core.mandates.reviewing import ClaimQuery, list_claims
from core.people.staff.rules import Role
from core.people.staff.service import list_area_names
from core.people.staff.wechat import find_binding
from core.resumption.filing.pace import list_pace
from core.resumption.filing.reviewing import count_filings
from core.resumption.filing.rules import FilingState
from core.resumption.filing.service import find_usual_wait
from core.risk.listing import count_colours_of
from core.risk.publishing import count_held
from core.risk.rulings.appeal_cards import count_appeals
from core.risk.rulings.override_cards import count_override_states
from core.risk.rulings.rules import AppealState, OverrideState
from handlers.access import Access, access
from handlers.console import arrivals, cases, registrations, reviewing, risk, rulings
from handlers.console.audit import AUDITED_BY
from handlers.console.visit import Visit
from handlers.page import Answer, Page


@access(Access.STAFF, *Role)
def home(visit: Visit) -> Answer:
    """Show who is signed in, their area of duty and the cards of their role."""
    session, staff = visit.reading(), visit.staff
    counts = None
    if staff.role in risk.SEEN_BY:
        counts = count_colours_of(session, area=staff.area, today=day_of(visit.now))
    return Page(
        template="home",
        values={
            "area_names": list_area_names(session, area=staff.area),
            "binding": find_binding(session, staff_id=staff.staff_id),
            "counts": counts,
            "waiting": _waiting(visit),
            "rulings": _rulings(visit),
            "cases": _cases(visit),
            "may_enter": staff.role in registrations.ENTERED_BY,
            "sees_arrivals": staff.role in arrivals.SEEN_BY,
            "may_audit": staff.role in AUDITED_BY,
            "done": visit.query.get("done", ""),
        },
    )


def _waiting(visit: Visit) -> dict[str, object] | None:
    """Return what of return to work waits in an area; None for those who have none of it."""
    session, staff = visit.reading(), visit.staff
    if staff.role not in reviewing.SEEN_BY:
        return None
    claimed = list_claims(session, query=ClaimQuery(area=staff.area), number=1, now=visit.now)
    filed = count_filings(session, area=staff.area)
    return {
        "filing_count": filed[FilingState.SUBMITTED],
        "claim_count": claimed.count,
        "approved_count": filed[FilingState.APPROVED],
        "usual_wait": find_usual_wait(session),
        "pace": list_pace(session, area=staff.area, today=day_of(visit.now)),
    }


def _cases(visit: Visit) -> CaseCounts | None:
    """Return the cases that somebody looks after; None for those who have none of them."""
    if visit.staff.role not in cases.SEEN_BY:
        return None
    return count_cases(visit.reading(), scope=cases.scope_of(visit), now=visit.now)


def _rulings(visit: Visit) -> dict[str, int] | None:
    """Return what of community risk waits for a decision; None for those who decide nothing."""
    session, staff, today = visit.reading(), visit.staff, day_of(visit.now)
    if staff.role not in rulings.RULED_BY:
        return None
    proposed = count_override_states(session, area=staff.area, today=today)
    appealed = count_appeals(session, area=staff.area)
    return {
        "override_count": proposed[OverrideState.PROPOSED],
        "appeal_count": appealed[AppealState.OPEN] + appealed[AppealState.RECOMMENDED],
        "held_count": count_held(session, today=today),
    }
