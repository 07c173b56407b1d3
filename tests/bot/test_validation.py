"""`flask risk validate`, on a folder whose outcomes are known."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from core.db import Database
from tests.bot.feeds.studies import LAST_DAY, listings_of, write_listings, write_study

PROMISED = {"auc_score", "auc_naive", "auc_equal", "spearman_score", "spearman_naive"}
PHASES = {"growth", "plateau", "decline", "all"}


@pytest.fixture
def database(sqlite_database: Database) -> Database:
    """One kind will do: nothing is read from it."""
    return sqlite_database


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_study(tmp_path / "study")


def test_json_has_every_measure_by_horizon_and_phase(flask: Any, folder: Path) -> None:
    result = flask("risk", "validate", "--data", folder, "--district", "甲区", "--json")
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    for horizon in ("horizon_7", "horizon_14"):
        assert document[horizon].keys() == PHASES
        assert all(means.keys() >= PROMISED for means in document[horizon].values())
    growth = document["horizon_7"]["growth"]
    assert (growth["auc_score"], growth["auc_naive"], growth["days"]) == (1, 1, 9)
    assert document["colours_monotone"] is True
    assert document["communities"] == 3
    assert document["colours"]["growth"]["red"] == {"count": 9, "share": 1 / 3, "hit_share": 1}


def test_what_is_not_defined_is_null(flask: Any, folder: Path) -> None:
    (folder / "community_day.parquet").unlink()
    write_listings(folder / "community_day.parquet", listings_of({LAST_DAY: {7: 1}}))
    result = flask("risk", "validate", "--data", folder, "--json")
    assert "NaN" not in result.stdout
    document = json.loads(result.stdout)
    assert document["horizon_7"]["growth"]["auc_score"] is None
    assert document["horizon_14"]["all"]["days"] == 0
    assert document["colours_monotone"] is False


def test_json_stands_alone_and_notes_go_elsewhere(flask: Any, folder: Path) -> None:
    result = flask("risk", "validate", "--data", folder, "--json")
    assert json.loads(result.stdout)["communities"] == 4
    assert "says nothing of 乙区" in result.stderr


def test_without_json_a_table_can_be_read(flask: Any, folder: Path) -> None:
    result = flask("risk", "validate", "--data", folder, "--district", "甲区")
    assert result.exit_code == 0
    lines = [" ".join(line.split()) for line in result.stdout.splitlines()]
    assert "| AUC | growth | 9 | 1.000 | 1.000 | 1.000 |" in lines
    assert "| AUC, never listed before | growth | 9 | – | – | – |" in lines
    assert "| growth | red | 9 | 0.333 | 1.000 |" in lines
    assert lines[-1] == "A worse colour was never listed less often: yes"


def test_a_plot_is_drawn_on_request(flask: Any, folder: Path, tmp_path: Path) -> None:
    plot = tmp_path / "plot.svg"
    result = flask("risk", "validate", "--data", folder, "--plot", plot)
    assert result.exit_code == 0
    assert ET.parse(plot).getroot().tag.endswith("svg")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--district", "丙区"], "there are: 乙区, 甲区"),
        (["--version", "xh-2020.1"], "do not follow from such a folder: confirmed"),
        (["--version", "none"], "there is no model version none"),
        (["--plot", "no/such/folder/plot.svg"], "cannot be written"),
    ],
)
def test_what_cannot_be_done_is_said(
    flask: Any, folder: Path, arguments: list[str], words: str
) -> None:
    result = flask("risk", "validate", "--data", folder, *arguments)
    assert result.exit_code == 1
    assert words in result.stderr
    assert result.stdout == ""


def test_a_folder_that_cannot_be_used_is_named(flask: Any, tmp_path: Path) -> None:
    result = flask("risk", "validate", "--data", tmp_path / "nowhere", "--json")
    assert result.exit_code == 1
    assert "there is no folder" in result.stderr
