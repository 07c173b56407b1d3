"""The communities of an area of duty."""

from __future__ import annotations

from typing import Final

from core.clock import day_of
from core.people.staff.rules import Role
from core.risk.listing import CommunityQuery, list_communities, list_streets_of
from core.risk.rules import Colour
from handlers.access import Access, access
from handlers.console.visit import Visit
from handlers.forms import choice_field, number_field, text_field
from handlers.page import Answer, Page

# Those who watch over sites or the station have rows of their own, not communities.
SEEN_BY: Final = (
    Role.ADMINISTRATOR,
    Role.DISTRICT_REVIEWER,
    Role.STREET_OFFICER,
    Role.NEIGHBOURHOOD_OFFICER,
    Role.AUDITOR,
)


@access(Access.STAFF, *SEEN_BY)
def communities(visit: Visit) -> Answer:
    """List the communities of my area: search, colour, street, page."""
    session, area = visit.reading(), visit.staff.area
    query = CommunityQuery(
        area=area,
        text=text_field(visit.query, "q"),
        colour=choice_field(visit.query, "colour", Colour),
        street_id=number_field(visit.query, "street"),
    )
    page = list_communities(
        session,
        query=query,
        today=day_of(visit.now),
        number=number_field(visit.query, "page") or 1,
    )
    kept = {"q": query.text, "colour": query.colour or "", "street": query.street_id or ""}
    return Page(
        template="communities",
        values={
            "page": page,
            "query": query,
            "streets": list_streets_of(session, area=area),
            "kept": {name: str(value) for name, value in kept.items() if value},
        },
    )
