"""`flask risk validate`: does the model predict, on what was published of an outbreak."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click
import orjson

from bot.markdown import table_of

if TYPE_CHECKING:
    from core.risk.study.validation import Validation

STUDY_VERSION: Final = "sh-2022.1"
# What the table shows; JSON has every measure.
SHOWN: Final = {
    "auc": "AUC",
    "new_auc": "AUC, never listed before",
    "ap": "average precision",
    "lift": "lift of the highest tenth",
    "spearman": "Spearman",
}
ORDERS: Final = ("score", "naive", "equal")

Progress = Callable[[str], AbstractContextManager[Callable[[int, int], None]]]


def validate_folder(
    folder: Path, *, district: str | None, version_name: str, progress: Progress
) -> tuple[Validation, tuple[str, ...]]:
    """Return the validation of a model version on a folder, and what was left out of it.

    Raises:
        click.ClickException: the folder, the district or the version cannot be used.
    """
    from bot.feeds.study import StudyRefusedError, read_study
    from core.risk.study.validation import IndicatorsMissingError, validate
    from core.risk.versions import find_version

    version = find_version(version_name)
    if version is None:
        raise click.ClickException(f"there is no model version {version_name}")
    try:
        study = read_study(folder)
        chosen = study.choose(district)
        with progress("days") as move:
            result = validate(version, study.outbreak, chosen=chosen, progress=move)
    except StudyRefusedError as error:
        raise click.ClickException(str(error)) from error
    except IndicatorsMissingError as error:
        raise click.ClickException(
            f"{version.name} has indicators that do not follow from such a folder: {error}"
        ) from error
    return result, study.notes


def write_plot(file: Path, validation: Validation, *, title: str) -> None:
    """Draw a validation into an SVG file.

    Raises:
        click.ClickException: the file cannot be written.
    """
    from bot.validation_plot import svg_of

    try:
        file.write_text(svg_of(validation, title=f"{title}: {validation.version}"), "utf-8")
    except OSError as error:
        raise click.ClickException(f"{file} cannot be written: {error.strerror}") from error


def json_of(validation: Validation) -> str:
    """Return a validation as one line of JSON; a measure that is not defined is null."""
    document: dict[str, Any] = {
        f"horizon_{horizon}": {
            phase: {**means, "days": validation.day_counts[horizon][phase]}
            for phase, means in phases.items()
        }
        for horizon, phases in validation.means.items()
    }
    document["colours_monotone"] = validation.is_monotone
    document["colours"] = {
        phase: {
            colour.value: {"count": one.count, "share": one.share, "hit_share": one.hit_share}
            for colour, one in bands.items()
        }
        for phase, bands in validation.bands.items()
    }
    document["version"] = validation.version
    document["communities"] = validation.community_count
    return orjson.dumps(document).decode()


def lines_of(validation: Validation) -> list[str]:
    """Return a validation as tables in Markdown, which read well in a terminal too."""
    lines = [f"{validation.version}, {validation.community_count} communities"]
    for horizon, phases in validation.means.items():
        lines += ["", f"Listed within {horizon} days (means over days)", ""]
        lines += table_of(
            ["measure", "phase", "days", *ORDERS],
            [
                [
                    label,
                    phase,
                    str(validation.day_counts[horizon][phase]),
                    *(_shown(means[f"{measure}_{order}"]) for order in ORDERS),
                ]
                for measure, label in SHOWN.items()
                for phase, means in phases.items()
            ],
        )
    lines += ["", "Colours: share of the communities, and of these listed within 7 days", ""]
    lines += table_of(
        ["phase", "colour", "communities × days", "share", "listed"],
        [
            [phase, colour.value, str(one.count), _shown(one.share), _shown(one.hit_share)]
            for phase, bands in validation.bands.items()
            for colour, one in bands.items()
            if one.count
        ],
    )
    is_monotone = "yes" if validation.is_monotone else "no"
    return [*lines, "", f"A worse colour was never listed less often: {is_monotone}"]


def _shown(number: float | None) -> str:
    return "–" if number is None else f"{number:.3f}"
