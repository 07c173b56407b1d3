"""An application under granian: one worker, as many threads for every contender."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

import requests

from benchmarks.account import PATH
from tests.servers import Process, free_port, wait_until

START_SECONDS: Final = 120.0  # a busy machine takes its time


class Served:
    """An application that is started when it is wanted."""

    def __init__(
        self, target: str, *, folder: Path, threads: int, environment: Mapping[str, str]
    ) -> None:
        """Describe it; nothing runs yet.

        Args:
            target: `module:name` of the WSGI application.
            folder: where its log goes.
            threads: of its one worker.
            environment: variables added to this process's own.
        """
        self._target = target
        self._folder = folder
        self._threads = threads
        self._environment = environment
        self._process: Process | None = None
        self.port = free_port()

    @property
    def pid(self) -> int:
        """Return the main process's id."""
        if self._process is None:
            raise RuntimeError(f"{self._target} was not started")
        return self._process.pid

    def start(self) -> None:
        """Start it, unless it runs, and wait until it answers."""
        if self._process is not None:
            return
        command = [
            *(sys.executable, "-m", "granian", "--interface", "wsgi", "--no-ws"),
            *("--host", "127.0.0.1", "--port", str(self.port), "--log-level", "warning"),
            *("--workers", "1", "--blocking-threads", str(self._threads), self._target),
        ]
        log = self._folder / f"{secrets.token_hex(4)}.log"
        self._process = Process(command, log=log, env=self._environment)
        if not wait_until(self._answers, process=self._process, seconds=START_SECONDS):
            raise RuntimeError(f"{self._target} did not start:\n{self._process.output()}")

    def stop(self) -> None:
        """End it, if it runs."""
        if self._process is not None:
            self._process.stop()

    def _answers(self) -> bool:
        with suppress(requests.RequestException):
            url = f"http://127.0.0.1:{self.port}{PATH}"
            return requests.get(url, timeout=2).status_code < 500
        return False
