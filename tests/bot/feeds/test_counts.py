"""Files of counts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path

import duckdb
import numpy as np
import pytest

from bot.feeds.counts import CountsRefusedError, read_counts

HEAD = "station,starts_at,count"


def _write(path: Path, *lines: str) -> Path:
    path.write_text("\n".join([HEAD, *lines, ""]), "utf-8")
    return path


def _times(*clocks: str, day: str = "2016-03-01") -> list[str]:
    return [f"A,{day} {clock},10" for clock in clocks]


def _codes(path: Path) -> list[tuple[int, str]]:
    return [(one.line, one.code) for one in read_counts(path).rejections]


@pytest.mark.parametrize(
    ("clocks", "slot_minutes", "first_minute"),
    [
        (("05:00", "05:15", "05:30", "06:45"), 15, 0),
        (("05:00", "05:10", "05:30", "06:50"), 10, 0),
        (("05:00", "06:00", "07:00", "08:00"), 60, 0),
        (("05:30", "06:30", "07:30", "08:30"), 60, 30),
        (("05:00", "05:05", "05:20", "06:50"), 5, 0),
    ],
)
def test_the_length_of_a_slot_follows_from_the_times(
    tmp_path: Path, clocks: Sequence[str], slot_minutes: int, first_minute: int
) -> None:
    counts = read_counts(_write(tmp_path / "counts.csv", *_times(*clocks))).counts
    assert (counts.slot_minutes, counts.first_minute) == (slot_minutes, first_minute)
    assert counts.values.shape == (1, 1, 1440 // slot_minutes)
    assert np.nansum(counts.values) == 40
    assert np.isnan(counts.values).sum() == counts.values.size - 4


def test_stations_and_days_are_in_order_and_may_have_gaps(tmp_path: Path) -> None:
    path = _write(
        tmp_path / "counts.csv",
        "B,2016-03-05 08:00,3",
        "A,2016-03-01T09:00:00+08:00,1.5",
        "A,2016-03-01T00:00:00Z,2",
        "B,2016/3/1 08:00,0",
    )
    counts = read_counts(path).counts
    assert counts.stations == ("A", "B")
    assert counts.days == (date(2016, 3, 1), date(2016, 3, 5))
    assert counts.values[0, 0, 8] == 2
    assert counts.values[0, 0, 9] == 1.5
    assert counts.values[1, 0, 8] == 0
    assert np.isnan(counts.values[0, 1]).all()


def test_bad_rows_are_named_by_line_and_the_rest_is_kept(tmp_path: Path) -> None:
    path = _write(
        tmp_path / "counts.csv",
        *(f"A,2016-03-{day:02d} 08:00,5" for day in range(1, 20)),
        "A,2016-03-20 08:00,-1",
        "A,2016-03-20 08:00,many",
        "A,2016-03-20 08:00,",
        ",2016-03-20 08:00,1",
        "A,2016-13-20 08:00,1",
        "A,2016-03-20 08:17,1",
        "A,2016-03-01 08:00,6",
        "A,2016-03-20 08:00",
        "A,2016-03-20 08:00,nan",
    )
    assert _codes(path) == [
        (21, "number_too_small"),
        (22, "not_a_number"),
        (23, "cell_empty"),
        (24, "cell_empty"),
        (25, "not_a_day"),
        (26, "count_off_slot"),
        (27, "code_twice"),
        (28, "cell_count"),
        (29, "not_a_number"),
    ]
    assert read_counts(path).counts.values[0, 0, 0] == 5


@pytest.mark.parametrize(
    "starts_at",
    [
        "TIMESTAMP '2016-03-01 08:00:00' + to_hours(n)",
        "to_timestamp(1456790400 + 3600 * n)",
        "strftime(TIMESTAMP '2016-03-01 08:00:00' + to_hours(n), '%Y-%m-%dT%H:%M:%S+08:00')",
    ],
    ids=["local", "zoned", "text"],
)
def test_parquet_says_the_same(tmp_path: Path, starts_at: str) -> None:
    path = tmp_path / "counts.parquet"
    with duckdb.connect() as connection:
        connection.execute(
            f"COPY (SELECT 7 AS station, {starts_at} AS starts_at, n::DOUBLE AS count, 'x' AS more "
            f"FROM range(4) AS t(n)) TO '{path}' (FORMAT parquet)"
        )
    counts = read_counts(path).counts
    assert counts.stations == ("7",)
    assert counts.days == (date(2016, 3, 1),)
    assert counts.values[0, 0, 8:12].tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "file_empty"),
        (b"station,starts_at\nA,2016-03-01\n", "columns_missing"),
        (f"{HEAD}\n".encode(), "no row that can be used"),
        (f"{HEAD}\nA,x,1\n".encode(), "no row that can be used"),
        (b"PAR1 and no more", "cannot be read"),
    ],
)
def test_a_file_that_cannot_be_used_says_why(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "counts.csv"
    path.write_bytes(content)
    with pytest.raises(CountsRefusedError, match=words):
        read_counts(path)
