"""Folders of a study, as an operator hands them over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path

import duckdb

FIRST_DAY = date(2022, 3, 6)
LAST_DAY = date(2022, 6, 23)

COMMUNITIES = """community_id,district,street,lon,lat
7,甲区,一街道,121.40,31.20
3,甲区,一街道,121.401,31.20
5,甲区,,121.50,31.20
9,乙区,一街道,,
"""
DISTRICT_HEAD = "date,district,positive,asymptomatic_screening,confirmed_screening,pop_2020census"


def listings_of(by_day: Mapping[date, Mapping[int, int]]) -> list[tuple[object, object, object]]:
    """Return the rows of `community_day.parquet`."""
    return [
        (day, community, count)
        for day, counts in by_day.items()
        for community, count in counts.items()
    ]


def write_listings(
    path: Path,
    rows: Sequence[tuple[object, object, object]],
    *,
    columns: str = '"date" TIMESTAMP_NS, community_id BIGINT, n_addresses BIGINT',
) -> None:
    """Write rows to a Parquet file."""
    with duckdb.connect() as connection:
        connection.execute(f"CREATE TABLE listing ({columns})")
        if rows:
            connection.executemany("INSERT INTO listing VALUES (?, ?, ?)", rows)
        connection.execute(f"COPY listing TO '{path}' (FORMAT parquet)")


def write_study(folder: Path) -> Path:
    """Write a folder in which community 7 is listed throughout and 3 in the end; return it."""
    folder.mkdir(exist_ok=True)
    days = [FIRST_DAY + timedelta(days=n) for n in range((LAST_DAY - FIRST_DAY).days + 1)]
    by_day = {day: {7: 2} | ({3: 1} if day >= date(2022, 5, 1) else {}) for day in days}
    (folder / "communities.csv").write_text(COMMUNITIES, "utf-8")
    write_listings(folder / "community_day.parquet", listings_of(by_day))
    lines = [DISTRICT_HEAD, *(f"{day},甲区,20,3,1,1000000" for day in days)]
    (folder / "district_day.csv").write_text("\n".join(lines) + "\n", "utf-8")
    return folder
