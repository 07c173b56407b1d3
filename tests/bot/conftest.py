"""What the tests of the wire share: homes of the state, a platform, an application."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from click.testing import Result
from flask import Flask

from bot.app import create_app
from bot.redis_store import RedisStore
from bot.services import services_of
from bot.settings import Settings
from bot.store import Store
from bot.table_store import TableStore
from core.db import Database
from tests.wechat import Platform, running_platform

Command: TypeAlias = Callable[..., Result]


@dataclass(frozen=True, slots=True)
class Home:
    """A database, and where the state beside it lives."""

    database: Database
    redis_url: str
    make: Callable[..., Store]

    @property
    def env(self) -> dict[str, str]:
        """The variables by which another process finds the same home."""
        address = self.database.url.render_as_string(hide_password=False)
        return {"DATABASE_URL": address, "REDIS_URL": self.redis_url}


@pytest.fixture(params=["redis", "sqlite", "postgresql"])
def home(request: pytest.FixtureRequest) -> Home:
    """Each home of the state in turn: Redis, a SQLite file, a PostgreSQL database."""
    name = "postgres_database" if request.param == "postgresql" else "sqlite_database"
    database: Database = request.getfixturevalue(name)
    redis_url = request.getfixturevalue("redis_url") if request.param == "redis" else ""

    def make(**options: Any) -> Store:
        return RedisStore(redis_url, **options) if redis_url else TableStore(database, **options)

    return Home(database, redis_url, make)


@pytest.fixture
def store(home: Home) -> Store:
    """A store in each home in turn."""
    return home.make()


@pytest.fixture
def flask(app: Flask) -> Command:
    """A function that runs a command of the operator and returns its result."""
    runner = app.test_cli_runner()
    return lambda *arguments: runner.invoke(args=[str(one) for one in arguments])


@pytest.fixture(scope="module")
def served_platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """A stand-in for WeChat's API that is served while a module's tests run."""
    with running_platform(tmp_path_factory.mktemp("wechat")) as platform:
        yield platform


@pytest.fixture
def platform(served_platform: Platform) -> Platform:
    """A stand-in that nobody follows and nobody called."""
    served_platform.forget_all()
    return served_platform


@pytest.fixture
def app(database: Database, tmp_path: Path) -> Iterator[Flask]:
    """The application on this test's database."""
    app = create_app(
        Settings.from_env(
            database_url=database.url.render_as_string(hide_password=False),
            instance_dir=tmp_path / "instance",
            log_level="error",
        )
    )
    yield app
    services_of(app).dispatcher.close()
    services_of(app).database.dispose()
