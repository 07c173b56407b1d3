"""Use cases of feeds: what each delivered, up to which day it is complete, how large it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.risk.events.model import FeedDelivery
from core.risk.events.rules import USUAL_OF_DELIVERIES, Feed, usual_size_of


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedState:
    """How a feed stands.

    Attributes:
        feed: which one.
        watermark: the local day up to which it is complete; None: it never came.
        is_complete: whether that covers the day of the question.
        row_count: rows of its newest delivery; 0 if it never came.
        usual_count: rows that it usually has; None as long as it brought none.
        received_at: when it came last, aware; None: never.
    """

    feed: Feed
    watermark: date | None
    is_complete: bool
    row_count: int
    usual_count: int | None
    received_at: datetime | None


def feed_states(session: Session, *, day: date) -> list[FeedState]:
    """Return how every feed stands, in the order of `Feed`; three statements.

    Args:
        session: may be a reading one.
        day: local day that a feed must cover to be complete.
    """
    marks = (
        select(
            FeedDelivery.feed,
            func.max(FeedDelivery.watermark).label("watermark"),
            func.max(FeedDelivery.id).label("newest"),
        )
        .group_by(FeedDelivery.feed)
        .subquery()
    )
    rows = session.execute(
        select(
            marks.c.feed, marks.c.watermark, FeedDelivery.row_count, FeedDelivery.received_at
        ).join(FeedDelivery, FeedDelivery.id == marks.c.newest)
    )
    newest = {row.feed: row for row in rows}
    usual = usual_counts(session)
    return [
        FeedState(
            feed=feed,
            watermark=row.watermark if row else None,
            is_complete=row is not None and row.watermark >= day,
            row_count=row.row_count if row else 0,
            usual_count=usual.get(feed),
            received_at=row.received_at if row else None,
        )
        for feed in Feed
        for row in [newest.get(feed.value)]
    ]


def usual_counts(session: Session) -> dict[Feed, int]:
    """Return how many rows each feed usually brings; without those that never brought any.

    Of several deliveries up to one day the largest counts, so that single events in the course of
    a day do not make a feed look small.
    """
    by_day = (
        select(
            FeedDelivery.feed,
            func.max(FeedDelivery.row_count).label("row_count"),
            func.row_number()
            .over(partition_by=FeedDelivery.feed, order_by=FeedDelivery.watermark.desc())
            .label("place"),
        )
        .where(FeedDelivery.row_count > 0)
        .group_by(FeedDelivery.feed, FeedDelivery.watermark)
        .subquery()
    )
    counts: dict[Feed, list[int]] = {}
    for feed, count in session.execute(
        select(by_day.c.feed, by_day.c.row_count).where(by_day.c.place <= USUAL_OF_DELIVERIES)
    ):
        counts.setdefault(Feed(feed), []).append(count)
    sizes = {feed: usual_size_of(found) for feed, found in counts.items()}
    return {feed: size for feed, size in sizes.items() if size is not None}


def watermarks(session: Session) -> Mapping[Feed, date]:
    """Return the local day up to which each feed is complete; without those that never came."""
    rows = session.execute(
        select(FeedDelivery.feed, func.max(FeedDelivery.watermark)).group_by(FeedDelivery.feed)
    )
    return {Feed(feed): day for feed, day in rows}


def record_delivery(
    session: Session,
    *,
    feed: Feed,
    watermark: date,
    row_count: int,
    now: datetime,
    rejected_count: int = 0,
    digest: str = "",
) -> None:
    """Note what a feed delivered at once.

    Args:
        session: the session of the import.
        feed: which one.
        watermark: local day up to which it is complete with it.
        row_count: rows of the file, also those that were refused.
        now: aware instant.
        rejected_count: of these, the refused ones.
        digest: of the file.
    """
    session.add(
        FeedDelivery(
            feed=feed.value,
            watermark=watermark,
            row_count=row_count,
            rejected_count=rejected_count,
            digest=digest,
            received_at=now,
        )
    )
