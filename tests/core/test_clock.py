from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import clock


@pytest.mark.parametrize(
    ("instant", "day"),
    [
        pytest.param(datetime(2020, 3, 27, 15, 59, 59, tzinfo=UTC), date(2020, 3, 27), id="before"),
        pytest.param(datetime(2020, 3, 27, 16, tzinfo=UTC), date(2020, 3, 28), id="midnight"),
        pytest.param(
            datetime(2020, 3, 27, 23, tzinfo=timezone(timedelta(hours=-5))),
            date(2020, 3, 28),
            id="elsewhere",
        ),
    ],
)
def test_day_of_is_the_calendar_day_in_shanghai(instant: datetime, day: date) -> None:
    assert clock.day_of(instant) == day


def test_day_of_refuses_a_time_without_zone() -> None:
    with pytest.raises(ValueError, match="aware"):
        clock.day_of(datetime(2020, 3, 28, 8))  # noqa: DTZ001 - that is the fault


def test_local_is_the_wall_clock_in_shanghai() -> None:
    instant = datetime(2020, 3, 28, 0, 30, tzinfo=UTC)

    assert clock.local(instant) == instant
    assert clock.local(instant).strftime("%H:%M") == "08:30"


def test_start_of_is_midnight_in_shanghai_given_in_utc() -> None:
    start = clock.start_of(date(2020, 3, 28))

    assert start == datetime(2020, 3, 27, 16, tzinfo=UTC)
    assert start.tzinfo is UTC


@given(st.dates(min_value=date(1992, 1, 1), max_value=date(2999, 1, 1)))
def test_a_day_begins_with_its_start_and_not_before(day: date) -> None:
    start = clock.start_of(day)

    assert clock.day_of(start) == day
    assert clock.day_of(start - timedelta(microseconds=1)) == day - timedelta(days=1)
