"""The clock profile."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np

from core.arrivals.inputs import Floats
from core.arrivals.profile import (
    apart_of,
    blend_of,
    brisk_of,
    same_weekday_of,
    weekday_of,
    yesterday_of,
)

MONDAY = date(2020, 3, 2)
DAYS = [MONDAY + timedelta(days=place) for place in range(28)]


def _levels(*levels: float) -> Floats:
    """One station and slot, a level a day."""
    return np.array(levels, float)[None, :, None]


def test_the_blend_is_half_weekday_and_half_type_of_day() -> None:
    values = _levels(*range(28))
    # The Mondays before, and the workdays of the last week.
    expected = (np.mean([0, 7, 14, 21]) + np.mean([21, 22, 23, 24, 25])) / 2
    assert blend_of(values, DAYS, MONDAY + timedelta(days=28))[0, 0] == expected


def test_a_holiday_goes_by_holidays_and_the_first_one_by_weekends() -> None:
    values = _levels(*(100.0 if day.weekday() >= 5 else 10.0 for day in DAYS))
    tomb_sweeping = date(2020, 4, 6)  # a Monday
    assert blend_of(values, DAYS, tomb_sweeping)[0, 0] == 100
    days = [*DAYS, date(2020, 4, 4)]
    longer = np.concatenate([values, _levels(55.0)], axis=1)
    assert blend_of(longer, days, tomb_sweeping)[0, 0] == 55


def test_a_slot_that_was_not_counted_is_left_out() -> None:
    values = _levels(*range(28))
    values[0, 21] = np.nan
    expected = (np.mean([0, 7, 14]) + np.mean([22, 23, 24, 25])) / 2
    assert blend_of(values, DAYS, MONDAY + timedelta(days=28))[0, 0] == expected
    assert np.isnan(blend_of(values * np.nan, DAYS, MONDAY + timedelta(days=28))).all()


def test_simple_forecasts_are_the_last_days_that_were_counted() -> None:
    values = _levels(*range(28))
    day = MONDAY + timedelta(days=28)
    assert yesterday_of(values, DAYS, day) == 27
    assert same_weekday_of(values, DAYS, day) == 21
    assert same_weekday_of(values[:, :3], DAYS[:3], MONDAY + timedelta(days=3)) == 2


def test_other_recipes_go_by_what_their_names_say() -> None:
    values = _levels(*range(28))
    saturday = MONDAY + timedelta(days=26)
    assert weekday_of(values, DAYS, saturday)[0, 0] == np.mean([5, 12, 19])
    assert apart_of(values, DAYS, saturday)[0, 0] == np.mean([5, 12, 19])
    assert apart_of(values, DAYS, MONDAY + timedelta(days=28)) == blend_of(
        values, DAYS, MONDAY + timedelta(days=28)
    )
    assert brisk_of(values, DAYS, MONDAY + timedelta(days=28))[0, 0] == (21 + 24.5) / 2
    # Of a weekday that was never counted nothing is known but the days that were.
    assert weekday_of(values[:, :3], DAYS[:3], saturday)[0, 0] == 1
