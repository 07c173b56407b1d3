"""Values that were won in an appeal, on the days after the appealed one.

The events that were counted wrongly are counted on the days after as well. A claim that lowers a
value stands for them as long as nothing else is counted: the count is not above the appealed one,
and no event of the indicator's feeds has come since. One that raises a value is the least of what
follows. Both end with the window of the indicator.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date, timedelta
from typing import Final, TypeAlias

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session

from core.places.model import CommunityNear
from core.residents.model import Residence
from core.risk.events.model import EpidemicEvent
from core.risk.events.rules import FEED_OF, Feed
from core.risk.indicators.rules import FEEDS_OF, LONG_WINDOW_DAYS, SHORT_WINDOW_DAYS
from core.risk.rulings.model import Appeal

_SHORT: Final = frozenset({"fever", "nearby"})
# It falls by one every day of itself.
_FALLING: Final = "recency"
_NEARBY: Final = "nearby"
_LINKED: Final = "cluster"

_Key: TypeAlias = tuple[int, str]


def settle(session: Session, counted: Mapping[_Key, float], *, day: date) -> dict[_Key, float]:
    """Return the values that appeals of the days before put in the place of counted ones.

    Args:
        session: may be a reading one.
        counted: what was counted at the end of the day, by community and indicator.
        day: the local day.

    Returns:
        Only those that differ from what was counted.
    """
    settled = {}
    for key, appeal in _list_won(session, day=day).items():
        value = counted.get(key)
        if value is None or appeal.computed_value is None:
            continue
        claimed = _fallen(appeal.claimed_value, appeal, day=day)
        if appeal.claimed_value > appeal.computed_value:
            settled[key] = max(value, claimed)
        elif value <= _fallen(appeal.computed_value, appeal, day=day) and not _has_news(
            session, appeal, day=day
        ):
            settled[key] = min(value, claimed)
    return {key: value for key, value in settled.items() if value != counted[key]}


def _list_won(session: Session, *, day: date) -> dict[_Key, Appeal]:
    """Return the appeals that may bear on a day; of several the newest day's."""
    rows = session.scalars(
        select(Appeal)
        .where(
            Appeal.state == "accepted",
            Appeal.day < day,
            Appeal.day > day - timedelta(days=LONG_WINDOW_DAYS),
            Appeal.indicator.in_(list(FEEDS_OF)),
        )
        .order_by(Appeal.day, Appeal.decided_at, Appeal.id)
    )
    return {
        (row.community_id, row.indicator): row
        for row in rows
        if (day - row.day).days < _window_of(row.indicator)
    }


def _window_of(code: str) -> int:
    return SHORT_WINDOW_DAYS if code in _SHORT else LONG_WINDOW_DAYS


def _fallen(value: float, appeal: Appeal, *, day: date) -> float:
    passed = (day - appeal.day).days if appeal.indicator == _FALLING else 0
    return max(0.0, value - passed)


def _has_news(session: Session, appeal: Appeal, *, day: date) -> bool:
    """Return whether an event came that the appeal did not speak of.

    It was reported after the appealed day, or came in, still open, after the appeal was raised.
    """
    home = func.coalesce(Residence.community_id, EpidemicEvent.community_id)
    lives_there = and_(
        Residence.resident_id == EpidemicEvent.resident_id,
        Residence.from_day <= day,
        or_(Residence.until_day.is_(None), Residence.until_day > day),
    )
    is_later = EpidemicEvent.reported_on > appeal.day
    is_new = (EpidemicEvent.changed_at > appeal.raised_at) & EpidemicEvent.ended_on.is_(None)
    concerns: ColumnElement[bool] = home.in_(_places_of(session, appeal))
    if appeal.indicator == _LINKED:
        concerns |= EpidemicEvent.cluster.in_(
            select(EpidemicEvent.cluster)
            .outerjoin(Residence, lives_there)
            .where(home == appeal.community_id, EpidemicEvent.cluster.is_not(None))
        )
    found = session.execute(
        select(EpidemicEvent.id)
        .outerjoin(Residence, lives_there)
        .where(
            EpidemicEvent.kind.in_(_kinds_of(FEEDS_OF[appeal.indicator])),
            EpidemicEvent.reported_on <= day,
            EpidemicEvent.reported_on > appeal.day - timedelta(days=LONG_WINDOW_DAYS),
            EpidemicEvent.withdrawn_at.is_(None),
            or_(is_later, is_new),
            concerns,
        )
        .limit(1)
    )
    return found.first() is not None


def _kinds_of(feeds: Collection[Feed]) -> list[str]:
    return [kind.value for kind, feed in FEED_OF.items() if feed in feeds]


def _places_of(session: Session, appeal: Appeal) -> list[int]:
    """Return where events count for the appealed indicator."""
    if appeal.indicator != _NEARBY:
        return [appeal.community_id]
    near = select(CommunityNear.near_id).where(CommunityNear.community_id == appeal.community_id)
    return list(session.scalars(near))
