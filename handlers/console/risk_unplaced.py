"""People whose address names no known community: an officer says which one is meant."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlencode

from core.errors import ConflictError, DomainError
from core.people.staff.rules import Role
from core.places.service import CommunityNotFoundError, Place, find_places
from core.residents.service import ResidenceNotFoundError, list_unplaced
from core.risk.events.entering import place_people
from handlers.access import Access, access
from handlers.console.risk import PATH as RISK
from handlers.console.risk import SEEN_BY
from handlers.console.visit import Visit
from handlers.forms import number_field, text_field
from handlers.page import Answer, Page, Redirect

PATH: Final = f"{RISK}/unplaced"
PLACED_BY: Final = tuple(role for role in SEEN_BY if role is not Role.AUDITOR)
CONFLICT: Final = 409
# What the address of the list says after somebody was placed.
PLACED: Final = "placed"


@access(Access.STAFF, *SEEN_BY)
def unplaced(visit: Visit) -> Answer:
    """List the addresses of my area that name no known community, those of most people first.

    One of them may carry a search for its community; what is found is offered beside it.
    """
    return _list(visit, visit.query)


@access(Access.STAFF, *PLACED_BY)
def place(visit: Visit) -> Answer:
    """Say which community the words of a register mean, for all who have the same words."""
    residence_id = number_field(visit.form, "residence")
    community_id = number_field(visit.form, "community")
    try:
        if residence_id is None:
            raise ResidenceNotFoundError
        if community_id is None:
            raise CommunityNotFoundError
        place_people(
            visit.writing(),
            residence_id=residence_id,
            community_id=community_id,
            area=visit.staff.area,
            staff_id=visit.staff.staff_id,
            now=visit.now,
        )
    except ConflictError as error:
        # Somebody was quicker: the rest of the list is as good as before.
        return _list(visit, visit.form, faults={"residence": error}, status=CONFLICT)
    # Addresses are logged: how many were placed, and where, would tell who it was.
    fields = {"page": visit.form.get("page", ""), "done": PLACED}
    kept = {name: value for name, value in fields.items() if value}
    return Redirect(path=f"{PATH}?{urlencode(kept)}")


def _list(
    visit: Visit,
    fields: Mapping[str, str],
    *,
    faults: Mapping[str, DomainError] | None = None,
    status: int = 200,
) -> Page:
    session, area = visit.reading(), visit.staff.area
    text = text_field(fields, "q")
    return Page(
        template="risk/unplaced",
        values={
            "page": list_unplaced(session, area=area, number=number_field(fields, "page") or 1),
            "may_place": visit.staff.role in PLACED_BY,
            "asked_id": number_field(fields, "residence"),
            "text": text,
            "options": _options(visit, text) if text else [],
            "is_done": visit.query.get("done") == PLACED,
        },
        faults=faults or {},
        status=status,
    )


def _options(visit: Visit, text: str) -> list[Place]:
    """Return the communities of my area that a name means or comes closest to."""
    finding, book = find_places(visit.reading(), text=text)
    places = [book.places[one] for one in (*finding.ids, *finding.nearest)]
    area = visit.staff.area
    return [one for one in places if area.covers(community_id=one.id, street_id=one.street_id)]
