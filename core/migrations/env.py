"""What Alembic runs: the migrations of one engine, in one transaction."""

from __future__ import annotations

from typing import Any, Literal

from alembic import context

from core.db import Base, Database, EncryptedText, UtcDateTime
from core.migrations import load_models

# A migration is history: it names the column types of its day, not today's classes.
PLAIN_TYPES = {UtcDateTime: "sa.DateTime(timezone=True)", EncryptedText: "sa.LargeBinary()"}


def render_item(kind: str, item: Any, autogen_context: Any) -> str | Literal[False]:  # noqa: ARG001
    """Return how a new migration writes one of our column types."""
    return PLAIN_TYPES.get(type(item), False) if kind == "type" else False


load_models()
engine = context.config.attributes.get("engine")
if engine is None:
    engine = Database(context.config.get_main_option("sqlalchemy.url") or "").engine

with engine.connect() as connection:
    # SQLite changes a table by making another in its place, and the one that goes would take the
    # rows that name it along; whether all of them find theirs again is checked at the end. The
    # switch works outside of a transaction alone, so it is thrown on the driver.
    driver: Any = connection.connection.driver_connection
    is_sqlite = connection.dialect.name == "sqlite"
    if is_sqlite:
        driver.execute("PRAGMA foreign_keys=OFF")
    try:
        with connection.begin():
            context.configure(
                connection=connection,
                target_metadata=Base.metadata,
                compare_type=True,
                render_item=render_item,
            )
            with context.begin_transaction():
                context.run_migrations()
            if is_sqlite and connection.exec_driver_sql("PRAGMA foreign_key_check").first():
                raise RuntimeError("a migration left rows that name others which are not there")
    finally:
        if is_sqlite:
            driver.execute("PRAGMA foreign_keys=ON")
