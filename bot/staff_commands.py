"""`flask staff …` and `flask audit …`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Final

import click
from flask import current_app
from flask.cli import AppGroup
from sqlalchemy.orm import Session

from bot.services import services_of
from core.audit.chain import Head, seal_entries, verify_chain
from core.audit.service import record
from core.clock import local
from core.db import Database
from core.people.staff.model import StaffAccount
from core.people.staff.rules import Role, needs_totp, role_of
from core.people.staff.secrets import hash_password, new_password
from core.people.staff.service import (
    OPERATOR,
    NewStaff,
    StaffFault,
    StaffInputError,
    StaffNameTakenError,
    StaffNotFoundError,
    add_account,
    disable_account,
    list_accounts,
    list_area_names,
    reset_account,
)

HEAD: Final = re.compile(r"([1-9]\d{0,15}):([0-9a-f]{64})")
MAX_SHOWN_NAMES: Final = 3
MESSAGES: Final[dict[str, str]] = {
    StaffFault.NAME: "a login name has 2 to 32 letters, digits, '.', '_' or '-'",
    StaffFault.STREET_UNKNOWN: "no street has the name or code {named}",
    StaffFault.COMMUNITY_UNKNOWN: "no community has the code {named}",
    StaffFault.AREA_NEEDED: "the role {role} needs an area: give --street or --community",
    StaffFault.AREA_NOT_ALLOWED: "the area of the role {role} is: {allowed}",
    StaffFault.AREA_TWICE: "give --street or --community, not both",
}

staff = AppGroup("staff", help="Accounts of the console.")
audit = AppGroup("audit", help="The audit log.")


def _database() -> Database:
    return services_of(current_app).database


def _now() -> datetime:
    return datetime.now(UTC)


@contextmanager
def _telling() -> Iterator[None]:
    """Turn what an operator got wrong into one line and a non-zero exit."""
    try:
        yield
    except StaffInputError as error:
        message = MESSAGES[str(error.facts["fault"])]
        raise click.ClickException(message.format_map(error.facts)) from error
    except StaffNameTakenError as error:
        raise click.ClickException(f"the login name {error.facts['name']} is taken") from error
    except StaffNotFoundError as error:
        raise click.ClickException(f"nobody has the login name {error.facts['name']}") from error


def _role(_context: click.Context, _parameter: click.Parameter, text: str) -> Role:
    role = role_of(text)
    if role is None:
        raise click.BadParameter(f"{text!r} is none of {', '.join(Role)}")
    return role


@staff.command("add")
@click.argument("name")
@click.option("--role", required=True, callback=_role, metavar="ROLE", help=f"{', '.join(Role)}.")
@click.option("--street", default="", help="Name or code of the street of the area of duty.")
@click.option("--community", "codes", multiple=True, help="Code of a community of the area.")
@click.option("--display-name", default="", help="How pages call the person.")
def staff_add(
    name: str, role: Role, street: str, codes: tuple[str, ...], display_name: str
) -> None:
    """Add an account with login name NAME and print its one-time password."""
    wanted = NewStaff(
        name=name, role=role, display_name=display_name, street=street, community_codes=codes
    )

    def add(database: Database, password_hash: str) -> str:
        with database.transaction() as session:
            account = add_account(session, staff=wanted, password_hash=password_hash, now=_now())
            return f"added {account.name} ({account.role}, {_area_of(account, session)})"

    _with_new_password(add)
    if needs_totp(role):
        click.echo("an authenticator app is set up at the first sign-in")


def _with_new_password(store: Callable[[Database, str], str]) -> None:
    password = new_password()
    with _telling():
        message = store(_database(), hash_password(password))
    click.echo(message)
    click.echo(f"one-time password: {password}")
    click.echo("it is shown only now, and must be changed at the first sign-in")


def _area_of(account: StaffAccount, session: Session) -> str:
    names = list_area_names(session, area=account.area)
    if not names:
        return account.area.kind.value
    more = len(names) - MAX_SHOWN_NAMES
    return ", ".join(names[:MAX_SHOWN_NAMES]) + (f" and {more} more" if more > 0 else "")


@staff.command("list")
def staff_list() -> None:
    """List the accounts: name, role, area, state, last sign-in."""
    now = _now()
    with _database().reading() as session:
        for account in list_accounts(session):
            seen = account.last_signed_in_at
            fields = (
                account.name,
                account.role,
                _area_of(account, session),
                _state_of(account, now=now),
                f"{local(seen):%Y-%m-%d %H:%M}" if seen else "never signed in",
            )
            click.echo("\t".join(fields))


def _state_of(account: StaffAccount, *, now: datetime) -> str:
    if not account.is_active:
        return "disabled"
    if account.locked_until is not None and account.locked_until > now:
        return f"locked until {local(account.locked_until):%Y-%m-%d %H:%M}"
    return "one-time password" if account.must_change else "active"


@staff.command("disable")
@click.argument("name")
def staff_disable(name: str) -> None:
    """Shut the account NAME and end its sign-ins at once."""
    with _telling(), _database().transaction() as session:
        disable_account(session, name=name, now=_now())
    click.echo("disabled")


@staff.command("reset")
@click.argument("name")
def staff_reset(name: str) -> None:
    """Give the account NAME a one-time password; its authenticator must be set up anew."""

    def reset(database: Database, password_hash: str) -> str:
        with database.transaction() as session:
            reset_account(session, name=name, password_hash=password_hash, now=_now())
        return "reset: lock, authenticator, recovery codes and sign-ins are gone"

    _with_new_password(reset)


def _head(_context: click.Context, _parameter: click.Parameter, text: str | None) -> Head | None:
    if text is None:
        return None
    found = HEAD.fullmatch(text.strip().lower())
    if found is None:
        raise click.BadParameter("POSITION:DIGEST is needed, as this command prints it")
    return Head(position=int(found[1]), digest=bytes.fromhex(found[2]))


@audit.command("seal")
def audit_seal() -> None:
    """Chain what was committed, once; the worker does so every minute."""
    total = 0
    while True:
        with _database().transaction() as session:
            count = seal_entries(session, now=_now())
        total += count
        if not count:
            break
    click.echo(f"{total} entries sealed")


@audit.command("verify")
@click.option("--head", callback=_head, help="A head that was noted before: POSITION:DIGEST.")
def audit_verify(head: Head | None) -> None:
    """Read the whole chain and say where it breaks; exit non-zero if it does."""
    database = _database()
    with database.reading() as session:
        report = verify_chain(session, noted=head)
    with database.transaction() as session:
        outcome = report.broken.kind.value if report.broken else "whole"
        record(
            session,
            now=_now(),
            actor=OPERATOR,
            action="audit_verified",
            subject="audit:chain",
            outcome=outcome,
        )
    click.echo(f"{report.sealed_count} entries hold, {report.open_count} wait to be sealed")
    if report.head is not None:
        click.echo(f"head {report.head}")
    if report.broken is not None:
        broken = report.broken
        raise click.ClickException(
            f"the chain breaks: {broken.kind.value} at position {broken.position}, "
            f"entry {broken.entry_id}"
        )
    click.echo("the chain is whole")
