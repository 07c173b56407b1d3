"""`flask arrivals …`: forecasts of the station, and how right they are."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click
from flask import current_app
from flask.cli import AppGroup

from bot.arrivals_validation import json_of, lines_of, validate_file, write_plot
from bot.progress import progress_of
from bot.services import services_of
from core.clock import SHANGHAI, day_of
from core.db import Database

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from core.arrivals.model import IssuedForecast
    from core.arrivals.overview import Board

DAY: Final = click.DateTime(formats=["%Y-%m-%d"])
# Days around an instant must be days of the calendar, too.
FIRST_YEAR: Final = 2000
LAST_YEAR: Final = 2999
NO_BASIS: Final = "there is neither a timetable nor a count of earlier days: import some first"

arrivals = AppGroup("arrivals", help="Arrivals at the station.")


@arrivals.command("validate")
@click.option(
    "--counts",
    "file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    required=True,
    help="CSV, spreadsheet or Parquet with the columns station, starts_at, count.",
)
@click.option(
    "--test-days",
    type=click.IntRange(min=1),
    required=True,
    help="How many of the last days are forecast, each from what was before it.",
)
@click.option("--plot", type=click.Path(dir_okay=False, path_type=Path), help="Draw an SVG file.")
@click.option("--json", "is_json", is_flag=True, help="Print JSON and nothing else.")
def arrivals_validate(file: Path, test_days: int, plot: Path | None, *, is_json: bool) -> None:
    """Hold forecasts made at midnight against what came; see docs/arrivals.md."""
    result, notes = validate_file(file, test_days=test_days, progress=progress_of)
    for note in notes:
        click.echo(note, err=True)
    if plot is not None:
        write_plot(plot, result, title=file.name)
    click.echo(json_of(result) if is_json else "\n".join(lines_of(result)))


# ---- the next 24 hours ------------------------------------------------------------------------


@arrivals.command("forecast")
@click.option("--at", "text", help="ISO 8601; without a zone, Shanghai time. Nothing is kept.")
@click.option("--json", "is_json", is_flag=True, help="Print JSON and nothing else.")
def arrivals_forecast(text: str | None, *, is_json: bool) -> None:
    """Forecast the next 24 hours, and keep the forecast.

    With --at it is that of another time, made from what was known then.
    """
    from bot.arrivals_report import document_of
    from bot.arrivals_report import lines_of as board_lines_of
    from core.arrivals.drawing import ArrivalsWithoutBasisError

    try:
        board = _board_now() if text is None else _board_at(_instant_in(text))
    except ArrivalsWithoutBasisError as error:
        raise click.ClickException(NO_BASIS) from error
    if is_json:
        click.echo(json.dumps(document_of(board), ensure_ascii=False))
    else:
        click.echo("\n".join(board_lines_of(board)))


def _board_now() -> Board:
    from core.arrivals.issued import Occasion
    from core.arrivals.issuing import issue_forecast

    now = _now()
    with _database().transaction() as session:
        row = issue_forecast(session, now=now, occasion=Occasion.DATA)
        return _board_of(session, row, now=now)


def _board_at(at: datetime) -> Board:
    from core.arrivals.issued import Occasion
    from core.arrivals.issuing import load_known, prepared_of, row_of

    now = _now()
    known_at = min(at, now)
    with _database().reading() as session:
        known = load_known(session, known_at=known_at, from_at=at, now=now)
        row = row_of(prepared_of(known), now=known_at, occasion=Occasion.DATA)
        return _board_of(session, row, now=known_at)


def _board_of(session: Session, row: IssuedForecast, *, now: datetime) -> Board:
    from core.arrivals.overview import board_of

    return board_of(session, row, now=now)


def _instant_in(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise click.ClickException(f"{text} is no time: write 2020-02-13T20:00") from error
    if not FIRST_YEAR <= at.year <= LAST_YEAR:
        raise click.ClickException(f"{text} is not within the years {FIRST_YEAR} to {LAST_YEAR}")
    return at if at.tzinfo else at.replace(tzinfo=SHANGHAI)


# ---- feed and grades ---------------------------------------------------------------------------


@arrivals.command("poll")
def arrivals_poll() -> None:
    """Read the live feed of tickets on from where it was left, and issue what follows from it."""
    from bot.feeds.polling import poll, ticket_source
    from bot.forecasting import issue_due
    from core.arrivals.feeding import FeedFault

    services = services_of(current_app)
    source = ticket_source(services.settings)
    if source is None:
        raise click.ClickException("there is no feed: set TICKETING_URL")
    report = poll(services.database, source)
    click.echo(str(report))
    if report.fault not in {None, FeedFault.WENT_BACK, FeedFault.ALL_REFUSED}:
        raise click.ClickException("the feed could not be read")
    click.echo(f"{issue_due(services.database)} forecasts issued")


@arrivals.command("grade")
@click.option("--day", type=DAY, help="A local day that is over; yesterday without one.")
def arrivals_grade(day: datetime | None) -> None:
    """Hold the forecast of a day against what came; a day that was graded is graded anew."""
    from core.arrivals.grades import list_grades
    from core.arrivals.grading import grade_day

    now = _now()
    wanted = day.date() if day else day_of(now) - timedelta(days=1)
    if wanted >= day_of(now):
        raise click.ClickException(f"{wanted} is not over")
    with _database().transaction() as session:
        if grade_day(session, day=wanted, now=now) is None:
            raise click.ClickException(f"{wanted} has no forecast of its midnight, or no counts")
        grade = list_grades(session, until_day=wanted, days=1)[0]
    click.echo(
        f"{wanted}: expected {grade.expected:.0f}, came {grade.actual:.0f}; WMAPE "
        f"{grade.wmape_pct:.1f} %, 80 % held {grade.coverage_80_pct:.0f} %, "
        f"95 % held {grade.coverage_95_pct:.0f} %, {grade.top2_hits} of the two busiest hours"
    )
    for name, one in grade.baselines.items():
        click.echo(f"  {name}: WMAPE {one.wmape_pct:.1f} %")


def _database() -> Database:
    return services_of(current_app).database


def _now() -> datetime:
    return datetime.now(UTC)
