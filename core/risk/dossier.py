"""All that is known of one community's risk, for an officer: numbers of people, never a person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from core.people.staff.model import StaffAccount
from core.people.staff.rules import Area
from core.places.model import Community, Street
from core.places.service import CommunityNotFoundError
from core.risk.listing import in_area
from core.risk.model import IndicatorValue, RiskScore
from core.risk.movement import Movement, movements_of
from core.risk.rules import MAX_CARD_AGE_DAYS, Colour
from core.risk.rulings.model import Appeal, ColourOverride
from core.risk.service import ColourCard
from core.risk.versions.service import find_stored_version

HISTORY_DAYS: Final = 28
RULINGS_SHOWN: Final = 5

_SCORE: Final = RiskScore.__table__.c


@dataclass(frozen=True, slots=True, kw_only=True)
class CommunityFacts:
    """A community as the register has it.

    Attributes:
        id: of the row.
        code: in the district's register.
        name: as registered.
        street_id: of its street or town.
        street: its name.
        address: may be empty.
        population: of the register of communities; None where it says nothing.
    """

    id: int
    code: str
    name: str
    street_id: int
    street: str
    address: str
    population: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """What the value of an indicator came from.

    Attributes:
        numerator: persons, clusters or days; None where the value was not computed.
        denominator: residents that a rate is over; None where it is none.
        origin: `computed`, `imported` or `appeal`.
        day: of the value; earlier than the scored one where it stands in for one that is late.
    """

    numerator: float | None
    denominator: float | None
    origin: str
    day: date


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryDay:
    """What was published of a community for a day.

    Attributes:
        day: that was scored.
        score: 0-100; None where nothing was published.
        colour: as published; grey where nothing was.
        score_colour: of the score alone.
        is_provisional: computed during the day.
    """

    day: date
    score: float | None
    colour: Colour
    score_colour: Colour
    is_provisional: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class OverrideNote:
    """A colour set by hand, as the page of its community tells of it."""

    id: int
    colour: Colour
    reason: str
    until_day: date
    state: str
    proposed_by: str
    proposed_at: datetime
    decided_by: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AppealNote:
    """An appeal, as the page of its community tells of it."""

    id: int
    day: date
    indicator: str
    computed_value: float | None
    claimed_value: float
    state: str
    raised_by: str
    raised_at: datetime


# ---- the community ---------------------------------------------------------------------------


def get_community_of(session: Session, *, community_id: int, area: Area) -> CommunityFacts:
    """Return a community of an area of duty.

    Raises:
        CommunityNotFoundError: there is none, or it lies outside the area.
    """
    row = session.execute(
        select(
            Community.id,
            Community.code,
            Community.name,
            Community.street_id,
            Street.name.label("street"),
            Community.address,
            Community.population,
        )
        .join(Street, Street.id == Community.street_id)
        .where(Community.id == community_id, *in_area(area))
    ).one_or_none()
    if row is None:
        raise CommunityNotFoundError(community_id=community_id)
    return CommunityFacts(
        id=row.id,
        code=row.code,
        name=row.name,
        street_id=row.street_id,
        street=row.street,
        address=row.address,
        population=row.population,
    )


# ---- the score and where it comes from -------------------------------------------------------


def list_history(
    session: Session, *, community_id: int, today: date, days: int = HISTORY_DAYS
) -> list[HistoryDay]:
    """Return what was published of a community for each of the last days, the oldest first.

    The last one is today where a score of today is shown already, else yesterday.
    """
    first = today - timedelta(days=days)
    rows = session.execute(
        select(
            _SCORE.day, _SCORE.score, _SCORE.colour, _SCORE.score_colour, _SCORE.is_provisional
        ).where(
            _SCORE.community_id == community_id,
            _SCORE.is_published,
            _SCORE.day.between(first, today),
        )
    )
    known = {
        row.day: HistoryDay(
            day=row.day,
            score=row.score,
            colour=Colour(row.colour),
            score_colour=Colour(row.score_colour),
            is_provisional=row.is_provisional,
        )
        for row in rows
    }
    wanted = [first + timedelta(days=number) for number in range(days)]
    if today in known:
        wanted = [*wanted[1:], today]
    return [known.get(day) or _unknown(day) for day in wanted]


def _unknown(day: date) -> HistoryDay:
    grey = Colour.GREY
    return HistoryDay(day=day, score=None, colour=grey, score_colour=grey, is_provisional=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Since:
    """What moved since the published day before a card's.

    Attributes:
        day: that day.
        score_change: points; None where one of the days has no score.
        movements: of every indicator, the largest change first.
    """

    day: date
    score_change: float | None
    movements: list[Movement]


def find_since(session: Session, *, card: ColourCard) -> Since | None:
    """Return what moved since the published day before a card's; None without one in four days."""
    rows = session.execute(
        select(_SCORE.day, _SCORE.version, _SCORE.score, _SCORE.parts)
        .where(
            _SCORE.community_id == card.community_id,
            _SCORE.is_published,
            _SCORE.day.between(card.day - timedelta(days=MAX_CARD_AGE_DAYS + 1), card.day),
        )
        .order_by(_SCORE.day.desc())
        .limit(2)
    ).all()
    if len(rows) < 2:  # noqa: PLR2004  the card's day and the one before
        return None
    now, before = rows
    model = find_stored_version(session, name=now.version)
    has_both = now.score is not None and before.score is not None
    return Since(
        day=before.day,
        score_change=now.score - before.score if has_both else None,
        movements=movements_of(model, now.parts, before.parts),
    )


