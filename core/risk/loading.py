"""What a day is scored from: values with their ages, colours that are shown, overrides in force."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

import numpy as np
from sqlalchemy import ColumnElement, Select, exists, select
from sqlalchemy.orm import Session, aliased

from core.clock import day_of
from core.places.model import Community
from core.risk.floors import BANDS
from core.risk.model import IndicatorValue, RiskScore
from core.risk.rules import MAX_CARD_AGE_DAYS, Colour, ModelVersion
from core.risk.rulings.model import ColourOverride
from core.risk.table import Bands, Floats, Integers

_SCORE: Final = RiskScore.__table__.c
_VALUE: Final = IndicatorValue.__table__.c
_OVERRIDE: Final = ColourOverride.__table__.c
_BAND: Final[Mapping[str, int]] = {colour.value: band for band, colour in enumerate(BANDS)}
_HELD_STATES: Final = ("in_force", "ended")


@dataclass(frozen=True, slots=True, kw_only=True)
class DayValues:
    """The newest values that are known at the end of a day, one row per community.

    Attributes:
        community_ids: in order; the rows.
        values: by code; NaN where nothing has come.
        ages: by code in days, 0 for the day itself; meaningless where the value is NaN.
    """

    community_ids: tuple[int, ...]
    values: Mapping[str, Floats]
    ages: Mapping[str, Integers]

    def for_version(self, version: ModelVersion) -> dict[str, Floats]:
        """Return the values by code, NaN where one is older than a version lets it stand in."""
        return {
            code: np.where(self.ages[code] <= version.max_stale_days, column, np.nan)
            for code, column in self.values.items()
        }


def load_values(
    session: Session,
    *,
    day: date,
    days_back: int,
    community_ids: Collection[int] | None = None,
) -> DayValues:
    """Return the values of a day, each replaced by the last one before it where it has not come.

    Args:
        session: may be a reading one.
        day: the local day.
        days_back: how far back a value may be.
        community_ids: only these; None: all of the register.
    """
    places = select(Community.id).order_by(Community.id)
    first = day - timedelta(days=days_back)
    carried, fresh = _carried(first, day), _fresh(day)
    if community_ids is not None:
        wanted = sorted(community_ids)
        places = places.where(Community.id.in_(wanted))
        carried = carried.where(_VALUE.community_id.in_(wanted))
        fresh = fresh.where(_VALUE.community_id.in_(wanted))
    known = tuple(session.scalars(places))
    place_of = {community_id: place for place, community_id in enumerate(known)}
    values: dict[str, Floats] = {}
    ages: dict[str, Integers] = {}
    # In order of days: a newer value takes the place of an older one.
    for statement in (carried, fresh):
        for value_day, community_id, code, value in session.execute(statement).all():
            if code not in values:
                values[code] = np.full(len(known), np.nan)
                ages[code] = np.zeros(len(known), dtype=np.int64)
            place = place_of[community_id]
            values[code][place] = value
            ages[code][place] = (day - value_day).days
    return DayValues(community_ids=known, values=values, ages=ages)


def _fresh(day: date) -> Select[*tuple[Any, ...]]:
    return select(_VALUE.day, _VALUE.community_id, _VALUE.indicator, _VALUE.value).where(
        _VALUE.day == day
    )


def _carried(first: date, day: date) -> Select[*tuple[Any, ...]]:
    """Return the values since `first` that have no successor on `day`, the oldest first."""
    today = aliased(IndicatorValue)
    has_come = exists().where(
        today.day == day,
        today.community_id == _VALUE.community_id,
        today.indicator == _VALUE.indicator,
    )
    return (
        select(_VALUE.day, _VALUE.community_id, _VALUE.indicator, _VALUE.value)
        .where(_VALUE.day >= first, _VALUE.day < day, ~has_come)
        .order_by(_VALUE.day)
    )


def load_shown(session: Session, *, day: date, community_ids: tuple[int, ...]) -> Bands:
    """Return the computed colours that cards show before a day is published.

    Args:
        session: may be a reading one.
        day: the local day; those of the three days before it count.
        community_ids: the rows of the result.

    Returns:
        Places in `BANDS`; 0 where nothing is shown.
    """
    return _load_bands(session, _SCORE.is_published, day=day, community_ids=community_ids)


def load_silent(
    session: Session, *, day: date, version: ModelVersion, community_ids: tuple[int, ...]
) -> Bands:
    """Return what `load_shown` does for a version that is scored in silence."""
    is_its = (_SCORE.version == version.name) & ~_SCORE.is_provisional
    return _load_bands(session, is_its, day=day, community_ids=community_ids)


def _load_bands(
    session: Session,
    condition: ColumnElement[bool],
    *,
    day: date,
    community_ids: tuple[int, ...],
) -> Bands:
    first = day - timedelta(days=MAX_CARD_AGE_DAYS)
    rows = session.execute(
        select(_SCORE.community_id, _SCORE.computed_colour)
        .where(_SCORE.day >= first, _SCORE.day < day, condition)
        .order_by(_SCORE.day)
    )
    # A grey day of a silent version leaves the colour before it standing, as a card would.
    bands = {one: band for one, colour in rows.all() if (band := _BAND[colour])}
    return np.array([bands.get(one, 0) for one in community_ids], dtype=np.int8)


def load_overrides(session: Session, *, on: date) -> dict[int, Colour]:
    """Return the colours that two people have set, of those in force on a local day.

    One that was ended early is over on the day of its end.
    """
    rows = session.execute(
        select(_OVERRIDE.community_id, _OVERRIDE.colour, _OVERRIDE.decided_at, _OVERRIDE.ended_at)
        .where(
            _OVERRIDE.state.in_(_HELD_STATES),
            _OVERRIDE.decided_by.is_not(None),
            _OVERRIDE.until_day >= on,
        )
        .order_by(_OVERRIDE.decided_at)
    )
    return {
        community_id: Colour(colour)
        for community_id, colour, decided_at, ended_at in rows
        if day_of(decided_at) <= on and (ended_at is None or day_of(ended_at) > on)
    }


def bands_of(colours: Mapping[int, Colour], *, community_ids: tuple[int, ...]) -> Bands:
    """Return colours by community as places in `BANDS`; 0 where there is none."""
    return np.array(
        [_BAND[colours[one].value] if one in colours else 0 for one in community_ids],
        dtype=np.int8,
    )
