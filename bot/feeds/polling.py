"""Reading a live feed on from where it was left: a page, a transaction, the next page."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Final

import structlog

from bot.feeds.ticketing import FeedError, HttpTicketSource, Page, TicketSource
from bot.settings import Settings
from core.arrivals.feeding import (
    FeedFault,
    Taken,
    find_watermark,
    note_failure,
    take_delivery,
)
from core.db import Database

log = structlog.get_logger()

# What is left over is read by the next poll.
POLL_SECONDS: Final = 30.0


@dataclass(slots=True, kw_only=True)
class PollReport:
    """What a poll brought.

    Attributes:
        page_count: pages that were stored.
        changed_count: rows that told something new.
        unchanged_count: rows that were known.
        refused: rows that cannot be, by the code of the reason.
        skipped_count: items that nobody here understands.
        days: local days of the trains that changed.
        fault: why it ended early, or what is wrong with what was read; None: all is well.
    """

    page_count: int = 0
    changed_count: int = 0
    unchanged_count: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    skipped_count: int = 0
    days: set[date] = field(default_factory=set)
    fault: FeedFault | None = None

    def __str__(self) -> str:
        """Return one line for an operator."""
        counts = (
            f"{self.page_count} pages, {self.changed_count} changed, "
            f"{self.unchanged_count} unchanged, "
            f"{self.refused.total() + self.skipped_count} refused"
        )
        return f"{counts}; {self.fault}" if self.fault else counts

    def add(self, page: Page, taken: Taken) -> None:
        """Count a page that was stored."""
        self.page_count += 1
        self.changed_count += taken.changed_count
        self.unchanged_count += taken.unchanged_count
        self.refused.update(one.code for one in taken.rejections)
        self.skipped_count += page.delivery.skipped_count
        self.days |= taken.days
        self.fault = taken.fault or self.fault


def ticket_source(settings: Settings) -> TicketSource | None:
    """Return the source that the settings name; None without one."""
    url = settings.resolved_ticketing_url
    if not url:
        return None
    return HttpTicketSource(url, token=settings.ticketing_token.get_secret_value())


def poll(
    database: Database,
    source: TicketSource,
    *,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    clock: Callable[[], float] = time.monotonic,
) -> PollReport:
    """Read what a source has to tell, and store it page by page.

    A process that is killed in between has lost nothing: the watermark is stored with the page.

    Args:
        database: where to.
        source: what is read.
        now: tells the instant.
        clock: seconds of any beginning; after thirty the rest is left to the next poll.

    Returns:
        What it brought. A fault is recorded, reported and logged, not raised.
    """
    report, until = PollReport(), clock() + POLL_SECONDS
    try:
        _read(database, source, report, now=now, is_over=lambda: clock() > until)
    except FeedError as error:
        report.fault = error.fault
        with database.transaction() as session:
            count = note_failure(session, source=source.name, fault=error.fault, now=now())
        log.warning("feed not read", feed=source.name, fault=error.fault.value, failures=count)
    _log(source, report)
    return report


def _read(
    database: Database,
    source: TicketSource,
    report: PollReport,
    *,
    now: Callable[[], datetime],
    is_over: Callable[[], bool],
) -> None:
    with database.reading() as session:
        watermark = find_watermark(session, source=source.name)
    seen = {watermark}
    has_more = True
    while has_more and not is_over():
        page = _page_after(source, watermark)
        with database.transaction() as session:
            taken = take_delivery(session, source=source.name, delivery=page.delivery, now=now())
        report.add(page, taken)
        watermark, has_more = page.delivery.watermark, page.has_more
        if has_more and watermark in seen:
            # It would give the same pages for ever.
            raise FeedError(FeedFault.WATERMARK_STUCK)
        seen.add(watermark)


def _page_after(source: TicketSource, watermark: str) -> Page:
    try:
        return source.fetch(watermark)
    except FeedError as error:
        if error.fault is not FeedFault.WATERMARK_GONE or not watermark:
            raise
    log.warning("feed read from its beginning", feed=source.name)
    return source.fetch("")


def _log(source: TicketSource, report: PollReport) -> None:
    if report.refused or report.skipped_count:
        log.warning(
            "feed rows refused",
            feed=source.name,
            reasons=dict(report.refused),
            skipped=report.skipped_count,
        )
    if report.changed_count:
        log.info("feed read", feed=source.name, pages=report.page_count, rows=report.changed_count)
