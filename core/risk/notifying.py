"""Telling subscribers that a community has another colour than the one they know of.

A colour that was right on its day and gave way to another is a change, and so is one that people
set by hand or stop setting, or that rises during the day. One that is not published any more, for
the day that somebody was told of or a later one, was wrong: that is a correction.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import Exists, Row, Select, and_, bindparam, exists, func, or_, select, update
from sqlalchemy.orm import Session, aliased

from core.clock import day_of
from core.notices.service import NoticeDraft, queue_notices
from core.people.model import Person
from core.places.model import Community
from core.risk.floors import BANDS
from core.risk.model import ColourSubscription, RiskScore
from core.risk.rules import MAX_CARD_AGE_DAYS
from core.risk.rulings.model import ColourOverride
from core.risk.turns import stand_in_line

COLOUR_CHANGED: Final = "colour_changed"
COLOUR_CORRECTED: Final = "colour_corrected"

_RANK: Final = {colour.value: rank for rank, colour in enumerate(BANDS)}
_SUBSCRIPTION: Final = ColourSubscription.__table__
_REMEMBER: Final = (
    update(ColourSubscription)
    .where(_SUBSCRIPTION.c.id == bindparam("of_id"))
    .values(told_colour=bindparam("colour"), told_day=bindparam("day"))
)


def queue_colour_notices(session: Session, *, now: datetime) -> int:
    """Queue a notice for every subscriber who knows of another colour than the card shows.

    What they are told is remembered in the same transaction: a second change of a day and a
    correction are told too, and running this again tells nobody twice. The first colour of a
    community is remembered in silence, and a card that is grey tells nobody. What the night takes
    back of a provisional colour is corrected like any other.

    Args:
        session: the session of the step.
        now: aware instant; the notices are due at once.

    Returns:
        How many notices were queued.
    """
    # A statement that waits for a subscription would see the scores of before it waited.
    stand_in_line(session)
    rows = session.execute(_differences(day_of(now))).all()
    drafts = [_draft_of(row, now=now) for row in rows if row.told_colour is not None]
    queue_notices(session, now=now, drafts=drafts)
    if rows:
        told = [{"of_id": row.id, "colour": row.colour, "day": row.day} for row in rows]
        session.connection().execute(_REMEMBER, told)
    return len(drafts)


def _draft_of(row: Row[*tuple[Any, ...]], *, now: datetime) -> NoticeDraft:
    return NoticeDraft(
        kind=COLOUR_CORRECTED if _is_correction(row) else COLOUR_CHANGED,
        openid=row.openid,
        # What keeps a person from being told twice is the colour that the locked row
        # remembers; the key is there to be another one for every change.
        key=f"colour:{row.community_id}:{row.day}:{row.person_id}:{row.colour}"
        f":{now.timestamp():.6f}",
        values={
            "community": row.name,
            "colour": row.colour,
            "previous": row.told_colour,
            "day": row.day.isoformat(),
            "is_provisional": row.is_provisional,
        },
        link=f"/h5/community/{row.community_id}",
    )


def _is_correction(row: Row[*tuple[Any, ...]]) -> bool:
    rises_today = row.is_provisional and _RANK[row.colour] > _RANK[row.told_colour]
    return bool(row.is_recalled) and not rises_today


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
            shown.day,
            shown.is_provisional,
            # Who was told before days were remembered cannot be told that it was wrong.
            and_(
                ColourSubscription.told_day.is_not(None), ~_stands(today), ~_was_set_by_hand()
            ).label("is_recalled"),
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


def _stands(today: date) -> Exists:
    """Return whether what somebody was told is published still, for that day or a later one."""
    told = aliased(RiskScore)
    return (
        exists()
        .where(
            told.community_id == ColourSubscription.community_id,
            told.is_published,
            told.day >= ColourSubscription.told_day,
            told.day <= today,
            # An override leaves what was computed beside it.
            or_(
                told.colour == ColourSubscription.told_colour,
                told.computed_colour == ColourSubscription.told_colour,
            ),
        )
        .correlate(ColourSubscription)
    )


def _was_set_by_hand() -> Exists:
    """Return whether two people had set the colour that somebody was told."""
    return (
        exists()
        .where(
            ColourOverride.community_id == ColourSubscription.community_id,
            ColourOverride.colour == ColourSubscription.told_colour,
            ColourOverride.state.in_(["in_force", "ended"]),
            ColourOverride.until_day >= ColourSubscription.told_day,
        )
        .correlate(ColourSubscription)
    )
