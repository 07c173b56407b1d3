"""The stand-in for the ticketing system, read by the product's own adapter over real HTTP."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from flask import Flask
from sqlalchemy import func, select

from bot.feeds.polling import poll
from bot.feeds.ticketing import HttpTicketSource
from bot.simulator.ticketing import create_ticketing
from core.arrivals.model import TicketFeed, TicketSale, TrainArrival, TrainRun
from core.db import Database


class _Clock:
    def __init__(self, now: datetime) -> None:
        self.now = now

    def seconds(self) -> float:
        return self.now.timestamp()

    def at(self) -> datetime:
        return self.now


def test_days_are_told_as_they_go_by_and_nothing_twice(
    sqlite_database: Database, serve: Callable[[Any], str], now: datetime
) -> None:
    clock = _Clock(now)
    app = Flask(__name__)
    app.register_blueprint(create_ticketing(clock=clock.seconds))
    source = HttpTicketSource(serve(app) + "/ticketing/changes", token="")

    first = poll(sqlite_database, source, now=clock.at)
    assert (first.fault, first.refused.total(), first.unchanged_count) == (None, 0, 0)
    before = _counts(sqlite_database)
    # Yesterday to the day after tomorrow.
    assert before[0] >= 330

    clock.now += timedelta(minutes=30)
    report = poll(sqlite_database, source, now=clock.at)
    assert (report.fault, report.unchanged_count) == (None, 0)
    assert report.changed_count > 0
    after = _counts(sqlite_database)
    assert after[0] == before[0]
    assert after[1] > before[1]
    assert after[2] > before[2]
    assert _feed(sqlite_database).complete_at == clock.now


def test_watermark_of_nobody_begins_anew(serve: Callable[[Any], str], now: datetime) -> None:
    app = Flask(__name__)
    app.register_blueprint(create_ticketing(clock=_Clock(now).seconds))
    client = app.test_client()
    statuses = [
        client.get("/ticketing/changes", query_string={"after": after}).status_code
        for after in ("", "nothing", "2020-03-27/0/0", "2020-03-27/99999999999/0")
    ]
    assert statuses == [200, 410, 410, 410]


def _counts(database: Database) -> list[int]:
    with database.reading() as session:
        return [
            session.scalar(select(func.count()).select_from(table)) or 0
            for table in (TrainRun, TicketSale, TrainArrival)
        ]


def _feed(database: Database) -> TicketFeed:
    with database.reading() as session:
        return session.scalars(select(TicketFeed)).one()
