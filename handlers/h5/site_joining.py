"""Who comes to a site by a code: the invited who will report for it, and workers who scan."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from core.clock import day_of, start_of
from core.codes.drawing import modules_of
from core.codes.rules import RetiredReason, address_of, shown_check_code, subject_of
from core.codes.service import find_live_code, retire_code, rotate_code
from core.sites.members import (
    SiteInvitationCard,
    confirm_member,
    find_site_confirmed,
    get_site_invitation,
)
from core.sites.reminding import site_path
from core.sites.service import SiteRestingError
from core.workplaces.rules import Face
from handlers.access import Access, access
from handlers.forms import number_field
from handlers.h5.inviting import Inviting, answer_invitation
from handlers.h5.sites import membership_of
from handlers.h5.visit import Visit
from handlers.page import Answer, Page, Redirect

# Uses in seconds.
CODE_LIMIT: Final = (20, 3600)


# ---- whoever is invited ----------------------------------------------------------------------


@access(Access.PERSON)
def join(visit: Visit) -> Answer:
    """Show for which site somebody is invited to report, and let them confirm by their name."""
    return answer_invitation(visit, _INVITING)


def _find_confirmed(visit: Visit, token: str) -> str | None:
    site_id = find_site_confirmed(visit.reading(), openid=visit.openid, token=token)
    return None if site_id is None else site_path(site_id)


def _get(visit: Visit, token: str) -> SiteInvitationCard:
    return get_site_invitation(visit.reading(), token=token, now=visit.now)


def _confirm(visit: Visit, token: str, name: str) -> str:
    member = confirm_member(
        visit.writing(), openid=visit.openid, token=token, name=name, now=visit.now
    )
    return f"{site_path(member.site.id)}?done=joined"


_INVITING: Final = Inviting(
    name="site",
    templates="sites",
    find_confirmed=_find_confirmed,
    get=_get,
    confirm=_confirm,
    values={"site": None},
)


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
