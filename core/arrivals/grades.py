"""How right past forecasts were, as pages show it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from statistics import fmean
from typing import Any, Final

from sqlalchemy import Row, Select, select
from sqlalchemy.orm import Session

from core.arrivals.bodies import kept_in
from core.arrivals.counting import QUARTER_MINUTES
from core.arrivals.model import ForecastGrade, IssuedForecast
from core.arrivals.rules import Band, Fallback

ALERT_DAYS: Final = 14
# Of the two weeks so many days must have been graded.
ALERT_LEAST_DAYS: Final = 10
LOWEST_COVERAGE_PCT: Final = 70.0
HIGHEST_COVERAGE_PCT: Final = 90.0


@dataclass(frozen=True, slots=True, kw_only=True)
class BaselineGrade:
    """How right a simpler forecast of the day was; percent and persons per slot."""

    wmape_pct: float
    mae: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Grade:
    """How right the forecast of a day was that was made at the midnight before it.

    Attributes:
        day: local.
        made_at: when the forecast was made.
        expected: persons, the whole day.
        actual: persons that came, in the slots that were counted.
        wmape_pct: weighted error of the slots, percent.
        mae: mean absolute error, persons per slot.
        rmse: root of the mean square error, persons per slot.
        pinball: mean pinball loss over the five quantiles, persons per slot.
        coverage_80_pct: of the slots, within the 80 percent band.
        coverage_95_pct: within the 95 percent band.
        top2_hits: of the two busiest hours, how many were named: 0, 1 or 2.
        over_post_hours: posts manned that were not needed, in post-hours.
        short_post_hours: posts needed that were not manned.
        slot_minutes: of the slots that were compared.
        baselines: `yesterday`, `same_weekday`, `blend` → how right they would have been; one
            that could not be made is left out.
        flags: what the forecast was made without.
    """

    day: date
    made_at: datetime
    expected: float
    actual: float
    wmape_pct: float
    mae: float
    rmse: float
    pinball: float
    coverage_80_pct: float
    coverage_95_pct: float
    top2_hits: int
    over_post_hours: float
    short_post_hours: float
    slot_minutes: int
    baselines: Mapping[str, BaselineGrade]
    flags: frozenset[Fallback]


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedSlot:
    """A slot of a past day: what was expected, and what came; None: nobody counted."""

    starts_at: datetime
    band: Band
    actual: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedDay:
    """A past day's forecast beside what came.

    Attributes:
        grade: of the day.
        slots: in order; of fifteen minutes or longer ones that were counted.
    """

    grade: Grade
    slots: tuple[ComparedSlot, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverageAlert:
    """The 80 percent band does not hold what it says.

    Attributes:
        coverage_80_pct: mean of the days.
        day_count: graded days that it is the mean of.
        is_too_narrow: too few counts were inside; else too many.
    """

    coverage_80_pct: float
    day_count: int
    is_too_narrow: bool


# ---- what they come to -----------------------------------------------------------------------


def alert_of(grades: Sequence[Grade]) -> CoverageAlert | None:
    """Return that the 80 percent band does not hold what it says, or None while it does.

    Args:
        grades: of the last two weeks; fewer than ten days say nothing.

    Source: docs/sources.md#arrivals-grades
    """
    if len(grades) < ALERT_LEAST_DAYS:
        return None
    coverage = fmean(one.coverage_80_pct for one in grades)
    if LOWEST_COVERAGE_PCT <= coverage <= HIGHEST_COVERAGE_PCT:
        return None
    return CoverageAlert(
        coverage_80_pct=coverage,
        day_count=len(grades),
        is_too_narrow=coverage < LOWEST_COVERAGE_PCT,
    )


# ---- reading them ----------------------------------------------------------------------------


def list_grades(session: Session, *, until_day: date, days: int = ALERT_DAYS) -> list[Grade]:
    """Return the grades of the days up to and with one, the newest first; gaps are left out.

    Args:
        session: may be a reading one.
        until_day: local.
        days: of the calendar, this one included.
    """
    rows = session.execute(
        _grades().where(ForecastGrade.day.between(until_day - timedelta(days=days - 1), until_day))
    )
    return [_grade_of(row) for row in rows]


def find_compared_day(session: Session, *, day: date) -> ComparedDay | None:
    """Return the forecast of a graded day beside what came, or None if it was not graded.

    Args:
        session: may be a reading one.
        day: local.
    """
    row = session.execute(_grades(IssuedForecast.body).where(ForecastGrade.day == day)).first()
    if row is None:
        return None
    # Arrays take a while to load, and only here are they needed.
    from core.arrivals.grading import actual_windows

    grade, kept = _grade_of(row), kept_in(row.body)
    bands = kept.quarters if grade.slot_minutes == QUARTER_MINUTES else kept.hours
    actual = actual_windows(session, day=day, minutes=grade.slot_minutes)
    step = timedelta(minutes=grade.slot_minutes)
    return ComparedDay(
        grade=grade,
        slots=tuple(
            ComparedSlot(starts_at=kept.from_at + place * step, band=band, actual=came)
            for place, (band, came) in enumerate(zip(bands, actual, strict=True))
        ),
    )


def _grades(*columns: Any) -> Select[Any]:
    return (
        select(
            ForecastGrade.day,
            ForecastGrade.measures,
            ForecastGrade.baselines,
            IssuedForecast.made_at,
            IssuedForecast.flags,
            *columns,
        )
        .join(IssuedForecast, IssuedForecast.id == ForecastGrade.forecast_id)
        .order_by(ForecastGrade.day.desc())
    )


def _grade_of(row: Row[Any]) -> Grade:
    return Grade(
        day=row.day,
        made_at=row.made_at,
        baselines={name: BaselineGrade(**one) for name, one in row.baselines.items()},
        flags=frozenset(map(Fallback, row.flags)),
        **row.measures,
    )
