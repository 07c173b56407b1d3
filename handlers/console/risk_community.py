"""One community: its colour and what it is made of, its days, its neighbours, what was decided."""

from __future__ import annotations

from core.clock import day_of
from core.places.service import CommunityNotFoundError
from core.risk.dossier import (
    find_since,
    get_community_of,
    list_appeal_notes,
    list_history,
    list_override_notes,
    map_figures,
)
from core.risk.rules import RED_CUT, YELLOW_CUT
from core.risk.service import ColourCard, find_card
from core.risk.surroundings import get_neighbourhood, list_event_counts
from core.risk.versions.service import find_stored_version
from handlers.access import Access, access
from handlers.console.appeals import RAISED_BY
from handlers.console.events import ENTERED_BY
from handlers.console.risk import SEEN_BY, feeds_of
from handlers.console.rulings import RULED_BY
from handlers.console.visit import Visit
from handlers.forms import number_field
from handlers.page import Answer, Page


@access(Access.STAFF, *SEEN_BY)
def community(visit: Visit) -> Answer:
    """Show all that is known of a community of my area; numbers of people, never a person."""
    community_id = number_field(visit.params, "id")
    if community_id is None:
        raise CommunityNotFoundError
    session, area, today = visit.reading(), visit.staff.area, day_of(visit.now)
    place = get_community_of(session, community_id=community_id, area=area)
    card = find_card(session, community_id=community_id, today=today)
    return Page(
        template="risk/community",
        values={
            "place": place,
            "card": card,
            **_reasons_of(visit, card),
            "history": list_history(session, community_id=community_id, today=today),
            "around": get_neighbourhood(session, community_id=community_id, area=area, today=today),
            "events": list_event_counts(session, community_id=community_id, day=today),
            "overrides": list_override_notes(session, community_id=community_id),
            "appeals": list_appeal_notes(session, community_id=community_id),
            # A day that is not over has no values to object to.
            "may_appeal": visit.staff.role in RAISED_BY and card is not None and card.day < today,
            "may_override": visit.staff.role in RULED_BY,
            "may_enter": visit.staff.role in ENTERED_BY,
            **feeds_of(visit),
        },
    )


def _reasons_of(visit: Visit, card: ColourCard | None) -> dict[str, object]:
    """Return what the score is made of, and what of it moved since the published day before."""
    model = find_stored_version(visit.reading(), name=card.version) if card else None
    since = find_since(visit.reading(), card=card) if card else None
    figures = {}
    if card is not None:
        figures = map_figures(visit.reading(), community_id=card.community_id, day=card.day)
    return {
        "figures": figures,
        "labels": model.names if model else {},
        "yellow_cut": model.yellow_cut if model else YELLOW_CUT,
        "red_cut": model.red_cut if model else RED_CUT,
        "before": since.day if since else None,
        "score_change": since.score_change if since else None,
        "moved": {one.indicator: one for one in since.movements} if since else {},
    }
