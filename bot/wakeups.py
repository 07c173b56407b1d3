"""Wake-ups and the timetable of background work, carried by huey.

A task only says "look": the database knows what is left to do, so a task that is lost with a
killed worker, or comes twice, changes nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import structlog
from huey import Huey, RedisHuey, SqliteHuey

from bot.settings import Settings
from core.clock import local

log = structlog.get_logger()

NAME: Final = "huizhili"
ENOUGH_WAITING: Final = 3  # so many wake-ups in the queue say the same as one
BREAK_SECONDS: Final = 5.0
NIGHT_BEGINS: Final = timedelta(hours=4, minutes=30)
NIGHT_EVERY_MINUTES: Final = 10
SWEEP_MINUTE: Final = 7
POLL_EVERY_MINUTES: Final = 5


def make_huey(settings: Settings, *, timeout_seconds: float = 3.0) -> Huey:
    """Return the queue of wake-ups: in Redis where there is one, else a file of this machine.

    Args:
        settings: name Redis, or the folder of the file.
        timeout_seconds: of every command to Redis; above the second that a worker listens.
    """
    if settings.redis_url:
        url = _with_timeouts(settings.redis_url, timeout_seconds)
        return RedisHuey(NAME, url=url, results=False)
    settings.instance_dir.mkdir(parents=True, exist_ok=True)
    return SqliteHuey(NAME, filename=str(settings.instance_dir / "huey.db"), results=False)


def _with_timeouts(url: str, seconds: float) -> str:
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query))
    query.setdefault("socket_timeout", str(seconds))
    query.setdefault("socket_connect_timeout", str(min(seconds, 1.0)))
    return urlunsplit(parts._replace(query=urlencode(query)))


def add_tasks(
    huey: Huey,
    *,
    look: Callable[[], None],
    night: Callable[[], None] | None = None,
    sweep: Callable[[], None] | None = None,
    seal: Callable[[], None] | None = None,
    release: Callable[[], None] | None = None,
    remind: Callable[[], None] | None = None,
    keep_code: Callable[[], None] | None = None,
    appoint: Callable[[], None] | None = None,
    poll: Callable[[], None] | None = None,
    forecast: Callable[[], None] | None = None,
) -> Callable[[], object]:
    """Register the tasks, by the same names in every process, and return what queues a look.

    Args:
        huey: the queue.
        look: what a worker does when somebody says that notices were queued.
        night: the steps of the night; called every ten minutes from 04:30 to midnight in
            Shanghai, so that a night that failed or was missed is made up for.
        sweep: called once an hour.
        seal: called once a minute.
        release: called once a minute.
        remind: called once a minute.
        keep_code: called once a minute.
        appoint: called once a minute.
        poll: called every five minutes.
        forecast: called every five minutes, a minute after `poll`.
    """

    def look_task() -> None:
        look()

    ring: Callable[[], object] = huey.task(name="look")(look_task)
    timetable = (
        ("night", is_night_time, night),
        ("sweep", is_sweep_time, sweep),
        ("seal", _is_any_time, seal),
        ("release", _is_any_time, release),
        ("remind", _is_any_time, remind),
        ("keep_code", _is_any_time, keep_code),
        ("appoint", _is_any_time, appoint),
        ("poll", is_poll_time, poll),
        ("forecast", is_forecast_time, forecast),
    )
    for name, is_time, work in timetable:
        if work is not None:
            huey.periodic_task(is_time, name=name)(_task_of(work))
    return ring


def _task_of(work: Callable[[], None]) -> Callable[[], None]:
    # The queue would keep what the work returns; nobody reads that.
    def task() -> None:
        work()

    return task


def _is_any_time(at: datetime) -> bool:  # noqa: ARG001  as huey asks
    return True


def is_night_time(at: datetime) -> bool:
    """Return whether the night's steps are looked at in this minute.

    Args:
        at: the minute, UTC without a zone, as huey gives it.
    """
    clock = local(at.replace(tzinfo=UTC))
    since_midnight = timedelta(hours=clock.hour, minutes=clock.minute)
    return since_midnight >= NIGHT_BEGINS and clock.minute % NIGHT_EVERY_MINUTES == 0


def is_sweep_time(at: datetime) -> bool:
    """Return whether expired state is swept in this minute, once an hour."""
    return at.minute == SWEEP_MINUTE


def is_poll_time(at: datetime) -> bool:
    """Return whether the live feed is read in this minute, every five minutes."""
    # Not when others begin: on the hour, and at its tens.
    return at.minute % POLL_EVERY_MINUTES == 1


def is_forecast_time(at: datetime) -> bool:
    """Return whether forecasts are looked at in this minute: after the live feed was read."""
    return is_poll_time(at - timedelta(minutes=1))


class Bell:
    """Wakes a worker from a web process after it queued a notice.

    A bell that cannot be heard is harmless: workers look by themselves every few seconds.
    """

    def __init__(self, settings: Settings) -> None:
        """Prepare the bell; the queue is opened with the first ring."""
        self._settings = settings
        self._huey: Huey | None = None
        self._ring: Callable[[], Any] | None = None
        self._silent_until = 0.0

    def ring(self) -> None:
        """Say that there is something to deliver. Never raises; call it after the commit."""
        if time.monotonic() < self._silent_until:
            return
        try:
            if self._huey is None or self._ring is None:
                self._huey = make_huey(self._settings, timeout_seconds=0.5)
                self._ring = add_tasks(self._huey, look=_not_here)
            if self._huey.pending_count() < ENOUGH_WAITING:
                self._ring()
        except Exception as error:  # noqa: BLE001  whatever fails here, the answer must go out
            self._silent_until = time.monotonic() + BREAK_SECONDS
            log.warning("worker not woken", error=type(error).__name__)


def _not_here() -> None:
    raise RuntimeError("only a worker looks")
