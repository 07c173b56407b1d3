"""A challenger beside the champion on a day: which colours each gives, and where they differ most.

A fixed number of statements, whatever the size of the district.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session, aliased

from core.places.model import Community, Street
from core.risk.model import RiskScore
from core.risk.rules import Colour

DIFFERENCES_SHOWN: Final = 20

_OURS: Final = aliased(RiskScore)
_OTHERS: Final = aliased(RiskScore)


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A community that two versions score differently.

    Attributes:
        community_id: of the row.
        name: as registered.
        street: name of its street or town.
        score: of the champion, 0-100.
        colour: of the champion, by score and floors alone.
        other_score: of the challenger.
        other_colour: of the challenger.
    """

    community_id: int
    name: str
    street: str
    score: float
    colour: Colour
    other_score: float
    other_colour: Colour


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Two versions on a day.

    Attributes:
        day: that both scored.
        champion: the version that coloured the district.
        challenger: the one that was scored beside it.
        crossed: how many communities have which two colours, the champion's first; every pair.
        community_count: that both scored.
        mean_difference: of the challenger's score above the champion's, in points.
        differences: the largest ones first; those with the same score are left out.
    """

    day: date
    champion: str
    challenger: str
    crossed: Mapping[tuple[Colour, Colour], int]
    community_count: int
    mean_difference: float
    differences: tuple[Difference, ...]

    @property
    def changed_count(self) -> int:
        """How many communities would have another colour."""
        return sum(count for (one, other), count in self.crossed.items() if one is not other)


def find_newest_day(session: Session, *, version: str) -> date | None:
    """Return the newest day that a version scored."""
    return session.scalar(
        select(RiskScore.day)
        .where(RiskScore.version == version)
        .order_by(RiskScore.day.desc())
        .limit(1)
    )


def compare_versions(
    session: Session,
    *,
    day: date,
    champion: str,
    challenger: str,
    limit: int = DIFFERENCES_SHOWN,
) -> Comparison:
    """Return what two versions make of the same values of a day, without overrides by hand.

    Args:
        session: may be a reading one.
        day: the local day that was scored.
        champion: name of the version that coloured it.
        challenger: name of the other one.
        limit: how many differences at most.
    """
    pairs = _pairs(day, champion=champion, challenger=challenger)
    crossing: Select[*tuple[Any, ...]] = pairs.with_only_columns(
        _OURS.computed_colour,
        _OTHERS.computed_colour,
        func.count(),
        func.sum(func.coalesce(_OTHERS.score - _OURS.score, 0.0)),
    ).group_by(_OURS.computed_colour, _OTHERS.computed_colour)
    rows = session.execute(crossing).all()
    crossed = {(one, other): 0 for one in Colour for other in Colour}
    crossed |= {(Colour(one), Colour(other)): count for one, other, count, _ in rows}
    count = sum(row[2] for row in rows)
    return Comparison(
        day=day,
        champion=champion,
        challenger=challenger,
        crossed=crossed,
        community_count=count,
        mean_difference=sum(row[3] for row in rows) / count if count else 0.0,
        differences=_differences(session, pairs, limit=limit),
    )


def _pairs(day: date, *, champion: str, challenger: str) -> Select[*tuple[Any, ...]]:
    statement: Select[*tuple[Any, ...]] = (
        select(_OURS.id)
        .join(
            _OTHERS,
            (_OTHERS.community_id == _OURS.community_id)
            & (_OTHERS.day == day)
            & (_OTHERS.version == challenger),
        )
        .where(_OURS.day == day, _OURS.version == champion)
    )
    return statement


def _differences(
    session: Session, pairs: Select[*tuple[Any, ...]], *, limit: int
) -> tuple[Difference, ...]:
    statement: Select[*tuple[Any, ...]] = (
        pairs.join(Community, Community.id == _OURS.community_id)
        .join(Street, Street.id == Community.street_id)
        .with_only_columns(
            Community.id,
            Community.name,
            Street.name,
            _OURS.score,
            _OURS.computed_colour,
            _OTHERS.score,
            _OTHERS.computed_colour,
        )
        .where(_OTHERS.score != _OURS.score)
        .order_by(func.abs(_OTHERS.score - _OURS.score).desc(), Community.id)
        .limit(limit)
    )
    return tuple(
        Difference(
            community_id=identity,
            name=name,
            street=street,
            score=score,
            colour=Colour(colour),
            other_score=other_score,
            other_colour=Colour(other_colour),
        )
        for identity, name, street, score, colour, other_score, other_colour in session.execute(
            statement
        )
    )
