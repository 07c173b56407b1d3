from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.arrivals.feeding import (
    Delivery,
    FeedFault,
    Taken,
    find_watermark,
    note_failure,
    take_delivery,
)
from core.arrivals.model import TicketFeed, TicketSale, TrainArrival, TrainRun
from core.audit.model import AuditEntry
from core.importing import ImportRow

TRAIN = {"number": "G7301", "origin": "杭州东", "scheduled_at": "2020-03-28 08:05"}
SALE = {"number": "G7301", "day": "2020-03-28", "at": "2020-03-28 07:00", "sold": "40"}
CAME = {"number": "G7301", "day": "2020-03-28", "actual_at": "2020-03-28 08:04", "alighted": "38"}


def rows(*cells: dict[str, str]) -> list[ImportRow]:
    return [ImportRow(place, one) for place, one in enumerate(cells, start=1)]


def take(session: Session, now: datetime, delivery: Delivery) -> Taken:
    return take_delivery(session, source="ticketing", delivery=delivery, now=now)


def feed_of(session: Session) -> TicketFeed:
    return session.scalars(select(TicketFeed)).one()


def test_delivery_is_stored_with_its_watermark_and_changes_nothing_when_it_comes_again(
    session: Session, now: datetime
) -> None:
    delivery = Delivery(
        watermark="7", complete_at=now, trains=rows(TRAIN), tickets=rows(SALE), arrivals=rows(CAME)
    )
    assert find_watermark(session, source="ticketing") == ""

    first, again = take(session, now, delivery), take(session, now, delivery)

    assert (first.changed_count, first.rejections) == (3, ())
    assert (again.changed_count, again.unchanged_count) == (0, 3)
    assert find_watermark(session, source="ticketing") == "7"
    entries = select(func.count()).where(AuditEntry.action == "tickets_polled")
    assert session.scalar(entries) == 1


def test_of_rows_about_the_same_train_the_later_one_counts(session: Session, now: datetime) -> None:
    taken = take(
        session,
        now,
        Delivery(
            watermark="1",
            trains=rows(TRAIN, TRAIN | {"delay_minutes": "9"}, TRAIN | {"cancelled": "1"}),
            tickets=rows(SALE, SALE | {"sold": "41"}),
            arrivals=rows(CAME, CAME | {"alighted": "37"}),
        ),
    )
    assert taken.rejections == ()
    run = session.scalars(select(TrainRun)).one()
    assert (run.is_cancelled, run.live_delay_minutes, run.source) == (True, 9, "ticketing")
    assert session.scalars(select(TicketSale.sold)).all() == [41]
    assert session.scalars(select(TrainArrival.alighted)).all() == [37]


def test_what_cannot_be_is_left_out_with_its_place_and_the_rest_is_taken(
    session: Session, now: datetime
) -> None:
    delivery = Delivery(
        watermark="1",
        trains=rows(TRAIN),
        tickets=rows(SALE | {"sold": "-4"}, SALE, SALE | {"number": "G1"}),
    )
    taken = take(session, now, delivery)
    assert taken.changed_count == 2
    assert [(one.line, one.code) for one in taken.rejections] == [
        (1, "number_too_small"),
        (3, "train_unknown"),
    ]


def test_source_that_goes_back_is_followed_and_named(session: Session, now: datetime) -> None:
    earlier = now - timedelta(hours=2)
    take(session, now, Delivery(watermark="9", complete_at=now))
    # A page of several says nothing of how complete they are.
    assert take(session, now, Delivery(watermark="10")).fault is None
    assert feed_of(session).complete_at == now

    gone_back = take(session, now, Delivery(watermark="3", complete_at=earlier))
    assert gone_back.fault is FeedFault.WENT_BACK

    feed = feed_of(session)
    assert (feed.watermark, feed.complete_at) == ("3", earlier)
    assert feed.last_error == FeedFault.WENT_BACK
    take(session, now, Delivery(watermark="4", complete_at=now))
    assert feed_of(session).last_error == ""


@pytest.mark.parametrize(
    "told",
    [
        pytest.param({"tickets": rows(SALE | {"at": "2020-03-28 23:59"})}, id="clock-ahead"),
        pytest.param({"skipped_count": 3}, id="another-form"),
    ],
)
def test_source_of_which_nothing_can_be_taken_does_not_stay_fresh(
    session: Session, now: datetime, told: dict[str, Any]
) -> None:
    earlier = now - timedelta(minutes=5)
    take(session, now, Delivery(watermark="1", complete_at=earlier, trains=rows(TRAIN)))
    taken = take(session, now, Delivery(watermark="2", complete_at=now, **told))
    feed = feed_of(session)
    assert taken.fault is FeedFault.ALL_REFUSED
    assert (feed.watermark, feed.complete_at, feed.last_error) == ("2", earlier, "all_refused")
    take(session, now, Delivery(watermark="3", complete_at=now, tickets=rows(SALE)))
    assert (feed_of(session).complete_at, feed_of(session).last_error) == (now, "")


def test_clock_of_a_source_that_is_ahead_makes_nothing_fresh(
    session: Session, now: datetime
) -> None:
    take(session, now, Delivery(watermark="1", complete_at=now + timedelta(days=1)))
    assert feed_of(session).complete_at == now


def test_failures_are_counted_until_the_next_success(session: Session, now: datetime) -> None:
    take(session, now, Delivery(watermark="1", complete_at=now))
    later = now + timedelta(minutes=5)
    counts = [
        note_failure(session, source="ticketing", fault=FeedFault.TIMEOUT, now=later)
        for _ in range(2)
    ]
    assert counts == [1, 2]
    feed = feed_of(session)
    assert (feed.watermark, feed.polled_at, feed.succeeded_at) == ("1", later, now)
    assert feed.last_error == "timeout"
    take(session, later, Delivery(watermark="2", complete_at=later))
    assert (feed_of(session).failed_count, feed_of(session).last_error) == (0, "")
