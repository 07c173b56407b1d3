from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from core.arrivals.fitting import fit_day, keep_references
from core.clock import start_of
from core.db import Database
from tests.core.arrivals.station import days_around, store_days
from tests.core.arrivals.worlds import DAY, planted

NOW = start_of(DAY) + timedelta(hours=8)


@pytest.fixture(scope="session")
def _station_file(_sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("station") / "station.db"
    shutil.copyfile(_sqlite_template, path)
    database = Database(f"sqlite:///{path}")
    with database.transaction() as session:
        days = [planted(day) for day in days_around(DAY, before=16, after=1)]
        store_days(session, days, now=NOW)
        references = fit_day(session, day=DAY - timedelta(days=2))
        keep_references(session, references=references, now=NOW)
    database.dispose()
    return path


@pytest.fixture
def station_database(_station_file: Path, tmp_path: Path) -> Iterator[Database]:
    """A station with 16 days behind it, today and tomorrow, as known at 08:00; on SQLite."""
    path = tmp_path / "station.db"
    shutil.copyfile(_station_file, path)
    database = Database(f"sqlite:///{path}")
    yield database
    database.dispose()


@pytest.fixture
def station(station_database: Database) -> Iterator[Session]:
    """A session of the station, rolled back."""
    with Session(station_database.engine, expire_on_commit=False) as session:
        yield session
        session.rollback()


@pytest.fixture
def eight() -> datetime:
    """08:00 of the station's today."""
    return NOW
