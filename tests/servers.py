"""The real servers that the tests use: PostgreSQL, Redis and the application's own.

Each lives in a temporary folder, listens on this machine only and dies with the test run.
"""

from __future__ import annotations

import getpass
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

import psycopg
import redis
import requests
from werkzeug.serving import make_server

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 30.0


class MissingProgramError(RuntimeError):
    """A program that the tests need is not installed."""

    def __init__(self, program: str, package: str) -> None:
        super().__init__(
            f"{program} was not found: install the Debian package {package} "
            "(or whatever your system calls it); `make test` names all that is missing"
        )


def free_port() -> int:
    """Return a loopback port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(is_ready: Callable[[], bool], *, process: Process, seconds: float) -> bool:
    """Return whether `is_ready` became true before the time ran out or the process ended."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and process.is_running():
        if is_ready():
            return True
        time.sleep(0.02)
    return False


class Process:
    """A child process with its output in a file; it ends when the test run ends, however."""

    def __init__(
        self,
        command: list[str],
        *,
        log: Path,
        env: Mapping[str, str] | None = None,
        user: pwd.struct_passwd | None = None,
    ) -> None:
        self.log = log
        with log.open("ab") as output:
            self._child = subprocess.Popen(
                [*_leash(user), *command],
                cwd=log.parent if user else ROOT,
                env=None if env is None else {**os.environ, **env},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C is for the tests; they stop their servers
            )

    @property
    def pid(self) -> int:
        return self._child.pid

    def is_running(self) -> bool:
        return self._child.poll() is None

    def output(self) -> str:
        return self.log.read_text(errors="replace")

    def stop(self, *, seconds: float = 10.0, by: signal.Signals = signal.SIGTERM) -> int:
        """Ask the process to end, insist after some seconds, and return its exit code."""
        self._child.send_signal(by)
        try:
            return self._child.wait(seconds)
        except subprocess.TimeoutExpired:
            return self.kill()

    def kill(self) -> int:
        """End the process at once, as `kill -9` does."""
        self._child.kill()
        return self._child.wait()


def _leash(user: pwd.struct_passwd | None) -> list[str]:
    """Return the prefix that runs a program as `user` and ends it when its parent dies."""
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        if user is not None:
            raise MissingProgramError("setpriv", "util-linux")
        return []
    leash = [setpriv, "--pdeathsig", "TERM"]
    if user is not None:
        leash += [f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
    return [*leash, "--"]


class RedisServer:
    """A Redis of its own that keeps nothing on disk."""

    def __init__(self) -> None:
        program = shutil.which("redis-server")
        if program is None:
            raise MissingProgramError("redis-server", "redis-server")
        self._program = program
        self._folder = Path(tempfile.mkdtemp(prefix="hzl-redis-"))
        self.port = free_port()
        self.start()

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Start it, or start it again on the same port, empty."""
        self.process = Process(
            [
                self._program,
                *("--port", str(self.port), "--bind", "127.0.0.1"),
                *("--save", "", "--appendonly", "no", "--dir", str(self._folder)),
            ],
            log=self._folder / "redis.log",
        )
        if not wait_until(self._answers, process=self.process, seconds=START_SECONDS):
            raise RuntimeError(f"redis-server did not start:\n{self.process.output()}")

    def stop(self) -> None:
        """Stop it and remove what it left."""
        self.process.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _answers(self) -> bool:
        with suppress(redis.RedisError), redis.Redis(port=self.port) as client:
            return bool(client.ping())
        return False


class PostgresServer:
    """A PostgreSQL cluster of its own, reached by a Unix socket that nobody else can open.

    Durability is off: it lives as long as the test run.
    """

    def __init__(self, **settings: str) -> None:
        """Create a cluster and start it.

        Args:
            **settings: in place of those that spare the disk, as `fsync="on"`.
        """
        self._programs = _find_postgres()
        self._own_settings = settings
        # PostgreSQL refuses to run as root.
        self._user = _unprivileged_user() if os.geteuid() == 0 else None
        self._folder = Path(tempfile.mkdtemp(prefix="hzl-pg-"))
        if self._user is not None:
            os.chown(self._folder, self._user.pw_uid, self._user.pw_gid)
        self._role = self._user.pw_name if self._user is not None else getpass.getuser()
        self._create_cluster()
        self._start()

    def _start(self) -> None:
        self.process = Process(
            [
                str(self._programs / "postgres"),
                *("-D", str(self._folder / "data"), "-k", str(self._folder)),
                *_settings(
                    **{
                        "listen_addresses": "",
                        "fsync": "off",
                        "synchronous_commit": "off",
                        "full_page_writes": "off",
                        "wal_level": "minimal",
                        "max_wal_senders": "0",
                        "autovacuum": "off",
                        "max_connections": "200",
                    }
                    | self._own_settings
                ),
            ],
            log=self._folder / "postgres.log",
            user=self._user,
        )
        if not wait_until(self._answers, process=self.process, seconds=START_SECONDS):
            raise RuntimeError(f"postgres did not start:\n{self.process.output()}")

    @property
    def url(self) -> str:
        return f"postgresql://{self._role}@/postgres?host={self._folder}"

    def restart(self, *, by: signal.Signals = signal.SIGINT) -> None:
        """Restart it: every connection is cut, what was committed stays.

        Args:
            by: `SIGINT` as an operator does, `SIGQUIT` as if it had crashed.
        """
        self.process.stop(by=by)
        self._start()

    def stop(self) -> None:
        """Stop it and remove its data."""
        # Nothing is worth a clean shutdown, which would wait for connections left open.
        self.process.kill()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _create_cluster(self) -> None:
        initdb = Process(
            [
                str(self._programs / "initdb"),
                *("-D", str(self._folder / "data"), "-U", self._role),
                *("--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C"),
            ],
            log=self._folder / "initdb.log",
            user=self._user,
        )
        while initdb.is_running():
            time.sleep(0.02)
        if initdb.stop() != 0:
            raise RuntimeError(f"initdb failed:\n{initdb.output()}")

    def _answers(self) -> bool:
        with suppress(psycopg.OperationalError), psycopg.connect(self.url):
            return True
        return False


def _settings(**values: str) -> list[str]:
    return [part for name, value in values.items() for part in ("-c", f"{name}={value}")]


def _find_postgres() -> Path:
    """Return the folder of the newest installed server's programs."""
    versions = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/initdb"),
        key=lambda path: int(path.parts[-3]),
        reverse=True,
    )
    if versions:
        return versions[0].parent
    on_path = shutil.which("initdb")
    if on_path is None:
        raise MissingProgramError("initdb (PostgreSQL's server)", "postgresql")
    return Path(on_path).resolve().parent


