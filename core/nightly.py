"""The ordered steps of the night: the only place where subjects meet.

A step is one transaction and one row. What is done is skipped, what failed is tried again, and
no step begins before those above it are done.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final, TypeAlias

import structlog
from sqlalchemy import CheckConstraint, Date, Integer, String, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.arrivals.fitting import fit_day, keep_references
from core.arrivals.grading import grade_late
from core.arrivals.issuing import issue_midnight
from core.arrivals.keeping import sweep_arrivals
from core.clock import day_of
from core.db import Base, UtcDateTime, upsert
from core.risk.indicators.computing import compute_indicators
from core.risk.notifying import queue_colour_notices
from core.risk.realtime import score_nights
from core.risk.turns import stand_in_line

log = structlog.get_logger()

MAX_ERROR_LENGTH: Final = 200

Begin: TypeAlias = Callable[[], AbstractContextManager[Session]]
Clock: TypeAlias = Callable[[], datetime]


class JobState(StrEnum):
    """How far a step of a night is."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


_STATES = ", ".join(f"'{state}'" for state in JobState)


class JobRun(Base):
    """A step of the night of a day: the newest attempt and how it went.

    A row that stays `running` belongs to a process that died; the next run takes it over.
    """

    __tablename__ = "job_run"
    __table_args__ = (CheckConstraint(f"state IN ({_STATES})", name="state"),)

    day: Mapped[date] = mapped_column(Date, primary_key=True)
    step: Mapped[str] = mapped_column(String(40), primary_key=True)
    state: Mapped[str] = mapped_column(String(8))
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    started_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    error: Mapped[str] = mapped_column(String(MAX_ERROR_LENGTH), default="")

    def begin(self, now: datetime) -> None:
        """Note another attempt."""
        self.state, self.error = JobState.RUNNING.value, ""
        self.attempts += 1
        self.started_at, self.finished_at = now, None

    def finish(self, now: datetime) -> None:
        """Note that the step is done."""
        self.state, self.finished_at = JobState.DONE.value, now

    def fail(self, now: datetime, *, error: str) -> None:
        """Note why the step failed."""
        self.state, self.finished_at = JobState.FAILED.value, now
        self.error = error[:MAX_ERROR_LENGTH]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step: `work` gets the session of its transaction, the day and the instant."""

    name: str
    work: Callable[[Session, date, datetime], object]


class StepOutcome(StrEnum):
    """What a run of the night did with a step."""

    DONE = "done"
    SKIPPED = "skipped"
    FAILED = "failed"
    WAITING = "waiting"


@dataclass(frozen=True, slots=True, kw_only=True)
class NightReport:
    """What a run of the night did.

    Attributes:
        day: the day that was computed.
        outcomes: name and outcome of every step, in order.
        error: why a step failed; empty if none did.
    """

    day: date
    outcomes: tuple[tuple[str, StepOutcome], ...]
    error: str = ""

    @property
    def is_failed(self) -> bool:
        """Whether a step failed."""
        return any(outcome is StepOutcome.FAILED for _, outcome in self.outcomes)

    def lines(self) -> list[str]:
        """Return the report for an operator, one line a step."""
        lines = [f"{self.day} {name}: {outcome}" for name, outcome in self.outcomes]
        return [*lines, self.error] if self.error else lines


def _compute(session: Session, day: date, now: datetime) -> None:
    # An import or a correction may be at the same values: what it writes is counted or comes after.
    stand_in_line(session)
    compute_indicators(session, day=day, now=now)


def _score(session: Session, day: date, now: datetime) -> None:
    stand_in_line(session)
    score_nights(session, days=[day], now=now)


def _tell_subscribers(session: Session, day: date, now: datetime) -> None:  # noqa: ARG001
    queue_colour_notices(session, now=now)


def _fit_arrivals(session: Session, day: date, now: datetime) -> None:
    references = fit_day(session, day=day + timedelta(days=1))
    keep_references(session, references=references, now=now)


def _forecast_arrivals(session: Session, day: date, now: datetime) -> None:
    # Of a night that is made up for days later, the day to forecast is over.
    if day_of(now) == day + timedelta(days=1):
        issue_midnight(session, now=now)


def _grade_arrivals(session: Session, day: date, now: datetime) -> None:
    grade_late(session, day=day, now=now)


def _sweep_arrivals(session: Session, day: date, now: datetime) -> None:  # noqa: ARG001
    sweep_arrivals(session, now=now)


STEPS: Final = (
    Step(name="indicators", work=_compute),
    Step(name="risk_scores", work=_score),
    Step(name="colour_notices", work=_tell_subscribers),
    Step(name="arrivals_fitted", work=_fit_arrivals),
    Step(name="arrivals_forecast", work=_forecast_arrivals),
    Step(name="arrivals_graded", work=_grade_arrivals),
    Step(name="arrivals_swept", work=_sweep_arrivals),
)


def run_night(
    begin: Begin,
    *,
    day: date,
    now: datetime,
    clock: Clock | None = None,
    steps: Sequence[Step] = STEPS,
) -> NightReport:
    """Run the steps of a day that are not done yet, in order, up to the first that fails.

    Args:
        begin: opens a transaction; it commits on leaving, and rolls back on an exception.
        day: the local day to compute.
        now: aware instant of the run; what the steps compute with.
        clock: tells when a step began and ended; without one, `now` stands for both.
        steps: for tests.

    Returns:
        What became of every step. A failure is recorded and reported, not raised.
    """
    tell: Clock = clock or (lambda: now)
    outcomes: dict[str, StepOutcome] = {}
    error = ""
    for step in steps:
        if error:
            outcomes[step.name] = StepOutcome.WAITING
            continue
        outcomes[step.name], error = _run_step(begin, step, day=day, now=now, clock=tell)
    return NightReport(day=day, outcomes=tuple(outcomes.items()), error=error)


def _run_step(
    begin: Begin, step: Step, *, day: date, now: datetime, clock: Clock
) -> tuple[StepOutcome, str]:
    if not _start(begin, step, day=day, clock=clock):
        return StepOutcome.SKIPPED, ""
    try:
        with _locked_run(begin, step, day=day) as (session, run):
            if run.state == JobState.DONE:
                # Another process was quicker; its rows are the ones this run would make.
                return StepOutcome.SKIPPED, ""
            step.work(session, day, now)
            run.finish(clock())
    except Exception as failure:  # whatever it is, it is recorded, and nothing after it runs
        log.exception("night_step_failed", day=str(day), step=step.name)
        # The kind of fault alone: its message may quote what people entered.
        error = f"{step.name}: {type(failure).__name__}"
        with _locked_run(begin, step, day=day) as (_, run):
            run.fail(clock(), error=error)
        return StepOutcome.FAILED, error
    log.info("night_step_done", day=str(day), step=step.name)
    return StepOutcome.DONE, ""


def _start(begin: Begin, step: Step, *, day: date, clock: Clock) -> bool:
    """Record that a step begins; return False if it is done already."""
    with begin() as session:
        row = {"day": day, "step": step.name, "state": JobState.RUNNING.value, "attempts": 0}
        session.execute(upsert(session, JobRun, keys=("day", "step"), update=()), [row])
    with _locked_run(begin, step, day=day) as (_, run):
        if run.state == JobState.DONE:
            return False
        run.begin(clock())
    return True


@contextmanager
def _locked_run(begin: Begin, step: Step, *, day: date) -> Iterator[tuple[Session, JobRun]]:
    """Yield a transaction that holds the row of a step, so that two processes take turns."""
    with begin() as session:
        statement = (
            select(JobRun).where(JobRun.day == day, JobRun.step == step.name).with_for_update()
        )
        yield session, session.scalars(statement).one()


def list_runs(session: Session, *, day: date) -> list[JobRun]:
    """Return the steps of a day that have begun, by name."""
    return list(session.scalars(select(JobRun).where(JobRun.day == day).order_by(JobRun.step)))
