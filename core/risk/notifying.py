"""Telling subscribers that a community has another colour than the one they know of."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import Select, bindparam, func, select, update
from sqlalchemy.orm import Session, aliased

from core.clock import day_of
from core.notices.service import NoticeDraft, queue_notices
from core.people.model import Person
from core.places.model import Community
from core.risk.model import ColourSubscription, RiskScore
from core.risk.rules import MAX_CARD_AGE_DAYS

COLOUR_CHANGED: Final = "colour_changed"

_SUBSCRIPTION: Final = ColourSubscription.__table__
_REMEMBER: Final = (
    update(ColourSubscription)
    .where(_SUBSCRIPTION.c.id == bindparam("of_id"))
    .values(told_colour=bindparam("colour"))
)


def queue_colour_notices(session: Session, *, now: datetime) -> int:
    """Queue a notice for every subscriber who knows of another colour than the card shows.

    What they are told is remembered in the same transaction: a second change of a day and a
    correction are told too, and running this again tells nobody twice. The first colour of a
    community is remembered in silence, and a card that is grey tells nobody.

    Args:
        session: the session of the step.
        now: aware instant; the notices are due at once.

    Returns:
        How many notices were queued.
    """
    rows = session.execute(_differences(day_of(now))).all()
    drafts = [
        NoticeDraft(
            kind=COLOUR_CHANGED,
            openid=row.openid,
            # What keeps a person from being told twice is the colour that the locked row
            # remembers; the key is there to be another one for every change.
            key=f"colour:{row.community_id}:{row.day}:{row.person_id}:{row.colour}"
            f":{now.timestamp():.6f}",
            values={
                "community": row.name,
                "colour": row.colour,
                "previous": row.told_colour,
                "score": row.score,
                "day": row.day.isoformat(),
            },
        )
        for row in rows
        if row.told_colour is not None
    ]
    queue_notices(session, now=now, drafts=drafts)
    if rows:
        told = [{"of_id": row.id, "colour": row.colour} for row in rows]
        session.connection().execute(_REMEMBER, told)
    return len(drafts)


def _differences(today: date) -> Select[*tuple[Any, ...]]:
    """Return the statement that finds and locks the subscriptions, by their ids."""
    shown, newer = aliased(RiskScore), aliased(RiskScore)
    newest_day = (
        select(func.max(newer.day))
        .where(
            newer.community_id == ColourSubscription.community_id,
            newer.is_published,
            newer.day <= today,
        )
        .correlate(ColourSubscription)
        .scalar_subquery()
    )
    return (
        select(
            ColourSubscription.id,
            ColourSubscription.person_id,
            ColourSubscription.community_id,
            ColourSubscription.told_colour,
            Person.openid,
            Community.name,
            shown.colour,
            shown.score,
            shown.day,
        )
        .select_from(ColourSubscription)
        .join(Person, Person.id == ColourSubscription.person_id)
        .join(Community, Community.id == ColourSubscription.community_id)
        .join(shown, shown.community_id == ColourSubscription.community_id)
        .where(
            shown.is_published,
            shown.day == newest_day,
            shown.day >= today - timedelta(days=MAX_CARD_AGE_DAYS),
            ColourSubscription.told_colour.is_distinct_from(shown.colour),
        )
        .order_by(ColourSubscription.id)
        # A night and an import may run together: the second waits, and then finds no difference.
        .with_for_update(of=ColourSubscription)
    )
