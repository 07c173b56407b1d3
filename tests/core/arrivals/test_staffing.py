"""Posts and queues."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from core.arrivals.forecasting import forecast
from core.arrivals.inputs import Floats
from core.arrivals.rules import StationSettings
from core.arrivals.staffing import (
    erlang_c,
    posts_for_wait,
    posts_needed,
    queue_of,
    staff,
    what_if,
)
from core.clock import start_of
from tests.core.arrivals.worlds import DAY, SETTINGS, inputs, references

flows = hnp.arrays(float, 48, elements=st.floats(0, 400))


@pytest.fixture(scope="module")
def tomorrow() -> object:
    return forecast(inputs(), references(), from_at=start_of(DAY), settings=SETTINGS, draws=500)


@pytest.mark.parametrize(
    ("posts", "load", "waiting"),
    [(1, 0.5, 0.5), (2, 1.0, 1 / 3), (10, 8.0, 0.409), (5, 4.0, 0.554), (3, 3.5, 1.0)],
)
def test_erlang_c_has_the_values_of_the_tables(posts: int, load: float, waiting: float) -> None:
    assert erlang_c(np.array([load]), posts)[0] == pytest.approx(waiting, abs=5e-4)


def test_posts_are_the_fewest_that_serve_in_time() -> None:
    loads = np.array([0.0, 0.3, 2.0, 9.0, 40.0])
    wanted = {"check_seconds": 20.0, "wait_seconds": 120.0, "share": 0.9}
    posts = posts_for_wait(loads, **wanted)
    assert posts[0] == 0

    def late(load: float, count: int) -> float:
        if load >= count:
            return 1.0
        return float(erlang_c(np.array([load]), count)[0] * np.exp(-(count - load) * 120 / 20))

    for load, count in zip(loads[1:], posts[1:], strict=True):
        assert late(load, count) <= 0.1
        assert count == 1 or late(load, count - 1) > 0.1


@pytest.mark.parametrize(
    ("hourly", "seconds", "posts"),
    [(1000, 10, 4), (1000, 20, 7), (1000, 40, 14), (176, 10, 1), (176, 20, 2), (176, 40, 3)],
)
def test_the_district_peak_takes_as_many_posts_as_published(
    hourly: int, seconds: int, posts: int
) -> None:
    flow = np.array([hourly / 12])
    found = posts_needed(flow, flow, settings=StationSettings(check_seconds=seconds))
    assert found.tolist() == [posts]


@settings(max_examples=50)
@given(flow=flows, more=flows, seconds=st.floats(1, 60))
def test_more_people_or_longer_checks_never_take_fewer_posts(
    flow: Floats, more: Floats, seconds: float
) -> None:
    station = StationSettings(check_seconds=seconds)
    slower = replace(station, check_seconds=seconds * 1.5)
    needed = posts_needed(flow, flow, settings=station)
    assert (posts_needed(flow + more, flow + more, settings=station) >= needed).all()
    assert (posts_needed(flow, flow, settings=slower) >= needed).all()


def test_one_large_train_leaves_the_queue_that_was_worked_out_by_hand() -> None:
    # 600 people in five minutes, 20 seconds each: docs/sources.md#arrivals-staffing
    flow = np.array([600.0, 0.0, 0.0, 0.0])
    lengths, waits = queue_of(flow, posts=10, check_seconds=20)
    assert lengths.tolist() == [450, 300, 150, 0]
    assert waits[0] == pytest.approx(15)
    lengths, waits = queue_of(flow, posts=20, check_seconds=20)
    assert lengths[0] == 300
    assert waits[0] == pytest.approx(5)


@settings(max_examples=50)
@given(flow=flows, posts=st.integers(1, 30))
def test_more_posts_never_make_a_longer_queue(flow: Floats, posts: int) -> None:
    lengths, waits = queue_of(flow, posts=posts, check_seconds=20)
    fewer, longer = queue_of(flow, posts=posts + 1, check_seconds=20)
    assert (fewer <= lengths + 1e-9).all()
    assert (longer <= waits + 1e-6).all()
    served = flow.sum() - lengths[-1]
    assert served <= posts * 15 * len(flow) + 1e-6


def test_shifts_cover_every_slot_and_last_long_enough(tomorrow: object) -> None:
    roster = staff(tomorrow, settings=SETTINGS)  # type: ignore[arg-type]
    assert (roster.planned >= roster.slots).all()
    assert not roster.is_limited
    assert sum((one.end_at - one.start_at for one in roster.shifts), timedelta()) == timedelta(
        days=1
    )
    open_shifts = [one for one in roster.shifts if one.posts]
    assert all(one.end_at - one.start_at >= timedelta(hours=2) for one in open_shifts)
    assert roster.slots[108:120].max() > roster.slots[180:192].max()
    assert roster.post_hours >= roster.planned.sum() / 12


def test_a_room_for_few_posts_is_said(tomorrow: object) -> None:
    roster = staff(tomorrow, settings=replace(SETTINGS, post_limit=2))  # type: ignore[arg-type]
    assert roster.is_limited
    assert roster.planned.max() == 2


def test_too_few_posts_are_seen_in_the_queue(tomorrow: object) -> None:
    few = what_if(tomorrow, posts=2, settings=SETTINGS)  # type: ignore[arg-type]
    many = what_if(tomorrow, posts=40, settings=SETTINGS)  # type: ignore[arg-type]
    assert few.longest > 100
    assert few.longest_at.hour in {9, 10, 12, 13}
    assert few.high_waits.max() >= few.longest_wait > 10 > many.longest_wait
