"""The other code of a company: whoever scans it follows the account and registers in the chat."""

from __future__ import annotations

from typing import Final

from core.codes.account import (
    AccountCodeCard,
    find_follow_code,
    is_follow_code_due,
    keep_follow_code,
)
from core.codes.drawing import png_of
from core.codes.rules import scene_of, shown_check_code
from core.codes.service import CodeCard, CodeNotFoundError
from core.mandates.rules import Act, may
from core.registry.service import CompanyCard
from handlers.access import Access, access
from handlers.forms import number_field
from handlers.h5.codes import PICTURE_PIXELS, live_code_of
from handlers.h5.posters import OF_ACCOUNT, poster_for
from handlers.h5.visit import Visit
from handlers.page import Answer, Download, Page, Redirect

# Uses in seconds; of the lasting codes an account has a hundred thousand for ever.
MAKE_LIMIT: Final = (10, 3600)


@access(Access.PERSON)
def code(visit: Visit) -> Answer:
    """Show the code of the account that leads to a company's registration; make it on demand."""
    mandate, card = live_code_of(visit)
    company = mandate.company
    if visit.is_post:
        if not visit.is_within(f"follow-code:{company.id}", *MAKE_LIMIT):
            return Page(template="codes/busy", status=429)
        if is_follow_code_due(visit.reading(), card=card, now=visit.now):
            made = visit.account.make(scene_of(card.token))
            actor = f"person:{mandate.person_id}"
            keep_follow_code(visit.writing(), card=card, made=made, actor=actor, now=visit.now)
        return Redirect(path=f"/h5/company/{company.id}/follow")
    found = find_follow_code(visit.reading(), card=card, now=visit.now)
    values = {
        "company": company,
        "live": card,
        "found": found,
        "last_day": found.last_day_with(card) if found else None,
        "check_code": shown_check_code(card.check_code),
        "may_rotate": may(mandate, Act.ROTATE_CODE),
        "sizes": PICTURE_PIXELS,
    }
    return Page(template="codes/follow", values=values)


@access(Access.PERSON)
def picture(visit: Visit) -> Answer:
    """Hand out that code as a PNG."""
    company, card, found = _made(visit)
    wanted = number_field(visit.query, "size")
    pixels = wanted if wanted in PICTURE_PIXELS else PICTURE_PIXELS[1]
    return Download(
        content=png_of(found.address, pixels=pixels),
        media_type="image/png",
        filename=f"{company.name}-{card.check_code}.png",
        is_inline=True,
    )


@access(Access.PERSON)
def poster(visit: Visit) -> Answer:
    """Hand out its poster as a PDF."""
    company, card, found = _made(visit)
    return poster_for(
        visit,
        company,
        card,
        address=found.address,
        last_day=found.last_day_with(card),
        texts=OF_ACCOUNT,
    )


def _made(visit: Visit) -> tuple[CompanyCard, CodeCard, AccountCodeCard]:
    """Return the company of the address with its code and the account's code for that.

    Raises:
        CodeNotFoundError: one of them is not there.
    """
    mandate, card = live_code_of(visit)
    found = find_follow_code(visit.reading(), card=card, now=visit.now)
    if found is None:
        raise CodeNotFoundError
    return mandate.company, card, found
