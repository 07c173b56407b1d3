"""What Alembic runs: the migrations of one engine, in one transaction."""

from __future__ import annotations

from alembic import context

from core.db import Base, Database
from core.migrations import load_models

load_models()

engine = context.config.attributes.get("engine")
if engine is None:
    engine = Database(context.config.get_main_option("sqlalchemy.url") or "").engine

with engine.begin() as connection:
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        compare_type=True,
        # SQLite cannot alter a column: Alembic copies the table instead.
        render_as_batch=connection.dialect.name == "sqlite",
    )
    with context.begin_transaction():
        context.run_migrations()
