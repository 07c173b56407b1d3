"""The homes of the short-lived state."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from bot.store import RedisStore, Store
from bot.table_store import TableStore
from core.db import Database


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
