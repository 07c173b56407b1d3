"""Preparing an empty database for the tests, with the migrations that operators run."""

from __future__ import annotations

from core import migrations
from core.db import Database


def prepare_schema(url: str) -> None:
    """Bring an empty database to the newest schema."""
    database = Database(url)
    migrations.upgrade(database.engine)
    database.dispose()
