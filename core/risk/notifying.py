"""Telling subscribers that a community has another colour than before."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session, aliased

from core.notices.service import NoticeDraft, queue_notices
from core.people.model import Person
from core.places.model import Community
from core.risk.model import ColourSubscription, RiskScore

COLOUR_CHANGED: Final = "colour_changed"


def queue_colour_notices(session: Session, *, day: date, now: datetime) -> int:
    """Queue a notice for every subscriber whose community changed colour on a day.

    A person is told once of a community and day, however often this runs. A day that was held
    back tells nobody, and somebody who subscribed after the score was known saw it already.

    Args:
        session: the session of the step.
        day: the local day that was scored.
        now: aware instant; the notices are due at once.

    Returns:
        How many people have something to be told, those included whom an earlier run told.
    """
    drafts = [
        NoticeDraft(
            kind=COLOUR_CHANGED,
            openid=openid,
            key=f"colour:{community_id}:{day}:{person_id}",
            values={
                "community": community,
                "colour": colour,
                "previous": previous,
                "score": score,
                "day": day.isoformat(),
            },
        )
        for openid, person_id, community_id, community, colour, previous, score in session.execute(
            _changes(day)
        )
    ]
    queue_notices(session, now=now, drafts=drafts)
    return len(drafts)


def _changes(day: date) -> Select[*tuple[Any, ...]]:
    new, old, older = aliased(RiskScore), aliased(RiskScore), aliased(RiskScore)
    day_before = (
        select(func.max(older.day))
        .where(older.community_id == new.community_id, older.is_published, older.day < day)
        .correlate(new)
        .scalar_subquery()
    )
    return (
        select(
            Person.openid,
            Person.id,
            Community.id,
            Community.name,
            new.colour,
            old.colour,
            new.score,
        )
        .select_from(ColourSubscription)
        .join(Person, Person.id == ColourSubscription.person_id)
        .join(Community, Community.id == ColourSubscription.community_id)
        .join(new, new.community_id == ColourSubscription.community_id)
        .join(old, old.community_id == new.community_id)
        .where(
            new.day == day,
            new.is_published,
            old.day == day_before,
            old.is_published,
            old.colour != new.colour,
            ColourSubscription.created_at <= new.scored_at,
        )
        .order_by(Community.id, Person.id)
    )
