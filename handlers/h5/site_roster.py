"""The roster of a site: pasted or uploaded, shown first with every fault, then taken."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from flask import render_template

from core.importing import Rejection
from core.sites.enrolling import RosterChangedError, RosterPlan, apply_roster, plan_roster
from core.sites.reminding import site_path
from core.sites.roster import MAX_BYTES, REQUIRED, TITLES, Column
from core.sites.service import Membership
from handlers.access import Access, access
from handlers.forms import BYTES_PER_MB, Form, UploadMissingError
from handlers.h5.sites import membership_of
from handlers.h5.visit import Visit
from handlers.page import Answer, Page

# Uses in seconds; a sheet is mended and sent again.
ROSTER_LIMIT: Final = (60, 3600)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A row that cannot be taken, as the page names it."""

    line: int
    text: str


@access(Access.PERSON)
def roster(visit: Visit) -> Answer:
    """Take the roster of a site, in two steps: what would be taken, and taking exactly that."""
    member = membership_of(visit)
    if not visit.is_post:
        return _form_page(visit, member)
    if not visit.is_within(f"site-roster:{visit.openid}", *ROSTER_LIMIT):
        return _form_page(visit, member, problem="too_many", status=429)
    if visit.form.get("action") == "apply":
        return _applied(visit, member)
    form = Form(visit.form, uploads=visit.uploads)
    source = _source_of(visit, form)
    if source is None:
        return _form_page(visit, member, form=form, status=422)
    plan = plan_roster(visit.reading(), site_id=member.site.id, source=source, now=visit.now)
    return _plan_page(member, plan, pasted=source if isinstance(source, str) else "")


def _source_of(visit: Visit, form: Form) -> bytes | str | None:
    """Return the file if one was chosen, else what was pasted; None with a fault in the form."""
    upload = form.optional_upload("file", max_bytes=MAX_BYTES)
    if upload is not None:
        return upload.content
    # The form keeps less of a text than a site has people.
    pasted = visit.form.get("pasted", "")
    if pasted.strip():
        return pasted
    form.refuse("pasted", UploadMissingError())
    return None


def _applied(visit: Visit, member: Membership) -> Answer:
    text = visit.form.get("text", "")
    try:
        result = apply_roster(
            visit.writing(),
            site_id=member.site.id,
            text=text,
            digest=visit.form.get("digest", ""),
            actor=member.actor,
            now=visit.now,
        )
    except RosterChangedError:
        plan = plan_roster(visit.reading(), site_id=member.site.id, source=text, now=visit.now)
        return _plan_page(member, plan, problem="changed", status=409)
    values = {
        "site": member.site,
        "result": result,
        "faults": faults_of(result.rejections),
        "path": site_path(member.site.id),
    }
    return Page(template="sites/roster_taken", values=values)


def faults_of(rejections: tuple[Rejection, ...]) -> list[Fault]:
    """Return why rows cannot be taken, in the words of the imports."""
    return [
        Fault(line=one.line, text=render_template(f"imports/{one.code}.txt", **one.facts).strip())
        for one in rejections
    ]


def _form_page(
    visit: Visit,
    member: Membership,
    *,
    form: Form | None = None,
    problem: str = "",
    status: int = 200,
) -> Page:
    values = {
        "site": member.site,
        "pasted": visit.form.get("pasted", ""),
        "required": [TITLES[one][0] for one in REQUIRED],
        "optional": [
            TITLES[one][0] for one in Column if one not in {*REQUIRED, Column.LINE, Column.KIND}
        ],
        "max_mb": MAX_BYTES // BYTES_PER_MB,
        "problem": problem,
    }
    faults = form.faults if form else {}
    return Page(template="sites/roster", values=values, faults=faults, status=status)


def _plan_page(
    member: Membership, plan: RosterPlan, *, pasted: str = "", problem: str = "", status: int = 200
) -> Page:
    values = {
        "site": member.site,
        "plan": plan,
        "taken_count": len(plan.joining) + len(plan.leaving),
        "refused": faults_of(plan.rejections),
        "pasted": pasted,
        "problem": problem,
    }
    return Page(template="sites/roster_plan", values=values, status=status)
