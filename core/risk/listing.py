"""The communities of an area of duty, with their colours, for tables and counts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any, Final, cast

from sqlalchemy import ColumnElement, Row, Select, case, exists, func, or_, select
from sqlalchemy.orm import Session

from core.people.staff.rules import Area
from core.places.model import Community, CommunityAlias, Street
from core.risk.model import RiskScore
from core.risk.rules import Colour
from core.risk.service import ColourCounts, newest_days

PAGE_SIZE: Final = 25
# The worst first; no data is not safe, so it stands above blue.
ORDER: Final = (Colour.RED, Colour.YELLOW, Colour.GREY, Colour.BLUE)


@dataclass(frozen=True, slots=True, kw_only=True)
class CommunityQuery:
    """What communities to list.

    Attributes:
        area: of duty; nothing outside it is listed.
        text: part of a name, an alias or a code; empty: any.
        colour: as cards show it; None: any.
        street_id: None: any.
    """

    area: Area
    text: str = ""
    colour: Colour | None = None
    street_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CommunityRow:
    """A community of a table.

    Attributes:
        id: of the row.
        code: in the district's register.
        name: as registered.
        street: name of its street or town.
        colour: grey without a fresh published score.
        score: 0-100, of `day`; None where grey.
        day: the day that was scored; None where grey.
    """

    id: int
    code: str
    name: str
    street: str
    colour: Colour
    score: float | None
    day: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CommunityPage:
    """One page of a table.

    Attributes:
        rows: of this page.
        number: of this page, from 1; never behind the last.
        page_count: at least 1.
        total: rows of all pages.
    """

    rows: list[CommunityRow]
    number: int
    page_count: int
    total: int


def count_colours_of(session: Session, *, area: Area, today: date) -> ColourCounts:
    """Return how many communities of an area have which colour, as their cards would show it.

    Args:
        session: may be a reading one.
        area: of duty.
        today: the local day of the question; older scores than three days count as grey.
    """
    statement, colour, day = _coloured(area, today)
    rows = session.execute(
        statement.with_only_columns(colour, func.count(), func.max(day)).group_by(colour)
    ).all()
    counts = dict.fromkeys(Colour, 0) | {Colour(row[0]): row[1] for row in rows}
    return ColourCounts(
        day=max((row[2] for row in rows if row[2] is not None), default=None), counts=counts
    )


def list_communities(
    session: Session,
    *,
    query: CommunityQuery,
    today: date,
    number: int = 1,
    page_size: int = PAGE_SIZE,
) -> CommunityPage:
    """Return one page of the communities that a query asks for, the worst first.

    Args:
        session: may be a reading one.
        query: what to list.
        today: the local day of the question.
        number: of the page, from 1; a number behind the last page gives the last one.
        page_size: rows at most.
    """
    statement, colour, _ = _coloured(query.area, today)
    statement = statement.where(*_conditions(query, colour))
    total = session.scalar(statement.with_only_columns(func.count())) or 0
    page_count = max(-(-total // page_size), 1)
    number = min(max(number, 1), page_count)
    worst_first = statement.order_by(
        case({one.value: place for place, one in enumerate(ORDER)}, value=colour),
        # A colour set by hand may stand where no score is; databases differ in where they put it.
        RiskScore.score.desc().nulls_last(),
        Community.code,
    )
    rows = session.execute(worst_first.offset((number - 1) * page_size).limit(page_size))
    return CommunityPage(
        rows=[_row_of(row) for row in rows], number=number, page_count=page_count, total=total
    )


def _row_of(row: Row[*tuple[Any, ...]]) -> CommunityRow:
    return CommunityRow(
        id=row.id,
        code=row.code,
        name=row.name,
        street=row.street,
        colour=Colour(row.colour),
        score=row.score,
        day=row.day,
    )


def list_streets_of(session: Session, *, area: Area) -> list[tuple[int, str]]:
    """Return id and name of every street that has a community in an area, by code."""
    rows = session.execute(
        select(Street.id, Street.name)
        .join(Community, Community.street_id == Street.id)
        .where(*in_area(area))
        .distinct()
        .add_columns(Street.code)
        .order_by(Street.code)
    )
    return [(row[0], row[1]) for row in rows]


def in_area(area: Area) -> list[ColumnElement[bool]]:
    """Return the conditions under which a community lies in an area of duty."""
    if area.community_ids is not None:
        return [Community.id.in_(sorted(area.community_ids))]
    return [] if area.street_id is None else [Community.street_id == area.street_id]


def _coloured(
    area: Area, today: date
) -> tuple[Select[*tuple[Any, ...]], ColumnElement[str], ColumnElement[Any]]:
    """Return the communities of an area beside their newest fresh score, and two columns of it."""
    newest = newest_days(today)
    colour = func.coalesce(RiskScore.colour, Colour.GREY.value)
    statement: Select[*tuple[Any, ...]] = (
        select(
            Community.id,
            Community.code,
            Community.name,
            Street.name.label("street"),
            colour.label("colour"),
            RiskScore.score,
            RiskScore.day,
        )
        .select_from(Community)
        .join(Street, Street.id == Community.street_id)
        .outerjoin(newest, newest.c.community_id == Community.id)
        .outerjoin(
            RiskScore,
            (RiskScore.community_id == Community.id)
            & (RiskScore.day == newest.c.day)
            & RiskScore.is_published,
        )
        .where(*in_area(area))
    )
    return statement, colour, cast("ColumnElement[Any]", RiskScore.day)


def _conditions(query: CommunityQuery, colour: ColumnElement[str]) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if query.colour is not None:
        found.append(colour == query.colour.value)
    if query.street_id is not None:
        found.append(Community.street_id == query.street_id)
    if query.text:
        has_alias = exists().where(
            CommunityAlias.community_id == Community.id,
            CommunityAlias.name.contains(query.text, autoescape=True),
        )
        found.append(
            or_(
                Community.name.contains(query.text, autoescape=True),
                Community.code.contains(query.text, autoescape=True),
                has_alias,
            )
        )
    return found
