"""What kind of day a day is, by the public holidays and the weekends that are worked for them.

`holidays.json` holds the years as the State Council announced them. A year that it lacks has the
holidays whose dates are fixed by law; those of the moon's calendar are not known then.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, timedelta
from functools import cache
from importlib.resources import files
from typing import Final

from core.arrivals.rules import DayType

SATURDAY: Final = 5
FIXED: Final = ((1, 1), (5, 1), (5, 2), (10, 1), (10, 2), (10, 3))


def day_type_of(day: date) -> DayType:
    """Return what kind of day a local day is.

    Source: docs/sources.md#public-holidays
    """
    if day in _holidays(day.year):
        return DayType.HOLIDAY
    is_weekend = day.weekday() >= SATURDAY and day not in _workdays(day.year)
    return DayType.WEEKEND if is_weekend else DayType.WORKDAY


def is_year_known(year: int) -> bool:
    """Return whether the holidays of a year are known, and not only those with a fixed date."""
    return str(year) in _years()


@cache
def _years() -> dict[str, dict[str, list[str]]]:
    text = files("core.arrivals").joinpath("holidays.json").read_text("utf-8")
    years: dict[str, dict[str, list[str]]] = json.loads(text)
    return years


@cache
def _holidays(year: int) -> frozenset[date]:
    if not is_year_known(year):
        return frozenset(date(year, month, day) for month, day in FIXED)
    return frozenset(
        day
        for stretch in _years()[str(year)]["holidays"]
        for day in _days_of(year, *stretch.split("/"))
    )


@cache
def _workdays(year: int) -> frozenset[date]:
    days = _years()[str(year)]["workdays"] if is_year_known(year) else []
    return frozenset(date.fromisoformat(f"{year}-{day}") for day in days)


def _days_of(year: int, first: str, last: str) -> Iterator[date]:
    day, end = date.fromisoformat(f"{year}-{first}"), date.fromisoformat(f"{year}-{last}")
    while day <= end:
        yield day
        day += timedelta(days=1)
