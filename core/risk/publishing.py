"""Use cases of publications: which days went out, and letting go one that is held."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import ClassVar, Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.audit.service import record
from core.errors import ConflictError, NotFoundError
from core.risk.holding import PublicationState
from core.risk.indicators.computing import compute_indicators
from core.risk.model import Publication
from core.risk.notifying import queue_colour_notices
from core.risk.rules import MAX_CARD_AGE_DAYS
from core.risk.scoring import DayScores, score_days
from core.risk.turns import stand_in_line

LISTED_DAYS: Final = 60


class PublicationNotFoundError(NotFoundError):
    """The day was never scored."""

    code: ClassVar[str] = "publication_not_found"


class PublicationNotHeldError(ConflictError):
    """The day is not held; facts `by`, an actor (may be empty), and `state`."""

    code: ClassVar[str] = "publication_not_held"


def list_publications(session: Session, *, limit: int = LISTED_DAYS) -> Sequence[Publication]:
    """Return what became of the newest days, the newest first."""
    return session.scalars(select(Publication).order_by(Publication.day.desc()).limit(limit)).all()


def count_held(session: Session, *, today: date) -> int:
    """Return how many of the days that cards could show are held."""
    count = session.scalar(
        select(func.count())
        .select_from(Publication)
        .where(
            Publication.state == PublicationState.HELD.value,
            Publication.day >= today - timedelta(days=MAX_CARD_AGE_DAYS),
        )
    )
    return count or 0


def release_publication(
    session: Session, *, day: date, reason: str, staff_id: int, now: datetime
) -> list[DayScores]:
    """Let the colours of a held day go out, and tell those who know of other ones.

    What has come since the day was held is counted first: a case that was late must not go out
    as none. Days after it are scored again where they follow from its colours; one that was held
    because too much jumped may go out then by itself. The same person again is harmless.

    Args:
        session: the session of the request.
        day: the local day.
        reason: why, as typed and checked by the page.
        staff_id: who lets it go.
        now: aware instant.

    Returns:
        The days that were scored again, in order; empty where it was released before.

    Raises:
        PublicationNotFoundError: the day was never scored.
        PublicationNotHeldError: it is not held, or somebody else released it.
    """
    # Those who score hold this lock before they touch the row: so does whoever releases it.
    stand_in_line(session)
    row = session.scalar(
        select(Publication)
        .where(Publication.day == day)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if row is None:
        raise PublicationNotFoundError
    actor = f"staff:{staff_id}"
    if row.state != PublicationState.HELD.value:
        if row.released_by == actor:
            return []
        raise PublicationNotHeldError(by=row.released_by or "", state=row.state)
    record(
        session,
        now=now,
        actor=actor,
        action="publication_released",
        subject=f"risk_publication:{day.isoformat()}",
        held_for=row.reason,
        jump_count=row.jump_count,
    )
    row.state = PublicationState.RELEASED.value
    row.released_by, row.released_at, row.release_reason = actor, now, reason
    session.flush()
    compute_indicators(session, day=day, now=now)
    results = score_days(session, days=[day], now=now)
    queue_colour_notices(session, now=now)
    return results
