"""What kind of day a day is."""

from __future__ import annotations

import json
from datetime import date
from importlib.resources import files

import pytest

from core.arrivals.calendar import day_type_of, is_year_known
from core.arrivals.rules import DayType


@pytest.mark.parametrize(
    ("day", "kind"),
    [
        (date(2020, 3, 26), DayType.WORKDAY),
        (date(2020, 3, 28), DayType.WEEKEND),
        (date(2020, 1, 19), DayType.WORKDAY),  # a Sunday, worked for the Spring Festival
        (date(2020, 2, 1), DayType.HOLIDAY),  # the festival was made longer that year
        (date(2020, 2, 3), DayType.WORKDAY),
        (date(2023, 10, 6), DayType.HOLIDAY),
        (date(2023, 10, 7), DayType.WORKDAY),
        (date(2026, 2, 23), DayType.HOLIDAY),
        (date(2030, 10, 3), DayType.HOLIDAY),
        (date(2030, 10, 5), DayType.WEEKEND),
    ],
)
def test_days_are_what_was_announced(day: date, kind: DayType) -> None:
    assert day_type_of(day) is kind


def test_every_worked_day_is_one_of_a_weekend_and_no_holiday() -> None:
    years = json.loads(files("core.arrivals").joinpath("holidays.json").read_text("utf-8"))
    worked = [
        date.fromisoformat(f"{year}-{day}") for year in years for day in years[year]["workdays"]
    ]
    assert worked
    assert {day.weekday() for day in worked} == {5, 6}
    assert {day_type_of(day) for day in worked} == {DayType.WORKDAY}
    assert is_year_known(2026)
    assert not is_year_known(2014)
