from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select

from bot.demo.arrivals import (
    arrival_cells,
    issue_forecasts,
    load_arrivals,
    ticket_cells,
    train_cells,
)
from bot.demo.timetable import planted
from bot.imports import KINDS
from core.arrivals.inputs import slot_start
from core.arrivals.model import (
    ForecastGrade,
    GateCount,
    IssuedForecast,
    TicketSale,
    TrainArrival,
    TrainRun,
)
from core.arrivals.service import load_inputs
from core.clock import day_of, start_of
from core.db import Database
from core.importing import ImportRow


def test_station_has_its_last_days_and_what_is_known_of_the_next(
    sqlite_database: Database, now: datetime
) -> None:
    with sqlite_database.transaction() as session:
        report = load_arrivals(session, days=2, now=now)
    assert report.trains == 5 * 110

    with sqlite_database.reading() as session:
        by_day = dict(
            session.execute(
                select(TrainRun.day, func.count(TrainArrival.train_run_id))
                .outerjoin(TrainArrival, TrainArrival.train_run_id == TrainRun.id)
                .group_by(TrainRun.day)
            ).all()
        )
        newest = session.scalar(select(func.max(TicketSale.at)))
        counted = session.scalar(select(func.max(GateCount.starts_at)))
        inputs = load_inputs(session, now=now)
    today = day_of(now)
    come = [by_day[today + timedelta(days=number)] for number in range(-2, 3)]
    assert come[:2] == [110, 110]
    assert 0 < come[2] < 30
    assert come[3:] == [0, 0]
    assert newest is not None
    assert now - timedelta(hours=1) < newest <= now
    assert counted == now - timedelta(minutes=5)
    assert len(inputs.trains) == 220
    assert len(inputs.history) == 220


def test_weeks_before_are_as_the_imports_would_leave_them(
    sqlite_database: Database, now: datetime
) -> None:
    day = planted(day_of(now) - timedelta(days=1))
    counts = [
        {"starts_at": slot_start(day.day, slot).isoformat(), "count": str(int(people))}
        for slot, people in enumerate(day.counts)
    ]
    last = {
        "trains": map(train_cells, day.trains),
        "tickets": (
            ticket_cells(train, at=at, sold=sold) for train in day.trains for at, sold in train.sold
        ),
        "arrivals": map(arrival_cells, day.trains),
        "counts": counts,
    }
    with sqlite_database.transaction() as session:
        load_arrivals(session, days=1, now=now)
        for kind, cells in last.items():
            rows = [ImportRow(line, one) for line, one in enumerate(cells, start=2)]
            outcome = KINDS[kind].use_case(session, rows, now=now)
            assert (outcome.rejections, outcome.updated_count) == ([], 0)
            # Of the sales only those at the leads of the model are kept.
            assert (outcome.created_count == 0) is (kind != "tickets")


def test_second_loading_tells_what_came_since(sqlite_database: Database, now: datetime) -> None:
    def count(table: type) -> int:
        with sqlite_database.reading() as session:
            return session.scalar(select(func.count()).select_from(table)) or 0

    def load(at: datetime) -> list[int]:
        with sqlite_database.transaction() as session:
            load_arrivals(session, days=1, now=at)
        return [count(table) for table in (TrainRun, TicketSale, TrainArrival, GateCount)]

    first = load(now)
    assert load(now) == first
    later = load(now + timedelta(hours=2))
    assert later[0] == first[0]
    assert later[3] == pytest.approx(first[3] + 24)
    assert all(after > before for before, after in zip(first[1:], later[1:], strict=True))


def test_nights_are_graded_and_now_is_forecast(sqlite_database: Database, now: datetime) -> None:
    def forecasts() -> list[tuple[str, datetime]]:
        with sqlite_database.reading() as session:
            rows = session.scalars(select(IssuedForecast).order_by(IssuedForecast.id))
            return [(one.occasion, one.made_at) for one in rows]

    for _ in range(2):
        with sqlite_database.transaction() as session:
            load_arrivals(session, days=6, now=now)
            issue_forecasts(session, days=6, now=now)

    midnights = [start_of(day_of(now) - timedelta(days=number)) for number in (1, 0)]
    assert forecasts() == [("midnight", at) for at in midnights] + [("hourly", now)]
    with sqlite_database.reading() as session:
        assert session.scalars(select(ForecastGrade.day)).all() == [day_of(midnights[0])]
