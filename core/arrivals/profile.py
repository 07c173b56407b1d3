"""The clock profile: a day ahead from the counts of earlier days alone, without a timetable.

A table of counts is `[station, day, slot]` with NaN where nothing was counted; its days rise and
may have gaps. A forecast of a day looks at nothing from that day on.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Final

import numpy as np

from core.arrivals.calendar import day_type_of
from core.arrivals.inputs import Flags, Floats
from core.arrivals.rules import DayType

SAME_WEEKDAY_DAYS: Final = 4
SAME_TYPE_DAYS: Final = 5


def yesterday_of(values: Floats, days: Sequence[date], day: date) -> Floats:
    """Return the last day that was counted before a day, by station and slot."""
    before = values[:, : count_before(days, day)]
    return mean_of_last(before, np.ones(before.shape[1], bool), 1)


def same_weekday_of(values: Floats, days: Sequence[date], day: date) -> Floats:
    """Return the same weekday of the week before, or the last one that was counted.

    Before there was one it is the last day that was counted.
    """
    before = count_before(days, day)
    same = np.array([one.weekday() == day.weekday() for one in days[:before]], bool)
    last = mean_of_last(values[:, :before], same, 1)
    return np.where(np.isnan(last), yesterday_of(values, days, day), last)


def blend_of(values: Floats, days: Sequence[date], day: date) -> Floats:
    """Return half the mean of the same weekday, half that of the same type of day.

    Args:
        values: people by station, day and slot; NaN where not counted.
        days: of the second axis, rising.
        day: the day that is forecast.

    Returns:
        People by station and slot: half the mean of the last four same weekdays, half that of
        the last five days of the same type. Where one of the two is not known the other stands
        for both; where neither is, the mean of all earlier days; NaN where nothing is.

    Source: docs/sources.md#arrivals-profile
    """
    return _halves(values, days, day, weekdays=SAME_WEEKDAY_DAYS, alike=SAME_TYPE_DAYS)


def _halves(
    values: Floats, days: Sequence[date], day: date, *, weekdays: int, alike: int
) -> Floats:
    known = values[:, : count_before(days, day)]
    earlier = days[: known.shape[1]]
    kind = day_type_of(day)
    kinds = [day_type_of(one) for one in earlier]
    # A holiday is no Monday, whatever its weekday.
    same_weekday = np.array(
        [
            one.weekday() == day.weekday() and other is kind and kind is not DayType.HOLIDAY
            for one, other in zip(earlier, kinds, strict=True)
        ],
        bool,
    )
    first = mean_of_last(known, same_weekday, weekdays)
    second = mean_of_last(known, _alike(kinds, kind), alike)
    blended = first_known((first + second) / 2, first, second)
    if not np.isnan(blended).any():
        return blended
    return first_known(blended, mean_where_known(known, axis=1))


def _alike(kinds: Sequence[DayType], kind: DayType) -> Flags:
    """Return which days are of a type; a first holiday is most like a weekend."""
    alike = np.array([one is kind for one in kinds], bool)
    if kind is DayType.HOLIDAY and not alike.any():
        return np.array([one is DayType.WEEKEND for one in kinds], bool)
    return alike


def count_before(days: Sequence[date], day: date) -> int:
    """Return how many of rising days are before a day."""
    return sum(one < day for one in days)


def first_known(*choices: Floats) -> Floats:
    """Return at each place the first of the choices that is not NaN."""
    known = choices[0]
    for one in choices[1:]:
        known = np.where(np.isnan(known), one, known)
    return known


def mean_of_last(values: Floats, chosen: Flags, count: int) -> Floats:
    """Return the means over the last of the chosen days, by station and slot.

    A slot that was not counted on one of them is left out of its mean; NaN where none was.
    """
    places = np.flatnonzero(chosen)
    return mean_where_known(values[:, places[max(0, len(places) - count) :]], axis=1)


def mean_where_known(values: Floats, *, axis: int) -> Floats:
    """Return means that leave NaN out; NaN where everything is."""
    known = ~np.isnan(values)
    counts = known.sum(axis)
    sums = np.where(known, values, 0.0).sum(axis)
    means: Floats = np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)
    return means


def apart_of(values: Floats, days: Sequence[date], day: date) -> Floats:
    """Return the blend on working days, and where a Saturday is no Sunday: its last four."""
    if day_type_of(day) is DayType.WEEKEND:
        return weekday_of(values, days, day)
    return blend_of(values, days, day)


def weekday_of(values: Floats, days: Sequence[date], day: date) -> Floats:
    """Return the mean of the last four same weekdays; the blend where there was none."""
    alone = _halves(values, days, day, weekdays=SAME_WEEKDAY_DAYS, alike=0)
    return first_known(alone, blend_of(values, days, day))


def brisk_of(values: Floats, days: Sequence[date], day: date) -> Floats:
    """Return half the last same weekday, half the last two days of the same type.

    It follows a change within days, where the blend takes weeks.
    """
    return _halves(values, days, day, weekdays=1, alike=2)
