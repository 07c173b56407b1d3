"""Workers of production in processes of their own, quick to start, so that a test may kill them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Final

LEASE_SECONDS: Final = 1.0

# The worker of production, forked from a process that has imported everything, because a start
# would take longer than the work. Only lease and back-off are short, and what the timetable does
# once a minute is done at the start, so the test need not wait.
NURSERY: Final = f"""
import json, os, signal, sys
import bot.deliver, core.notices.rules
from bot.deliver import Pace
from bot.settings import Settings
from bot.worker import open_worker
bot.deliver.LONGEST_CALL_SECONDS = {LEASE_SECONDS} / 2
core.notices.rules.FIRST_RETRY_SECONDS = 0.2
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
for line in sys.stdin:
    pid = os.fork()
    if pid == 0:
        os.dup2(2, 1)
        os.environ.update(json.loads(line))
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        worker = open_worker(Settings.from_env())
        worker._pace = Pace(limit=7, lease_seconds={LEASE_SECONDS})
        worker._look_seconds = 0.05
        worker.release()
        worker.run()
        os._exit(0)
    print(pid, flush=True)
"""


class Nursery:
    """The process that worker processes are forked from."""

    def __init__(self, log: Path) -> None:
        self._log = log.open("w")
        self._process = subprocess.Popen(
            [sys.executable, "-c", NURSERY],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
        )

    def start(self, environment: dict[str, str]) -> int:
        """Start a worker and return its process id."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(environment) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def stop(self) -> None:
        """End it; the workers are stopped by whoever started them."""
        self._process.kill()
        self._process.communicate()
        self._log.close()


class Workers:
    """Two worker processes; one that is killed is replaced."""

    def __init__(self, nursery: Nursery, environment: dict[str, str]) -> None:
        self._nursery = nursery
        self._environment = environment
        self._pids = [self._start(), self._start()]

    def _start(self) -> int:
        return self._nursery.start(self._environment)

    def kill_one(self, place: int) -> None:
        """Kill the one at a place, 0 or 1, as `kill -9` does."""
        os.kill(self._pids[place], signal.SIGKILL)
        self._pids[place] = self._start()

    def stop(self) -> None:
        """Kill both."""
        for pid in self._pids:
            os.kill(pid, signal.SIGKILL)
