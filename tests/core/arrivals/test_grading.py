from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from core.arrivals import grading
from core.arrivals.bodies import forecast_in, kept_in
from core.arrivals.calibrating import find_scaling, past_day_of
from core.arrivals.conformal import UNSCALED, Scaling
from core.arrivals.grades import (
    CoverageAlert,
    Grade,
    alert_of,
    find_compared_day,
    list_grades,
)
from core.arrivals.grading import baselines_of, grade_day, grade_late
from core.arrivals.issued import Occasion
from core.arrivals.issuing import issue_forecast
from core.arrivals.model import ForecastGrade, GateCount, IssuedForecast
from core.arrivals.service import load_counts
from core.audit.model import AuditEntry
from core.clock import start_of
from core.db import Database
from core.notices.model import Notice
from core.people.staff.rules import Role
from tests.core.arrivals.worlds import DAY, planted
from tests.core.people.staff.test_wechat import add, bind

YESTERDAY = DAY - timedelta(days=1)
ONE = timedelta(days=1)


@pytest.fixture(scope="module")
def _forecast_file(_station_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("forecast") / "forecast.db"
    shutil.copyfile(_station_file, path)
    database = Database(f"sqlite:///{path}")
    with database.transaction() as session:
        issue_forecast(session, now=start_of(YESTERDAY), occasion=Occasion.MIDNIGHT, draws=300)
    database.dispose()
    return path


@pytest.fixture
def forecast(_forecast_file: Path, tmp_path: Path) -> Iterator[Session]:
    """The station with yesterday's forecast."""
    path = tmp_path / "forecast.db"
    shutil.copyfile(_forecast_file, path)
    database = Database(f"sqlite:///{path}")
    with Session(database.engine, expire_on_commit=False) as session:
        yield session
        session.rollback()
    database.dispose()


def test_grade_holds_quarters_against_what_came(forecast: Session, eight: datetime) -> None:
    assert grade_day(forecast, day=YESTERDAY, now=eight) is not None
    grade = list_grades(forecast, until_day=YESTERDAY)[0]
    row = forecast.scalars(select(IssuedForecast)).one()
    quarters = kept_in(row.body).quarters
    came = planted(YESTERDAY).counts.reshape(96, 3).sum(1)
    means = np.array([one.mean for one in quarters])
    assert grade.wmape_pct == pytest.approx(100 * abs(came - means).sum() / came.sum(), abs=0.01)
    assert grade.mae == pytest.approx(abs(came - means).mean(), abs=0.01)
    assert (grade.actual, grade.slot_minutes) == (came.sum(), 15)
    inside = [
        one.low80 <= count <= one.high80
        for one, count in zip(quarters, came, strict=True)
        if count or one.mean >= 0.5
    ]
    assert grade.coverage_80_pct == pytest.approx(100 * np.mean(inside), abs=3)
    assert grade.coverage_80_pct < grade.coverage_95_pct
    assert grade.top2_hits == 2
    assert grade.over_post_hours > 0
    assert set(grade.baselines) == {"yesterday", "same_weekday", "blend"}
    assert grade.baselines["yesterday"].wmape_pct > grade.wmape_pct


def test_compared_day_shows_both_and_what_nobody_counted(
    forecast: Session, eight: datetime
) -> None:
    gone = start_of(YESTERDAY) + timedelta(hours=3)
    forecast.execute(delete(GateCount).where(GateCount.starts_at == gone))
    grade_day(forecast, day=YESTERDAY, now=eight)
    compared = find_compared_day(forecast, day=YESTERDAY)
    assert compared is not None
    assert len(compared.slots) == 96
    lacking = [one.starts_at for one in compared.slots if one.actual is None]
    assert lacking == [gone]
    assert find_compared_day(forecast, day=DAY) is None


def test_gate_that_is_counted_by_the_half_hour_is_graded_by_the_hour(
    forecast: Session, eight: datetime
) -> None:
    at = start_of(YESTERDAY)
    forecast.execute(
        delete(GateCount).where(GateCount.starts_at > at, GateCount.starts_at < at + 6 * ONE / 288)
    )
    forecast.execute(update(GateCount).where(GateCount.starts_at == at).values(minutes=30))
    grade_day(forecast, day=YESTERDAY, now=eight)
    assert list_grades(forecast, until_day=YESTERDAY)[0].slot_minutes == 60


@pytest.mark.parametrize("gate", ["nothing-counted", "nobody-counted", "half-counted"])
def test_day_of_which_too_little_is_known_is_not_graded(
    forecast: Session, eight: datetime, gate: str
) -> None:
    start, of_day = start_of(YESTERDAY), GateCount.starts_at >= start_of(YESTERDAY)
    if gate == "nobody-counted":
        forecast.execute(update(GateCount).where(of_day).values(count=0))
    elif gate == "nothing-counted":
        forecast.execute(delete(GateCount).where(of_day))
    else:
        late = GateCount.starts_at >= start + timedelta(hours=11)
        forecast.execute(delete(GateCount).where(of_day, late))
    assert grade_day(forecast, day=YESTERDAY, now=eight) is None
    assert grade_late(forecast, day=YESTERDAY, now=eight) == []


def test_night_grades_days_whose_counts_came_late_and_none_twice(
    forecast: Session, eight: datetime
) -> None:
    before = YESTERDAY - ONE
    issue_forecast(forecast, now=start_of(before), occasion=Occasion.MIDNIGHT, draws=50)
    assert grade_late(forecast, day=YESTERDAY, now=eight) == [before, YESTERDAY]
    assert grade_late(forecast, day=YESTERDAY, now=eight) == []


def test_baselines_that_were_not_counted_are_left_out(station: Session) -> None:
    counts = load_counts(station, now=start_of(DAY))
    first = counts.start_day
    assert baselines_of(counts, day=first, minutes=15) == {}
    assert set(baselines_of(counts, day=first + ONE, minutes=15)) == {"yesterday", "blend"}
    week = baselines_of(counts, day=first + 7 * ONE, minutes=60)
    assert set(week) == {"yesterday", "same_weekday", "blend"}


# ---- the bands --------------------------------------------------------------------------------


def grade_with(coverage: float, *, day: date) -> Grade:
    return Grade(
        day=day,
        made_at=start_of(day),
        baselines={},
        flags=frozenset(),
        **measures(coverage),
    )


def measures(coverage: float) -> dict[str, float | int]:
    numbers = dict.fromkeys(
        ("expected", "actual", "wmape_pct", "mae", "rmse", "pinball", "coverage_95_pct"), 1.0
    )
    hours = {"over_post_hours": 0.0, "short_post_hours": 0.0}
    return numbers | hours | {"coverage_80_pct": coverage, "top2_hits": 2, "slot_minutes": 15}


@pytest.mark.parametrize(
    ("coverage", "days", "is_too_narrow"),
    [
        pytest.param(70, 14, None, id="just-wide-enough"),
        pytest.param(69.9, 14, True, id="too-narrow"),
        pytest.param(90, 14, None, id="just-narrow-enough"),
        pytest.param(90.1, 14, False, id="too-wide"),
        pytest.param(10, 9, None, id="too-few-days"),
        pytest.param(10, 10, True, id="enough-days"),
    ],
)
def test_bands_raise_the_alarm_outside_of_70_to_90_in_two_weeks(
    coverage: float, days: int, is_too_narrow: bool | None
) -> None:
    alert = alert_of([grade_with(coverage, day=DAY - place * ONE) for place in range(days)])
    assert (alert.is_too_narrow if alert else None) is is_too_narrow


def test_staff_hear_once_that_bands_do_not_hold(
    forecast: Session, eight: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    for role in (Role.STATION_MANAGER, Role.AUDITOR):
        staff_id = add(forecast, eight, role=role, name=role.value.replace("_", "-"))
        bind(forecast, staff_id, eight, openid=role.value)
    issued = forecast.scalars(select(IssuedForecast.id)).one()
    for place in range(1, 14):
        forecast.add(
            ForecastGrade(
                day=YESTERDAY - place * ONE,
                forecast_id=issued,
                # The days were all right until now.
                measures=measures(70.2),
                baselines={},
                graded_at=eight,
            )
        )
    forecast.flush()
    found = grading.measures_of
    monkeypatch.setattr(
        grading, "measures_of", lambda *a, **k: found(*a, **k) | {"coverage_80_pct": 40.0}
    )
    for _ in range(2):
        grade_day(forecast, day=YESTERDAY, now=eight)
    notices = forecast.scalars(select(Notice)).all()
    assert [(one.kind, one.openid) for one in notices] == [
        ("arrivals_coverage", Role.STATION_MANAGER.value)
    ]
    assert notices[0].values == {"coverage": 68, "days": 14, "is_too_narrow": True}
    actions = select(AuditEntry.subject).where(AuditEntry.action == "arrivals_coverage_alert")
    assert forecast.scalars(actions).all() == [f"arrivals:{YESTERDAY}"]
    alert = alert_of(list_grades(forecast, until_day=YESTERDAY))
    assert isinstance(alert, CoverageAlert)


def test_scaling_is_learnt_from_what_was_issued_as_if_it_had_not_been_scaled(
    forecast: Session,
) -> None:
    made = forecast_in(forecast.scalars(select(IssuedForecast.body)).one())
    actual = planted(YESTERDAY).counts
    plain = past_day_of(made, actual, count_minutes=5)
    double = Scaling(
        factors80=dict.fromkeys(UNSCALED.factors80, 2.0),
        factors95=dict.fromkeys(UNSCALED.factors95, 2.0),
        day_count=1,
    )
    object.__setattr__(made, "scaling", double)
    wide = past_day_of(made, actual, count_minutes=15)
    assert wide.misses80[60] == pytest.approx(2 * plain.misses80[60], nan_ok=True)
    assert np.isnan(wide.misses80[5]).all()
    learnt = find_scaling(forecast, day=DAY)
    assert learnt is not None
    assert learnt.day_count == 1
    assert find_scaling(forecast, day=YESTERDAY) is None
