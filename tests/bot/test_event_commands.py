"""The operator's commands over epidemic events."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import select

from bot.app import create_app
from bot.settings import Settings
from core.clock import day_of
from core.db import Database
from core.people.staff.rules import Role
from core.people.staff.service import NewStaff, add_account
from core.places.model import Community, Street
from core.risk.events.model import EpidemicEvent

TODAY = day_of(datetime.now(UTC))
PERSON = "11010519491231002X"
ADD = ("add", "--kind", "confirmed", "--on", str(TODAY), "--by", "anna")

Run = Callable[..., Result]


@pytest.fixture
def app(sqlite_database: Database, tmp_path: Path) -> Flask:
    """The application with one community, and an administrator."""
    now = datetime.now(UTC)
    with sqlite_database.transaction() as session:
        session.add(Street(id=1, code="310104012", name="田林街道"))
        session.flush()
        session.add(Community(id=1, code="T12", name="田林十二村", street_id=1, changed_at=now))
        add_account(
            session,
            staff=NewStaff(name="anna", role=Role.ADMINISTRATOR),
            password_hash="x",
            now=now,
        )
    return create_app(
        Settings.from_env(
            database_url=sqlite_database.url.render_as_string(hide_password=False),
            instance_dir=tmp_path / "instance",
            log_level="error",
        )
    )


@pytest.fixture
def event(app: Flask) -> Run:
    """A function that runs a command, with what is typed at its prompt."""
    runner = app.test_cli_runner()
    return lambda *arguments, typed=PERSON: runner.invoke(
        args=["risk", "event", *(str(one) for one in arguments)], input=f"{typed}\n"
    )


def test_event_is_added_found_and_withdrawn(event: Run, sqlite_database: Database) -> None:
    added = event(*ADD, "--community", "T12")
    assert (added.exit_code, added.stdout) == (0, "event 1 entered\n"), added.output
    assert event(*ADD, "--community", "T12").stdout == added.stdout, "twice is once"
    found = event("find", "--by", "anna").stdout
    assert found == f"1\tconfirmed\t{TODAY}\topen\tT12\n"
    gone = event("withdraw", 1, "--reason", "误报", "--by", "anna")
    assert gone.stdout == "event 1 withdrawn; 0 days scored again\n"
    with sqlite_database.reading() as session:
        row = session.scalars(select(EpidemicEvent)).one()
    assert (row.entered_by, row.withdrawn_reason) == ("staff:1", "误报")


@pytest.mark.parametrize(
    ("arguments", "typed", "message"),
    [
        pytest.param(ADD, PERSON, "nothing says where the person lives", id="home"),
        pytest.param(ADD, "110105194912310021", "check digit", id="slip"),
        pytest.param(ADD, " ", "no identifier", id="nobody"),
        pytest.param((*ADD, "--community", "T99"), PERSON, "no such community", id="community"),
        pytest.param(
            (*ADD, "--home-unknown", "--ended-on", str(TODAY - timedelta(days=1))),
            PERSON,
            "the end is before the report",
            id="end",
        ),
        pytest.param((*ADD[:-1], "carl", "--home-unknown"), PERSON, "nobody has", id="by"),
        pytest.param(
            ("withdraw", 9, "--reason", "误报", "--by", "anna"), "", "no such event", id="number"
        ),
        pytest.param(
            ("withdraw", 9, "--reason", " ", "--by", "anna"), "", "at most 200", id="reason"
        ),
    ],
)
def test_what_the_operator_gets_wrong_is_said_in_a_line(
    event: Run, arguments: tuple[str, ...], typed: str, message: str
) -> None:
    result = event(*arguments, typed=typed)

    assert result.exit_code == 1
    assert message in result.stderr
    assert PERSON not in result.stdout
