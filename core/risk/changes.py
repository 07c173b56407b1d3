"""What changed on a community's card, and the colours of its last days."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, NamedTuple

from sqlalchemy import Text, bindparam, cast, select
from sqlalchemy.orm import Session

from core.lookups import Lookup
from core.risk.disclosure import Disclosed
from core.risk.model import RiskScore
from core.risk.rules import Colour, Rule
from core.risk.service import ColourCard, reasons_of

_SCORE: Final = RiskScore.__table__.c


class Change(NamedTuple):
    """What became of one indicator since another day.

    Attributes:
        points: more or fewer points of the score; None where only a range may be told.
        direction: 1 up, -1 down; 0 where nothing changed, or nothing that may be told.
    """

    points: float | None
    direction: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What changed on a card since the last published day before it.

    Attributes:
        day: the day before.
        colour: of that day.
        whole_points: what the score in whole points gained; None without both scores.
        by_indicator: what changed, by code; an indicator that one of the days lacks is left out.
    """

    day: date
    colour: Colour
    whole_points: int | None
    by_indicator: Mapping[str, Change]


@dataclass(frozen=True, slots=True, kw_only=True)
class DayColour:
    """What was published for a day.

    Attributes:
        day: that was scored.
        colour: grey where nothing was published.
        is_provisional: computed during the day; the night replaces it.
        is_by_hand: whether two people set it.
    """

    day: date
    colour: Colour
    is_provisional: bool
    is_by_hand: bool


_PUBLISHED_BEFORE: Final = Lookup(
    select(_SCORE.day, _SCORE.version, _SCORE.score, _SCORE.colour, cast(_SCORE.parts, Text))
    .where(
        _SCORE.community_id == bindparam("community_id"),
        _SCORE.is_published,
        _SCORE.day < bindparam("day"),
    )
    .order_by(_SCORE.day.desc())
    .limit(1)
)


def find_changes(session: Session, *, card: ColourCard) -> Changes | None:
    """Return what changed since the last published day before a card's, or None for a first one.

    Args:
        session: may be a reading one.
        card: of the community.
    """
    row = _PUBLISHED_BEFORE.first(session, community_id=card.community_id, day=card.day)
    if row is None:
        return None
    day, version, score, colour, parts = row
    earlier = reasons_of(session, version=version, parts=parts)
    before = {reason.indicator: reason.disclosed for reason in earlier}
    whole = card.whole_score
    return Changes(
        day=day,
        colour=Colour(colour),
        whole_points=None if whole is None or score is None else whole - math.floor(score),
        by_indicator={
            reason.indicator: _change_of(reason.disclosed, old)
            for reason in card.reasons
            if reason.disclosed and (old := before.get(reason.indicator))
        },
    )


def _change_of(new: Disclosed, old: Disclosed) -> Change:
    if new.is_exact and old.is_exact:
        points = new.points_low - old.points_low
        return Change(points=points, direction=_sign(points))
    # The points of a range change with what is missing on a day; the people in it do not.
    return Change(points=None, direction=_sign(new.low - old.low))


def _sign(number: float) -> int:
    return (number > 0) - (number < 0)


def list_recent_colours(
    session: Session, *, community_id: int, today: date, days: int
) -> list[DayColour]:
    """Return the colours of the last days, the oldest first.

    Args:
        session: may be a reading one.
        community_id: the community.
        today: the local day of the question; it is among them if it was published already.
        days: how many; the last is yesterday, or today where that was published.
    """
    rows = session.execute(
        select(_SCORE.day, _SCORE.colour, _SCORE.is_provisional, _SCORE.floors).where(
            _SCORE.community_id == community_id,
            _SCORE.is_published,
            _SCORE.day.between(today - timedelta(days=days), today),
        )
    )
    known = {
        row.day: DayColour(
            day=row.day,
            colour=Colour(row.colour),
            is_provisional=row.is_provisional,
            is_by_hand=Rule.OVERRIDE in row.floors,
        )
        for row in rows
    }
    last = today if today in known else today - timedelta(days=1)
    return [
        known.get(day)
        or DayColour(day=day, colour=Colour.GREY, is_provisional=False, is_by_hand=False)
        for day in (last - timedelta(days=ago) for ago in reversed(range(days)))
    ]
