"""The poster of a code with its texts, whatever the code opens."""

from __future__ import annotations

from datetime import date
from typing import Final

from flask import render_template

from core.codes.poster import Poster, poster_of
from core.codes.rules import shown_check_code
from core.codes.service import CodeCard
from core.registry.service import CompanyCard
from core.resumption.filing.service import find_filing
from handlers.h5.visit import Visit
from handlers.page import Download

OF_PAGE: Final = "h5/codes/poster.txt"
OF_ACCOUNT: Final = "h5/codes/poster_account.txt"


def poster_for(
    visit: Visit,
    company: CompanyCard,
    card: CodeCard,
    *,
    address: str,
    last_day: date,
    texts: str,
) -> Download:
    """Return the poster of a company's code as a PDF.

    Args:
        visit: of the page.
        company: whose code it is.
        card: the code that people register by.
        address: what the picture holds.
        last_day: on which it works.
        texts: the template of its words, one `name: text` a line.
    """
    filing = find_filing(visit.reading(), company_id=company.id)
    written = render_template(
        texts,
        owner=company.owner_masked,
        number=filing.number if filing else None,
        last_day=last_day,
    )
    lines = [line.partition(": ") for line in written.splitlines() if line]
    said = {name: text for name, _, text in lines}
    poster = Poster(
        address=address,
        title=said["title"],
        subtitle=said["subtitle"],
        company=company.name,
        facts=tuple(text for name, _, text in lines if name == "fact"),
        check_label=said["check"],
        check_code=shown_check_code(card.check_code),
        valid=said["valid"],
        steps=tuple(text for name, _, text in lines if name == "step"),
        warning=said["warning"],
        footer=said["footer"],
    )
    return Download(
        content=poster_of(poster),
        media_type="application/pdf",
        filename=f"{company.name}-{card.check_code}.pdf",
        is_inline=True,
    )
