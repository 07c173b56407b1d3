"""Days that were held for want of data, once the data has come."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.clock import day_of
from core.risk.holding import PublicationState
from core.risk.indicators.computing import compute_indicators
from core.risk.model import Publication
from core.risk.realtime import score_nights
from core.risk.rules import MAX_CARD_AGE_DAYS
from core.risk.turns import stand_in_line


def recover_held_days(session: Session, *, now: datetime) -> list[date]:
    """Compute the held days that cards could show again, and score those that other values have.

    The steps of their nights are done and do not run again; what came late would else reach them
    by an operator's word alone. A day that nothing speaks against any more goes out, and those
    after it follow. Whoever calls this tells the subscribers.

    Args:
        session: the session of the import that brought what was late.
        now: aware instant.

    Returns:
        The held days whose values changed, in order; each may be held still.
    """
    session.flush()
    stand_in_line(session)
    today = day_of(now)
    held = session.scalars(
        select(Publication.day)
        .where(
            Publication.state == PublicationState.HELD.value,
            Publication.day >= today - timedelta(days=MAX_CARD_AGE_DAYS),
            Publication.day < today,
        )
        .order_by(Publication.day)
    ).all()
    changed = [
        day for day in held if compute_indicators(session, day=day, now=now).written_count > 0
    ]
    if changed:
        score_nights(session, days=changed, now=now)
    return changed
