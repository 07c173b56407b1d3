from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from core.arrivals.bodies import forecast_in, kept_in
from core.arrivals.drawing import ArrivalsWithoutBasisError
from core.arrivals.fitting import fit_day, keep_references
from core.arrivals.forecasting import window_of
from core.arrivals.issued import Due, Occasion, find_newest, list_day_forecasts
from core.arrivals.issuing import issue_forecast, issue_midnight, list_due, load_due, prepared_of
from core.arrivals.model import FittedReference, IssuedForecast, TicketSale, TrainRun
from core.arrivals.rules import Fallback, StationSettings
from core.arrivals.settings import change_settings
from core.clock import start_of
from core.db import Database
from tests.core.arrivals.station import days_around, store_days
from tests.core.arrivals.worlds import DAY, planted

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
MIDNIGHT = start_of(DAY)
DRAWS = 100


def sell(session: Session, *, number: str, at: datetime) -> None:
    run_id = select(TrainRun.id).where(TrainRun.day == DAY, TrainRun.number == number)
    session.add(TicketSale(train_run_id=session.scalars(run_id).one(), at=at, sold=599))
    session.flush()


def issue(session: Session, now: datetime, occasion: Occasion = Occasion.DATA) -> IssuedForecast:
    return issue_forecast(session, now=now, occasion=occasion, draws=DRAWS)


def test_same_inputs_are_issued_once_and_a_new_sale_is_another_forecast(
    station: Session, eight: datetime
) -> None:
    first = issue(station, eight)
    again = issue(station, eight + 10 * MINUTE)
    assert again.id == first.id
    late = planted(DAY).trains[-1]
    sell(station, number=late.number, at=eight + 11 * MINUTE)
    newer = issue(station, eight + 12 * MINUTE)
    assert newer.id != first.id
    assert kept_in(newer.body).total.mean > kept_in(first.body).total.mean
    assert station.scalar(select(func.count()).select_from(IssuedForecast)) == 2
    assert find_newest(station, now=eight + 11 * MINUTE) is first
    assert find_newest(station, now=eight + HOUR) is newer


def test_forecast_of_a_midnight_looks_at_nothing_later_however_late_it_is_made(
    station: Session, eight: datetime
) -> None:
    due = Due(from_at=MIDNIGHT, occasion=Occasion.MIDNIGHT)
    before = load_due(station, due=due, now=eight)
    sell(station, number=planted(DAY).trains[-1].number, at=MIDNIGHT + HOUR)
    station.execute(update(TrainRun).where(TrainRun.day == DAY).values(live_delay_minutes=30))
    assert load_due(station, due=due, now=eight).digest == before.digest
    row = issue_midnight(station, now=eight)
    assert row is not None
    assert (row.from_at, row.made_at, row.occasion) == (MIDNIGHT, eight, Occasion.MIDNIGHT)
    assert kept_in(row.body).known_at == MIDNIGHT
    assert issue_midnight(station, now=eight + HOUR) is None


def test_kept_forecast_reads_back_as_it_was_made(station: Session, eight: datetime) -> None:
    due = Due(from_at=eight, occasion=Occasion.HOURLY)
    prepared = prepared_of(load_due(station, due=due, now=eight), draws=DRAWS)
    made, read = prepared.forecast, forecast_in(prepared.body)
    assert (read.from_at, read.made_at, read.flags) == (made.from_at, made.made_at, made.flags)
    assert (read.draws, read.seed, read.scaling) == (made.draws, made.seed, made.scaling)
    for name in ("slots", "quarters", "hours"):
        for end in ("mean", "low80", "high80", "low95", "high95"):
            assert getattr(getattr(read, name), end) == pytest.approx(
                getattr(getattr(made, name), end), abs=0.006
            )
    assert [one.number for one in read.train_loads] == [one.number for one in made.train_loads]
    assert [one.start_at for one in read.peaks] == [one.start_at for one in made.peaks]
    ends = eight + 2 * HOUR + 25 * MINUTE, eight + 4 * HOUR
    wanted, found = (window_of(one, *ends) for one in (made, read))
    assert found.high80 - found.low80 == pytest.approx(wanted.high80 - wanted.low80, rel=0.01)
    assert kept_in(prepared.body).planned == tuple(prepared.roster.planned.tolist())
    assert len(prepared.body) < 40_000


