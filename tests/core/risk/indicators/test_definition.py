from __future__ import annotations

from pathlib import Path

from hypothesis import HealthCheck, given, settings
from sqlalchemy.orm import Session

from core.db import Database
from core.risk.indicators.computing import read_counts
from core.risk.indicators.snapshot import count_snapshot, write_snapshot
from tests.core.risk.indicators.districts import DAY, District, districts

ROLLED_BACK = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]


@given(district=districts())
@settings(max_examples=40, suppress_health_check=ROLLED_BACK)
def test_both_databases_count_what_brute_force_counts(
    database: Database, district: District
) -> None:
    some = range(1, district.community_count + 1, 2)
    with Session(database.engine) as session:
        district.store(session)
        counted = read_counts(session, day=DAY)
        of_some = read_counts(session, day=DAY, community_ids=some)
        session.rollback()

    assert counted == district.counts()
    assert of_some == [one for one in counted if one.community_id in some]


@given(district=districts())
@settings(max_examples=8, suppress_health_check=ROLLED_BACK)
def test_duckdb_counts_the_same_from_a_snapshot(
    sqlite_database: Database, tmp_path: Path, district: District
) -> None:
    with Session(sqlite_database.engine) as session:
        district.store(session)
        write_snapshot(session, folder=tmp_path / "snapshot")
        session.rollback()

    assert count_snapshot(tmp_path / "snapshot", day=DAY) == district.counts()
