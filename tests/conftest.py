"""What every test may ask for: databases, Redis, a clock that stands still, a browser.

PostgreSQL and Redis are real and started once per run: by pytest-xdist's controller for its
workers, or on first use when one process runs the tests. Whatever is missing fails the run.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import hypothesis
import pytest
import pytest_socket
import redis
import structlog
from argon2 import PasswordHasher
from playwright.sync_api import Browser, Page, sync_playwright
from sqlalchemy.orm import Session

from bot.settings import Settings
from core.clock import SHANGHAI
from core.db import Database, Keyring, install_keyring
from core.people.staff import secrets
from tests.databases import MigratedDatabases, PostgresDatabases
from tests.schema import prepare_schema
from tests.servers import (
    GranianServer,
    MissingProgramError,
    PostgresServer,
    RedisServer,
    ThreadServer,
    find_chromium,
)
from tests.statements import share_statements
from tests.templates import share_templates

Found = TypeVar("Found")

DATA_KEY = bytes(range(32))
LOOPBACK = ["127.0.0.1", "::1", "localhost"]
WORKER_SERVERS = "huizhili_servers"

# Without these Chromium asks for its maker's hosts and, as root, refuses to start.
CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

_running: list[PostgresServer | RedisServer] = []

hypothesis.settings.register_profile(
    "house",
    deadline=None,  # two cores are shared with servers and a browser
    database=None,  # nothing is left behind in the tree
    print_blob=True,
    derandomize=True,  # the same examples each time: a red run is the change's fault
)
# New examples every time: make test ARGS=--hypothesis-profile=explore
hypothesis.settings.register_profile(
    "explore", parent=hypothesis.settings.get_profile("house"), derandomize=False
)
hypothesis.settings.load_profile("house")


# --- the run ------------------------------------------------------------------------------------


def pytest_configure(config: pytest.Config) -> None:
    # A developer's own settings must not reach the tests.
    for name in Settings.model_fields:
        os.environ.pop(name.upper(), None)
    share_templates()
    share_statements()
    # A sign-in takes 50 ms of two cores on purpose; a thousand of them prove nothing more.
    secrets._HASHER = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)  # type: ignore[misc]


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a worker of pytest-xdist where the servers are; the first one starts them."""
    if not _running:
        _start(PostgresServer)
        _start(RedisServer)
    node.workerinput[WORKER_SERVERS] = {type(server).__name__: server.url for server in _running}


def pytest_unconfigure() -> None:
    while _running:
        _running.pop().stop()


def pytest_runtest_setup() -> None:
    pytest_socket.socket_allow_hosts(LOOPBACK, allow_unix_socket=True)


def _start(kind: Callable[[], PostgresServer | RedisServer]) -> str:
    server = _or_exit(kind)
    _running.append(server)
    return server.url


def _or_exit(find: Callable[[], Found]) -> Found:
    """Return what `find` finds; end the whole run if it is missing, rather than skip a test."""
    try:
        return find()
    except MissingProgramError as error:
        pytest.exit(str(error), returncode=pytest.ExitCode.USAGE_ERROR)


def _url_of(kind: type[PostgresServer | RedisServer], config: pytest.Config) -> str:
    if hasattr(config, "workerinput"):
        return str(config.workerinput[WORKER_SERVERS][kind.__name__])
    return _start(kind)


@pytest.fixture(scope="session")
def worker_number(request: pytest.FixtureRequest) -> int:
    """The number of this process among those that run the tests, from 0."""
    worker = getattr(request.config, "workerinput", {"workerid": "gw0"})["workerid"]
    return int(worker.removeprefix("gw"))


# --- clock and keys -----------------------------------------------------------------------------


@pytest.fixture
def now() -> datetime:
    """A Saturday morning of the spring of 2020, aware, in Asia/Shanghai."""
    return datetime(2020, 3, 28, 8, 0, tzinfo=SHANGHAI)


@pytest.fixture(autouse=True)
def _logs() -> Iterator[None]:
    """What one test configures of the logs is gone before the next."""
    yield
    structlog.reset_defaults()


@pytest.fixture(autouse=True)
def _keyring() -> None:
    """Encrypted columns work in every test; one that rotates keys harms no other."""
    install_keyring(Keyring([DATA_KEY]))


