"""The demo district's station: a made-up timetable, and how each of its days goes."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cache, lru_cache
from typing import Final

from bot.demo.companies import SEED
from core.arrivals.planting import TOTAL, PlantedDay, TimetableTrain, plant_day
from core.arrivals.rules import class_of


@dataclass(frozen=True, slots=True)
class _Line:
    """Trains of a class from one place: between two times of day, evenly but for some minutes."""

    letter: str
    origin: str
    capacity: int
    first: tuple[int, int]
    last: tuple[int, int]
    count: int


_LINES: Final = (
    _Line("C", "金山卫", 400, (6, 35), (22, 20), 28),
    _Line("D", "杭州", 560, (7, 10), (21, 50), 14),
    _Line("G", "杭州东", 540, (7, 40), (21, 30), 12),
    _Line("D", "宁波", 560, (8, 5), (21, 20), 10),
    _Line("G", "温州南", 520, (9, 10), (21, 0), 8),
    _Line("D", "金华", 560, (8, 20), (20, 40), 6),
    _Line("G", "长沙南", 520, (11, 50), (20, 30), 4),
    _Line("G", "南昌西", 520, (10, 40), (20, 10), 4),
    _Line("K", "南昌", 480, (5, 20), (16, 40), 4),
    _Line("K", "武昌", 480, (6, 10), (12, 40), 3),
    _Line("K", "福州", 480, (6, 50), (18, 20), 3),
    _Line("Z", "广州", 420, (7, 30), (16, 10), 3),
    _Line("T", "昆明", 420, (8, 40), (15, 30), 2),
    _Line("K", "桂林", 480, (9, 30), (17, 40), 2),
    _Line("Z", "北京", 420, (10, 20), (19, 10), 2),
    _Line("K", "成都", 480, (12, 10), (20, 50), 2),
    _Line("K", "襄阳", 480, (11, 20), (11, 20), 1),
    _Line("T", "北京", 420, (13, 10), (13, 10), 1),
    _Line("1", "怀化", 480, (14, 30), (14, 30), 1),
)
# Numbers of our own, so that nobody takes them for trains that run.
_FIRST_NUMBER: Final = 9101
# By day of the week from Monday: a weekend begins on Friday.
_WEEK: Final = (0.97, 0.95, 0.96, 1.0, 1.09, 1.06, 1.08)


@cache
def make_timetable() -> tuple[TimetableTrain, ...]:
    """Return the trains of any day, in the order of their arrival."""
    chance = random.Random(SEED)
    trains = [
        TimetableTrain(
            number=number,
            train_class=class_of(number),
            origin=line.origin,
            minute=minute,
            capacity=line.capacity,
        )
        for place, line in enumerate(_LINES)
        for number, minute in _runs_of(line, place, chance)
    ]
    return tuple(sorted(trains, key=lambda train: (train.minute, train.number)))


@lru_cache(maxsize=8)
def planted(day: date) -> PlantedDay:
    """Return how a local day goes, the same every time."""
    return plant_day(
        make_timetable(),
        day=day,
        total=round(TOTAL * _WEEK[day.weekday()]),
        seed=SEED + day.toordinal(),
    )


def _runs_of(line: _Line, place: int, chance: random.Random) -> Iterator[tuple[str, int]]:
    """Yield number and minute of the day of each train of a line."""
    first, last = (60 * hour + minute for hour, minute in (line.first, line.last))
    step = (last - first) / max(1, line.count - 1)
    letter = line.letter if line.letter.isalpha() else ""
    for turn in range(line.count):
        minute = first + round(step * turn) + chance.randint(-4, 4)
        yield f"{letter}{_FIRST_NUMBER + 40 * place + 2 * turn}", minute
