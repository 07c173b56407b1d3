"""Computing and scoring past days again, one transaction each, in order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.risk.indicators.computing import compute_indicators
from core.risk.model import Publication
from core.risk.notifying import queue_colour_notices
from core.risk.realtime import score_nights
from core.risk.rules import MAX_CARD_AGE_DAYS
from core.risk.scoring import DayScores, list_scored, score_day
from core.risk.turns import stand_in_line


@dataclass(frozen=True, slots=True, kw_only=True)
class BackfilledDay:
    """What became of a day: values that were computed anew, and its scores."""

    value_count: int
    scores: DayScores


def days_between(first: date, last: date) -> Iterator[date]:
    """Yield the days from one to another, both included."""
    for number in range((last - first).days + 1):
        yield first + timedelta(days=number)


def list_scored_days(session: Session, *, first: date, last: date) -> set[date]:
    """Return the days of a stretch that a night has scored, held ones among them."""
    days = session.scalars(select(Publication.day).where(Publication.day.between(first, last)))
    return set(days)


def backfill_day(session: Session, *, day: date, now: datetime) -> BackfilledDay:
    """Compute the indicators of a day and score it, as its night would have.

    The days must be done in order: a colour falls step by step from that of the day before.
    """
    stand_in_line(session)
    run = compute_indicators(session, day=day, now=now)
    return BackfilledDay(value_count=run.written_count, scores=score_day(session, day=day, now=now))


def finish_backfill(session: Session, *, last: date, now: datetime) -> list[DayScores]:
    """Score the days after a stretch that go by its colours, and tell who knows of other ones.

    Args:
        session: the session of the step.
        last: the last day of the stretch.
        now: aware instant.

    Returns:
        The days after it that were scored, in order.
    """
    first = last + timedelta(days=1)
    following = list_scored(session, first=first, until=last + timedelta(days=MAX_CARD_AGE_DAYS))
    results = score_nights(session, days=following, now=now)
    queue_colour_notices(session, now=now)
    return results
