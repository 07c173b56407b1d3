"""The communities of an area of duty at a glance: where each stands, and what moved.

What a page shows of an area is read once and counted here, so that its parts agree.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from sqlalchemy import Row, func, select
from sqlalchemy.orm import Session

from core.people.staff.rules import Area
from core.places.model import Community, Street
from core.risk.listing import in_area
from core.risk.model import RiskScore
from core.risk.movement import Movement, movements_of
from core.risk.rules import MAX_CARD_AGE_DAYS, Colour, ModelVersion
from core.risk.rulings.model import ColourOverride
from core.risk.rulings.rules import OverrideState
from core.risk.versions.service import find_stored_version

# A card may be three days old, and the published day before it as many again.
COMPARED_DAYS: Final = 2 * MAX_CARD_AGE_DAYS + 1
MOVER_REASONS: Final = 2

_SCORE: Final = RiskScore.__table__.c


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What was published of a community for a day.

    Attributes:
        id: of the score's row.
        day: that was scored.
        colour: as published.
        score: 0-100; None where people set the colour though nothing was known.
        is_provisional: computed during the day; the night replaces it.
    """

    id: int
    day: date
    colour: Colour
    score: float | None
    is_provisional: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where a community stands today, as its card shows it.

    Attributes:
        id: of the community.
        code: in the district's register.
        name: as registered.
        street_id: of its street or town.
        street: its name.
        point: longitude and latitude in degrees, GCJ-02; None where the register has none.
        now: the newest fresh publication; None: nothing is known, the community is grey.
        before: what was published for the day before that; None: nothing in the week.
        override: the colour that two people set, while it is in force.
    """

    id: int
    code: str
    name: str
    street_id: int
    street: str
    point: tuple[float, float] | None
    now: Shown | None
    before: Shown | None
    override: Colour | None

    @property
    def colour(self) -> Colour:
        """The colour of the card."""
        return self.now.colour if self.now else Colour.GREY

    @property
    def score_change(self) -> float:
        """Points since the published day before; 0 where there is nothing to compare."""
        now, before = (one.score if one else None for one in (self.now, self.before))
        return 0.0 if now is None or before is None else now - before

    @property
    def colour_change(self) -> int:
        """Steps of colour since the published day before, worse ones positive."""
        if self.now is None or self.before is None:
            return 0
        return _RANK[self.now.colour] - _RANK[self.before.colour]


_RANK: Final[Mapping[Colour, int]] = {
    Colour.GREY: 0,
    Colour.BLUE: 0,
    Colour.YELLOW: 1,
    Colour.RED: 2,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class StreetSummary:
    """The communities of a street by colour, and how many changed it.

    Attributes:
        id: of the street.
        name: of the street or town.
        total: communities.
        counts: communities by colour.
        worse_count: communities with a worse colour than on the published day before.
        better_count: communities with a better one.
    """

    id: int
    name: str
    total: int
    counts: Mapping[Colour, int]
    worse_count: int
    better_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Mover:
    """A community that moved, and what moved it.

    Attributes:
        standing: where it stands.
        reasons: the indicators whose points changed most, at most two, the largest change first.
    """

    standing: Standing
    reasons: tuple[Movement, ...]


# ---- where they stand ------------------------------------------------------------------------


def list_standings(session: Session, *, area: Area, today: date) -> list[Standing]:
    """Return every community of an area with its newest publication and the one before, by code.

    Two statements, whatever the number of communities.

    Args:
        session: may be a reading one.
        area: of duty.
        today: the local day of the question; older publications than three days are not shown.
    """
    shown: dict[int, list[Shown]] = {}
    for row in session.execute(_newest_two(area, today)):
        shown.setdefault(row.community_id, []).append(_shown_of(row))
    oldest = today - timedelta(days=MAX_CARD_AGE_DAYS)
    standings = []
    for row in session.execute(_communities(area, today)):
        published = shown.get(row.id, [])
        is_fresh = bool(published) and published[0].day >= oldest
        has_point = row.longitude is not None and row.latitude is not None
        standings.append(
            Standing(
                id=row.id,
                code=row.code,
                name=row.name,
                street_id=row.street_id,
                street=row.street,
                point=(row.longitude, row.latitude) if has_point else None,
                now=published[0] if is_fresh else None,
                before=published[1] if is_fresh and len(published) > 1 else None,
                override=Colour(row.override) if row.override else None,
            )
        )
    return standings


def _newest_two(area: Area, today: date) -> Any:
    place = func.row_number().over(
        partition_by=RiskScore.community_id, order_by=RiskScore.day.desc()
    )
    ranked = (
        select(RiskScore.id, RiskScore.community_id, RiskScore.day, place.label("place"))
        .where(
            RiskScore.is_published,
            RiskScore.day.between(today - timedelta(days=COMPARED_DAYS), today),
        )
        .join(Community, Community.id == RiskScore.community_id)
        .where(*in_area(area))
        .subquery()
    )
    return (
        select(
            _SCORE.id,
            _SCORE.community_id,
            _SCORE.day,
            _SCORE.colour,
            _SCORE.score,
            _SCORE.is_provisional,
        )
        .join_from(ranked, RiskScore.__table__, _SCORE.id == ranked.c.id)
        .where(ranked.c.place <= 2)  # noqa: PLR2004  the newest and the one before
        .order_by(_SCORE.community_id, ranked.c.place)
    )


def _shown_of(row: Row[*tuple[Any, ...]]) -> Shown:
    return Shown(
        id=row.id,
        day=row.day,
        colour=Colour(row.colour),
        score=row.score,
        is_provisional=row.is_provisional,
    )


def _communities(area: Area, today: date) -> Any:
    return (
        select(
            Community.id,
            Community.code,
            Community.name,
            Community.street_id,
            Street.name.label("street"),
            Community.longitude,
            Community.latitude,
            ColourOverride.colour.label("override"),
        )
        .join(Street, Street.id == Community.street_id)
        .outerjoin(
            ColourOverride,
            (ColourOverride.community_id == Community.id)
            & (ColourOverride.state == OverrideState.IN_FORCE.value)
            & (ColourOverride.until_day >= today),
        )
        .where(*in_area(area))
        .order_by(Community.code)
    )


# ---- what that comes to ----------------------------------------------------------------------


def counts_of(standings: Collection[Standing]) -> dict[Colour, int]:
    """Return how many communities have which colour."""
    counted = Counter(one.colour for one in standings)
    return {colour: counted[colour] for colour in Colour}


def newest_day_of(standings: Collection[Standing]) -> date | None:
    """Return the newest day that a whole night scored, or the newest at all; None without any."""
    shown = [one.now for one in standings if one.now is not None]
    nights = [one.day for one in shown if not one.is_provisional]
    return max(nights or [one.day for one in shown], default=None)


def streets_of(standings: Collection[Standing]) -> list[StreetSummary]:
    """Return the streets of some communities, those with the worst colours first, then by name."""
    by_street: dict[tuple[int, str], list[Standing]] = {}
    for one in standings:
        by_street.setdefault((one.street_id, one.street), []).append(one)
    summaries = [
        StreetSummary(
            id=street_id,
            name=name,
            total=len(members),
            counts=counts_of(members),
            worse_count=sum(one.colour_change > 0 for one in members),
            better_count=sum(one.colour_change < 0 for one in members),
        )
        for (street_id, name), members in by_street.items()
    ]
    return sorted(
        summaries,
        key=lambda one: (-one.counts[Colour.RED], -one.counts[Colour.YELLOW], one.name),
    )


def moved_first(standings: Collection[Standing]) -> list[Standing]:
    """Return communities in the order in which an officer looks at them.

    Worse colours first, then better ones, then by how far the score moved, then the worst.
    """

    def key(one: Standing) -> tuple[bool, bool, int, float, float, str]:
        change = one.colour_change
        score = one.now.score or 0.0 if one.now else 0.0
        return (
            change <= 0,
            change == 0,
            -abs(change),
            -abs(one.score_change),
            -score,
            one.code,
        )

    return sorted(standings, key=key)


def list_movers(session: Session, *, standings: Sequence[Standing]) -> list[Mover]:
    """Return some communities with the two indicators that moved their score most.

    One statement; give it the communities of one page.

    Args:
        session: may be a reading one.
        standings: in any order, which is kept.
    """
    ids = [
        shown.id
        for one in standings
        if one.now is not None and one.before is not None
        for shown in (one.now, one.before)
    ]
    rows = session.execute(
        select(_SCORE.id, _SCORE.version, _SCORE.parts).where(_SCORE.id.in_(ids))
    )
    # One version, mostly, and every process reads each of them once.
    parts = {
        row.id: (find_stored_version(session, name=row.version), row.parts) for row in rows.all()
    }
    return [Mover(standing=one, reasons=_reasons_of(one, parts)) for one in standings]


def _reasons_of(
    standing: Standing, parts: Mapping[int, tuple[ModelVersion | None, list[Any]]]
) -> tuple[Movement, ...]:
    if standing.now is None or standing.before is None:
        return ()
    model, now = parts[standing.now.id]
    _, before = parts[standing.before.id]
    moved = [one for one in movements_of(model, now, before) if one.change]
    return tuple(moved[:MOVER_REASONS])
