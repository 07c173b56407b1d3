"""`flask arrivals validate`."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from core.db import Database

PROMISED = {
    "wmape_pct",
    "mae",
    "rmse",
    "coverage_80_pct",
    "coverage_95_pct",
    "top2_hit_pct",
    "baselines",
}


@pytest.fixture
def database(sqlite_database: Database) -> Database:
    """One kind will do: nothing is read from it."""
    return sqlite_database


@pytest.fixture
def counts(tmp_path: Path) -> Path:
    """Two stations, three weeks, every hour of the day from five on; one row is wrong."""
    rows = ["station,starts_at,count"]
    for place in range(21):
        day = date(2020, 3, 2) + timedelta(days=place)
        for hour in range(5, 24):
            busy = 200 if hour in {8, 18} else 30
            rows += [f"{name},{day} {hour:02d}:00,{busy + place % 7}" for name in ("东站", "西站")]
    path = tmp_path / "counts.csv"
    path.write_text("\n".join([*rows, "东站,2020-03-22 04:00,-1", ""]), "utf-8")
    return path


def test_json_has_what_was_promised_and_stands_alone(flask: Any, counts: Path) -> None:
    result = flask("arrivals", "validate", "--counts", counts, "--test-days", "3", "--json")
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    assert document.keys() >= PROMISED
    assert document["baselines"].keys() >= {"yesterday", "same_weekday"}
    assert document["baselines"]["same_weekday"]["wmape_pct"] == 0
    assert document["wmape_pct"] < 10
    assert document["top2_hit_pct"] == 100
    assert (document["stations"], document["slot_minutes"], document["test_days"]) == (2, 60, 3)
    assert "counts.csv, line 800" in result.stderr


def test_without_json_tables_can_be_read_and_a_picture_is_drawn(
    flask: Any, counts: Path, tmp_path: Path
) -> None:
    plot = tmp_path / "plot.svg"
    result = flask("arrivals", "validate", "--counts", counts, "--test-days", "3", "--plot", plot)
    assert result.exit_code == 0, result.output
    rows = [line.split("|")[1].strip() for line in result.stdout.splitlines() if "|" in line]
    assert rows[2:6] == ["forecast", "yesterday", "same_weekday", "blend"]
    assert "2020-03-22" in rows
    picture = ET.parse(plot).getroot()
    assert picture.tag.endswith("svg")
    assert "NaN" not in plot.read_text()
    assert "nan" not in plot.read_text()


@pytest.mark.parametrize(
    ("days", "plot", "words"),
    [
        ("21", "plot.svg", "at least one day must come before"),
        ("2", "no/such/plot.svg", "cannot be written"),
    ],
)
def test_what_cannot_be_done_is_said(
    flask: Any, counts: Path, tmp_path: Path, days: str, plot: str, words: str
) -> None:
    result = flask(
        "arrivals", "validate", "--counts", counts, "--test-days", days, "--plot", tmp_path / plot
    )
    assert result.exit_code == 1
    assert words in result.stderr
