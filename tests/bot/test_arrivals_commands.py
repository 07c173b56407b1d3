"""`flask arrivals forecast` and `grade`, on a timetable and sales that an operator imports."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from bot.forecasting import issue_due
from core.arrivals.issued import Occasion
from core.arrivals.issuing import issue_forecast
from core.arrivals.model import FittedReference, IssuedForecast
from core.clock import day_of, local, start_of
from core.db import Database
from tests.core.arrivals.station import days_around, store_days
from tests.core.arrivals.worlds import DAY, planted

PEAKS = (9, 12)
TODAY = day_of(datetime.now(UTC))


def write(path: Path, rows: Iterable[dict[str, object]]) -> Path:
    written = list(rows)
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, list(written[0]))
        table.writeheader()
        table.writerows(written)
    return path


@pytest.fixture
def imported(flask: Any, tmp_path: Path) -> None:
    """One day's timetable of 72 trains, and what was sold for it."""
    day = planted(DAY)
    trains = write(
        tmp_path / "trains.csv",
        (
            {
                "number": one.number,
                "origin": one.origin,
                "scheduled_at": f"{local(one.scheduled_at):%Y-%m-%d %H:%M}",
                "capacity": one.capacity,
            }
            for one in day.trains
        ),
    )
    tickets = write(
        tmp_path / "tickets.csv",
        (
            {
                "number": one.number,
                "day": DAY.isoformat(),
                "at": f"{local(at):%Y-%m-%d %H:%M}",
                "sold": sold,
            }
            for one in day.trains
            for at, sold in one.sold
        ),
    )
    for kind, path in (("trains", trains), ("tickets", tickets)):
        result = flask("import", kind, path)
        assert result.exit_code == 0, result.output


def test_planted_peaks_are_recovered_within_two_points(
    flask: Any, imported: None, database: Database
) -> None:
    result = flask("arrivals", "forecast", "--at", f"{DAY}T00:00", "--json")
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    shares = {datetime.fromisoformat(one["starts_at"]).hour: one["share"] for one in found["hours"]}
    for hour in PEAKS:
        assert shares[hour] == pytest.approx(planted(DAY).hour_shares[hour], abs=0.02)
    assert sum(shares[hour] for hour in PEAKS) == pytest.approx(0.40, abs=0.02)
    assert [datetime.fromisoformat(one["starts_at"]).hour for one in found["peaks"]][:2] == [9, 12]
    assert len(found["slots"]) == 288
    assert len(found["trains"]) == 72
    assert found["total"]["low95"] < found["total"]["low80"] < found["total"]["mean"]
    # Another time's forecast is looked at, not issued.
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(IssuedForecast)) == 0


def test_evening_before_sees_the_day_of_which_a_timetable_is_there(
    flask: Any, imported: None
) -> None:
    result = flask("arrivals", "forecast", "--at", f"{DAY - timedelta(days=1)}T20:00+08:00")
    assert result.exit_code == 0, result.output
    assert "made without: " in result.stdout
    assert "09:00" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param(("forecast",), "neither a timetable nor a count", id="nothing-known"),
        pytest.param(("forecast", "--at", "tonight"), "is no time", id="no-time"),
        pytest.param(("forecast", "--at", "9999-12-31"), "not within the years", id="no-calendar"),
        pytest.param(("grade",), "has no forecast of its midnight", id="no-forecast"),
        pytest.param(("grade", "--day", "2999-01-01"), "is not over", id="not-over"),
    ],
)
def test_what_cannot_be_done_is_said(flask: Any, arguments: tuple[str, ...], said: str) -> None:
    result = flask("arrivals", *arguments)
    assert result.exit_code != 0
    assert said in result.output


def forecasts(database: Database) -> list[tuple[int, str]]:
    """Return the issued ones: hours from today's midnight, occasion."""
    with database.reading() as session:
        rows = session.scalars(select(IssuedForecast).order_by(IssuedForecast.id))
        return [
            ((row.from_at - start_of(TODAY)) // timedelta(hours=1), row.occasion) for row in rows
        ]


@pytest.fixture
def running(database: Database) -> datetime:
    """It is 16:02 of a station with eight days behind it, and tomorrow ahead."""
    now = start_of(TODAY) + timedelta(hours=16, minutes=2)
    with database.transaction() as session:
        days: list[date] = days_around(TODAY, before=8, after=1)
        store_days(session, [planted(day) for day in days], now=now)
    return now


def test_first_evening_has_the_forecasts_that_its_timetable_allows(database: Database) -> None:
    """Of today nothing is known; that keeps nobody from tomorrow."""
    now = start_of(TODAY) + timedelta(hours=18, minutes=2)
    with database.transaction() as session:
        store_days(session, [planted(TODAY + timedelta(days=1))], now=now)
    assert issue_due(database, now=lambda: now) == 2
    assert forecasts(database) == [(18, "hourly"), (24, "hourly")]


def test_worker_issues_what_is_due_and_grades_follow(
    flask: Any, database: Database, running: datetime
) -> None:
    assert issue_due(database, now=lambda: running) == 3
    assert issue_due(database, now=lambda: running) == 0
    assert forecasts(database) == [(0, "midnight"), (16, "hourly"), (24, "hourly")]
    with database.reading() as session:
        assert session.scalars(select(FittedReference.day)).all() == [TODAY]
    midnight = start_of(TODAY - timedelta(days=1))
    with database.transaction() as session:
        issue_forecast(session, now=midnight, occasion=Occasion.MIDNIGHT, draws=100)
    result = flask("arrivals", "grade")
    assert result.exit_code == 0, result.output
    assert "WMAPE" in result.stdout
    assert "same_weekday" in result.stdout
