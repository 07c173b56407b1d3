"""The `flask …` commands. Each prints what it did and exits non-zero when it could not."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, date, datetime, timedelta
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from flask import Flask, current_app
from flask.cli import AppGroup, with_appcontext

from bot import telemetry
from bot.arrivals_commands import arrivals
from bot.event_commands import event
from bot.logs import configure_logs
from bot.progress import progress_of
from bot.risk_commands import risk
from bot.services import Services, services_of
from bot.site_commands import sites
from bot.staff_commands import audit, staff
from core.clock import day_of, local

if TYPE_CHECKING:
    from bot.client import WeChatClient
    from bot.demo import Size
    from core.db import Database

DAY = click.DateTime(formats=["%Y-%m-%d"])
MAX_SHOWN_ROWS = 50
READY_SECONDS = 10
READY_POLL_SECONDS = 0.1

db = AppGroup("db", help="The database's schema.")
demo = AppGroup("demo", help="The demo district.")
wechat = AppGroup("wechat", help="The official account.")
owners = AppGroup("owners", help="Owners of companies.")


def register(app: Flask) -> None:
    """Add every command to the application."""
    risk.add_command(event)
    for group in (db, demo, risk, arrivals, wechat, owners, sites, staff, audit):
        app.cli.add_command(group)
    for command in (import_file, nightly, deliver, worker, dev):
        app.cli.add_command(command)


def _services() -> Services:
    return services_of(current_app)


def _now() -> datetime:
    return datetime.now(UTC)


@db.command("upgrade")
def db_upgrade() -> None:
    """Bring the database to the newest schema."""
    from core import migrations

    migrations.upgrade(_services().database.engine)
    click.echo("the schema is up to date")


@db.command("reseal")
def db_reseal() -> None:
    """Encrypt companies, authenticators and files anew with the first of DATA_KEYS."""
    from core.cases.resealing import reseal_cases
    from core.codes.account import reseal_account_codes
    from core.codes.service import reseal_codes
    from core.files.service import FileUnavailableError, reseal_contents, reseal_names
    from core.mandates.resealing import reseal_mandates
    from core.people.staff.service import reseal_secrets
    from core.registration.resealing import reseal_registrations
    from core.registry.service import reseal_owners
    from core.residents.service import reseal_places
    from core.sites.members import reseal_members

    services = _services()
    with services.database.transaction() as session:
        count, name_count = reseal_owners(session), reseal_names(session)
        counts = {
            "authenticators": reseal_secrets(session),
            "mandates": reseal_mandates(session),
            "codes": reseal_codes(session) + reseal_account_codes(session),
            "registrations": reseal_registrations(session),
            "addresses": reseal_places(session),
            "notes of cases": reseal_cases(session),
            "people who report for sites": reseal_members(session),
        }
    try:
        file_count = reseal_contents(services.database.reading, files=services.files)
    except FileUnavailableError as error:
        raise click.ClickException("the store of files does not answer; run this again") from error
    click.echo(f"{count} companies were sealed with an older key, none is now")
    for what, sealed_count in (counts | {"files": max(file_count, name_count)}).items():
        if sealed_count:
            click.echo(f"{sealed_count} {what} were sealed with an older key, none is now")


@demo.command("load")
@click.option(
    "--size", type=click.Choice(["small", "district"]), default="small", show_default=True
)
def demo_load(size: str) -> None:
    """Fill an empty database with the demo district."""
    from bot.demo import Size

    _load_demo(_services(), Size(size))


@click.command("import")
@click.argument("kind")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--all-or-nothing", is_flag=True, help="Keep no row when one is rejected.")
@click.option("--full", "is_full", is_flag=True, help="Report what the file does not name.")
@click.option("--rows", type=click.IntRange(min=0), help="Refuse a file with other than N rows.")
@click.option("--feed", default="", help="Of risk-events: the source that the file comes from.")
@click.option("--watermark", type=DAY, help="Of risk-events: up to which day that is complete.")
@click.option("--accept-size", is_flag=True, help="Take a file of unusual size all the same.")
@click.option("--end-missing", is_flag=True, help="Of residents, key-areas: end all others.")
@with_appcontext
def import_file(
    kind: str,
    file: Path,
    *,
    all_or_nothing: bool,
    is_full: bool,
    rows: int | None,
    feed: str,
    watermark: datetime | None,
    accept_size: bool,
    end_missing: bool,
) -> None:
    """Import a CSV or XLSX FILE of a KIND: communities, residents, risk-events, companies, …."""
    from bot.imports import run_import
    from core.importing import Manifest

    manifest = Manifest(
        feed=feed,
        watermark=watermark.date() if watermark else None,
        row_count=rows,
        is_size_accepted=accept_size,
        is_missing_ended=end_missing,
    )
    with progress_of(f"import {kind}") as move:
        report = run_import(
            _services().database,
            kind,
            file,
            all_or_nothing=all_or_nothing,
            is_full=is_full,
            manifest=manifest,
            now=_now(),
            progress=move,
        )
    _print_import(report)


def _print_import(report: Any) -> None:
    for line in report.lines()[:MAX_SHOWN_ROWS]:
        click.echo(line, err=True)
    click.echo(report.summary())
    for line in report.notes():
        click.echo(line)
    if report.is_failed:
        raise SystemExit(1)


@click.command("nightly")
@click.option("--day", type=DAY, help="The day that is computed; yesterday by default.")
@with_appcontext
def nightly(day: datetime | None) -> None:
    """Run the night's steps for a day; steps that are done are skipped."""
    from core.nightly import run_night

    chosen: date = day.date() if day else day_of(_now()) - timedelta(days=1)
    report = run_night(_services().database.transaction, day=chosen, now=_now())
    for line in report.lines():
        click.echo(line)
    if report.is_failed:
        raise SystemExit(1)