# --- databases ----------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def _postgres(request: pytest.FixtureRequest, worker_number: int) -> Iterator[PostgresDatabases]:
    url = _url_of(PostgresServer, request.config)
    databases = PostgresDatabases(url, prefix=f"test_{worker_number}")
    yield databases
    databases.close()


@pytest.fixture(scope="session")
def _migrated(_postgres: PostgresDatabases) -> MigratedDatabases:
    template = _postgres.create()
    prepare_schema(template)
    return MigratedDatabases(_postgres, template=template)


@pytest.fixture(scope="session")
def _sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sqlite") / "template.db"
    prepare_schema(f"sqlite:///{path}")
    return path


@pytest.fixture
def sqlite_database(_sqlite_template: Path, tmp_path: Path) -> Iterator[Database]:
    """A migrated SQLite file of this test's own."""
    path = tmp_path / "huizhili.db"
    shutil.copyfile(_sqlite_template, path)
    database = Database(f"sqlite:///{path}")
    yield database
    database.dispose()


@pytest.fixture
def postgres_database(_migrated: MigratedDatabases) -> Iterator[Database]:
    """A migrated PostgreSQL database of this test's own."""
    url = _migrated.lend()
    database = Database(url)
    yield database
    database.dispose()
    _migrated.take_back(url)


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> Database:
    """A migrated database of this test's own; the test runs once on each kind."""
    name = "sqlite_database" if request.param == "sqlite" else "postgres_database"
    found: Database = request.getfixturevalue(name)
    return found


@pytest.fixture
def session(database: Database) -> Iterator[Session]:
    """A session in a transaction that is rolled back."""
    with Session(database.engine, expire_on_commit=False) as session:
        yield session
        session.rollback()


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a database without any table; the test runs once on each kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/empty.db"
        return
    databases: PostgresDatabases = request.getfixturevalue("_postgres")
    url = databases.create()
    yield url
    databases.drop(url)


# --- Redis --------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def _redis_server_url(request: pytest.FixtureRequest) -> str:
    return _url_of(RedisServer, request.config)


@pytest.fixture
def redis_url(_redis_server_url: str, worker_number: int) -> str:
    """The address of an empty database of a real Redis."""
    url = _redis_server_url.removesuffix("/0") + f"/{worker_number}"
    with redis.Redis.from_url(url) as client:
        client.flushdb()
    return url


@pytest.fixture
def redis_server() -> Iterator[RedisServer]:
    """A Redis of this test's own, which it may kill and start again."""
    server = _or_exit(RedisServer)
    yield server
    server.stop()


# --- applications and pages ---------------------------------------------------------------------


@pytest.fixture
def serve() -> Iterator[Callable[[Any], str]]:
    """A function that serves a WSGI application in a thread and returns its address."""
    servers: list[ThreadServer] = []

    def start(app: Any) -> str:
        servers.append(ThreadServer(app))
        return servers[-1].url

    yield start
    for server in servers:
        server.stop()


@pytest.fixture
def live_server(tmp_path: Path) -> Iterator[Callable[..., GranianServer]]:
    """A function that serves an application with granian, as production does.

    It takes the arguments of `GranianServer`, without the folder.
    """
    servers: list[GranianServer] = []

    def start(target: str = "wsgi:app", **options: Any) -> GranianServer:
        servers.append(GranianServer(target, folder=tmp_path, **options))
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A real Chromium without a screen."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=_or_exit(find_chromium), args=CHROMIUM_FLAGS
        )
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page of a phone's size; a script's error or a look outside fails the test at its end."""
    context = browser.new_context(
        viewport={"width": 390, "height": 844}, locale="zh-CN", timezone_id="Asia/Shanghai"
    )
    context.set_default_timeout(10_000)
    page = context.new_page()
    faults: list[str] = []
    context.on("weberror", lambda error: faults.append(f"script error: {error.error}"))
    context.on("request", lambda request: faults.extend(_foreign(request.url)))
    yield page
    context.close()
    assert not faults


def _foreign(url: str) -> list[str]:
    """Return a fault if `url` is not on this machine: no page may need the internet."""
    parts = urlsplit(url)
    if parts.scheme in {"data", "blob", "about"} or parts.hostname in LOOPBACK:
        return []
    return [f"asked for {url}"]
