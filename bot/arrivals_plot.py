"""The picture of a validation of arrivals, as SVG: the busiest station, and if bands held."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from bot.svg import FIRST_TOP, MARGIN, PANEL_HEIGHT, PLOT_HEIGHT, PLOT_WIDTH, frame, opening, text
from core.arrivals.inputs import Floats
from core.arrivals.validation import Validation

# So many of the last test days are drawn slot by slot.
MAX_DAYS: Final = 3
WIDE, NARROW, MEAN, CAME = "#dbe9fb", "#a9c8f0", "#1a5fb4", "#a51d2d"
LEVELS: Final = (("coverage_80_pct", 80, "#3584e4", ""), ("coverage_95_pct", 95, "#5e5c64", "7 4"))
MARKS: Final = 4


def svg_of(validation: Validation, *, title: str) -> str:
    """Return the picture: days of the busiest station, and the coverage by test day."""
    parts = opening(title, panels=2)
    parts += _station(validation, FIRST_TOP)
    parts += _coverage(validation, FIRST_TOP + PANEL_HEIGHT)
    return "\n".join([*parts, "</svg>", ""])


def _station(validation: Validation, top: float) -> Iterator[str]:
    days = validation.days[-MAX_DAYS:]
    busiest = int(np.nansum([np.nansum(one.actual, axis=1) for one in days], axis=0).argmax())
    curves = {
        "came": np.concatenate([one.actual[busiest] for one in days]),
        "mean": np.concatenate([one.mean[busiest] for one in days]),
        "low80": np.concatenate([one.inner.low[busiest] for one in days]),
        "high80": np.concatenate([one.inner.high[busiest] for one in days]),
        "low95": np.concatenate([one.outer.low[busiest] for one in days]),
        "high95": np.concatenate([one.outer.high[busiest] for one in days]),
    }
    highest = max(1.0, float(np.nanmax([np.nanmax(np.nan_to_num(one)) for one in curves.values()])))
    marks = [
        (_y(highest * one / MARKS, highest, top), f"{highest * one / MARKS:.0f}")
        for one in range(MARKS + 1)
    ]
    name = f"The busiest station, {days[0].day} to {days[-1].day}: people per slot"
    yield from frame(top, name, marks)
    yield _band(curves["low95"], curves["high95"], highest, top, WIDE)
    yield _band(curves["low80"], curves["high80"], highest, top, NARROW)
    yield from _lines(curves["mean"], highest, top, MEAN, "")
    yield from _lines(curves["came"], highest, top, CAME, "5 3")
    left = MARGIN + 430
    for place, (label, colour, dashes) in enumerate(
        (("forecast", MEAN, ""), ("came", CAME, "5 3"))
    ):
        yield from _key(left + place * 110, top - 14, label, colour, dashes)


def _coverage(validation: Validation, top: float) -> Iterator[str]:
    marks = [(_y(mark, 100.0, top), str(mark)) for mark in (0, 20, 40, 60, 80, 95)]
    yield from frame(top, "Slots of 100 within their interval, by test day", marks)
    for place, (name, level, colour, dashes) in enumerate(LEVELS):
        shares = [getattr(one, name) for one in validation.by_day.values()]
        points = np.array([np.nan if one is None else one for one in shares])
        yield from _lines(points, 100.0, top, colour, dashes)
        yield from _key(MARGIN + 430 + place * 110, top - 14, f"{level} %", colour, dashes)
    days = list(validation.by_day)
    for place in range(0, len(days), max(1, len(days) // 6)):
        x = _x(place, len(days))
        yield text(x, top + PLOT_HEIGHT + 18, f"{days[place]:%m-%d}", middle=True)


def _band(low: Floats, high: Floats, highest: float, top: float, colour: str) -> str:
    known = np.flatnonzero(~(np.isnan(low) | np.isnan(high)))
    there = [f"{_x(one, len(low))},{_y(high[one], highest, top)}" for one in known.tolist()]
    back = [f"{_x(one, len(low))},{_y(low[one], highest, top)}" for one in known[::-1].tolist()]
    return f'<polygon fill="{colour}" points="{" ".join([*there, *back])}"/>'


def _lines(values: Floats, highest: float, top: float, colour: str, dashes: str) -> Iterator[str]:
    """Yield a line for each stretch without a gap; a single point is a dot."""
    style = f'stroke="{colour}" stroke-width="1.5" stroke-dasharray="{dashes}" fill="none"'
    known = np.flatnonzero(~np.isnan(values))
    for stretch in np.split(known, np.flatnonzero(np.diff(known) > 1) + 1):
        points = [
            f"{_x(one, len(values))},{_y(values[one], highest, top)}" for one in stretch.tolist()
        ]
        if len(points) == 1:
            x, y = points[0].split(",")
            yield f'<circle cx="{x}" cy="{y}" r="2.5" fill="{colour}"/>'
        elif points:
            yield f'<polyline {style} points="{" ".join(points)}"/>'


def _key(x: float, y: float, label: str, colour: str, dashes: str) -> Iterator[str]:
    style = f'stroke="{colour}" stroke-width="2" stroke-dasharray="{dashes}"'
    yield f'<line x1="{x}" y1="{y - 4}" x2="{x + 22}" y2="{y - 4}" {style}/>'
    yield text(x + 28, y, label)


def _x(place: int, count: int) -> float:
    return round(MARGIN + PLOT_WIDTH * (place + 0.5) / count, 1)


def _y(number: float, highest: float, top: float) -> float:
    return round(top + PLOT_HEIGHT * (1 - number / highest), 1)
