"""What lies around a community and happens in it: neighbours and events, never a person."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from sqlalchemy import CompoundSelect, exists, func, or_, select, union_all
from sqlalchemy.orm import Session

from core.people.staff.rules import Area
from core.places.model import Community, CommunityNear, Street
from core.residents.model import Residence
from core.risk.events.model import EpidemicEvent
from core.risk.events.rules import EventKind
from core.risk.model import RiskScore
from core.risk.rules import Colour
from core.risk.service import newest_days

EVENT_DAYS: Final = 14

_EVENT: Final = EpidemicEvent.__table__.c


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbour:
    """A community within 500 m that lies in the area of duty, as its card shows it."""

    id: int
    name: str
    street: str
    colour: Colour
    score: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbourhood:
    """The communities around one.

    Attributes:
        inside: those of the area of duty, the worst first.
        outside: how many there are beyond it, by colour.
    """

    inside: list[Neighbour]
    outside: Mapping[Colour, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class EventCount:
    """Events of the residents of a community, of one kind.

    Attributes:
        kind: of the events.
        reported_count: reported in the last 14 days.
        open_count: open at the end of the day.
    """

    kind: EventKind
    reported_count: int
    open_count: int


def get_neighbourhood(
    session: Session, *, community_id: int, area: Area, today: date
) -> Neighbourhood:
    """Return the communities near to one, as their cards show them.

    Those outside the area of duty are counted, not named.
    """
    newest = newest_days(today)
    rows = session.execute(
        select(
            Community.id,
            Community.name,
            Community.street_id,
            Street.name.label("street"),
            func.coalesce(RiskScore.colour, Colour.GREY.value).label("colour"),
            RiskScore.score,
        )
        .join_from(CommunityNear, Community, Community.id == CommunityNear.near_id)
        .join(Street, Street.id == Community.street_id)
        .outerjoin(newest, newest.c.community_id == Community.id)
        .outerjoin(
            RiskScore,
            (RiskScore.community_id == Community.id)
            & (RiskScore.day == newest.c.day)
            & RiskScore.is_published,
        )
        .where(CommunityNear.community_id == community_id)
        .order_by(RiskScore.score.desc().nulls_last(), Community.code)
    ).all()
    inside, outside = [], Counter[Colour]()
    for row in rows:
        if not area.covers(community_id=row.id, street_id=row.street_id):
            outside[Colour(row.colour)] += 1
            continue
        inside.append(
            Neighbour(
                id=row.id,
                name=row.name,
                street=row.street,
                colour=Colour(row.colour),
                score=row.score,
            )
        )
    return Neighbourhood(inside=inside, outside=outside)


def list_event_counts(
    session: Session, *, community_id: int, day: date, days: int = EVENT_DAYS
) -> list[EventCount]:
    """Return how many events a community's residents have, by kind, in the order of the kinds.

    Who is in no register counts where the event itself says that they live. A withdrawn event
    counts nowhere. These are events: somebody with two of them counts twice, and not as in the
    indicators, where the worst state of a person counts alone.

    Args:
        session: may be a reading one.
        community_id: the community.
        day: the local day at whose end they are counted.
        days: how far back an event counts as reported lately.
    """
    first = day - timedelta(days=days - 1)
    found = _events_of(community_id, day, first=first).subquery()
    is_new = found.c.reported_on >= first
    is_open = or_(found.c.ended_on.is_(None), found.c.ended_on > day)
    rows = session.execute(
        select(
            found.c.kind,
            func.count().filter(is_new).label("reported"),
            func.count().filter(is_open).label("open"),
        ).group_by(found.c.kind)
    )
    counts = {row.kind: (row.reported, row.open) for row in rows}
    return [
        EventCount(kind=kind, reported_count=counts[kind][0], open_count=counts[kind][1])
        for kind in EventKind
        if kind in counts
    ]


def _events_of(community_id: int, day: date, *, first: date) -> CompoundSelect[Any]:
    """Return the events of who lives in a community on a day, by the register or by the feed.

    Two selects, so that each walks along an index of its own.
    """
    counted = select(_EVENT.kind, _EVENT.reported_on, _EVENT.ended_on).where(
        _EVENT.withdrawn_at.is_(None),
        _EVENT.reported_on <= day,
        or_(_EVENT.ended_on.is_(None), _EVENT.ended_on > day, _EVENT.reported_on >= first),
    )
    registered = counted.join(Residence, Residence.resident_id == _EVENT.resident_id).where(
        Residence.community_id == community_id,
        Residence.from_day <= day,
        or_(Residence.until_day.is_(None), Residence.until_day > day),
    )
    unknown = counted.where(
        _EVENT.community_id == community_id,
        ~exists().where(Residence.resident_id == _EVENT.resident_id),
    )
    return union_all(registered, unknown)
