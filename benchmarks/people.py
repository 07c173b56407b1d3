"""Invented residents and events of a district or of many, the same each time, made in bulk."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any, Final

import duckdb

from core.risk.indicators.definition import TABLES

DAY: Final = date(2020, 3, 27)
COMMUNITIES: Final = 957
RESIDENTS: Final = 1_100_000
EVENTS: Final = 2_000_000
PORTION: Final = 50_000

# Numbers that look random and depend on nothing but the row, in every version of the engine.
_CHANCE: Final = """
CREATE MACRO mixed(i, k) AS
    (i::UBIGINT * 2654435761::UBIGINT + k::UBIGINT * 2654404609::UBIGINT + 12345::UBIGINT)
    % 4294967296::UBIGINT;
CREATE MACRO chance(i, k) AS
    ((xor(mixed(i, k), mixed(i, k) >> 15) * 2246822519::UBIGINT % 4294967296::UBIGINT)
    >> 8)::BIGINT;
"""
# A register comes in order of communities; one in five hundred has a place that nobody knows.
_FILES: Final = {
    "community": "SELECT i + 1 AS id FROM range({communities}) t(i)",
    "community_near": """
        SELECT 1 + i AS community_id, 1 + (i + step) % {communities} AS near_id
        FROM range({communities}) t(i),
            (VALUES (1), (2), (3), (5), ({communities} - 1), ({communities} - 2),
            ({communities} - 3), ({communities} - 5)) s(step)
    """,
    "resident": """
        SELECT i + 1 AS id,
            CASE WHEN chance(i, 1) % 50 <> 0 THEN 1920 + chance(i, 2) % 95 END AS birth_year
        FROM range({residents}) t(i)
    """,
    "residence": """
        SELECT i + 1 AS resident_id,
            CASE WHEN chance(i, 3) % 500 <> 0
                THEN 1 + i * {communities} // {residents} END AS community_id,
            DATE '2019-01-01' AS from_day, NULL::DATE AS until_day
        FROM range({residents}) t(i)
    """,
    "epidemic_event": """
        SELECT 1 + (chance(i, 5) * 16777216 + chance(i, 8)) % {residents} AS resident_id,
            NULL::BIGINT AS community_id, kind, reported_on,
            CASE WHEN kind IN ('homeq', 'close', 'second') THEN reported_on + 14
                WHEN kind NOT IN ('keyarea', 'overseas', 'fever') AND chance(i, 7) % 5 < 2
                THEN reported_on + (chance(i, 4) % 14)::INTEGER END AS ended_on,
            CASE WHEN ended_on IS NOT NULL THEN 'released' END AS ending,
            CASE WHEN kind IN ('confirmed', 'asymptomatic')
                THEN 'K' || chance(i, 9) % ({communities} * 5) END AS cluster,
            NULL::TIMESTAMP AS withdrawn_at
        FROM (
            SELECT i, DATE '2020-03-27' - (i * 28 // {events})::INTEGER AS reported_on,
                CASE WHEN x < 250 THEN 'homeq' WHEN x < 450 THEN 'keyarea'
                    WHEN x < 650 THEN 'fever' WHEN x < 750 THEN 'overseas'
                    WHEN x < 870 THEN 'close' WHEN x < 980 THEN 'second'
                    WHEN x < 990 THEN 'suspected' WHEN x < 996 THEN 'confirmed'
                    ELSE 'asymptomatic' END AS kind
            FROM (SELECT i, chance(i, 6) % 1000 AS x FROM range({events}) t(i))
        )
    """,
}
# What the tables of the product need besides.
_FILLED: Final = {
    "community": "id, 'B' || id AS code, 'B' || id AS name, 1 AS street_id, '' AS address,"
    " '2020-01-01 00:00:00.000000' AS changed_at",
    "community_near": "community_id, near_id",
    "resident": "id, encode(lpad(id::VARCHAR, 32, '0')) AS id_hash, birth_year,"
    " '2020-01-01 00:00:00.000000' AS changed_at",
    "residence": "resident_id, community_id, from_day::VARCHAR AS from_day",
    "epidemic_event": "resident_id, kind, reported_on::VARCHAR AS reported_on,"
    " ended_on::VARCHAR AS ended_on, ending, cluster, '' AS route,"
    " 'b' || row_number() OVER () AS feed, 'bench' AS entered_by,"
    " '2020-01-01 00:00:00.000000' AS changed_at",
}


def write_people(folder: Path, *, times: float) -> None:
    """Write a snapshot of so many districts, or of a part of one, if it is not there."""
    folder.mkdir(parents=True, exist_ok=True)
    sizes = {
        "communities": int(COMMUNITIES * times),
        "residents": int(RESIDENTS * times),
        "events": int(EVENTS * times),
    }
    with duckdb.connect(config={"temp_directory": str(folder / "spill")}) as engine:
        engine.execute(_CHANCE)
        for name in TABLES:
            if not (path := folder / f"{name}.parquet").exists():
                engine.execute(f"COPY ({_FILES[name].format(**sizes)}) TO '{path}'")


def rows_for(folder: Path, name: str) -> tuple[list[str], Iterator[Sequence[Any]]]:
    """Return the columns of a table of the product, and its rows in portions."""
    engine = duckdb.connect()
    found = engine.execute(f"SELECT {_FILLED[name]} FROM '{folder}/{name}.parquet'")
    columns = [column[0] for column in found.description or ()]
    return columns, iter(lambda: found.fetchmany(PORTION), [])
