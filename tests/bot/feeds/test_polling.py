from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from structlog.testing import capture_logs

from bot.feeds.polling import POLL_SECONDS, poll, ticket_source
from bot.feeds.ticketing import FeedError, HttpTicketSource, Page
from bot.settings import Settings
from core.arrivals.feeding import Delivery, FeedFault, find_watermark
from core.arrivals.model import TicketFeed, TicketSale
from core.db import Database
from core.importing import ImportRow

TRAIN = {"number": "G7301", "origin": "杭州东", "scheduled_at": "2020-03-28 09:05"}


def sale(minute: int, sold: int) -> ImportRow:
    cells = {"number": "G7301", "day": "2020-03-28", "at": f"2020-03-28 07:{minute:02}"}
    return ImportRow(1, cells | {"sold": str(sold)})


class Script:
    """A source that gives pages, or faults, by watermark."""

    name = "ticketing"

    def __init__(self, pages: dict[str, Page | FeedFault]) -> None:
        self.pages = pages
        self.asked: list[str] = []

    def fetch(self, watermark: str) -> Page:
        self.asked.append(watermark)
        page = self.pages[watermark]
        if isinstance(page, FeedFault):
            raise FeedError(page)
        return page


def page(
    watermark: str, *sales: ImportRow, has_more: bool = False, at: datetime | None = None
) -> Page:
    delivery = Delivery(
        watermark=watermark, complete_at=at, trains=[ImportRow(1, TRAIN)], tickets=sales
    )
    return Page(delivery=delivery, has_more=has_more)


def state(database: Database) -> tuple[str, int, str, list[int]]:
    with database.reading() as session:
        feed = session.scalars(select(TicketFeed)).one()
        sold = session.scalars(select(TicketSale.sold).order_by(TicketSale.at)).all()
        return feed.watermark, feed.failed_count, feed.last_error, list(sold)


def test_pages_are_read_to_the_last_and_on_from_there(database: Database, now: datetime) -> None:
    source = Script(
        {
            "": page("a", sale(0, 10), has_more=True),
            "a": page("b", sale(5, 20), at=now),
            "b": page("b", at=now),
        }
    )
    report = poll(database, source, now=lambda: now)
    assert (report.page_count, report.changed_count, report.fault) == (2, 3, None)
    assert state(database) == ("b", 0, "", [10, 20])
    poll(database, source, now=lambda: now)
    assert source.asked == ["", "a", "b"]


def test_what_was_read_before_a_fault_is_kept_and_the_next_poll_goes_on(
    sqlite_database: Database, now: datetime
) -> None:
    source = Script({"": page("a", sale(0, 10), has_more=True), "a": FeedFault.TIMEOUT})
    with capture_logs() as logs:
        report = poll(sqlite_database, source, now=lambda: now)
    assert (report.page_count, report.fault) == (1, FeedFault.TIMEOUT)
    assert state(sqlite_database) == ("a", 1, "timeout", [10])
    assert {"event": "feed not read", "fault": "timeout", "failures": 1}.items() <= logs[0].items()

    source.pages["a"] = page("b", sale(5, 20), at=now)
    poll(sqlite_database, source, now=lambda: now)
    assert state(sqlite_database) == ("b", 0, "", [10, 20])


def test_page_that_comes_again_after_a_crash_changes_nothing(
    sqlite_database: Database, now: datetime
) -> None:
    first = page("a", sale(0, 10), sale(5, 20), at=now)
    source = Script({"": first, "a": first})
    poll(sqlite_database, source, now=lambda: now)
    report = poll(sqlite_database, source, now=lambda: now)
    assert (report.changed_count, report.unchanged_count) == (0, 3)


def test_sales_may_come_in_any_order(sqlite_database: Database, now: datetime) -> None:
    source = Script({"": page("a", sale(9, 30), sale(0, 10), sale(5, 20), at=now)})
    assert poll(sqlite_database, source, now=lambda: now).refused.total() == 0
    assert state(sqlite_database)[3] == [10, 20, 30]


@pytest.mark.parametrize(
    "pages",
    [
        {"": page("a", has_more=True), "a": page("a", has_more=True)},
        {
            "": page("a", has_more=True),
            "a": page("b", has_more=True),
            "b": page("a", has_more=True),
        },
    ],
    ids=["stays", "in a circle"],
)
def test_watermark_that_does_not_move_ends_the_poll(
    sqlite_database: Database, now: datetime, pages: dict[str, Page | FeedFault]
) -> None:
    report = poll(sqlite_database, Script(pages), now=lambda: now)
    assert report.fault is FeedFault.WATERMARK_STUCK
    assert state(sqlite_database)[2] == "watermark_stuck"


def test_watermark_that_the_source_forgot_begins_anew(
    sqlite_database: Database, now: datetime
) -> None:
    source = Script({"": page("a", sale(0, 10), at=now)})
    poll(sqlite_database, source, now=lambda: now)
    source.pages |= {"a": FeedFault.WATERMARK_GONE}
    assert poll(sqlite_database, source, now=lambda: now).fault is None
    assert source.asked == ["", "a", ""]
    # Without one it cannot be forgotten.
    source.pages |= {"": FeedFault.WATERMARK_GONE}
    assert poll(sqlite_database, source, now=lambda: now).fault is FeedFault.WATERMARK_GONE


def test_source_that_went_back_is_reported(sqlite_database: Database, now: datetime) -> None:
    source = Script({"": page("a", at=now), "a": page("b", at=now - timedelta(hours=1))})
    poll(sqlite_database, source, now=lambda: now)
    report = poll(sqlite_database, source, now=lambda: now)
    assert str(report) == "1 pages, 0 changed, 1 unchanged, 0 refused; went_back"


def test_long_catching_up_is_left_to_the_next_poll(
    sqlite_database: Database, now: datetime
) -> None:
    source = Script({"": page("a", has_more=True), "a": page("b", has_more=True)})
    ticks = iter([0.0, 1.0, POLL_SECONDS + 1])
    assert poll(sqlite_database, source, now=lambda: now, clock=lambda: next(ticks)).page_count == 1
    with sqlite_database.reading() as session:
        assert find_watermark(session, source="ticketing") == "a"


def test_refused_rows_are_logged_by_reason_without_what_they_say(
    sqlite_database: Database, now: datetime
) -> None:
    source = Script({"": page("a", sale(0, -4), at=now)})
    with capture_logs() as logs:
        assert poll(sqlite_database, source, now=lambda: now).refused == {"number_too_small": 1}
    refused = next(line for line in logs if line["event"] == "feed rows refused")
    assert refused["reasons"] == {"number_too_small": 1}
    assert "G7301" not in str(logs)


def test_settings_name_the_source(tmp_path: Any) -> None:
    development = Settings.from_env(instance_dir=tmp_path, port=8123)
    assert development.resolved_ticketing_url == (
        "http://127.0.0.1:8123/simulator/ticketing/changes"
    )
    assert isinstance(ticket_source(development), HttpTicketSource)
    assert ticket_source(development.model_copy(update={"app_env": "production"})) is None
