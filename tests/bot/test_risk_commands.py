"""The operator's commands over scores and model versions."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import delete, select

from core.clock import day_of
from core.db import Database
from core.people.staff.rules import Role
from core.people.staff.service import NewStaff, add_account
from core.places.model import Community, Street
from core.risk.model import Publication, RiskScore
from core.risk.versions.service import champion
from tests.core.risk.values import HARMLESS, RED, put

TODAY = day_of(datetime.now(UTC))
DAYS = [TODAY - timedelta(days=back) for back in (4, 3, 2, 1)]


@pytest.fixture
def app(app: Flask, database: Database) -> Flask:
    """The application with one community, which was red four days ago, and two administrators."""
    now = datetime.now(UTC)
    with database.transaction() as session:
        session.add(Street(id=1, code="310104012", name="田林街道"))
        session.flush()
        session.add(Community(id=1, code="T12", name="田林十二村", street_id=1, changed_at=now))
        session.flush()
        for day, values in zip(DAYS, (RED, HARMLESS, HARMLESS, HARMLESS), strict=True):
            put(session, 1, values, day=day)
        for name in ("anna", "bert"):
            staff = NewStaff(name=name, role=Role.ADMINISTRATOR)
            add_account(session, staff=staff, password_hash="x", now=now)
    return app


def colours(database: Database) -> dict[date, str]:
    with database.reading() as session:
        rows = session.execute(select(RiskScore.day, RiskScore.colour).order_by(RiskScore.day))
        return dict(rows.all())


def test_backfill_scores_the_days_in_order(flask: Any, database: Database) -> None:
    result = flask("risk", "backfill", "--from", DAYS[0], "--to", DAYS[2])

    assert result.exit_code == 0, result.output
    assert [line[:10] for line in result.stdout.splitlines()] == [str(day) for day in DAYS[:3]]
    assert "1 red" in result.stdout.splitlines()[0]
    assert list(colours(database).values()) == ["red", "yellow", "blue"]


def test_backfill_goes_on_with_what_is_missing_and_with_what_follows(
    flask: Any, database: Database
) -> None:
    flask("risk", "backfill", "--from", DAYS[0], "--to", DAYS[3])
    with database.transaction() as session:
        for table in (RiskScore, Publication):
            session.execute(delete(table).where(table.day == DAYS[0]))

    resumed = flask("risk", "backfill", "--from", DAYS[0], "--to", DAYS[1], "--resume")

    assert [line[:10] for line in resumed.stdout.splitlines()] == [str(DAYS[0])]
    assert list(colours(database).values()) == ["red", "yellow", "blue", "blue"]


@pytest.mark.parametrize(
    ("first", "last", "message"),
    [
        pytest.param(DAYS[1], DAYS[0], "after the last", id="backwards"),
        pytest.param(DAYS[0], TODAY, "is not over", id="today"),
    ],
)
def test_backfill_of_days_that_cannot_be(flask: Any, first: date, last: date, message: str) -> None:
    result = flask("risk", "backfill", "--from", first, "--to", last)

    assert result.exit_code == 1
    assert message in result.stderr


@pytest.fixture
def proposal(tmp_path: Path) -> Path:
    """A file with another version than the one of the software."""
    text = files("core.risk.versions").joinpath("xh-2020.1.json").read_text("utf-8")
    path = tmp_path / "version.json"
    path.write_text(json.dumps(json.loads(text) | {"version": "xh-2020.2"}), "utf-8")
    return path


def test_a_version_is_proposed_by_one_and_approved_by_another(
    flask: Any, database: Database, proposal: Path
) -> None:
    proposed = flask("risk", "models", "propose", proposal, "--by", "anna", "--champion")
    own = flask("risk", "models", "approve", "xh-2020.2", "--by", "anna")
    approved = flask("risk", "models", "approve", "xh-2020.2", "--by", "bert")

    assert "proposed xh-2020.2 as champion" in proposed.stdout
    assert (own.exit_code, approved.exit_code) == (1, 0)
    assert "cannot approve" in own.stderr
    with database.reading() as session:
        assert champion(session, day=TODAY).name == "xh-2020.2"
    newest, built_in = flask("risk", "models", "list").stdout.splitlines()
    assert newest.split("\t")[:4] == ["xh-2020.2", "champion", "approved", f"from {TODAY}"]
    assert newest.endswith("proposed by anna\tdecided by bert")
    assert built_in.startswith("xh-2020.1\tchampion\tapproved")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param(("propose", "{file}", "--by", "carl"), "nobody has", id="nobody"),
        pytest.param(("approve", "xh-9", "--by", "anna"), "no such proposal", id="no proposal"),
        pytest.param(("propose", "{broken}", "--by", "anna"), "is not JSON", id="no JSON"),
        pytest.param(("propose", "{list}", "--by", "anna"), "not a JSON object", id="a list"),
        pytest.param(("propose", "{other}", "--by", "anna"), "version has", id="no version"),
    ],
)
def test_what_the_operator_gets_wrong_is_said_in_a_line(
    flask: Any, proposal: Path, tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    texts = {"broken": "{", "list": "[]", "other": "{}"}
    paths = {"file": proposal}
    for name, text in texts.items():
        paths[name] = tmp_path / name
        paths[name].write_text(text, "utf-8")

    result = flask("risk", "models", *(one.format_map(paths) for one in arguments))

    assert result.exit_code == 1
    assert message in result.stderr


def test_a_proposal_is_refused(flask: Any, proposal: Path) -> None:
    flask("risk", "models", "propose", proposal, "--by", "anna")

    result = flask("risk", "models", "refuse", "xh-2020.2", "--by", "bert")

    assert result.stdout.startswith("xh-2020.2: challenger refused")
