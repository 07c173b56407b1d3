"""Fevers that are looked into: what keeps a colour from falling (R3) and is no indicator."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

import numpy as np
from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from core.residents.model import Residence
from core.risk.events.model import EpidemicEvent
from core.risk.events.rules import EventKind
from core.risk.loading import DayValues
from core.risk.rules import FEVER_OPEN, ModelVersion

# One that nobody closed is not looked into for ever.
MAX_FEVER_DAYS: Final = 14


def with_fevers(
    session: Session, known: DayValues, *, day: date, versions: list[ModelVersion]
) -> DayValues:
    """Return values with the open fevers of a day, if a version asks for them.

    Args:
        session: may be a reading one.
        known: the values of the day.
        day: the local day at whose end they are open.
        versions: that will be scored.

    Source: docs/sources.md#risk-floors
    """
    asked = {code for version in versions for one in version.stays for code in one.codes}
    if FEVER_OPEN not in asked or FEVER_OPEN in known.values:
        return known
    counts = count_open_fevers(session, day=day)
    if not counts:
        return known
    column = np.array([float(counts.get(one, 0)) for one in known.community_ids])
    return DayValues(
        community_ids=known.community_ids,
        values={**known.values, FEVER_OPEN: column},
        ages={**known.ages, FEVER_OPEN: np.zeros(len(column), dtype=np.int64)},
    )


def count_open_fevers(session: Session, *, day: date) -> dict[int, int]:
    """Return how many people have a fever that is looked into, by community.

    It was reported within 14 days and is neither excluded nor over at the end of the day. People
    count where the register of the day says that they live, else where their event says.
    """
    event = EpidemicEvent.__table__.c
    home = func.coalesce(Residence.community_id, event.community_id)
    lives_there = and_(
        Residence.resident_id == event.resident_id,
        Residence.from_day <= day,
        or_(Residence.until_day.is_(None), Residence.until_day > day),
    )
    rows = session.execute(
        select(home, func.count(event.resident_id.distinct()))
        .select_from(EpidemicEvent)
        .outerjoin(Residence, lives_there)
        .where(
            event.kind == EventKind.FEVER.value,
            event.reported_on > day - timedelta(days=MAX_FEVER_DAYS),
            event.reported_on <= day,
            or_(event.ended_on.is_(None), event.ended_on > day),
            event.withdrawn_at.is_(None),
            home.is_not(None),
        )
        .group_by(home)
    )
    return dict(rows.all())
