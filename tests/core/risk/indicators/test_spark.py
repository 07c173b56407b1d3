from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from sqlalchemy.orm import Session

from core.db import Database
from core.risk.indicators.snapshot import write_snapshot
from core.risk.indicators.spark import count_on_spark
from tests.core.risk.indicators.districts import DAY, District, districts

# Spark's Java opens files and sockets as it likes.
pytestmark = [
    pytest.mark.spark,
    pytest.mark.timeout(600),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]


@pytest.fixture(scope="module")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    from pyspark.sql import SparkSession

    folder = tmp_path_factory.mktemp("spark")
    session = (
        SparkSession.builder.master("local[2]")
        .config("spark.ui.enabled", "false")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.sql.shuffle.partitions", "2")
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.local.dir", str(folder))
        .config("spark.sql.warehouse.dir", str(folder / "warehouse"))
        .getOrCreate()
    )
    yield session
    session.stop()


@given(district=districts())
@settings(
    max_examples=4,
    phases=[Phase.generate],  # a run of Spark takes seconds: too many to look for a smaller one
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_spark_counts_what_brute_force_counts(
    spark: Any, sqlite_database: Database, tmp_path: Path, district: District
) -> None:
    with Session(sqlite_database.engine) as session:
        district.store(session)
        write_snapshot(session, folder=tmp_path / "snapshot")
        session.rollback()

    assert count_on_spark(spark, folder=tmp_path / "snapshot", day=DAY) == district.counts()
