"""Finding companies by what somebody types of their name or code."""

from __future__ import annotations

from typing import Final

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from core.registry.model import Company
from core.registry.service import CompanyCard, card_of

LISTED: Final = 20


def search_companies(session: Session, *, text: str, limit: int = LISTED) -> list[CompanyCard]:
    """Return the companies whose name or code has a text in it, by name.

    Args:
        session: may be a reading one.
        text: at least one character; nothing is found for none.
        limit: companies at most.
    """
    if not text:
        return []
    rows = session.scalars(
        select(Company)
        .where(
            or_(
                Company.name.contains(text, autoescape=True),
                Company.uscc.contains(text.upper(), autoescape=True),
            )
        )
        .order_by(Company.name, Company.id)
        .limit(limit)
    )
    return [card_of(company) for company in rows]
