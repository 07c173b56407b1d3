"""Reference tables of a day: fitted once from the days before it, and kept."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.arrivals.bodies import packed, unpacked
from core.arrivals.calibrating import find_scaling
from core.arrivals.model import FittedReference
from core.arrivals.references import References, document_of, fit_references, references_in
from core.arrivals.service import load_counts, load_history
from core.arrivals.settings import find_settings
from core.clock import day_of, start_of
from core.db import upsert

# Older tables than this are not worth having: they are fitted anew where they are needed.
MAX_AGE_DAYS: Final = 7


def fit_day(session: Session, *, day: date) -> References:
    """Return the reference tables of a local day, fitted from what was known at its midnight.

    Args:
        session: may be a reading one.
        day: the local day.
    """
    known_at = start_of(day)
    return fit_references(
        load_history(session, now=known_at),
        day=day,
        counts=load_counts(session, now=known_at),
        settings=find_settings(session, now=known_at),
        scaling=find_scaling(session, day=day),
    )


def keep_references(session: Session, *, references: References, now: datetime) -> None:
    """Keep the reference tables of a day in place of those that it had.

    Args:
        session: of a transaction.
        references: of the day.
        now: aware instant.
    """
    row = {"day": references.day, "body": packed(document_of(references)), "fitted_at": now}
    statement = upsert(session, FittedReference, keys=["day"], update=["body", "fitted_at"])
    session.execute(statement, [row])


def is_fitted(session: Session, *, day: date) -> bool:
    """Return whether the reference tables of a day are kept."""
    statement = select(FittedReference.day).where(FittedReference.day == day)
    return session.scalar(statement) is not None


def find_references(session: Session, *, now: datetime) -> References:
    """Return the newest reference tables of at most seven days ago, or fit those of today.

    Args:
        session: may be a reading one.
        now: aware instant; later tables are not looked at.
    """
    today = day_of(now)
    newest = session.scalars(
        select(FittedReference)
        .where(FittedReference.day.between(today - timedelta(days=MAX_AGE_DAYS), today))
        .order_by(FittedReference.day.desc())
        .limit(1)
    ).first()
    if newest is not None:
        return references_in(unpacked(newest.body))
    return fit_day(session, day=today)
