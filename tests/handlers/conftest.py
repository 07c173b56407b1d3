"""Conversations and pages are tried on one kind of database.

They hold no SQL: what may differ between the databases is tried where the use cases are tested,
and by the journeys in `tests/flows`.
"""

from __future__ import annotations

import pytest

from core.db import Database


@pytest.fixture
def database(sqlite_database: Database) -> Database:
    """A migrated database of this test's own."""
    return sqlite_database
