"""How many communities of an area had which colour on each of the last days."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.people.staff.rules import Area
from core.places.model import Community
from core.risk.holding import PublicationState
from core.risk.listing import in_area
from core.risk.model import Publication, RiskScore
from core.risk.rules import Colour

TREND_DAYS: Final = (14, 28)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrendDay:
    """How many communities of an area were published in which colour for a day.

    Attributes:
        day: that was scored.
        counts: communities by colour; those that were not published count as grey.
        is_published: whether anything was published; without, `counts` are all grey.
        is_held: whether the publication of the whole day is held.
    """

    day: date
    counts: Mapping[Colour, int]
    is_published: bool
    is_held: bool


def list_trend(session: Session, *, area: Area, today: date, days: int) -> list[TrendDay]:
    """Return how many communities of an area had which colour on each of the last days.

    Provisional colours are left out: they are of a few communities alone, and the night
    replaces them. The days end yesterday, the newest that a night can have scored.

    Args:
        session: may be a reading one.
        area: of duty.
        today: the local day of the question.
        days: how many days.
    """
    first = today - timedelta(days=days)
    total = session.scalar(select(func.count(Community.id)).where(*in_area(area))) or 0
    counted: dict[date, Counter[Colour]] = {}
    for day, colour, count in session.execute(
        select(RiskScore.day, RiskScore.colour, func.count())
        .join(Community, Community.id == RiskScore.community_id)
        .where(
            RiskScore.is_published,
            ~RiskScore.is_provisional,
            RiskScore.day.between(first, today - timedelta(days=1)),
            *in_area(area),
        )
        .group_by(RiskScore.day, RiskScore.colour)
    ):
        counted.setdefault(day, Counter())[Colour(colour)] = count
    held = set(
        session.scalars(
            select(Publication.day).where(
                Publication.day >= first, Publication.state == PublicationState.HELD.value
            )
        )
    )
    return [
        _trend_day(first + timedelta(days=number), counted, total=total, held=held)
        for number in range(days)
    ]


def _trend_day(
    day: date, counted: Mapping[date, Counter[Colour]], *, total: int, held: Collection[date]
) -> TrendDay:
    counts = dict.fromkeys(Colour, 0) | dict(counted.get(day, {}))
    counts[Colour.GREY] = total - sum(counts.values())
    return TrendDay(day=day, counts=counts, is_published=day in counted, is_held=day in held)
