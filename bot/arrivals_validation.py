"""`flask arrivals validate`: how right a forecast made at midnight is, on anybody's counts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click
import orjson

from bot.import_report import ImportReport
from bot.markdown import table_of

if TYPE_CHECKING:
    from core.arrivals.validation import Accuracy, Validation

MAX_SHOWN_ROWS: Final = 20
FORECAST: Final = "forecast"
SHOWN_SHARE: Final = 0.0005

Progress = Callable[[str], AbstractContextManager[Callable[[int, int], None]]]


def validate_file(
    file: Path, *, test_days: int, progress: Progress
) -> tuple[Validation, tuple[str, ...]]:
    """Return the validation on a file of counts, and what was left out of it.

    Raises:
        click.ClickException: the file cannot be used, or has too few days.
    """
    from bot.feeds.counts import CountsRefusedError, read_counts
    from core.arrivals.validation import DaysInvalidError, validate

    try:
        found = read_counts(file)
        with progress("days") as move:
            result = validate(found.counts, test_days=test_days, progress=move)
    except (CountsRefusedError, DaysInvalidError) as error:
        raise click.ClickException(str(error)) from error
    return result, _notes_of(file, found.rejections, result)


def _notes_of(file: Path, rejections: Sequence[Any], result: Validation) -> tuple[str, ...]:
    report = ImportReport(kind="counts", is_applied=True, rejections=tuple(rejections))
    notes = [f"{file.name}, line {line}" for line in report.lines()[:MAX_SHOWN_ROWS]]
    if len(rejections) > MAX_SHOWN_ROWS:
        notes.append(f"{file.name}: {len(rejections) - MAX_SHOWN_ROWS} more rows were refused")
    if result.unknown_share >= SHOWN_SHARE:
        notes.append(
            f"{result.unknown_share:.1%} of what was counted on the test days had never been "
            "counted before and was not forecast"
        )
    return tuple(notes)


def write_plot(file: Path, validation: Validation, *, title: str) -> None:
    """Draw a validation into an SVG file.

    Raises:
        click.ClickException: the file cannot be written.
    """
    from bot.arrivals_plot import svg_of

    try:
        file.write_text(svg_of(validation, title=title), "utf-8")
    except OSError as error:
        raise click.ClickException(f"{file} cannot be written: {error.strerror}") from error


def json_of(validation: Validation) -> str:
    """Return a validation as one line of JSON; a measure that is not defined is null."""
    document = {
        **_measures(validation.accuracy, has_intervals=True),
        "baselines": {name: _measures(one) for name, one in validation.baselines.items()},
        "by_day": {
            str(day): {
                **_measures(one, has_intervals=True),
                "recipe": validation.recipes[day],
            }
            for day, one in validation.by_day.items()
        },
        "stations": validation.station_count,
        "slot_minutes": validation.slot_minutes,
        "test_days": len(validation.days),
        "unknown_share": validation.unknown_share,
    }
    return orjson.dumps(document).decode()


def _measures(accuracy: Accuracy, *, has_intervals: bool = False) -> dict[str, float | None]:
    errors = accuracy.errors
    measures = {
        "wmape_pct": errors.wmape_pct if errors else None,
        "mae": errors.mae if errors else None,
        "rmse": errors.rmse if errors else None,
    }
    if has_intervals:
        measures["coverage_80_pct"] = accuracy.coverage_80_pct
        measures["coverage_95_pct"] = accuracy.coverage_95_pct
    return {**measures, "top2_hit_pct": accuracy.top2_hit_pct}


def lines_of(validation: Validation) -> list[str]:
    """Return a validation as tables in Markdown, which read well in a terminal too."""
    head = ["", "WMAPE %", "MAE", "RMSE", "80 % holds", "95 % holds", "top two hours %"]
    rows = [_row(FORECAST, validation.accuracy)]
    rows += [_row(name, one) for name, one in validation.baselines.items()]
    days = [
        [*_row(str(day), one), validation.recipes[day]] for day, one in validation.by_day.items()
    ]
    found = f"{validation.station_count} stations, slots of {validation.slot_minutes} minutes"
    return [
        f"{found}, {len(validation.days)} test days",
        "",
        *table_of(head, rows),
        "",
        *table_of([*head, "made as"], days),
    ]


def _row(name: str, accuracy: Accuracy) -> list[str]:
    measures = _measures(accuracy, has_intervals=True)
    order = ("wmape_pct", "mae", "rmse", "coverage_80_pct", "coverage_95_pct", "top2_hit_pct")
    return [name, *(_shown(measures[one]) for one in order)]


def _shown(number: float | None) -> str:
    return "–" if number is None else f"{number:.1f}"
