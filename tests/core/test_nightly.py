from __future__ import annotations

import threading
import time
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from core.db import Database
from core.nightly import (
    STEPS,
    JobRun,
    JobState,
    NightReport,
    Step,
    StepOutcome,
    list_runs,
    run_night,
)
from core.places.model import Street
from core.risk.events.model import EpidemicEvent
from core.risk.events.rules import Feed
from core.risk.events.service import record_delivery
from core.risk.model import IndicatorValue
from core.risk.turns import stand_in_line
from tests.core.risk.indicators.districts import District, Home

DAY = date(2020, 3, 27)


class Night:
    """Steps that note what ran, and leave a row behind."""

    def __init__(self, *names: str) -> None:
        self.ran: list[str] = []
        self.broken: set[str] = set()
        self.steps = [Step(name=name, work=self._work_of(name)) for name in names]

    def _work_of(self, name: str) -> object:
        def work(session: Session, day: date, now: datetime) -> None:
            self.ran.append(name)
            session.add(Street(code=name, name=f"{name} {day}"))
            session.flush()
            if name in self.broken:
                raise LookupError("the register of 张三 is gone")

        return work


@pytest.fixture
def night() -> Night:
    return Night("one", "two", "three")


def run(database: Database, night: Night, now: datetime, **options: object) -> NightReport:
    return run_night(database.transaction, day=DAY, now=now, steps=night.steps, **options)


def states(database: Database) -> dict[str, tuple[str, int, str]]:
    with database.reading() as session:
        return {
            run.step: (run.state, run.attempts, run.error) for run in list_runs(session, day=DAY)
        }


def streets(database: Database) -> set[str]:
    with database.reading() as session:
        return set(session.scalars(select(Street.code)))


def test_steps_run_in_order_and_once(database: Database, night: Night, now: datetime) -> None:
    report = run(database, night, now)
    assert report.outcomes == tuple((name, StepOutcome.DONE) for name in ("one", "two", "three"))
    assert not report.is_failed
    again = run(database, night, now)
    assert {outcome for _, outcome in again.outcomes} == {StepOutcome.SKIPPED}
    assert night.ran == ["one", "two", "three"]
    assert states(database) == dict.fromkeys(("one", "two", "three"), (JobState.DONE, 1, ""))


def test_failing_step_stops_the_night_and_leaves_nothing_of_its_own(
    database: Database, night: Night, now: datetime
) -> None:
    night.broken = {"two"}
    report = run(database, night, now)
    assert report.is_failed
    assert report.outcomes == (
        ("one", StepOutcome.DONE),
        ("two", StepOutcome.FAILED),
        ("three", StepOutcome.WAITING),
    )
    assert streets(database) == {"one"}
    assert states(database) == {
        "one": (JobState.DONE, 1, ""),
        "two": (JobState.FAILED, 1, "two: LookupError"),
    }


def test_error_that_is_kept_quotes_nobody(database: Database, night: Night, now: datetime) -> None:
    night.broken = {"one"}
    report = run(database, night, now)
    assert "张三" not in "".join(report.lines())
    assert report.lines()[-1] == "one: LookupError"


def test_next_run_goes_on_where_the_last_one_failed(
    database: Database, night: Night, now: datetime
) -> None:
    night.broken = {"two"}
    run(database, night, now)
    night.broken = set()
    report = run(database, night, now)
    assert [outcome for _, outcome in report.outcomes] == [
        StepOutcome.SKIPPED,
        StepOutcome.DONE,
        StepOutcome.DONE,
    ]
    assert night.ran == ["one", "two", "two", "three"]
    assert states(database)["two"] == (JobState.DONE, 2, "")


def test_step_of_a_process_that_died_is_taken_over(
    database: Database, night: Night, now: datetime
) -> None:
    with database.transaction() as session:
        session.add(JobRun(day=DAY, step="one", state=JobState.RUNNING, attempts=1, started_at=now))
    assert not run(database, night, now).is_failed
    assert states(database)["one"] == (JobState.DONE, 2, "")


def test_days_are_independent(database: Database, night: Night, now: datetime) -> None:
    run(database, night, now)
    steps = [Step(name="one", work=lambda *_: night.ran.append("again"))]
    run_night(database.transaction, day=DAY - timedelta(days=1), now=now, steps=steps)
    assert night.ran[-1] == "again"


def test_clock_tells_how_long_a_step_took(database: Database, night: Night, now: datetime) -> None:
    ticks = iter(now + timedelta(minutes=minute) for minute in range(9))
    run(database, night, now, clock=lambda: next(ticks))
    with database.reading() as session:
        times = [
            (run.started_at, run.finished_at)
            for run in sorted(list_runs(session, day=DAY), key=lambda run: str(run.started_at))
        ]
    assert times == [
        (now + timedelta(minutes=2 * step), now + timedelta(minutes=2 * step + 1))
        for step in range(3)
    ]


def test_two_processes_at_once_run_every_step_once(
    database: Database, night: Night, now: datetime
) -> None:
    start = threading.Barrier(2)
    reports = []

    def work() -> None:
        start.wait()
        reports.append(run(database, night, now))

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [report.is_failed for report in reports] == [False, False]
    assert sorted(night.ran) == ["one", "three", "two"]
    assert {state for state, _, _ in states(database).values()} == {JobState.DONE}


def test_real_night_scores_the_day_and_then_tells_subscribers(
    database: Database, now: datetime
) -> None:
    report = run_night(database.transaction, day=DAY, now=now)
    station = ("arrivals_fitted", "arrivals_forecast", "arrivals_graded", "arrivals_swept")
    steps = ("indicators", "risk_scores", "colour_notices", *station)
    assert report.lines() == [f"{DAY} {name}: done" for name in steps]


def test_indicators_of_the_night_wait_for_whoever_changes_what_is_counted(
    postgres_database: Database, now: datetime
) -> None:
    with postgres_database.transaction() as session:
        home = Home(1, 1, DAY - timedelta(days=99))
        District(community_count=1, birth_years={1: 1950}, homes=[home]).store(session)
        record_delivery(session, feed=Feed.CASES, watermark=DAY, row_count=1, now=now)
    has_turn = threading.Event()

    def bring() -> None:
        with postgres_database.transaction() as session:
            stand_in_line(session)
            has_turn.set()
            time.sleep(0.5)  # the night has begun meanwhile
            row = {"resident_id": 1, "kind": "confirmed", "reported_on": DAY, "feed": "cases"}
            session.execute(
                insert(EpidemicEvent), [row | {"entered_by": "feed", "changed_at": now}]
            )

    thread = threading.Thread(target=bring)
    thread.start()
    has_turn.wait()
    assert not run_night(postgres_database.transaction, day=DAY, now=now, steps=STEPS[:1]).is_failed
    thread.join()
    with postgres_database.reading() as session:
        of_cases = IndicatorValue.indicator == "confirmed"
        assert session.scalars(select(IndicatorValue.value).where(of_cases)).all() == [1.0]
