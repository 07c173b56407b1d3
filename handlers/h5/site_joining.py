"""Who comes to a site by a code: the invited who will report for it, and workers who scan."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Final

from core.clock import day_of, start_of
from core.codes.drawing import modules_of
from core.codes.rules import RetiredReason, address_of, shown_check_code, subject_of
from core.codes.service import find_live_code, retire_code, rotate_code
from core.people.inviting import InvitationNameError
from core.people.names import name_of
from core.sites.members import confirm_member, find_site_confirmed, get_site_invitation
from core.sites.reminding import site_path
from core.sites.service import SiteRestingError
from core.workplaces.rules import Face
from handlers.access import Access, access
from handlers.forms import Form, number_field
from handlers.h5.sites import membership_of
from handlers.h5.visit import Visit
from handlers.page import Answer, Page, Redirect

# Uses in seconds.
OPEN_LIMIT: Final = (60, 3600)
NAME_LIMIT: Final = (5, 3600)
CODE_LIMIT: Final = (20, 3600)


# ---- whoever is invited ----------------------------------------------------------------------


@access(Access.PERSON)
def join(visit: Visit) -> Answer:
    """Show for which site somebody is invited to report, and let them confirm by their name."""
    token = visit.params["token"]
    if not visit.is_within(f"site-open:{visit.openid}", *OPEN_LIMIT):
        return Page(template="sites/too_many", values={"site": None}, status=429)
    confirmed_id = find_site_confirmed(visit.reading(), openid=visit.openid, token=token)
    if confirmed_id is not None:
        return Redirect(path=site_path(confirmed_id))
    if not visit.is_post:
        return _invitation_page(visit, Form({}))
    return _confirmed(visit, Form(visit.form), token=token)


def _confirmed(visit: Visit, form: Form, *, token: str) -> Answer:
    name = form.read("name", name_of)
    if name is None:
        return _invitation_page(visit, form, status=422)
    digest = hashlib.sha256(token.encode()).hexdigest()[:32]
    if not visit.is_within(f"site-name:{digest}", *NAME_LIMIT):
        return _invitation_page(visit, form, problem="too_many", status=429)
    try:
        member = confirm_member(
            visit.writing(), openid=visit.openid, token=token, name=name, now=visit.now
        )
    except InvitationNameError as error:
        form.refuse("name", error)
        return _invitation_page(visit, form, status=422)
    return Redirect(path=f"{site_path(member.site.id)}?done=joined")


def _invitation_page(visit: Visit, form: Form, *, problem: str = "", status: int = 200) -> Page:
    found = get_site_invitation(visit.reading(), token=visit.params["token"], now=visit.now)
    values = {"invitation": found, "typed": form.typed, "problem": problem}
    return Page(template="sites/invitation", values=values, faults=form.faults, status=status)


# ---- workers who scan ------------------------------------------------------------------------


@access(Access.PERSON)
def code(visit: Visit) -> Answer:
    """Show a code for workers to register themselves; a new one ends the one before."""
    member = membership_of(visit)
    if not member.site.is_running:
        raise SiteRestingError
    subject = subject_of(member.site.id, face=Face.SITE)
    path = f"{site_path(member.site.id)}/code"
    if not visit.is_post:
        return _code_page(visit, subject)
    if not visit.is_within(f"site-code:{member.site.id}", *CODE_LIMIT):
        return Page(template="sites/too_many", values={"site": member.site}, status=429)
    if visit.form.get("action") == "end":
        retire_code(
            visit.writing(),
            subject=subject,
            reason=RetiredReason.RETIRED,
            actor=member.actor,
            now=visit.now,
        )
        return Redirect(path=f"{path}?done=ended")
    rotate_code(
        visit.writing(),
        subject=subject,
        # The same press twice makes one: the second names a code that is not live any more.
        code_id=number_field(visit.form, "code_id"),
        actor=member.actor,
        now=visit.now,
        # It is held out while people register, and hangs nowhere.
        expires_at=start_of(day_of(visit.now) + timedelta(days=1)),
    )
    return Redirect(path=f"{path}?done=made")


def _code_page(visit: Visit, subject: str) -> Page:
    member = membership_of(visit)
    live = find_live_code(visit.reading(), subject=subject, now=visit.now)
    address = address_of(visit.public_url, live.token) if live else ""
    values = {
        "site": member.site,
        "live": live,
        "check_code": shown_check_code(live.check_code) if live else "",
        "address": address,
        "qr": modules_of(address) if live else None,
        "done": visit.query.get("done", ""),
    }
    return Page(template="sites/code", values=values)
