"""Preparing an empty database for the tests, with the migrations that operators run."""

from __future__ import annotations

from importlib import import_module

from core import migrations
from core.db import Base, Database
from tests.servers import ROOT


def prepare_schema(url: str) -> None:
    """Bring an empty database to the newest schema."""
    database = Database(url)
    if any((migrations.FOLDER / "versions").glob("*.py")):
        migrations.upgrade(database.engine)
    else:
        _create_tables(database)
    database.dispose()


def _create_tables(database: Database) -> None:
    for path in sorted((ROOT / "core").rglob("model.py")):
        import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
    Base.metadata.create_all(database.engine)
