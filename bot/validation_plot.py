"""The picture of a validation, as SVG: how well it orders, day by day, and what colours meant."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from bot.svg import (
    FIRST_TOP,
    MARGIN,
    PANEL_HEIGHT,
    PLOT_HEIGHT,
    PLOT_WIDTH,
    frame,
    opening,
    text,
)
from core.risk.rules import Colour
from core.risk.study.validation import BandResult, DayResult, Validation

LOWEST_AUC: Final = 0.4
# Told apart by their dashes too, for those who do not see the colours.
LINES: Final = (
    ("auc_score", "score", "#1a5fb4", ""),
    ("auc_naive", "days listed in 14 (naive)", "#a51d2d", "7 4"),
    ("auc_equal", "equal weights", "#5e5c64", "2 4"),
)
FILLS: Final = {
    Colour.GREY: "#9a9996",
    Colour.BLUE: "#3584e4",
    Colour.YELLOW: "#e5a50a",
    Colour.RED: "#c01c28",
}
BAR_WIDTH: Final = 46
BAR_GAP: Final = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class _Panel:
    """A part of the picture; `top` is the upper edge of its plot, `lowest` its lowest number."""

    top: float
    lowest: float

    def y(self, number: float) -> float:
        share = (max(number, self.lowest) - self.lowest) / (1 - self.lowest)
        return round(self.top + PLOT_HEIGHT * (1 - share), 1)


def svg_of(validation: Validation, *, title: str) -> str:
    """Return the picture; a panel for each horizon and one for the colours.

    Args:
        validation: what is shown.
        title: of the picture, for its readers.
    """
    horizons = sorted(validation.days)
    parts = opening(title, panels=len(horizons) + 1)
    for place, horizon in enumerate(horizons):
        panel = _Panel(top=FIRST_TOP + place * PANEL_HEIGHT, lowest=LOWEST_AUC)
        name = f"AUC by day, listed within {horizon} days"
        parts += _curves(panel, name, validation.days[horizon])
    panel = _Panel(top=FIRST_TOP + len(horizons) * PANEL_HEIGHT, lowest=0.0)
    parts += _bars(panel, validation)
    return "\n".join([*parts, "</svg>", ""])


def _curves(panel: _Panel, name: str, days: Sequence[DayResult]) -> Iterator[str]:
    yield from _frame(panel, name, [0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0])
    if not days:
        yield text(MARGIN + 8, panel.top + 24, "no day of the phases is known")
        return
    first, last = days[0].day, days[-1].day
    for place, (measure, label, colour, dashes) in enumerate(LINES):
        points = [
            f"{_x(one.day, first, last)},{panel.y(number)}"
            for one in days
            if (number := one.measures[measure]) is not None
        ]
        style = f'stroke="{colour}" stroke-width="2" stroke-dasharray="{dashes}"'
        yield f'<polyline fill="none" {style} points="{" ".join(points)}"/>'
        x, y = MARGIN + 300 + place * 110 + (70 if place == len(LINES) - 1 else 0), panel.top - 14
        yield f'<line x1="{x}" y1="{y - 4}" x2="{x + 22}" y2="{y - 4}" {style}/>'
        yield text(x + 28, y, label)
    for day in days[:: max(1, len(days) // 6)]:
        yield text(
            _x(day.day, first, last), panel.top + PLOT_HEIGHT + 18, f"{day.day:%m-%d}", middle=True
        )


def _bars(panel: _Panel, validation: Validation) -> Iterator[str]:
    name = "Listed within 7 days, by colour (below: share of the communities)"
    yield from _frame(panel, name, [0.0, 0.25, 0.5, 0.75, 1.0])
    width = PLOT_WIDTH / max(1, len(validation.bands))
    for place, (phase, bands) in enumerate(validation.bands.items()):
        left = MARGIN + place * width
        yield text(left + width / 2, panel.top + PLOT_HEIGHT + 38, phase, middle=True)
        shown = [(colour, one) for colour, one in bands.items() if one.count]
        start = left + (width - len(shown) * (BAR_WIDTH + BAR_GAP) + BAR_GAP) / 2
        for index, (colour, one) in enumerate(shown):
            yield from _bar(panel, start + index * (BAR_WIDTH + BAR_GAP), colour, one)


def _bar(panel: _Panel, left: float, colour: Colour, band: BandResult) -> Iterator[str]:
    hit_share = band.hit_share or 0.0
    top, bottom = panel.y(hit_share), panel.top + PLOT_HEIGHT
    yield (
        f'<rect x="{left:.1f}" y="{top}" width="{BAR_WIDTH}" height="{bottom - top:.1f}" '
        f'fill="{FILLS[colour]}"/>'
    )
    middle = left + BAR_WIDTH / 2
    yield text(middle, top - 5, f"{hit_share:.1%}", middle=True)
    yield text(middle, bottom + 18, f"{colour.value} {band.share:.0%}", middle=True)


def _frame(panel: _Panel, name: str, marks: Sequence[float]) -> Iterator[str]:
    yield from frame(panel.top, name, [(panel.y(mark), f"{mark:g}") for mark in marks])


def _x(day: date, first: date, last: date) -> float:
    span = max(1, (last - first).days)
    return round(MARGIN + PLOT_WIDTH * (day - first).days / span, 1)
