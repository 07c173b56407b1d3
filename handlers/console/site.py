"""One construction site: its days, reports, contracts, people and cases, and who reports for it."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

from core.cases.listing import CasePage, CaseQuery, list_cases
from core.cases.rules import CaseState
from core.clock import day_of
from core.codes.drawing import modules_of
from core.people.inviting import Invitation
from core.people.names import name_of
from core.people.phones import phone_of
from core.people.staff.rules import Role
from core.registration.listing import StaffPage, StaffQuery, list_registrations
from core.sites.members import (
    TooManyMembersError,
    end_member,
    invite_member,
)
from core.sites.overview import SiteView, get_site_view
from core.sites.reports import ReportCard, list_reports
from core.sites.rules import CURVE_DAYS
from core.sites.service import SiteCard, SiteNotFoundError, SiteWithoutContractorError
from handlers.access import Access, access
from handlers.console import cases
from handlers.console.reviewing import CONFLICT, UNPROCESSABLE
from handlers.console.sites import PATH, SEEN_BY
from handlers.console.visit import Visit
from handlers.forms import Form, day_field, number_field
from handlers.page import Answer, Page, Redirect

INVITED_BY: Final = (Role.SITE_SUPERVISOR, Role.ADMINISTRATOR)
INVITE_LIMIT: Final = (60, 3600)
TOO_MANY: Final = 429
MAX_NAME: Final = 60
MAX_PHONE: Final = 20


@access(Access.STAFF, *SEEN_BY)
def site(visit: Visit) -> Answer:
    """Show a site of my area; its people, masked, to those who look after them, on record."""
    return _site_page(visit)


@access(Access.STAFF, *INVITED_BY)
def invite(visit: Visit) -> Answer:
    """Invite somebody of the contractor to report for a site that I look after."""
    view = _view(visit)
    _check_own(visit, view.line.card)
    form = Form(visit.form)
    name, phone = form.read("name", name_of), form.read("phone", phone_of)
    if name is None or phone is None:
        return _site_page(visit, form=form, status=UNPROCESSABLE)
    if not visit.is_within(f"console-invite:{visit.staff.staff_id}", *INVITE_LIMIT):
        return _site_page(visit, form=form, is_too_often=True, status=TOO_MANY)
    try:
        invitation = invite_member(
            visit.writing(),
            site_id=view.line.card.id,
            name=name,
            phone=phone,
            actor=_actor(visit),
            now=visit.now,
        )
    except (SiteWithoutContractorError, TooManyMembersError) as error:
        form.refuse("name", error)
        return _site_page(visit, form=form, status=CONFLICT)
    return _invited(visit, view.line.card, invitation)


def _invited(visit: Visit, card: SiteCard, invitation: Invitation) -> Page:
    # The token is kept nowhere: this answer is the one place that shows it.
    address = f"{visit.public_url}/h5/sites/join/{invitation.token}"
    return Page(
        template="sites/invited",
        values={
            "site": card,
            "address": address,
            "qr": modules_of(address),
            "ends_at": invitation.ends_at,
        },
    )


@access(Access.STAFF, *INVITED_BY)
def end(visit: Visit) -> Answer:
    """End that somebody reports for a site that I look after, or an invitation to."""
    view = _view(visit)
    _check_own(visit, view.line.card)
    end_member(
        visit.writing(),
        site_id=view.line.card.id,
        member_id=number_field(visit.params, "member_id") or 0,
        actor=_actor(visit),
        now=visit.now,
    )
    return Redirect(path=f"{PATH}/{view.line.card.id}?done=ended#members")


# ---- what these share ----------------------------------------------------------------------------


def _view(visit: Visit) -> SiteView:
    """Return the site that an address names.

    Raises:
        SiteNotFoundError: there is none, or it is outside my area.
    """
    site_id = number_field(visit.params, "id")
    if site_id is None:
        raise SiteNotFoundError
    return get_site_view(visit.reading(), site_id=site_id, area=visit.staff.area, now=visit.now)


def _is_own(visit: Visit, card: SiteCard) -> bool:
    """Return whether the people of a site are mine to look after, as its cases are."""
    is_watching = visit.staff.role is Role.SITE_SUPERVISOR
    return not is_watching or card.supervisor_id == visit.staff.staff_id


def _check_own(visit: Visit, card: SiteCard) -> None:
    """Check that somebody looks after a site.

    Raises:
        SiteNotFoundError: a colleague does.
    """
    if not _is_own(visit, card):
        raise SiteNotFoundError


def _actor(visit: Visit) -> str:
    return f"staff:{visit.staff.staff_id}"


def _site_page(
    visit: Visit, *, form: Form | None = None, is_too_often: bool = False, status: int = 200
) -> Page:
    view = _view(visit)
    card, is_own = view.line.card, _is_own(visit, view.line.card)
    day = _day_of(visit)
    values = {
        "view": view,
        "day": day,
        "today": day_of(visit.now),
        "reports": _reports_of(visit, view, day),
        "is_own": is_own,
        "people": _people_of(visit, card) if is_own else None,
        "cases": _cases_of(visit, card) if is_own else None,
        "may_invite": is_own and visit.staff.role in INVITED_BY and card.contract_id is not None,
        "typed": form.typed if form else {},
        "is_too_often": is_too_often,
        "is_ended": visit.query.get("done") == "ended",
        "max_name": MAX_NAME,
        "max_phone": MAX_PHONE,
        "now": visit.now,
    }
    faults = form.faults if form else {}
    return Page(template="sites/site", values=values, faults=faults, status=status)


def _day_of(visit: Visit) -> date:
    """Return the day whose reports are asked for: one of the curve, today unless named."""
    today = day_of(visit.now)
    asked = day_field(visit.query, "day")
    is_shown = asked is not None and today - timedelta(days=CURVE_DAYS) < asked <= today
    return asked if asked is not None and is_shown else today


def _reports_of(visit: Visit, view: SiteView, day: date) -> tuple[ReportCard, ...]:
    if day == day_of(visit.now):
        return view.reports
    return tuple(list_reports(visit.reading(), site_id=view.line.card.id, day=day))


def _people_of(visit: Visit, card: SiteCard) -> StaffPage:
    return list_registrations(
        visit.writing(),
        query=StaffQuery(area=visit.staff.area, workplace_id=card.id),
        actor=_actor(visit),
        now=visit.now,
        number=number_field(visit.query, "page") or 1,
    )


def _cases_of(visit: Visit, card: SiteCard) -> CasePage:
    query = CaseQuery(
        scope=cases.scope_of(visit), states=frozenset(CaseState), workplace_id=card.id
    )
    return list_cases(visit.reading(), query=query, now=visit.now)
