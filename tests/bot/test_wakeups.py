from __future__ import annotations

import socket
import time
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from bot.settings import Settings
from bot.wakeups import (
    Bell,
    add_tasks,
    is_night_time,
    is_poll_time,
    is_sweep_time,
    make_huey,
)


@pytest.fixture(params=["file", "redis"])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    url = request.getfixturevalue("redis_url") if request.param == "redis" else ""
    return Settings(redis_url=url, instance_dir=tmp_path / "instance")


def _run_waiting(huey: Any) -> int:
    """Do what a worker does with the wake-ups that wait; returns how many there were."""
    count = 0
    while (task := huey.dequeue()) is not None:
        huey.execute(task)
        count += 1
    return count


def test_bell_rung_in_one_process_makes_a_worker_look(settings: Settings) -> None:
    looks: list[int] = []
    huey = make_huey(settings)
    add_tasks(huey, look=lambda: looks.append(1))
    Bell(settings).ring()
    assert _run_waiting(huey) == 1
    assert looks == [1]


def test_bell_rung_often_while_nobody_listens_fills_no_disk(settings: Settings) -> None:
    bell = Bell(settings)
    for _ in range(50):
        bell.ring()
    assert make_huey(settings).pending_count() <= 3


def test_bell_without_a_queue_never_raises_and_does_not_keep_anybody_waiting() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    bell = Bell(Settings(redis_url=f"redis://127.0.0.1:{port}/0"))
    started = time.monotonic()
    for _ in range(100):
        bell.ring()
    assert time.monotonic() - started < 2


def test_night_is_looked_at_from_half_past_four_in_shanghai_every_ten_minutes() -> None:
    midnight = datetime(2020, 3, 27, 16, 0)  # noqa: DTZ001  huey gives UTC without a zone
    minutes = [midnight + timedelta(minutes=number) for number in range(24 * 60)]
    times = [at + timedelta(hours=8) for at in minutes if is_night_time(at)]
    assert times[0].strftime("%H:%M") == "04:30"
    assert times[-1].strftime("%H:%M") == "23:50"
    assert {b - a for a, b in pairwise(times)} == {timedelta(minutes=10)}


def test_sweep_comes_once_an_hour() -> None:
    start = datetime(2020, 3, 27, 16, 0)  # noqa: DTZ001  huey gives UTC without a zone
    assert sum(is_sweep_time(start + timedelta(minutes=number)) for number in range(120)) == 2


def test_feed_is_read_every_five_minutes() -> None:
    start = datetime(2020, 3, 27, 16, 0)  # noqa: DTZ001  huey gives UTC without a zone
    times = [at for at in range(60) if is_poll_time(start + timedelta(minutes=at))]
    assert len(times) == 12
    assert {b - a for a, b in pairwise(times)} == {5}


def test_timetable_holds_the_night_the_sweep_and_what_comes_every_minute(
    settings: Settings,
) -> None:
    done: list[str] = []
    huey = make_huey(settings)
    add_tasks(
        huey,
        look=lambda: done.append("look"),
        night=lambda: done.append("night"),
        sweep=lambda: done.append("sweep"),
        seal=lambda: done.append("seal"),
        release=lambda: done.append("release"),
    )
    for at in (datetime(2020, 3, 27, 20, 30), datetime(2020, 3, 27, 20, 7)):  # noqa: DTZ001
        for task in huey.read_periodic(at):
            huey.execute(task)
    assert sorted(done) == ["night", "release", "release", "seal", "seal", "sweep"]
