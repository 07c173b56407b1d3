"""`flask risk …`: scoring days, validating and approving model versions."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click
from flask import current_app
from flask.cli import AppGroup
from sqlalchemy.orm import Session

from bot.progress import progress_of
from bot.services import services_of
from bot.validation import STUDY_VERSION, json_of, lines_of, validate_folder, write_plot
from core.clock import day_of
from core.db import Database
from core.errors import DomainError
from core.people.staff.service import list_accounts

if TYPE_CHECKING:
    from core.risk.scoring import DayScores
    from core.risk.versions.service import ModelRecord

DAY: Final = click.DateTime(formats=["%Y-%m-%d"])
DIGEST_CHARACTERS: Final = 12
_MESSAGES: Final = {
    "invalid_model_version": "this is not a model version: {problem}",
    "model_name_taken": "another document is called {name}; a changed one needs a name of its own",
    "model_stands": "{name} is {role} already, or was proposed for it",
    "model_decided": "somebody has decided this already: {state}",
    "model_same_person": "whoever proposed a version cannot approve it",
    "model_not_found": "there is no such proposal",
}

risk = AppGroup("risk", help="Community risk.")


@risk.group("models")
def models() -> None:
    """Model versions: list, propose, approve."""


def _database() -> Database:
    return services_of(current_app).database


def _now() -> datetime:
    return datetime.now(UTC)


def _line_of(scores: DayScores) -> str:
    colours = ", ".join(f"{count} {colour.value}" for colour, count in scores.colours.items())
    held = f"; held: {scores.hold.value}" if scores.hold else ""
    return f"{scores.day}: {colours}; {scores.changed_count} rows changed ({scores.version}){held}"


@risk.command("score")
@click.option("--day", type=DAY, required=True)
def risk_score(day: datetime) -> None:
    """Score one day."""
    from core.risk.scoring import score_day

    with _database().transaction() as session:
        scores = score_day(session, day=day.date(), now=_now())
    click.echo(_line_of(scores))


@risk.command("backfill")
@click.option("--from", "first", type=DAY, required=True, help="The first day.")
@click.option("--to", "last", type=DAY, required=True, help="The last day; it must be over.")
@click.option("--resume", is_flag=True, help="Leave out the days that were scored already.")
def risk_backfill(first: datetime, last: datetime, *, resume: bool) -> None:
    """Compute and score past days again, one after the other.

    Each day is kept once it is done; what was interrupted goes on with --resume.
    """
    from core.risk.backfilling import backfill_day, days_between, finish_backfill, list_scored_days

    start, end = first.date(), last.date()
    _check_stretch(start, end)
    database = _database()
    days = list(days_between(start, end))
    if resume:
        with database.reading() as session:
            done = list_scored_days(session, first=start, last=end)
        days = [day for day in days if day not in done]
    with progress_of("backfill") as move:
        for count, day in enumerate(days, start=1):
            with database.transaction() as session:
                result = backfill_day(session, day=day, now=_now())
            click.echo(f"{_line_of(result.scores)}; {result.value_count} values")
            move(count, len(days))
    with database.transaction() as session:
        followed = finish_backfill(session, last=end, now=_now())
    for scores in followed:
        if scores.changed_count:
            click.echo(f"{_line_of(scores)}; it follows")


def _check_stretch(first: date, last: date) -> None:
    if first > last:
        raise click.ClickException("the first day is after the last")
    if last >= day_of(_now()):
        raise click.ClickException(f"{last} is not over")


@risk.command("validate")
@click.option("--data", "folder", type=click.Path(path_type=Path), required=True)
@click.option("--district", help="Only this one's communities; all without one.")
@click.option("--version", "version_name", default=STUDY_VERSION, show_default=True)
@click.option("--plot", type=click.Path(dir_okay=False, path_type=Path), help="Draw an SVG file.")
@click.option("--json", "is_json", is_flag=True, help="Print JSON and nothing else.")
def risk_validate(
    folder: Path, district: str | None, version_name: str, plot: Path | None, *, is_json: bool
) -> None:
    """Hold a model version against what became of an outbreak; see docs/validation.md."""
    result, notes = validate_folder(
        folder, district=district, version_name=version_name, progress=progress_of
    )
    for note in notes:
        click.echo(note, err=True)
    if plot is not None:
        write_plot(plot, result, title=district or str(folder))
    click.echo(json_of(result) if is_json else "\n".join(lines_of(result)))


# ---- model versions -------------------------------------------------------------------------


@contextmanager
def telling(messages: Mapping[str, str]) -> Iterator[None]:
    """Turn what an operator got wrong into one line and a non-zero exit.

    Args:
        messages: by the code of the error, with its facts in braces; any other error is a bug.
    """
    try:
        yield
    except DomainError as error:
        message = messages.get(error.code)
        if message is None:
            raise
        raise click.ClickException(message.format_map(error.facts)) from error


@models.command("list")
def models_list() -> None:
    """List the versions: name, role, state, first day, digest, who proposed and decided."""
    from core.risk.versions.service import list_models

    with _database().reading() as session:
        names = {f"staff:{one.id}": one.name for one in list_accounts(session)}
        for record in list_models(session):
            click.echo("\t".join(_fields_of(record, names)))


def _fields_of(record: ModelRecord, names: dict[str, str]) -> list[str]:
    return [
        record.version.name,
        record.role.value,
        record.state.value,
        f"from {record.valid_from}",
        record.version.digest[:DIGEST_CHARACTERS],
        f"proposed by {names.get(record.proposed_by, record.proposed_by) or 'the software'}",
        f"decided by {names.get(record.decided_by, record.decided_by) or '-'}",
    ]


@models.command("propose")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--by", "name", required=True, help="Login name of whoever proposes it.")
@click.option("--champion", is_flag=True, help="To colour the district, not to run beside.")
def models_propose(file: Path, name: str, *, champion: bool) -> None:
    """Propose the version in the JSON document FILE; another person approves it."""
    from core.risk.versions.service import ModelRole, propose_model

    role = ModelRole.CHAMPION if champion else ModelRole.CHALLENGER
    with telling(_MESSAGES), _database().transaction() as session:
        record = propose_model(
            session,
            document=_document_in(file),
            role=role,
            staff_id=staff_id_of(session, name),
            now=_now(),
        )
    click.echo(f"proposed {record.version.name} as {role.value}, digest {record.version.digest}")


def _document_in(file: Path) -> dict[str, Any]:
    try:
        document = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise click.ClickException(f"{file} is not JSON: {error}") from error
    if not isinstance(document, dict):
        raise click.ClickException(f"{file} is not a JSON object")
    return document


@models.command("approve")
@click.argument("version_name")
@click.option("--by", "name", required=True, help="Login name of whoever approves it.")
def models_approve(version_name: str, name: str) -> None:
    """Approve the proposal of version VERSION_NAME; it scores from today, or its first day."""
    _decide(version_name, name, "approve")


@models.command("refuse")
@click.argument("version_name")
@click.option("--by", "name", required=True, help="Login name of whoever refuses it.")
def models_refuse(version_name: str, name: str) -> None:
    """Refuse the proposal of version VERSION_NAME."""
    _decide(version_name, name, "refuse")


def _decide(version_name: str, name: str, decision: str) -> None:
    from core.risk.versions.service import (
        ModelDecision,
        ModelNotFoundError,
        ModelState,
        decide_model,
        list_models,
    )

    with telling(_MESSAGES), _database().transaction() as session:
        waiting = [
            one.id
            for one in list_models(session)
            if one.version.name == version_name and one.state is ModelState.PROPOSED
        ]
        if not waiting:
            raise ModelNotFoundError
        record = decide_model(
            session,
            model_id=waiting[0],
            decision=ModelDecision(decision),
            staff_id=staff_id_of(session, name),
            now=_now(),
        )
    click.echo(
        f"{record.version.name}: {record.role.value} {record.state.value} from {record.valid_from}"
    )


def staff_id_of(session: Session, name: str) -> int:
    """Return the id of an active account by its login name; for an operator, a line otherwise."""
    for account in list_accounts(session):
        if account.name == name and account.is_active:
            return account.id
    raise click.ClickException(f"nobody has the login name {name}")
