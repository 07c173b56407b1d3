"""A made-up station for tests: 72 trains, planted days, references of three weeks."""

from __future__ import annotations

from datetime import date, timedelta
from functools import cache

import numpy as np

from core.arrivals.inputs import CountTable, History, Inputs, history_of, known_at, no_counts
from core.arrivals.planting import PlantedDay, TimetableTrain, plant_day
from core.arrivals.references import References, fit_references
from core.arrivals.rules import StationSettings, class_of
from core.clock import start_of

DAY = date(2020, 3, 26)
SETTINGS = StationSettings()
FIRST_MINUTE, LAST_MINUTE = 6 * 60 + 10, 22 * 60 + 40


@cache
def timetable(count: int = 72) -> tuple[TimetableTrain, ...]:
    """Trains spread over the day, of four classes."""
    step = (LAST_MINUTE - FIRST_MINUTE) / (count - 1)
    return tuple(
        TimetableTrain(
            number=(number := f"{'CDGK'[place % 4]}{9001 + place}"),
            train_class=class_of(number),
            origin=("金山卫", "宁波", "杭州东", "武昌")[place % 4],
            minute=FIRST_MINUTE + round(place * step),
            capacity=600,
        )
        for place in range(count)
    )


@cache
def planted(day: date, *, total: int = 5000, count: int = 72) -> PlantedDay:
    return plant_day(timetable(count), day=day, total=total, seed=1)


@cache
def past(days: int = 21) -> tuple[History, CountTable]:
    """What is known at the beginning of `DAY` of the days before it."""
    first = DAY - timedelta(days=days)
    ran = [planted(first + timedelta(days=place)) for place in range(days)]
    history = history_of([train for one in ran for train in one.trains])
    return history, CountTable(start_day=first, values=np.stack([one.counts for one in ran]))


@cache
def references() -> References:
    history, counts = past()
    return fit_references(history, day=DAY, counts=counts, settings=SETTINGS)


def inputs(*, hour: int = 0, day: date = DAY) -> Inputs:
    """What is known at an hour of a day, with its trains."""
    now = start_of(day) + timedelta(hours=hour)
    history, counts = past()
    return Inputs(
        now=now, trains=known_at(planted(day).trains, now), history=history, counts=counts
    )


def blank(day: date = DAY) -> Inputs:
    """Nothing at all is known."""
    return Inputs(now=start_of(day), trains=(), history=history_of([]), counts=no_counts(day))
