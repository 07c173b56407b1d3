"""Alembic: one line of migrations that runs on SQLite and on PostgreSQL."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Engine

FOLDER = Path(__file__).resolve().parent
CORE = FOLDER.parent


def load_models() -> None:
    """Import every table, so that the metadata is complete."""
    for path in sorted(CORE.glob("**/model.py")):
        parts = path.relative_to(CORE.parent).with_suffix("").parts
        import_module(".".join(parts))
    import_module("core.nightly")


def config_for(engine: Engine) -> Config:
    """Return Alembic's configuration for one database; there is no alembic.ini."""
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    config.attributes["engine"] = engine
    return config


def upgrade(engine: Engine, revision: str = "head") -> None:
    """Bring a database to a revision; does nothing when it is there already."""
    command.upgrade(config_for(engine), revision)
