"""Codes: the page behind a scan, the owner's page with the picture and the poster."""

from __future__ import annotations

from typing import Final

from core.codes.drawing import png_of, svg_of
from core.codes.rules import (
    RetiredReason,
    address_of,
    shown_check_code,
    subject_of,
)
from core.codes.service import (
    CodeCard,
    CodeNotFoundError,
    find_live_code,
    find_newest_code,
    issue_code,
    report_code,
    retire_code,
    rotate_code,
    warn_users,
)
from core.mandates.rules import Act, check_may, may
from core.mandates.service import MandateCard, get_mandate
from core.people.service import register_person
from core.registration.gate import check_open, get_door
from core.registration.service import find_registration, list_people_who_used
from core.resumption.filing.service import find_filing
from handlers.access import Access, access
from handlers.forms import choice_field, number_field
from handlers.h5.behind import Behind, behind, list_told
from handlers.h5.posters import OF_PAGE, poster_for
from handlers.h5.visit import Visit
from handlers.page import Answer, Download, Page, Redirect

# Uses in seconds. A thousand people scan one poster at eight o'clock; nobody guesses by mistake.
SCAN_LIMIT: Final = (6000, 60)
GUESS_LIMIT: Final = (30, 600)
REPORT_LIMIT: Final = (5, 3600)
# The same person about the same code is heard once a day.
SAME_REPORT_LIMIT: Final = (1, 86_400)
CHANGE_LIMIT: Final = (10, 3600)

PICTURE_PIXELS: Final = (240, 600, 1200)
VISITOR: Final = "visitor:0"


# ---- behind the code -------------------------------------------------------------------------


@access(Access.PUBLIC)
def scanned(visit: Visit) -> Answer:
    """Name the place of a code before anything is asked, or say why it does not work."""
    try:
        found = behind(visit)
    except CodeNotFoundError:
        return _unknown(visit)
    if not visit.is_within(f"code-scan:{found.card.id}", *SCAN_LIMIT):
        return Page(template="codes/busy", status=429)
    if not found.card.is_live(visit.now):
        return Page(template="codes/ended", values=_ended_values(visit, found))
    door = get_door(visit.reading(), workplace_id=found.id, code_id=found.card.id, now=visit.now)
    registration = (
        find_registration(visit.reading(), openid=visit.openid, workplace_id=found.id)
        if visit.openid
        else None
    )
    values = {
        **_facts(found),
        "token": found.card.token,
        "closed": door.closed.value if door.closed else "",
        "registration": registration,
    }
    return Page(template="codes/scanned", values=values)


@access(Access.PUBLIC)
def report(visit: Visit) -> Answer:
    """Take the word of somebody who finds a code suspicious, and tell who answers."""
    try:
        found = behind(visit)
    except CodeNotFoundError:
        return _unknown(visit)
    values = {**_facts(found), "token": found.card.token}
    if not visit.is_post:
        return Page(template="codes/report", values=values)
    if not visit.is_within(f"code-report:{visit.openid or visit.address}", *REPORT_LIMIT):
        return Page(template="codes/busy", status=429)
    same = f"code-report:{found.card.id}:{visit.openid or visit.address}"
    if visit.is_within(same, *SAME_REPORT_LIMIT):
        _note_report(visit, found)
    return Page(template="codes/reported", values=values)


def _note_report(visit: Visit, found: Behind) -> None:
    session = visit.writing()
    actor = VISITOR
    if visit.openid:
        person = register_person(session, openid=visit.openid, now=visit.now)
        actor = f"person:{person.id}"
    report_code(
        session,
        card=found.card,
        name=found.name,
        # A code that ended harms nobody; that its poster still hangs somewhere is on record.
        told=list_told(session, found) if found.card.is_live(visit.now) else (),
        link=f"{visit.public_url}{found.page}",
        actor=actor,
        now=visit.now,
    )


def _unknown(visit: Visit) -> Page:
    if not visit.is_within(f"code-guess:{visit.address}", *GUESS_LIMIT):
        return Page(template="codes/busy", status=429)
    return Page(template="codes/unknown", status=404)


def _facts(found: Behind) -> dict[str, object]:
    return {
        "place": found,
        "check_code": shown_check_code(found.card.check_code),
        "last_day": found.card.last_day,
    }


def _ended_values(visit: Visit, found: Behind) -> dict[str, object]:
    card = found.card
    has_used = False
    if card.retired_reason is RetiredReason.REPORTED and visit.openid:
        has_used = visit.openid in list_people_who_used(visit.reading(), code_id=card.id)
    return {
        **_facts(found),
        "reason": (card.retired_reason or RetiredReason.EXPIRED).value,
        "retired_at": card.retired_at,
        "has_used": has_used,
    }


# ---- the company's own pages -----------------------------------------------------------------


@access(Access.PERSON)
def code(visit: Visit) -> Answer:
    """Show the code of a company to those who act for it."""
    mandate = _mandate(visit, Act.SHOW_CODE)
    company_id = mandate.company.id
    subject = subject_of(company_id)
    live = find_live_code(visit.reading(), subject=subject, now=visit.now)
    shown = live or find_newest_code(visit.reading(), subject=subject)
    filing = find_filing(visit.reading(), company_id=company_id)
    values = {
        "company": mandate.company,
        "number": filing.number if filing else None,
        "live": live,
        "is_ending": live is not None and live.is_ending(visit.now),
        "ended": None if live else shown,
        "check_code": shown_check_code(shown.check_code) if shown else "",
        "may_change": may(mandate, Act.ROTATE_CODE),
        "has_filed": filing is not None and filing.number is not None,
        "address": address_of(visit.public_url, live.token) if live else "",
        "sizes": PICTURE_PIXELS,
        "done": visit.query.get("done", ""),
    }
    return Page(template="codes/code", values=values)


