"""The sites of a query as rows of a sheet, as each stands today; no worker is named."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from core.exports.portions import clock_cell
from core.exports.writing import Cell
from core.sites.overview import SiteBoard, SiteLine

COLUMNS: Final = (
    *("number", "name", "project", "street", "address", "contractor", "supervisor", "state"),
    *("mark", "planned", "registered_count", "open_case_count", "head_count", "joined_count"),
    *("left_count", "flags", "reported_at", "last_day", "last_head_count"),
)


def iterate_site_rows(board: SiteBoard, *, words: Mapping[str, str]) -> Iterator[Sequence[Cell]]:
    """Yield the sites of a board in its order, with the cells of `COLUMNS`.

    Args:
        board: of one day; its lines are those that were asked for.
        words: what states, marks and flags are called, by `site.<value>`, `mark.<value>` and
            `report.<value>`; `and` stands between flags.
    """
    for line in board.lines:
        yield (*_place_of(line, words), *_today_of(line, words), *_last_of(line))


def _place_of(line: SiteLine, words: Mapping[str, str]) -> Sequence[Cell]:
    card = line.card
    return (
        card.number,
        card.name,
        card.project,
        card.street,
        card.address,
        card.contractor,
        card.supervisor,
        words[f"site.{card.state}"],
        words[f"mark.{line.mark}"],
        card.planned,
        line.registered_count,
        line.open_case_count,
    )


def _today_of(line: SiteLine, words: Mapping[str, str]) -> Sequence[Cell]:
    report = line.report
    if report is None:
        return (None,) * 5
    return (
        report.figures.head_count,
        report.figures.joined_count,
        report.figures.left_count,
        words["and"].join(words[f"report.{flag}"] for flag in report.flags),
        clock_cell(report.reported_at),
    )


def _last_of(line: SiteLine) -> Sequence[Cell]:
    last = line.last
    return (None, None) if last is None else (last.day.isoformat(), last.figures.head_count)
