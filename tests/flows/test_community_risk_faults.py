"""Faults amid the night: whatever happened, the same files give the same rows."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Final

import pytest
from sqlalchemy import select

from core.db import Database, Keyring, install_keyring
from core.nightly import JobRun, JobState, run_night
from tests.conftest import DATA_KEY
from tests.story import NOW, load_people
from tests.twins import first_difference

# A night of production, forked from a process that has imported everything: a start would take
# longer than the night.
NURSERY: Final = """
import json, os, signal, sys
from datetime import date, datetime
from core.db import Database
from core.nightly import run_night
from core.risk.indicators.computing import compute_indicators
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
for line in sys.stdin:
    url, day, now = json.loads(line)
    pid = os.fork()
    if pid == 0:
        os.dup2(2, 1)
        database = Database(url)
        run_night(
            database.transaction, day=date.fromisoformat(day), now=datetime.fromisoformat(now)
        )
        os._exit(0)
    print(pid, flush=True)
"""
# Of the time that a night takes; when a worker dies.
MOMENTS: Final = (0.15, 0.3, 0.45, 0.6, 0.8)


@pytest.fixture(scope="module")
def begin_night(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., int]]:
    """A function that begins a night in a process of its own and returns that process's id."""
    log = (tmp_path_factory.mktemp("nursery") / "nights.log").open("w")
    process = subprocess.Popen(
        [sys.executable, "-c", NURSERY],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=log,
        text=True,
    )

    def begin(database: Database, day: date) -> int:
        assert process.stdin is not None
        assert process.stdout is not None
        url = database.url.render_as_string(hide_password=False)
        process.stdin.write(json.dumps([url, day.isoformat(), NOW.isoformat()]) + "\n")
        process.stdin.flush()
        return int(process.stdout.readline())

    yield begin
    process.kill()
    process.communicate()
    log.close()


@pytest.fixture(scope="module")
def undisturbed(
    _sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Database, float]]:
    """What nights compute that nothing happens to, and the seconds that the last of them took."""
    install_keyring(Keyring([DATA_KEY]))  # earlier than the fixture that every single test has
    path = tmp_path_factory.mktemp("undisturbed") / "risk.db"
    shutil.copyfile(_sqlite_template, path)
    database = Database(f"sqlite:///{path}")
    seconds = 0.0
    for day in load_people(database):
        began = time.monotonic()
        assert not run_night(database.transaction, day=day, now=NOW).is_failed
        seconds = time.monotonic() - began
    yield database, seconds
    database.dispose()


def test_a_night_that_was_killed_again_and_again_computes_the_same_rows(
    undisturbed: tuple[Database, float],
    database: Database,
    begin_night: Callable[..., int],
) -> None:
    calm, seconds = undisturbed
    before, day = load_people(database)
    assert not run_night(database.transaction, day=before, now=NOW).is_failed
    broken = 0
    for moment in MOMENTS:
        pid = begin_night(database, day)
        time.sleep(moment * seconds)
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        broken += is_broken(database, day)
    assert not run_night(database.transaction, day=day, now=NOW).is_failed
    # At least some died in the middle of their work.
    assert broken > 0
    assert first_difference(calm, database) is None


def is_broken(database: Database, day: date) -> bool:
    """Return whether a step of a night is under way although nobody works on it."""
    with database.reading() as session:
        states = session.scalars(select(JobRun.state).where(JobRun.day == day)).all()
    return JobState.RUNNING in states