def test_references_of_the_week_stand_in_and_older_ones_do_not(
    station: Session, eight: datetime
) -> None:
    kept = station.scalars(select(FittedReference)).one()
    kept.day = DAY - timedelta(days=7)
    station.flush()
    at = Due(from_at=eight, occasion=Occasion.HOURLY)
    references = load_due(station, due=at, now=eight).references
    kept.day -= timedelta(days=1)
    station.flush()
    assert load_due(station, due=at, now=eight).references.day == DAY
    assert references.day == DAY - timedelta(days=2)  # as they were fitted
    keep_references(station, references=fit_day(station, day=DAY), now=eight)
    assert load_due(station, due=at, now=eight).references.day == DAY


@pytest.mark.parametrize(
    ("hours", "expected"),
    [
        pytest.param(0, ["+0 midnight"], id="midnight"),
        pytest.param(9.2, ["+0 midnight", "+9 hourly"], id="worker-was-away"),
        pytest.param(16, ["+0 midnight", "+16 hourly", "+24 hourly"], id="tomorrow"),
    ],
)
def test_forecasts_are_due_by_the_clock(
    session: Session, hours: float, expected: list[str]
) -> None:
    dues = list_due(session, now=MIDNIGHT + hours * HOUR)
    assert [f"+{(one.from_at - MIDNIGHT) // HOUR} {one.occasion}" for one in dues] == expected


def test_what_was_issued_is_due_again_with_the_hour_or_after_a_quarter(session: Session) -> None:
    now = MIDNIGHT + 17 * HOUR
    for due in list_due(session, now=now):
        row = IssuedForecast(
            made_at=now, from_at=due.from_at, occasion=due.occasion.value, digest="d"
        )
        row.flags, row.body, row.settings = [], b"", {}
        session.add(row)
    session.flush()
    assert list_due(session, now=now + 14 * MINUTE) == []
    quarter = list_due(session, now=now + 16 * MINUTE)
    assert quarter == [Due(from_at=now, occasion=Occasion.DATA)]
    settings = replace(StationSettings(), check_seconds=15.0)
    set_at = now + MINUTE
    change_settings(session, now=set_at, actor="staff:3", values=settings, reason="机器")
    assert list_due(session, now=now + 2 * MINUTE) == [
        Due(from_at=now, occasion=Occasion.DATA),
        Due(from_at=MIDNIGHT + 24 * HOUR, occasion=Occasion.HOURLY),
    ]
    at = now + HOUR
    assert list_due(session, now=at) == [
        Due(from_at=at, occasion=Occasion.HOURLY),
        Due(from_at=MIDNIGHT + 24 * HOUR, occasion=Occasion.HOURLY),
    ]
    # Issued at 17:00, that of today's midnight is no forecast of the day; tomorrow's is.
    assert list(list_day_forecasts(session, first=DAY, last=DAY + timedelta(days=1))) == [
        DAY + timedelta(days=1),
        DAY,
    ]


def test_station_of_which_nothing_is_known_has_no_forecast(session: Session, now: datetime) -> None:
    assert issue_midnight(session, now=now) is None
    with pytest.raises(ArrivalsWithoutBasisError):
        issue(session, now)


def test_night_before_the_first_train_of_tomorrow_is_no_day_without_a_timetable(
    station: Session,
) -> None:
    flags = kept_in(issue(station, MIDNIGHT + 2 * HOUR).body).flags
    assert Fallback.NO_TIMETABLE not in flags


def test_two_processes_issue_one_forecast(postgres_database: Database, eight: datetime) -> None:
    with postgres_database.transaction() as session:
        days = [planted(day) for day in days_around(DAY, before=3, after=1)]
        store_days(session, days, now=eight)
    ids = set()
    for _ in range(2):
        with postgres_database.transaction() as session:
            ids.add(issue(session, eight).id)
    assert len(ids) == 1
