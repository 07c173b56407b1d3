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

with engine.begin() as connection:
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        compare_type=True,
        render_item=render_item,
    )
    with context.begin_transaction():
        context.run_migrations()
