"""The same counts on Spark, for what one machine does not hold; PySpark is not installed here."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

from core.risk.indicators.computing import counts_of
from core.risk.indicators.definition import TABLES
from core.risk.indicators.rules import CommunityCounts
from core.risk.indicators.statements import sql_of


def count_on_spark(spark: Any, *, folder: Path | str, day: date) -> list[CommunityCounts]:
    """Return what is counted at the end of a day, by Spark from a snapshot.

    Args:
        spark: a `SparkSession`, local or of a cluster.
        folder: of `snapshot.write_snapshot`, where the cluster can read it.
        day: local day.

    Returns:
        The rows that `computing.read_counts` returns for the database of the snapshot.
    """
    for name in TABLES:
        spark.read.parquet(f"{folder}/{name}.parquet").createOrReplaceTempView(name)
    rows = spark.sql(sql_of(day, dialect="pyspark")).collect()
    return counts_of(row.asDict() for row in rows)
