"""Faults amid the night: whatever happened, the same files give the same rows."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Final

import pytest
from sqlalchemy import select

from core.db import Database, Keyring, install_keyring
from core.nightly import STEPS, JobRun, JobState, run_night
from tests.conftest import DATA_KEY
from tests.story import NOW, load_people
from tests.twins import first_difference

# A night of production, forked from a process that has imported everything: a start would take
# longer than the night. It dies in the named step, at once or when all but the commit is done.
NURSERY: Final = """
import json, os, signal, sys
from dataclasses import replace
from datetime import date, datetime
from core.db import Database
from core.nightly import STEPS, run_night
from core.risk.indicators.computing import compute_indicators

def dying(step, is_late):
    def work(session, day, now):
        if is_late:
            step.work(session, day, now)
            session.flush()
        os.kill(os.getpid(), signal.SIGKILL)
    return replace(step, work=work)

for line in sys.stdin:
    url, day, now, name, is_late = json.loads(line)
    pid = os.fork()
    if pid == 0:
        os.dup2(2, 1)
        steps = [dying(one, is_late) if one.name == name else one for one in STEPS]
        database = Database(url)
        run_night(
            database.transaction,
            day=date.fromisoformat(day),
            now=datetime.fromisoformat(now),
            steps=steps,
        )
        os._exit(0)
    print(os.waitpid(pid, 0)[1], flush=True)
"""
# In which step a worker dies, and whether its work was done but for the commit.
DEATHS: Final = [(step.name, is_late) for step in STEPS for is_late in (False, True)]


@pytest.fixture(scope="module")
def begin_night(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., int]]:
    """A function that runs a night which dies, and returns how its process ended."""
    log = (tmp_path_factory.mktemp("nursery") / "nights.log").open("w")
    process = subprocess.Popen(
        [sys.executable, "-c", NURSERY],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=log,
        text=True,
    )

    def begin(database: Database, day: date, step: str, *, is_late: bool) -> int:
        assert process.stdin is not None
        assert process.stdout is not None
        url = database.url.render_as_string(hide_password=False)
        ask = [url, day.isoformat(), NOW.isoformat(), step, is_late]
        process.stdin.write(json.dumps(ask) + "\n")
        process.stdin.flush()
        return int(process.stdout.readline())

    yield begin
    process.kill()
    process.communicate()
    log.close()


@pytest.fixture(scope="module")
def undisturbed(
    _sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Database]:
    """What nights compute that nothing happens to."""
    install_keyring(Keyring([DATA_KEY]))  # earlier than the fixture that every single test has
    path = tmp_path_factory.mktemp("undisturbed") / "risk.db"
    shutil.copyfile(_sqlite_template, path)
    database = Database(f"sqlite:///{path}")
    for day in load_people(database):
        assert not run_night(database.transaction, day=day, now=NOW).is_failed
    yield database
    database.dispose()


def test_a_night_that_was_killed_again_and_again_computes_the_same_rows(
    undisturbed: Database, database: Database, begin_night: Callable[..., int]
) -> None:
    before, day = load_people(database)
    assert not run_night(database.transaction, day=before, now=NOW).is_failed
    for step, is_late in DEATHS:
        assert os.WTERMSIG(begin_night(database, day, step, is_late=is_late)) == signal.SIGKILL
        assert state_of(database, day, step) == JobState.RUNNING
    assert not run_night(database.transaction, day=day, now=NOW).is_failed
    assert first_difference(undisturbed, database) is None


def state_of(database: Database, day: date, step: str) -> str | None:
    """Return what the row of a step says, although nobody works on it."""
    with database.reading() as session:
        return session.scalar(select(JobRun.state).where(JobRun.day == day, JobRun.step == step))
