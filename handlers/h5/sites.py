"""Construction sites for those who report for one: theirs, the day of one, who is there."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from core.clock import day_of
from core.people.names import name_of
from core.people.staff.rules import Area
from core.registration.leaving import end_for
from core.registration.listing import StaffQuery, list_registrations
from core.registration.rules import Group, RegistrationState
from core.registration.service import count_registrations
from core.sites.reminding import site_path
from core.sites.reporting import ReportReceipt, Sending, submit_unchanged
from core.sites.reports import find_last_figures, list_reports
from core.sites.rules import REPORTED_WITHIN, Figures, ReportState, ReportWay, due_at
from core.sites.service import Membership, get_membership, list_memberships
from core.sites.settings import find_due
from handlers.access import Access, access
from handlers.forms import Form, choice_field, number_field, text_field
from handlers.h5.visit import Visit
from handlers.page import Answer, Page, Redirect

SITES: Final = "/h5/sites"
# Uses in seconds. A thumb taps twice; a whole site is not reported a hundred times an hour.
REPORT_LIMIT: Final = (60, 3600)
LOOK_LIMIT: Final = (120, 3600)
_KEY_BYTES: Final = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Today:
    """How a site that somebody reports for stands today.

    Attributes:
        last: figures of the last report of an earlier day; None: there is none.
        request_key: of the button that this page shows.
    """

    member: Membership
    has_reported: bool
    last: Figures | None
    request_key: str


def membership_of(visit: Visit) -> Membership:
    """Return that the visitor reports for the site of the address.

    Raises:
        SiteNotFoundError: there is no such site, or they do not report for it.
    """
    # 0 is none: a number that no row has reaches no database.
    site_id = number_field(visit.params, "id") or 0
    return get_membership(visit.reading(), openid=visit.openid, site_id=site_id)


def sending_of(visit: Visit, member: Membership) -> Sending:
    """Return how the report of a form came; a form without its key is one of its own."""
    key = text_field(visit.form, "request_key") or new_key()
    return Sending(
        way=ReportWay.PAGE, actor=member.actor, request_key=key, reported_at=visit.now, point=None
    )


def new_key() -> str:
    """Return what tells one press of a button from another."""
    return secrets.token_hex(_KEY_BYTES)


def done_of(receipt: ReportReceipt, *, named_count: int = 0) -> str:
    """Return the part of an address that says what became of a report, without anybody in it."""
    if not receipt.is_new:
        return "done=same"
    if receipt.card.state is not ReportState.STANDING:
        return "done=behind"
    missing = receipt.card.figures.joined_count - named_count
    return f"done=reported&missing={missing}" if missing > 0 else "done=reported"


# ---- the sites of somebody -------------------------------------------------------------------


@access(Access.PERSON)
def sites(visit: Visit) -> Answer:
    """List the sites that somebody reports for, each with its one tap."""
    session = visit.reading()
    members = list_memberships(session, openid=visit.openid)
    values = {
        "lines": [_today_of(visit, one) for one in members],
        **due_values(visit),
        "done": visit.query.get("done", ""),
    }
    return Page(template="sites/list", values=values)


def due_values(visit: Visit) -> Mapping[str, object]:
    """Return the hour by which sites report today, and whether it is over."""
    today = day_of(visit.now)
    due = find_due(visit.reading(), day=today)
    return {"today": today, "due": f"{due:%H:%M}", "is_over": visit.now > due_at(today, due=due)}


def _today_of(visit: Visit, member: Membership) -> Today:
    today = day_of(visit.now)
    return Today(
        member=member,
        has_reported=member.has_reported(visit.now),
        last=find_last_figures(visit.reading(), site_id=member.site.id, day=today),
        request_key=new_key(),
    )


# ---- the day of a site -----------------------------------------------------------------------


@access(Access.PERSON)
def site(visit: Visit) -> Answer:
    """Show what is reported of a site today, and what can be reported."""
    member = membership_of(visit)
    session, site_id = visit.reading(), member.site.id
    today = day_of(visit.now)
    reports = list_reports(session, site_id=site_id, day=today)
    counts = count_registrations(session, workplace_id=site_id)
    values = {
        "line": _today_of(visit, member),
        "site": member.site,
        **due_values(visit),
        "standing": next((one for one in reports if one.state is ReportState.STANDING), None),
        "others": [one for one in reports if one.state is not ReportState.STANDING],
        "actor": member.actor,
        "missed": _missed_days(visit, member),
        "people_count": _count_of(counts, RegistrationState.APPROVED),
        "waiting_count": _count_of(counts, RegistrationState.SUBMITTED),
        "done": visit.query.get("done", ""),
        "missing_count": number_field(visit.query, "missing") or 0,
    }
    return Page(template="sites/site", values=values)


def _missed_days(visit: Visit, member: Membership) -> list[date]:
    """Return the earlier days of which a report may still come in and none stands."""
    session, today = visit.reading(), day_of(visit.now)
    days = [today - timedelta(days=back) for back in range(1, REPORTED_WITHIN.days + 1)]
    return [day for day in days if not list_reports(session, site_id=member.site.id, day=day)]


def _count_of(
    counts: Mapping[tuple[RegistrationState, Group], int], state: RegistrationState
) -> int:
    return sum(count for (one, _), count in counts.items() if one is state)


@access(Access.PERSON)
def unchanged(visit: Visit) -> Answer:
    """Report in one tap that nothing changed."""
    member = membership_of(visit)
    if not visit.is_within(f"site-report:{visit.openid}", *REPORT_LIMIT):
        return Page(template="sites/too_many", values={"site": member.site}, status=429)
    receipt = submit_unchanged(
        visit.writing(),
        site_id=member.site.id,
        day=day_of(visit.now),
        sending=sending_of(visit, member),
        now=visit.now,
    )
    done = done_of(receipt)
    # Whoever has several goes on to the next one.
    path = SITES if visit.form.get("back") == "list" else site_path(member.site.id)
    return Redirect(path=f"{path}?{done}")


# ---- who is there ----------------------------------------------------------------------------


@access(Access.PERSON)
def people(visit: Visit) -> Answer:
    """List who is registered with a site, masked; let those go who left."""
    member = membership_of(visit)
    if not visit.is_within(f"site-people:{visit.openid}", *LOOK_LIMIT):
        return Page(template="sites/too_many", values={"site": member.site}, status=429)
    if visit.is_post and visit.form.get("action") == "end":
        return _ended(visit, member)
    state = choice_field(visit.query, "state", RegistrationState) or RegistrationState.APPROVED
    # A name is in no address: the search is sent as a form.
    form = Form(visit.form)
    name = form.read("name", name_of) if visit.is_post else None
    found = list_registrations(
        visit.writing(),
        query=StaffQuery(
            area=Area(),
            workplace_id=member.site.id,
            state=None if name else state,
            name=name or "",
        ),
        actor=member.actor,
        now=visit.now,
        number=number_field(visit.query, "page") or 1,
    )
    values = {
        "site": member.site,
        "found": found,
        "state": state.value,
        "is_search": name is not None,
        "typed": form.typed,
        "is_ended": bool(visit.query.get("ended")),
    }
    return Page(template="sites/people", values=values, faults=form.faults)


def _ended(visit: Visit, member: Membership) -> Answer:
    registration_id = number_field(visit.form, "registration_id")
    end_for(
        visit.writing(),
        workplace_id=member.site.id,
        registration_ids=[registration_id] if registration_id else [],
        actor=member.actor,
        now=visit.now,
    )
    return Redirect(path=f"{site_path(member.site.id)}/people?ended=1")