@click.command("deliver")
@with_appcontext
def deliver() -> None:
    """Send what waits in the outbox, once."""
    from bot.deliver import deliver_once

    services = _services()
    report = deliver_once(
        services.database, services.store, _client(services), services.settings, services.texts
    )
    outcomes = ", ".join(f"{count} {name}" for name, count in sorted(report.outcomes.items()))
    if outcomes:
        click.echo(outcomes)
    if waiting := _waiting(services.database):
        click.echo(waiting)
    elif not outcomes:
        click.echo("nothing waits")


def _waiting(database: Database) -> str:
    """Return how many notices wait and until when; empty if none does."""
    from core.notices.rules import OPEN_STATES
    from core.notices.service import get_outbox_status

    with database.reading() as session:
        status = get_outbox_status(session, now=_now())
    count = sum(status.counts[state] for state in OPEN_STATES)
    if not count or status.next_at is None:
        return ""
    return f"{count} wait, the first until {local(status.next_at):%Y-%m-%d %H:%M:%S}"


@click.command("worker")
@with_appcontext
def worker() -> None:
    """Run the background jobs until told to stop."""
    from bot.worker import open_worker, run_night

    open_worker(_services().settings, nightly=run_night).run()


def _client(services: Services) -> WeChatClient:
    from bot.client import WeChatClient

    return WeChatClient(services.settings, services.store)


@contextmanager
def _calling_wechat() -> Iterator[None]:
    """Turn a call that failed into a message for the operator."""
    from bot.store import StoreUnavailableError
    from bot.transport import DeliveryError

    try:
        yield
    except DeliveryError as error:
        raise click.ClickException(f"the call of WeChat failed: {error.reason or error}") from error
    except StoreUnavailableError as error:
        raise click.ClickException(f"the store does not answer: {error}") from error


@wechat.command("menu")
def wechat_menu() -> None:
    """Publish the account's menu."""
    from bot.menu import menu_of

    services = _services()
    with _calling_wechat():
        _client(services).create_menu(menu_of(services.settings))
    click.echo("the menu is published")


@owners.command("release")
@click.argument("uscc")
def owners_release(uscc: str) -> None:
    """End the owner's mandate of a company, after the staff checked who the owner is.

    Whoever proves to be the owner next is bound at once.
    """
    from core.mandates.elsewhere import release_owner

    with _services().database.transaction() as session:
        count = release_owner(
            session, uscc=uscc.strip().upper(), actor="operator:owners", now=_now()
        )
    click.echo("released" if count else "nobody acts as the owner of that company")


