"""The daily report of a site: three numbers, and who came and left, where somebody did."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from typing import Final

from core.clock import day_of
from core.errors import DomainError, InvalidInputError
from core.people.names import mask_name, name_of
from core.people.staff.rules import Area
from core.registration.listing import StaffQuery, list_registrations
from core.registration.rules import (
    MAX_HOME_LENGTH,
    HealthCode,
    Home,
    RegistrationInput,
    RegistrationState,
    Travel,
)
from core.registration.service import (
    RegistrationEndedError,
    RegistrationTakenError,
)
from core.sites.reminding import site_path
from core.sites.reporting import ReportInput, ReportPeopleError, submit_report
from core.sites.reports import ReportCard, find_last_figures, list_reports
from core.sites.roster import MAX_REGION_LENGTH
from core.sites.rules import MAX_HEADS, MAX_NOTE, REPORTED_WITHIN, Figures, ReportState, expected_of
from core.sites.service import Membership
from handlers.access import Access, access
from handlers.answers import document_from, phone_from, return_day_from, stays_from
from handlers.forms import DayInvalidError, Form, number_field
from handlers.h5.sites import (
    REPORT_LIMIT,
    done_of,
    due_values,
    membership_of,
    new_key,
    sending_of,
)
from handlers.h5.visit import Visit
from handlers.page import Answer, Page, Redirect

# More newcomers than these come by the roster or by the code.
MAX_NEWCOMERS: Final = 10
MAX_LEAVERS: Final = 30
_SEPARATORS: Final = re.compile(r"[\s、,，;；]+")
_NEWCOMER: Final = ("name", "document", "region", "stays", "returned_on", "health_code", "phone")
# What speaks of the newcomers as a whole: which of them it is stays unsaid.
_MENDABLE: Final = (RegistrationTakenError, RegistrationEndedError)


class LeaverUnknownError(InvalidInputError):
    """Nobody of this name is registered with the site; fact: `name`, masked."""

    code = "leaver_unknown"


class LeaverAmbiguousError(InvalidInputError):
    """Several of this name are registered with the site; fact: `name`, masked."""

    code = "leaver_ambiguous"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sent:
    """A whole form."""

    day: date
    report: ReportInput


@access(Access.PERSON)
def report(visit: Visit) -> Answer:
    """Ask for the report of a day, with newcomers and leavers, and take it."""
    member = membership_of(visit)
    if not visit.is_post:
        return _page(visit, member, Form({}))
    form = Form(visit.form)
    if visit.form.get("action") == "people":
        return _page(visit, member, form, block_count=_wanted_count(visit))
    sent = _read(visit, member, form)
    if sent is None:
        return _page(visit, member, form, status=422)
    if not visit.is_within(f"site-report:{visit.openid}", *REPORT_LIMIT):
        return _page(visit, member, form, problem="too_many", status=429)
    before = find_last_figures(visit.reading(), site_id=member.site.id, day=sent.day)
    expected = expected_of(before, sent.report.figures) if before else None
    is_sure = form.is_checked("is_sure") or expected in {None, sent.report.figures.head_count}
    if not is_sure:
        return _page(visit, member, form, expected=expected, before=before, status=422)
    return _taken(visit, member, form, sent)


def _taken(visit: Visit, member: Membership, form: Form, sent: _Sent) -> Answer:
    had_one = _standing_of(visit, member, sent.day) is not None
    try:
        receipt = submit_report(
            visit.writing(),
            site_id=member.site.id,
            day=sent.day,
            report=sent.report,
            sending=sending_of(visit, member),
            now=visit.now,
        )
    except ReportPeopleError as error:
        is_joined = len(sent.report.joined) > sent.report.figures.joined_count
        form.refuse("joined_count" if is_joined else "left_count", error)
    except _MENDABLE as error:
        form.refuse("document_1" if len(sent.report.joined) == 1 else "joined_count", error)
    else:
        # Whoever corrects a report has entered its newcomers before.
        named_count = receipt.card.figures.joined_count if had_one else len(receipt.registrations)
        done = done_of(receipt, named_count=named_count)
        return Redirect(path=f"{site_path(member.site.id)}?{done}")
    return _page(visit, member, form, status=409)


def _standing_of(visit: Visit, member: Membership, day: date) -> ReportCard | None:
    reports = list_reports(visit.reading(), site_id=member.site.id, day=day)
    return next((one for one in reports if one.state is ReportState.STANDING), None)


# ---- reading ---------------------------------------------------------------------------------


def _read(visit: Visit, member: Membership, form: Form) -> _Sent | None:
    """Return what was sent, or None and faults in the form."""
    head_count = form.number("head_count", lowest=0, highest=MAX_HEADS)
    joined_count = form.number("joined_count", lowest=0, highest=MAX_HEADS)
    left_count = form.number("left_count", lowest=0, highest=MAX_HEADS)
    day = _read_day(visit, form)
    note = form.optional_text("note", max_count=MAX_NOTE)
    joined = _read_newcomers(visit, member, form)
    left_ids = _read_leavers(visit, member, form)
    if form.faults or head_count is None or joined_count is None or left_count is None:
        return None
    figures = Figures(head_count=head_count, joined_count=joined_count, left_count=left_count)
    return _Sent(
        day=day,
        report=ReportInput(figures=figures, joined=joined, left_ids=left_ids, note=note or ""),
    )


def _read_day(visit: Visit, form: Form) -> date:
    days = _days_of(visit)
    if not visit.form.get("day"):
        return days[0]
    day = form.day("day")
    if day is not None and day not in days:
        form.refuse("day", DayInvalidError())
    return day or days[0]


def _days_of(visit: Visit) -> list[date]:
    """Return the days of which a report may come in, today first."""
    return [day_of(visit.now) - timedelta(days=back) for back in range(REPORTED_WITHIN.days + 1)]


def _wanted_count(visit: Visit) -> int:
    return min(number_field(visit.form, "joined_count") or 0, MAX_NEWCOMERS)


def _filled_count(visit: Visit) -> int:
    """Return up to which newcomer something is filled in."""
    places = range(1, MAX_NEWCOMERS + 1)
    return max((place for place in places if _is_filled(visit.form, place)), default=0)


def _is_filled(fields: Mapping[str, str], place: int) -> bool:
    return any(fields.get(f"{name}_{place}", "").strip() for name in _NEWCOMER)


def _read_newcomers(visit: Visit, member: Membership, form: Form) -> tuple[RegistrationInput, ...]:
    """Return the newcomers; one of whom nothing is filled in is only counted."""
    places = [one for one in range(1, MAX_NEWCOMERS + 1) if _is_filled(visit.form, one)]
    found = [_read_newcomer(visit, member, form, place) for place in places]
    return tuple(one for one in found if one is not None)


def _read_newcomer(
    visit: Visit, member: Membership, form: Form, place: int
) -> RegistrationInput | None:
    today = day_of(visit.now)
    name = form.read(f"name_{place}", name_of)
    document = form.read(f"document_{place}", partial(document_from, today=today))
    region = form.text(f"region_{place}", max_count=MAX_REGION_LENGTH)
    stays = form.read(f"stays_{place}", stays_from)
    health_code = form.choice(f"health_code_{place}", HealthCode)
    phone, returned_on = "", None
    if visit.form.get(f"phone_{place}", "").strip():
        phone = form.read(f"phone_{place}", phone_from) or ""
    if stays and visit.form.get(f"returned_on_{place}"):
        returned_on = form.read(f"returned_on_{place}", partial(return_day_from, today=today))
    if name is None or document is None or region is None or stays is None or health_code is None:
        return None
    return RegistrationInput(
        name=name,
        document=document,
        phone=phone,
        # Workers live where they work, unless they say otherwise themselves.
        home=Home(community_id=None, text=member.site.name[:MAX_HOME_LENGTH]),
        stays=stays,
        # Not told: until today, so that no day of a stay is left out.
        returned_on=(returned_on or today) if stays else None,
        travel=Travel.OTHER if stays else Travel.NOT_AWAY,
        health_code=health_code,
        home_region=region,
    )


def _read_leavers(visit: Visit, member: Membership, form: Form) -> tuple[int, ...]:
    """Return the registrations of those whose names were typed, each of one person alone."""
    names = _SEPARATORS.split(form.optional_lines("left_names") or "")
    ids = []
    for typed in dict.fromkeys(one for one in names[:MAX_LEAVERS] if one):
        try:
            ids.append(_leaver_of(visit, member, name_of(typed)))
        except DomainError as error:
            form.refuse("left_names", error)
    return tuple(ids)


def _leaver_of(visit: Visit, member: Membership, name: str) -> int:
    """Return the registration that stands of the one person of a name.

    Raises:
        LeaverUnknownError: there is nobody of that name.
        LeaverAmbiguousError: there are several.
    """
    found = list_registrations(
        visit.writing(),
        query=StaffQuery(area=Area(), workplace_id=member.site.id, name=name),
        actor=member.actor,
        now=visit.now,
    )
    standing = [one.card for one in found.rows if one.card.state is not RegistrationState.ENDED]
    if not standing:
        raise LeaverUnknownError(name=mask_name(name))
    if len(standing) > 1:
        raise LeaverAmbiguousError(name=mask_name(name))
    return standing[0].id


# ---- the form as it is shown -----------------------------------------------------------------


def _page(
    visit: Visit,
    member: Membership,
    form: Form,
    *,
    block_count: int | None = None,
    expected: int | None = None,
    before: Figures | None = None,
    problem: str = "",
    status: int = 200,
) -> Page:
    days = _days_of(visit)
    asked = visit.form.get("day") or visit.query.get("day", "")
    day = next((one for one in days if one.isoformat() == asked), days[0])
    last = before or find_last_figures(visit.reading(), site_id=member.site.id, day=day)
    count = max(block_count or 0, _filled_count(visit))
    values = {
        "site": member.site,
        **due_values(visit),
        "days": days,
        "day": day,
        "last": last,
        "typed": form.typed if visit.is_post else _first_typed(visit, member, day),
        "places": list(range(1, count + 1)),
        "max_newcomers": MAX_NEWCOMERS,
        "health_codes": list(HealthCode),
        "expected": expected,
        "request_key": visit.form.get("request_key") or new_key(),
        "problem": problem,
    }
    return Page(template="sites/report", values=values, faults=form.faults, status=status)


def _first_typed(visit: Visit, member: Membership, day: date) -> Mapping[str, str]:
    """Return what the form says at first: the report that is corrected, or that nobody moved."""
    standing = _standing_of(visit, member, day)
    if standing is None:
        return {"joined_count": "0", "left_count": "0"}
    figures = standing.figures
    return {
        "head_count": str(figures.head_count),
        "joined_count": str(figures.joined_count),
        "left_count": str(figures.left_count),
        "note": standing.note,
    }
