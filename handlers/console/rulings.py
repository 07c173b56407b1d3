"""What the pages of overrides and appeals share: who may, which community, which status."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from core.clock import day_of
from core.errors import ConflictError, DomainError, ForbiddenError
from core.people.staff.rules import Role
from core.risk.listing import CommunityQuery, list_communities
from handlers.console.visit import Visit
from handlers.forms import text_field
from handlers.page import Page

RULED_BY: Final = (Role.DISTRICT_REVIEWER, Role.ADMINISTRATOR)
COMMUNITIES_FOUND: Final = 10
UNPROCESSABLE: Final = 422
CONFLICT: Final = 409
FORBIDDEN: Final = 403


def find_community(visit: Visit, *, template: str) -> Page:
    """Return the page on which a community of my area is found by name or code."""
    text = text_field(visit.query, "q")
    found = None
    if text:
        found = list_communities(
            visit.reading(),
            query=CommunityQuery(area=visit.staff.area, text=text),
            today=day_of(visit.now),
            page_size=COMMUNITIES_FOUND,
        )
    return Page(template=template, values={"text": text, "found": found})


def status_of(faults: Iterable[DomainError]) -> int:
    """Return the status of a page that says why something was not done; 200 without faults."""
    kinds = {type(fault) for fault in faults}
    if any(issubclass(kind, ConflictError) for kind in kinds):
        return CONFLICT
    if any(issubclass(kind, ForbiddenError) for kind in kinds):
        return FORBIDDEN
    return UNPROCESSABLE if kinds else 200