@access(Access.PERSON)
def rotate(visit: Visit) -> Answer:
    """Replace the code of a company, after asking once; make one where there is none."""
    mandate = _mandate(visit, Act.ROTATE_CODE)
    subject = subject_of(mandate.company.id)
    live = find_live_code(visit.reading(), subject=subject, now=visit.now)
    if not visit.is_post:
        return _change_page(mandate, live, template="codes/rotate")
    if not visit.is_within(f"code-change:{mandate.company.id}", *CHANGE_LIMIT):
        return Page(template="codes/busy", status=429)
    actor = f"person:{mandate.person_id}"
    if live is None:
        _check_filed(visit, mandate)
        issue_code(visit.writing(), subject=subject, actor=actor, now=visit.now)
        return Redirect(path=f"{_code_path(mandate.company.id)}?done=issued")
    reason = _reason(visit, otherwise=RetiredReason.ROTATED)
    replaced_id = number_field(visit.form, "code_id")
    rotate_code(
        visit.writing(),
        subject=subject,
        code_id=replaced_id,
        reason=reason,
        actor=actor,
        now=visit.now,
    )
    if replaced_id in {None, live.id}:
        _warn(visit, mandate, live, reason)
    return Redirect(path=f"{_code_path(mandate.company.id)}?done=rotated")


@access(Access.PERSON)
def retire(visit: Visit) -> Answer:
    """Take the code of a company back without a new one, after asking once."""
    mandate = _mandate(visit, Act.ROTATE_CODE)
    subject = subject_of(mandate.company.id)
    live = find_live_code(visit.reading(), subject=subject, now=visit.now)
    if not visit.is_post and live is not None:
        return _change_page(mandate, live, template="codes/retire")
    # Another code than the one that was asked about is left alone.
    if live is not None and number_field(visit.form, "code_id") in {None, live.id}:
        reason = _reason(visit, otherwise=RetiredReason.RETIRED)
        retire_code(
            visit.writing(),
            subject=subject,
            reason=reason,
            actor=f"person:{mandate.person_id}",
            now=visit.now,
        )
        _warn(visit, mandate, live, reason)
    return Redirect(path=f"{_code_path(mandate.company.id)}?done=retired")


@access(Access.PERSON)
def picture(visit: Visit) -> Answer:
    """Hand out the code as a PNG."""
    mandate, card = live_code_of(visit)
    wanted = number_field(visit.query, "size")
    pixels = wanted if wanted in PICTURE_PIXELS else PICTURE_PIXELS[1]
    return Download(
        content=png_of(address_of(visit.public_url, card.token), pixels=pixels),
        media_type="image/png",
        filename=f"{mandate.company.name}-{card.check_code}.png",
        is_inline=True,
    )


@access(Access.PERSON)
def drawing(visit: Visit) -> Answer:
    """Hand out the code as an SVG."""
    mandate, card = live_code_of(visit)
    return Download(
        content=svg_of(address_of(visit.public_url, card.token)),
        media_type="image/svg+xml",
        filename=f"{mandate.company.name}-{card.check_code}.svg",
    )


@access(Access.PERSON)
def poster(visit: Visit) -> Answer:
    """Hand out the poster of the code as a PDF."""
    mandate, card = live_code_of(visit)
    return poster_for(
        visit,
        mandate.company,
        card,
        address=address_of(visit.public_url, card.token),
        last_day=card.last_day,
        texts=OF_PAGE,
    )


def _mandate(visit: Visit, act: Act) -> MandateCard:
    # 0 is none: a number that no row has reaches no database.
    company_id = number_field(visit.params, "company_id") or 0
    mandate = get_mandate(visit.reading(), openid=visit.openid, company_id=company_id)
    check_may(mandate, act)
    return mandate


def live_code_of(visit: Visit) -> tuple[MandateCard, CodeCard]:
    """Return the mandate by which somebody sees a company's code, and that code.

    Raises:
        CodeNotFoundError: none is live.
    """
    mandate = _mandate(visit, Act.SHOW_CODE)
    card = find_live_code(visit.reading(), subject=subject_of(mandate.company.id), now=visit.now)
    if card is None:
        raise CodeNotFoundError
    return mandate, card


def _change_page(mandate: MandateCard, live: CodeCard | None, *, template: str) -> Page:
    values = {
        "company": mandate.company,
        "live": live,
        "check_code": shown_check_code(live.check_code) if live else "",
    }
    return Page(template=template, values=values)


def _check_filed(visit: Visit, mandate: MandateCard) -> None:
    """Check that a company has a filing that people can register under.

    Raises:
        RegistrationClosedError: it has none, or it was rejected.
    """
    door = get_door(visit.reading(), workplace_id=mandate.company.id, now=visit.now)
    check_open(door)


def _reason(visit: Visit, *, otherwise: RetiredReason) -> RetiredReason:
    chosen = choice_field(visit.form, "reason", RetiredReason)
    return chosen if chosen is RetiredReason.REPORTED else otherwise


def _warn(visit: Visit, mandate: MandateCard, card: CodeCard, reason: RetiredReason) -> None:
    """Tell those who registered by a code that it was taken back as suspicious."""
    if reason is not RetiredReason.REPORTED:
        return
    session = visit.writing()
    warn_users(
        session,
        card=card,
        name=mandate.company.name,
        told=list_people_who_used(session, code_id=card.id),
        link=f"{visit.public_url}/h5/registrations",
        now=visit.now,
    )


def _code_path(company_id: int) -> str:
    return f"/h5/company/{company_id}/code"