@wechat.command("codes")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), required=True)
@click.option("--community", "codes", multiple=True, help="Code of a community; all without one.")
def wechat_codes(out: Path, codes: tuple[str, ...]) -> None:
    """Write a follow code (PNG) for every street and community into a folder."""
    from bot.scenes import scenes_of, write_codes

    services = _services()
    with services.database.reading() as session:
        scenes = scenes_of(session, codes=codes)
    with _calling_wechat(), progress_of("follow codes") as move:
        count = write_codes(_client(services), scenes, folder=out, progress=move)
    click.echo(f"{count} codes written, {len(scenes) - count} were there already")


@click.command("dev")
@with_appcontext
def dev() -> None:
    """Serve the demo district with worker and simulator on this machine."""
    from core import migrations

    services = _services()
    settings = services.settings
    if settings.is_production:
        raise click.ClickException("this command is for development; see README.md for production")
    _check_port(settings.port)
    metrics = settings.instance_dir / "metrics"
    telemetry.empty_folder(metrics)
    migrations.upgrade(services.database.engine)
    _load_demo_if_empty(services)
    environment = os.environ | {"PROMETHEUS_MULTIPROC_DIR": str(metrics)}
    # The simulator calls /wechat, and the worker calls the stand-in, on this very server: it
    # needs several threads.
    web = ["granian", "--interface=wsgi", "--host=127.0.0.1", f"--port={settings.port}"]
    web += ["--blocking-threads=16", "--log-level=warning", "wsgi:app"]
    _supervise(
        _start(*web, environment=environment),
        worker=lambda: _start("flask", "worker", environment=environment),
        port=settings.port,
    )


def _start(program: str, *arguments: str, environment: dict[str, str]) -> subprocess.Popen[bytes]:
    folder = Path(sys.executable).parent
    root = Path(__file__).resolve().parent.parent
    return subprocess.Popen(  # noqa: S603  our own programs, our own arguments
        [str(folder / program), *arguments], env=environment, cwd=root, start_new_session=True
    )


def _is_serving(process: subprocess.Popen[bytes], port: int) -> bool:
    """Wait until a server answers; return False if it ended instead."""
    while process.poll() is None:
        asked = HTTPConnection("127.0.0.1", port, timeout=READY_SECONDS)
        with closing(asked), suppress(OSError, HTTPException):
            asked.request("GET", "/healthz")
            # Whatever it says: it is there.
            asked.getresponse()
            return True
        time.sleep(READY_POLL_SECONDS)
    return False


def _check_port(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise click.ClickException(
                f"port {port} is taken; choose another: make run PORT={port + 1}"
            ) from error


def _load_demo_if_empty(services: Services) -> None:
    from bot.demo import Size, is_empty

    with services.database.reading() as session:
        if not is_empty(session):
            return
    _load_demo(services, Size.SMALL)


def _load_demo(services: Services, size: Size) -> None:
    from bot.demo import RealRegisterError, load

    # A line for each of many days would tear the progress bar.
    configure_logs(services.settings.model_copy(update={"log_level": "error"}))
    with progress_of("demo district") as move:
        try:
            report = load(
                services.database, files=services.files, size=size, now=_now(), progress=move
            )
        except RealRegisterError as error:
            raise click.ClickException(str(error)) from error
    click.echo(report)


def _supervise(
    web: subprocess.Popen[bytes], *, worker: Callable[[], subprocess.Popen[bytes]], port: int
) -> None:
    """Start the worker once the web answers; end both when one ends or the terminal says stop."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    processes = [web]
    try:
        # The worker calls the stand-in at once, and would find nobody.
        if _is_serving(web, port):
            processes.append(worker())
            _say_where(port)
        while all(process.poll() is None for process in processes):
            try:
                web.wait(timeout=1)
            except subprocess.TimeoutExpired:
                continue
    except KeyboardInterrupt:
        click.echo("\nstopping")
    finally:
        # Each with the processes that it started: none may go on holding the port.
        for process in processes:
            _signal_all(process, signal.SIGTERM)
        for process in processes:
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                _signal_all(process, signal.SIGKILL)


def _say_where(port: int) -> None:
    url = f"http://127.0.0.1:{port}"
    click.echo(
        f"\n  汇治理 is running\n"
        f"    the phone      {url}/simulator/\n"
        f"    public figures {url}/\n"
        f"    staff pages    {url}/console/ (an account: .venv/bin/flask staff add)\n"
        f"    health         {url}/healthz  {url}/readyz  {url}/metrics\n"
        f"  Ctrl-C stops it.\n"
    )


def _signal_all(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, number)
