"""Community risk of an area of duty: the map and its table, and what moved since the day before."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from urllib.parse import urlencode

from core.clock import day_of
from core.people.staff.rules import Area, AreaKind, Role
from core.residents.service import count_unplaced
from core.risk.events.service import feed_states
from core.risk.listing import CommunityQuery, list_communities
from core.risk.overview import (
    Standing,
    counts_of,
    list_movers,
    list_standings,
    moved_first,
    newest_day_of,
    streets_of,
)
from core.risk.pausing import find_pause
from core.risk.rules import MAX_CARD_AGE_DAYS, Colour
from core.risk.trend import TREND_DAYS, list_trend
from handlers.access import Access, access
from handlers.console.visit import Visit
from handlers.forms import choice_field, number_field, text_field
from handlers.page import Answer, Download, Page, Redirect

PATH: Final = "/console/risk"
# Those who watch over sites or the station have rows of their own, not communities.
SEEN_BY: Final = (
    Role.ADMINISTRATOR,
    Role.DISTRICT_REVIEWER,
    Role.STREET_OFFICER,
    Role.NEIGHBOURHOOD_OFFICER,
    Role.AUDITOR,
)
# Those whose communities are few enough to be gone through one by one.
WALKED_BY: Final = (Role.NEIGHBOURHOOD_OFFICER, Role.STREET_OFFICER)
MOVERS_SHOWN: Final = 6
MINE_PER_PAGE: Final = 20


# ---- the district, or what somebody is responsible for -------------------------------------------


@access(Access.STAFF, *SEEN_BY)
def risk(visit: Visit) -> Answer:
    """Show the communities of my area: map, counts, trend, streets, movers, and the table."""
    session, today = visit.reading(), day_of(visit.now)
    query, days = _query_of(visit), _days_of(visit)
    page = list_communities(
        session, query=query, today=today, number=number_field(visit.query, "page") or 1
    )
    kept = _kept_of(query, days=days)
    return Page(
        template="risk/district",
        values={
            "page": page,
            "query": query,
            "kept": kept,
            "points_path": _path("/points", {"street": kept.get("street", "")}),
            "days": days,
            "trend_days": TREND_DAYS,
            "unplaced_count": count_unplaced(session, area=query.area),
            **feeds_of(visit),
            **_overview_of(visit, query, days=days),
        },
    )


def feeds_of(visit: Visit) -> dict[str, object]:
    """Return how the feeds stand for yesterday, the newest day that can be complete."""
    day = day_of(visit.now) - timedelta(days=1)
    return {"feeds_day": day, "states": feed_states(visit.reading(), day=day)}


def _overview_of(visit: Visit, query: CommunityQuery, *, days: int) -> dict[str, object]:
    """Return what the page shows above its table: of the street that is asked for, if any."""
    session, today = visit.reading(), day_of(visit.now)
    everywhere = list_standings(session, area=query.area, today=today)
    shown = _within(everywhere, query.street_id)
    moved = [one for one in moved_first(shown) if one.colour_change or one.score_change]
    trend = list_trend(session, area=_focus(query, shown), today=today, days=days)
    oldest = today - timedelta(days=MAX_CARD_AGE_DAYS)
    return {
        "day": newest_day_of(shown),
        "counts": counts_of(shown),
        "streets": streets_of(everywhere),
        "unlocated_count": sum(one.point is None for one in shown),
        "provisional_count": sum(bool(one.now and one.now.is_provisional) for one in shown),
        "overridden": [one for one in shown if one.override],
        "moved_count": sum(one.colour_change != 0 for one in moved),
        "movers": list_movers(session, standings=moved[:MOVERS_SHOWN]),
        "trend": trend,
        # A day that was held longer ago is past: later ones went out, or nothing is shown at all.
        "held": [one.day for one in trend if one.is_held and one.day >= oldest],
        "pause": find_pause(session, today=day_of(visit.now)),
    }


@access(Access.STAFF, *SEEN_BY)
def points(visit: Visit) -> Answer:
    """Hand out the communities of my area that have coordinates, for the map."""
    standings = list_standings(visit.reading(), area=visit.staff.area, today=day_of(visit.now))
    shown = _within(standings, number_field(visit.query, "street"))
    content = {
        "points": [_point_of(one) for one in shown if one.point is not None],
        "fields": list(_FIELDS),
    }
    return Download(
        content=json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode(),
        media_type="application/json",
        filename="communities.json",
    )


_FIELDS: Final = ("id", "longitude", "latitude", "colour", "score", "name", "street", "before")


def _point_of(one: Standing) -> list[object]:
    """Return what the map needs of a community, in the order of `_FIELDS`."""
    longitude, latitude = one.point or (None, None)
    score = None if one.now is None or one.now.score is None else round(one.now.score, 1)
    before = one.before.colour.value if one.before else None
    return [one.id, longitude, latitude, one.colour.value, score, one.name, one.street, before]


@access(Access.STAFF, *SEEN_BY)
def communities(visit: Visit) -> Answer:
    """Lead on from the address that the table had before it had a map."""
    return Redirect(path=_path("", _kept_of(_query_of(visit), days=_days_of(visit))))


def _query_of(visit: Visit) -> CommunityQuery:
    return CommunityQuery(
        area=visit.staff.area,
        text=text_field(visit.query, "q"),
        colour=choice_field(visit.query, "colour", Colour),
        street_id=number_field(visit.query, "street"),
    )


def _days_of(visit: Visit) -> int:
    asked = number_field(visit.query, "days")
    return asked if asked in TREND_DAYS else TREND_DAYS[0]


def _kept_of(query: CommunityQuery, *, days: int) -> dict[str, str]:
    """Return the fields of an address that ask for the same."""
    kept = {
        "q": query.text,
        "colour": query.colour or "",
        "street": query.street_id or "",
        "days": "" if days == TREND_DAYS[0] else days,
    }
    return {name: str(value) for name, value in kept.items() if value}


def _path(below: str, fields: dict[str, str]) -> str:
    kept = {name: value for name, value in fields.items() if value}
    return f"{PATH}{below}" + (f"?{urlencode(kept)}" if kept else "")


def _within(standings: Sequence[Standing], street_id: int | None) -> list[Standing]:
    return [one for one in standings if street_id is None or one.street_id == street_id]


def _focus(query: CommunityQuery, shown: Sequence[Standing]) -> Area:
    """Return the part of an area that a query is about; never more than the area."""
    if query.street_id is None:
        return query.area
    if query.area.kind is AreaKind.DISTRICT:
        return Area(street_id=query.street_id)
    return Area(community_ids=frozenset(one.id for one in shown))


# ---- my communities --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """Which of the communities a page shows; `number` counts from 1."""

    number: int
    page_count: int
    total: int
    standings: list[Standing]


@access(Access.STAFF, *WALKED_BY)
def mine(visit: Visit) -> Answer:
    """Show my communities one by one, those that moved first, with what moved them."""
    session, area, today = visit.reading(), visit.staff.area, day_of(visit.now)
    everywhere = list_standings(session, area=area, today=today)
    part = _part_of(moved_first(everywhere), number=number_field(visit.query, "page") or 1)
    return Page(
        template="risk/mine",
        values={
            "page": part,
            "movers": list_movers(session, standings=part.standings),
            "counts": counts_of(everywhere),
            "unplaced_count": count_unplaced(session, area=area),
            "day": newest_day_of(everywhere),
            "today": today,
            "worse_count": sum(one.colour_change > 0 for one in everywhere),
            "better_count": sum(one.colour_change < 0 for one in everywhere),
        },
    )


def _part_of(standings: list[Standing], *, number: int) -> _Part:
    page_count = max(-(-len(standings) // MINE_PER_PAGE), 1)
    number = min(max(number, 1), page_count)
    first = (number - 1) * MINE_PER_PAGE
    return _Part(
        number=number,
        page_count=page_count,
        total=len(standings),
        standings=standings[first : first + MINE_PER_PAGE],
    )
