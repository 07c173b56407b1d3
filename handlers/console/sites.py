"""Construction sites of an area of duty: how each stands today on a map and in a table."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from core.people.staff.rules import Role
from core.sites.overview import SiteLine, SiteQuery, find_board
from core.sites.rules import SiteMark
from handlers.access import Access, access
from handlers.console.visit import Visit
from handlers.forms import choice_field, number_field, text_field
from handlers.page import Answer, Download, Page

PATH: Final = "/console/sites"
SEEN_BY: Final = (
    Role.SITE_SUPERVISOR,
    Role.STREET_OFFICER,
    Role.DISTRICT_REVIEWER,
    Role.ADMINISTRATOR,
    Role.AUDITOR,
)
OWN: Final = "1"
PER_PAGE: Final = 25


@dataclass(frozen=True, slots=True, kw_only=True)
class SitePage:
    """One page of sites; `number` is never behind the last, `page_count` at least 1."""

    lines: Sequence[SiteLine]
    number: int
    page_count: int
    total: int


@access(Access.STAFF, *SEEN_BY)
def sites(visit: Visit) -> Answer:
    """Show the sites of my area: the day in numbers, the map, who has not reported, the table."""
    query = query_of(visit, visit.query)
    board = find_board(visit.reading(), query=query, now=visit.now)
    kept = kept_of(query)
    counts = {mark: sum(line.mark is mark for line in board.lines) for mark in SiteMark}
    return Page(
        template="sites/board",
        values={
            "board": board,
            "page": _page_of(board.lines, number=number_field(visit.query, "page") or 1),
            "counts": counts,
            "query": query,
            "kept": kept,
            "points_path": f"{PATH}/points" + (f"?{urlencode(kept)}" if kept else ""),
            "unlocated_count": sum(line.card.point is None for line in board.lines),
            "may_watch": visit.staff.role is Role.SITE_SUPERVISOR,
            "is_over": visit.now > board.due_at,
        },
    )


@access(Access.STAFF, *SEEN_BY)
def points(visit: Visit) -> Answer:
    """Hand out the sites that the page shows and that have coordinates, for its map."""
    board = find_board(visit.reading(), query=query_of(visit, visit.query), now=visit.now)
    content = {
        "points": [_point_of(line) for line in board.lines if line.card.point is not None],
        "fields": list(_FIELDS),
    }
    return Download(
        content=json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode(),
        media_type="application/json",
        filename="sites.json",
    )


_FIELDS: Final = ("id", "longitude", "latitude", "colour", "name", "street", "heads", "cases")


def _point_of(line: SiteLine) -> list[object]:
    """Return what the map needs of a site, in the order of `_FIELDS`."""
    card, (longitude, latitude) = line.card, line.card.point or (None, None)
    heads, cases = line.head_count, line.open_case_count
    place = [card.id, longitude, latitude, line.mark.value]
    return [*place, card.name, card.street, heads, cases]


def query_of(visit: Visit, fields: Mapping[str, str]) -> SiteQuery:
    """Return what a list of sites asks for; of those who watch sites, their own on request."""
    is_own = fields.get("mine") == OWN and visit.staff.role is Role.SITE_SUPERVISOR
    return SiteQuery(
        area=visit.staff.area,
        street_id=number_field(fields, "street"),
        supervisor_id=visit.staff.staff_id if is_own else None,
        mark=choice_field(fields, "mark", SiteMark),
        text=text_field(fields, "q"),
    )


def kept_of(query: SiteQuery) -> dict[str, str]:
    """Return the fields of an address that ask for the same."""
    kept = {
        "q": query.text,
        "mark": query.mark.value if query.mark else "",
        "street": str(query.street_id or ""),
        "mine": "" if query.supervisor_id is None else OWN,
    }
    return {name: text for name, text in kept.items() if text}


def _page_of(lines: Sequence[SiteLine], *, number: int) -> SitePage:
    page_count = max(-(-len(lines) // PER_PAGE), 1)
    number = min(max(number, 1), page_count)
    first = (number - 1) * PER_PAGE
    return SitePage(
        lines=lines[first : first + PER_PAGE],
        number=number,
        page_count=page_count,
        total=len(lines),
    )
