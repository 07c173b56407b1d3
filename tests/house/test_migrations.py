"""One line of migrations that ends at the models, on both databases."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import CheckConstraint, Engine, create_engine, inspect

from core.db import Base, Database
from core.migrations import config_for, load_models, upgrade


@pytest.fixture
def migrated(empty_database_url: str) -> Iterator[Engine]:
    """The engine of a database that every migration ran on."""
    database = Database(empty_database_url)
    upgrade(database.engine)
    yield database.engine
    database.dispose()


def test_there_is_one_newest_migration() -> None:
    config = config_for(create_engine("sqlite://"))

    assert len(ScriptDirectory.from_config(config).get_heads()) == 1


def test_the_migrations_end_at_the_models(migrated: Engine) -> None:
    load_models()

    with migrated.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        differences = compare_metadata(context, Base.metadata)

    assert differences == []


def test_the_migrations_create_the_constraints_of_the_models(migrated: Engine) -> None:
    """Alembic does not compare checks, and a rule that is only in the model guards nothing."""
    load_models()
    inspector = inspect(migrated)
    wanted = {
        str(rule.name)
        for table in Base.metadata.tables.values()
        for rule in table.constraints
        if isinstance(rule, CheckConstraint)
    }
    found = {
        str(rule["name"])
        for table in Base.metadata.tables
        for rule in inspector.get_check_constraints(table)
    }

    assert found == wanted


def test_upgrading_twice_changes_nothing(migrated: Engine) -> None:
    tables = inspect(migrated).get_table_names()

    upgrade(migrated)

    assert inspect(migrated).get_table_names() == tables
