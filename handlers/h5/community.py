"""The card of a community: open to anybody, to be passed on."""

from __future__ import annotations

from typing import Final

from core.clock import day_of
from core.places.service import current_book
from core.risk.changes import find_changes, list_recent_colours
from core.risk.rules import Colour
from core.risk.rulings.override_cards import count_overrides
from core.risk.service import find_card
from handlers.access import Access, access
from handlers.forms import number_field
from handlers.h5.visit import Visit
from handlers.page import Answer, Page

SHOWN_DAYS: Final = 14
# The next colour comes at night, and one in between may wait a minute.
KEEP_SECONDS: Final = 60


@access(Access.PUBLIC)
def community(visit: Visit) -> Answer:
    """Show the colour of a community, why, and how it was in the last two weeks."""
    session, today = visit.reading(), day_of(visit.now)
    place = current_book(session).places.get(number_field(visit.params, "id") or 0)
    if place is None:
        return Page(template="community/unknown", status=404)
    card = find_card(session, community_id=place.id, today=today)
    is_known = card is not None and card.colour is not Colour.GREY
    values = {
        "place": place,
        "today": today,
        "card": card,
        "colour": card.colour if card else Colour.GREY,
        "reasons": card.reasons if card and is_known else (),
        "changes": find_changes(session, card=card) if card and is_known else None,
        "override_count": count_overrides(session, today=today),
        "days": list_recent_colours(session, community_id=place.id, today=today, days=SHOWN_DAYS),
    }
    return Page(template="community/card", values=values, keep_seconds=KEEP_SECONDS)