def _unprivileged_user() -> pwd.struct_passwd:
    for name in ("postgres", "nobody"):
        with suppress(KeyError):
            return pwd.getpwnam(name)
    raise RuntimeError("neither the user postgres nor nobody exists, and PostgreSQL refuses root")


class ThreadServer:
    """A WSGI application served by threads of this process, so that a test may look inside."""

    def __init__(self, app: Any) -> None:
        self._server = make_server("127.0.0.1", 0, app, threaded=True)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class GranianServer:
    """A WSGI application served as in production: granian in processes of its own."""

    def __init__(
        self,
        target: str = "wsgi:app",
        *,
        env: Mapping[str, str],
        folder: Path,
        workers: int = 1,
        threads: int = 1,
        probe: str = "/healthz",
    ) -> None:
        """Start it and wait until it answers.

        Args:
            target: `module:name` of the application.
            env: variables added to this process's environment.
            folder: where its log goes.
            workers: processes.
            threads: threads of each process that run the application.
            probe: path that is asked until it answers with anything below 500.
        """
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self._probe_url = self.url + probe
        self.process = Process(
            [
                sys.executable,
                *("-m", "granian", "--interface", "wsgi", "--no-ws"),
                *("--host", "127.0.0.1", "--port", str(port)),
                *("--workers", str(workers), "--blocking-threads", str(threads)),
                target,
            ],
            log=folder / f"granian-{secrets.token_hex(3)}.log",
            env=env,
        )
        if not wait_until(self._answers, process=self.process, seconds=START_SECONDS):
            self.process.stop()
            raise RuntimeError(f"{target} did not start:\n{self.process.output()}")

    def stop(self) -> None:
        self.process.stop()

    def _answers(self) -> bool:
        with suppress(requests.RequestException):
            return requests.get(self._probe_url, timeout=2).status_code < 500
        return False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()


def find_chromium() -> str:
    """Return the path of an installed Chromium; `CHROMIUM` in the environment goes first."""
    for name in (os.environ.get("CHROMIUM", ""), "chromium", "chromium-browser", "google-chrome"):
        if name and (path := shutil.which(name)):
            return path
    raise MissingProgramError("chromium", "chromium")
