"""The operator's commands over staff accounts and the audit log."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from bot.staff_commands import MESSAGES
from core.db import Database
from core.people.staff.rules import Role
from core.people.staff.secrets import matches_password
from core.people.staff.service import StaffFault, get_account
from core.places.model import Community, Street


@pytest.fixture
def app(app: Flask, database: Database) -> Flask:
    """The application with one street and one community."""
    now = datetime.now(UTC)
    with database.transaction() as session:
        session.add(Street(id=1, code="310104012", name="田林街道"))
        session.flush()
        session.add(Community(id=1, code="T12", name="田林十二村", street_id=1, changed_at=now))
    return app


def password_in(output: str) -> str:
    found = re.search(r"^one-time password: (\S+)$", output, re.MULTILINE)
    assert found is not None
    return found[1]


def test_add_prints_a_password_that_works_once(flask: Any, database: Database) -> None:
    added = flask("staff", "add", "Wang", "--role", "street_officer", "--street", "田林街道")
    assert added.exit_code == 0
    assert "added wang (street_officer, 田林街道)" in added.output
    password = password_in(added.output)
    with database.transaction() as session:
        account = get_account(session, name="wang")
        assert account.must_change
        assert matches_password(account.password_hash, password)
        assert password not in account.password_hash


@pytest.mark.parametrize("role", Role)
def test_add_takes_every_role(flask: Any, role: Role) -> None:
    area = ["--street", "310104012"] if role is Role.STREET_OFFICER else []
    area = ["--community", "T12"] if role is Role.NEIGHBOURHOOD_OFFICER else area
    added = flask("staff", "add", "wang", "--role", role.value.replace("_", "-"), *area)
    assert added.exit_code == 0, added.output
    needs_app = role in {Role.ADMINISTRATOR, Role.DISTRICT_REVIEWER}
    assert ("authenticator" in added.output) is needs_app


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["wang", "--role", "owner"], "is none of administrator, district_reviewer"),
        (["wang", "--role", "officer"], "is none of"),
        (["wang"], "--role"),
        (["w", "--role", "auditor"], "2 to 32"),
        (["wang", "--role", "street_officer"], "needs an area"),
        (["wang", "--role", "auditor", "--street", "田林街道"], "is: district"),
        (["wang", "--role", "street_officer", "--street", "x"], "no street has the name or code x"),
        (
            ["wang", "--role", "neighbourhood_officer", "--community", "x"],
            "no community has the code x",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_add_refuses_what_cannot_be_and_says_why(
    flask: Any, database: Database, arguments: list[str], words: str
) -> None:
    refused = flask("staff", "add", *arguments)
    assert refused.exit_code != 0
    assert words in refused.output
    assert "password" not in refused.output.replace("--", "")
    assert flask("staff", "list").output == ""


def test_add_refuses_a_name_that_is_taken(flask: Any) -> None:
    flask("staff", "add", "wang", "--role", "auditor")
    again = flask("staff", "add", "WANG", "--role", "auditor")
    assert (again.exit_code, "the login name wang is taken" in again.output) == (1, True)


def test_every_fault_has_a_message() -> None:
    assert set(MESSAGES) == set(StaffFault)


def test_list_shows_who_there_is(flask: Any, database: Database) -> None:
    flask("staff", "add", "wang", "--role", "auditor")
    flask("staff", "add", "li", "--role", "neighbourhood_officer", "--community", "T12")
    flask("staff", "add", "zhao", "--role", "auditor")
    flask("staff", "disable", "zhao")
    with database.transaction() as session:
        account = get_account(session, name="wang")
        account.locked_until = datetime.now(UTC) + timedelta(hours=1)
    li, wang, zhao = flask("staff", "list").output.splitlines()
    assert li.split("\t")[:4] == ["li", "neighbourhood_officer", "田林十二村", "one-time password"]
    assert "locked until" in wang
    assert zhao.split("\t")[3:] == ["disabled", "never signed in"]


def test_reset_gives_another_password_and_opens_the_account(flask: Any, database: Database) -> None:
    first = password_in(flask("staff", "add", "wang", "--role", "administrator").output)
    assert flask("staff", "disable", "wang").exit_code == 0
    reset = flask("staff", "reset", "wang")
    assert reset.exit_code == 0
    with database.transaction() as session:
        account = get_account(session, name="wang")
        assert account.is_active
        assert matches_password(account.password_hash, password_in(reset.output))
        assert not matches_password(account.password_hash, first)


@pytest.mark.parametrize("verb", ["disable", "reset"])
def test_command_for_nobody_fails(flask: Any, verb: str) -> None:
    failed = flask("staff", verb, "nobody")
    assert (failed.exit_code, "nobody has the login name nobody" in failed.output) == (1, True)
    assert "one-time" not in failed.output


# --- the audit log ------------------------------------------------------------------------------


def test_chain_is_sealed_and_verified(flask: Any) -> None:
    flask("staff", "add", "wang", "--role", "auditor")
    waiting = flask("audit", "verify")
    assert waiting.output.startswith("0 entries hold, 1 wait to be sealed")
    assert flask("audit", "seal").output == "2 entries sealed\n"
    verified = flask("audit", "verify")
    assert verified.exit_code == 0
    assert "2 entries hold, 0 wait" in verified.output
    head = re.search(r"^head (2:[0-9a-f]{64})$", verified.output, re.MULTILINE)
    assert head is not None
    assert flask("audit", "verify", "--head", head[1]).exit_code == 0
    forged = flask("audit", "verify", "--head", f"2:{'0' * 64}")
    assert (forged.exit_code, "head_lost at position 2" in forged.output) == (1, True)


@pytest.mark.parametrize("head", ["", "x", "0:00", f"1:{'g' * 64}"])
def test_head_that_is_none_is_refused(flask: Any, head: str) -> None:
    refused = flask("audit", "verify", "--head", head)
    assert (refused.exit_code, "POSITION:DIGEST" in refused.output) == (2, True)


def test_break_is_told_and_fails_the_command(flask: Any, database: Database) -> None:
    flask("staff", "add", "wang", "--role", "auditor")
    flask("audit", "seal")
    with database.transaction() as session:
        if database.engine.dialect.name == "postgresql":
            session.execute(text("SET LOCAL session_replication_role = replica"))
        else:
            session.execute(text("DROP TRIGGER audit_entry_update_guard"))
        session.execute(text("UPDATE audit_entry SET actor = 'staff:9'"))
    broken = flask("audit", "verify")
    assert broken.exit_code == 1
    assert "entry_altered at position 1, entry 1" in broken.output
