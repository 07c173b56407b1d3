"""Overrides as pages show them: a list, one, and how many hold."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, Select, and_, case, func, or_, select
from sqlalchemy.orm import Session, aliased

from core.people.staff.model import StaffAccount
from core.people.staff.rules import Area
from core.places.model import Community, Street
from core.risk.listing import in_area
from core.risk.rules import Colour
from core.risk.rulings.desk import RulingPlace
from core.risk.rulings.model import ColourOverride
from core.risk.rulings.overrides import OverrideNotFoundError
from core.risk.rulings.paging import PAGE_SIZE, RulingPage, is_called, page_of
from core.risk.rulings.rules import OverrideState, state_at

_PROPOSER: Final = aliased(StaffAccount)
_DECIDER: Final = aliased(StaffAccount)
_ENDER: Final = aliased(StaffAccount)


@dataclass(frozen=True, slots=True, kw_only=True)
class OverrideQuery:
    """What overrides to list.

    Attributes:
        area: of duty; nothing outside it is listed.
        state: as of today; None: any.
        text: part of the community's name or code; empty: any.
    """

    area: Area
    state: OverrideState | None = None
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OverrideCard:
    """An override with the names of those who had a part in it; empty for nobody.

    Attributes:
        id: of the row.
        place: whose colour.
        colour: that was set.
        reason: of the proposal.
        until_day: the last local day on which it holds.
        state: as of today.
        proposed_by_id: the proposer, who may not decide.
        proposed_by: their name.
        proposed_at: when.
        decided_by: who approved or refused it.
        decided_at: when.
        ended_by: who withdrew or ended it; nobody where it ended by itself.
        ended_at: when that was noted.
        closing_reason: why it was refused or ended early; what was said on approval, if anything.
    """

    id: int
    place: RulingPlace
    colour: Colour
    reason: str
    until_day: date
    state: OverrideState
    proposed_by_id: int
    proposed_by: str
    proposed_at: datetime
    decided_by: str
    decided_at: datetime | None
    ended_by: str
    ended_at: datetime | None
    closing_reason: str


def list_overrides(
    session: Session,
    *,
    query: OverrideQuery,
    today: date,
    number: int = 1,
    page_size: int = PAGE_SIZE,
) -> RulingPage[OverrideCard]:
    """Return one page of overrides: what waits, what holds, then the rest, the newest first.

    Args:
        session: may be a reading one.
        query: what to list.
        today: the local day of the question; tells which are over.
        number: of the page, from 1; a number behind the last page gives the last one.
        page_size: rows at most.
    """
    has_state = [] if query.state is None else [_is(query.state, today)]
    first = case((_is(OverrideState.PROPOSED, today), 0), (_is(OverrideState.IN_FORCE, today), 1))
    return page_of(
        session,
        _cards(query.area).where(*has_state, *is_called(query.text)),
        order_by=(
            func.coalesce(first, 2),
            ColourOverride.proposed_at.desc(),
            ColourOverride.id.desc(),
        ),
        card_of=lambda row: _card_of(row, today),
        number=number,
        page_size=page_size,
    )


def get_override(session: Session, *, override_id: int, area: Area, today: date) -> OverrideCard:
    """Return an override of an area of duty.

    Raises:
        OverrideNotFoundError: there is none.
    """
    row = session.execute(_cards(area).where(ColourOverride.id == override_id)).one_or_none()
    if row is None:
        raise OverrideNotFoundError
    return _card_of(row, today)


def find_standing_override(
    session: Session, *, community_id: int, area: Area, today: date
) -> OverrideCard | None:
    """Return the override of a community that waits or holds today, if there is one."""
    stands = or_(_is(OverrideState.PROPOSED, today), _is(OverrideState.IN_FORCE, today))
    row = session.execute(
        _cards(area).where(ColourOverride.community_id == community_id, stands)
    ).one_or_none()
    return None if row is None else _card_of(row, today)


def count_overrides(session: Session, *, today: date) -> int:
    """Return how many communities of the district have a colour that was set by hand today."""
    statement = select(func.count()).select_from(ColourOverride)
    return session.scalar(statement.where(_is(OverrideState.IN_FORCE, today))) or 0


def count_override_states(session: Session, *, area: Area, today: date) -> dict[OverrideState, int]:
    """Return how many overrides of an area are in which state today."""
    rows = session.execute(
        select(ColourOverride.state, ColourOverride.until_day, func.count())
        .join(Community, Community.id == ColourOverride.community_id)
        .where(*in_area(area))
        .group_by(ColourOverride.state, ColourOverride.until_day)
    )
    counts = dict.fromkeys(OverrideState, 0)
    for state, until_day, count in rows:
        counts[state_at(OverrideState(state), until_day=until_day, today=today)] += count
    return counts


def _is(state: OverrideState, today: date) -> ColumnElement[bool]:
    """Return the condition that `state_at` gives this state."""
    has_state = ColourOverride.state == state.value
    is_over = ColourOverride.until_day < today
    if state in {OverrideState.PROPOSED, OverrideState.IN_FORCE}:
        return and_(has_state, ~is_over)
    lapsed = {
        OverrideState.WITHDRAWN: OverrideState.PROPOSED,
        OverrideState.ENDED: OverrideState.IN_FORCE,
    }
    if state not in lapsed:
        return has_state
    return or_(has_state, and_(ColourOverride.state == lapsed[state].value, is_over))


def _cards(area: Area) -> Select[*tuple[Any, ...]]:
    return (
        select(
            ColourOverride,
            Community.code,
            Community.name,
            Street.name.label("street"),
            _PROPOSER.display_name.label("proposer"),
            _DECIDER.display_name.label("decider"),
            _ENDER.display_name.label("ender"),
        )
        .join(Community, Community.id == ColourOverride.community_id)
        .join(Street, Street.id == Community.street_id)
        .join(_PROPOSER, _PROPOSER.id == ColourOverride.proposed_by)
        .outerjoin(_DECIDER, _DECIDER.id == ColourOverride.decided_by)
        .outerjoin(_ENDER, _ENDER.id == ColourOverride.ended_by)
        .where(*in_area(area))
    )


def _card_of(row: Row[*tuple[Any, ...]], today: date) -> OverrideCard:
    one: ColourOverride = row[0]
    place = RulingPlace(id=one.community_id, code=row.code, name=row.name, street=row.street)
    return OverrideCard(
        id=one.id,
        place=place,
        colour=Colour(one.colour),
        reason=one.reason,
        until_day=one.until_day,
        state=state_at(OverrideState(one.state), until_day=one.until_day, today=today),
        proposed_by_id=one.proposed_by,
        proposed_by=row.proposer,
        proposed_at=one.proposed_at,
        decided_by=row.decider or "",
        decided_at=one.decided_at,
        ended_by=row.ender or "",
        ended_at=one.ended_at,
        closing_reason=one.closing_reason,
    )