def map_figures(session: Session, *, community_id: int, day: date) -> dict[str, Figure]:
    """Return what the values of a day came from, by indicator.

    A value that was late is the newest of the days before that may stand in for it.
    """
    rows = session.execute(
        select(IndicatorValue)
        .where(
            IndicatorValue.community_id == community_id,
            # One by one: a span of days would read those of the whole district.
            IndicatorValue.day.in_(
                [day - timedelta(days=late) for late in range(MAX_CARD_AGE_DAYS + 1)]
            ),
        )
        .order_by(IndicatorValue.day)
    ).scalars()
    return {
        row.indicator: Figure(
            numerator=row.numerator, denominator=row.denominator, origin=row.origin, day=row.day
        )
        for row in rows
    }


# ---- what people decided ---------------------------------------------------------------------


def list_override_notes(
    session: Session, *, community_id: int, number: int = RULINGS_SHOWN
) -> list[OverrideNote]:
    """Return the last overrides of a community, the newest first, with the names of the staff."""
    proposer, decider = aliased(StaffAccount), aliased(StaffAccount)
    rows: Sequence[Any] = session.execute(
        select(
            ColourOverride,
            proposer.display_name.label("proposer"),
            decider.display_name.label("decider"),
        )
        .join(proposer, proposer.id == ColourOverride.proposed_by)
        .outerjoin(decider, decider.id == ColourOverride.decided_by)
        .where(ColourOverride.community_id == community_id)
        .order_by(ColourOverride.id.desc())
        .limit(number)
    ).all()
    return [
        OverrideNote(
            id=row.ColourOverride.id,
            colour=Colour(row.ColourOverride.colour),
            reason=row.ColourOverride.reason,
            until_day=row.ColourOverride.until_day,
            state=row.ColourOverride.state,
            proposed_by=row.proposer,
            proposed_at=row.ColourOverride.proposed_at,
            decided_by=row.decider,
        )
        for row in rows
    ]


def list_appeal_notes(
    session: Session, *, community_id: int, number: int = RULINGS_SHOWN
) -> list[AppealNote]:
    """Return the last appeals of a community, the newest first, with who raised them."""
    rows: Sequence[Any] = session.execute(
        select(Appeal, StaffAccount.display_name)
        .join(StaffAccount, StaffAccount.id == Appeal.raised_by)
        .where(Appeal.community_id == community_id)
        .order_by(Appeal.id.desc())
        .limit(number)
    ).all()
    return [
        AppealNote(
            id=row.Appeal.id,
            day=row.Appeal.day,
            indicator=row.Appeal.indicator,
            computed_value=row.Appeal.computed_value,
            claimed_value=row.Appeal.claimed_value,
            state=row.Appeal.state,
            raised_by=row.display_name,
            raised_at=row.Appeal.raised_at,
        )
        for row in rows
    ]
