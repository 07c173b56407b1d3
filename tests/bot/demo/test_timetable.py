from __future__ import annotations

from collections import Counter
from datetime import date

import pytest

from bot.demo.timetable import make_timetable, planted


def test_timetable_has_110_trains_and_no_number_twice() -> None:
    trains = make_timetable()
    assert len(trains) == 110
    assert len({train.number for train in trains}) == 110
    assert min(train.minute for train in trains) >= 5 * 60
    assert max(train.minute for train in trains) < 23 * 60
    assert len({train.origin for train in trains}) > 15
    assert len(Counter(train.train_class for train in trains)) == 7


def test_day_has_its_people_and_its_peaks() -> None:
    day = planted(date(2020, 3, 26))
    hours = day.counts.reshape(24, 12).sum(axis=1)
    assert 3500 < hours.sum() < 6500
    assert {hours.argsort()[-1], hours.argsort()[-2]} == {9, 12}
    assert (hours[9] + hours[12]) / hours.sum() == pytest.approx(0.4, abs=0.06)
    assert planted(date(2020, 3, 26)) is day
