"""Grading forecasts: what was said at midnight beside what came, and beside what is simpler."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any, Final

import numpy as np
import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.arrivals.bodies import forecast_in, kept_in
from core.arrivals.conformal import sums_of
from core.arrivals.counting import QUARTER_MINUTES, find_count_minutes, window_for
from core.arrivals.duty import alert_coverage
from core.arrivals.forecasting import Bands
from core.arrivals.grades import CoverageAlert, alert_of, list_grades
from core.arrivals.inputs import CountTable, Floats, Integers
from core.arrivals.issued import list_day_forecasts
from core.arrivals.measures import coverage_pct, errors_of, pinballs, staffing_regret
from core.arrivals.model import ForecastGrade, IssuedForecast
from core.arrivals.peaks import TOP, top2_hit
from core.arrivals.profile import blend_of
from core.arrivals.rules import SLOTS
from core.arrivals.service import load_counts
from core.arrivals.settings import settings_of
from core.audit.service import record
from core.clock import start_of
from core.db import upsert

log = structlog.get_logger()

# Of a day so much must have been counted.
COUNTED_SHARE: Final = 0.5
# Counts may come by file some days later: the night looks so far back for days to grade.
LATE_DAYS: Final = 7
ACTOR: Final = "system:nightly"


def grade_late(session: Session, *, day: date, now: datetime) -> list[date]:
    """Grade a day and those of the week before it that could not be graded before.

    Args:
        session: of the step.
        day: local, over.
        now: aware instant.

    Returns:
        The days that were graded, in order.
    """
    first = day - timedelta(days=LATE_DAYS - 1)
    done = set(session.scalars(select(ForecastGrade.day).where(ForecastGrade.day >= first)))
    days = [first + timedelta(days=place) for place in range(LATE_DAYS)]
    return [
        one for one in days if one not in done and grade_day(session, day=one, now=now) is not None
    ]


def grade_day(session: Session, *, day: date, now: datetime) -> ForecastGrade | None:
    """Grade the forecast of a day, and raise the alarm if the bands do not hold any more.

    A day that was graded is graded anew: its counts may have been corrected.

    Args:
        session: of a transaction.
        day: local, over.
        now: aware instant.

    Returns:
        The grade; None where there was no forecast, or too little was counted.
    """
    row = list_day_forecasts(session, first=day, last=day).get(day)
    counts = load_counts(session, now=start_of(day + timedelta(days=1)))
    actual = counts.find_day(day)
    minutes = window_for(find_count_minutes(session, first=day, last=day))
    if row is None or actual is None or not _is_counted(sums_of(actual, minutes)):
        return None
    was_alerted = any(
        alert_of(list_grades(session, until_day=one)) for one in (day - timedelta(days=1), day)
    )
    values = {
        "day": day,
        "forecast_id": row.id,
        "measures": measures_of(row, actual, minutes=minutes),
        "baselines": baselines_of(counts, day=day, minutes=minutes),
        "graded_at": now,
    }
    changing = [name for name in values if name != "day"]
    session.execute(upsert(session, ForecastGrade, keys=["day"], update=changing), [values])
    grades = list_grades(session, until_day=day)
    log.info("arrivals graded", day=day.isoformat(), wmape_pct=round(grades[0].wmape_pct, 1))
    alert = alert_of(grades)
    if alert is not None and not was_alerted:
        _raise_alarm(session, alert, day=day, now=now)
    return session.get(ForecastGrade, day, populate_existing=True)


def actual_windows(session: Session, *, day: date, minutes: int) -> list[float | None]:
    """Return how many came in each window of a day; None where that was not counted.

    Args:
        session: may be a reading one.
        day: local.
        minutes: of the windows.
    """
    counts = load_counts(session, now=start_of(day + timedelta(days=1)), days=1)
    actual = counts.find_day(day)
    sums = sums_of(np.full(SLOTS, np.nan) if actual is None else actual, minutes)
    return [None if np.isnan(one) else float(one) for one in sums]


def _is_counted(came: Floats) -> bool:
    """Return whether enough of a day was counted; a gate that counted nobody was switched off."""
    known = ~np.isnan(came)
    return bool(known.mean() >= COUNTED_SHARE and came[known].sum() > 0)


# ---- measures --------------------------------------------------------------------------------


def measures_of(row: IssuedForecast, actual: Floats, *, minutes: int) -> dict[str, Any]:
    """Return how right a forecast was, by the names of `Grade`.

    Args:
        row: of a whole day.
        actual: people by slot; NaN where not counted.
        minutes: of the windows that are compared, 15 or 60.

    Raises:
        ValueError: nothing was counted, a bug in the caller.
    """
    forecast, kept = forecast_in(row.body), kept_in(row.body)
    bands = forecast.quarters if minutes == QUARTER_MINUTES else forecast.hours
    came, hours = sums_of(actual, minutes), sums_of(actual, 60)
    errors = errors_of(bands.mean, came)
    if errors is None:
        raise ValueError("a day of which nothing was counted")
    planned: Integers = np.array(kept.planned, np.int64)
    regret = staffing_regret(planned, actual, settings=settings_of(row.settings))
    return {
        "expected": round(kept.total.mean, 1),
        "actual": round(float(np.nansum(actual)), 1),
        "wmape_pct": _number(errors.wmape_pct),
        "mae": _number(errors.mae),
        "rmse": _number(errors.rmse),
        "pinball": _number(_pinball_of(bands, came)),
        "coverage_80_pct": _number(coverage_pct(bands.mean, bands.low80, bands.high80, came)),
        "coverage_95_pct": _number(coverage_pct(bands.mean, bands.low95, bands.high95, came)),
        "top2_hits": round(TOP * top2_hit(forecast.hours.mean, np.nan_to_num(hours, nan=-1.0))),
        "over_post_hours": _number(regret.over_hours),
        "short_post_hours": _number(regret.short_hours),
        "slot_minutes": minutes,
    }


def _pinball_of(bands: Bands, came: Floats) -> float | None:
    quantiles = {
        0.025: bands.low95,
        0.1: bands.low80,
        0.5: bands.mean,
        0.9: bands.high80,
        0.975: bands.high95,
    }
    losses = [one for one in pinballs(quantiles, came).values() if one is not None]
    return float(np.mean(losses)) if losses else None


def baselines_of(counts: CountTable, *, day: date, minutes: int) -> dict[str, dict[str, float]]:
    """Return how right simpler forecasts of a day would have been, by their names.

    Args:
        counts: of the day and those before it.
        day: local.
        minutes: of the windows that are compared.

    Returns:
        `yesterday`, `same_weekday` and `blend`, as far as those days were counted.
    """
    actual = counts.find_day(day)
    if actual is None:
        return {}
    graded = {
        name: errors_of(sums_of(expected, minutes), sums_of(actual, minutes))
        for name, expected in _simpler(counts, day=day).items()
    }
    return {
        name: {"wmape_pct": round(errors.wmape_pct, 3), "mae": round(errors.mae, 3)}
        for name, errors in graded.items()
        if errors is not None and errors.wmape_pct is not None
    }


def _simpler(counts: CountTable, *, day: date) -> Mapping[str, Floats]:
    table = counts.until(day)
    days = [table.start_day + timedelta(days=place) for place in range(len(table.values))]
    found = {
        "yesterday": table.find_day(day - timedelta(days=1)),
        "same_weekday": table.find_day(day - timedelta(days=7)),
        "blend": blend_of(table.values[None], days, day)[0] if days else None,
    }
    return {name: slots for name, slots in found.items() if slots is not None}


def _number(value: float | None) -> float:
    """Return a measure as it is kept; of a day on which somebody came, each of them is known."""
    if value is None:
        raise ValueError("a measure of nothing")
    return round(value, 3)


# ---- the alarm -------------------------------------------------------------------------------


def _raise_alarm(session: Session, alert: CoverageAlert, *, day: date, now: datetime) -> None:
    """Tell the staff once that the bands do not hold; the console says so for as long."""
    record(
        session,
        now=now,
        actor=ACTOR,
        action="arrivals_coverage_alert",
        subject=f"arrivals:{day.isoformat()}",
        coverage_80_pct=round(alert.coverage_80_pct, 1),
        day_count=alert.day_count,
    )
    alert_coverage(session, alert=alert, day=day, now=now)
