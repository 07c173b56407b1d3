"""Pieces of the pictures that commands draw, as SVG: text, frames, scales."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

WIDTH: Final = 860
PANEL_HEIGHT: Final = 250
MARGIN: Final = 56
PLOT_HEIGHT: Final = PANEL_HEIGHT - 90
PLOT_WIDTH: Final = WIDTH - 2 * MARGIN
FIRST_TOP: Final = 90


def opening(title: str, *, panels: int) -> list[str]:
    """Return how a picture of some panels begins; `</svg>` ends it."""
    height = PANEL_HEIGHT * panels + 50
    return [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">',
        f"<title>{escaped(title)}</title>",
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
        text(MARGIN, 28, title, size=17),
    ]


def frame(top: float, name: str, marks: Sequence[tuple[float, str]]) -> Iterator[str]:
    """Yield the name of a panel and its lines.

    Args:
        top: upper edge of its plot.
        name: what it shows.
        marks: (height, label) of each line.
    """
    yield text(MARGIN, top - 14, name, size=14)
    for y, label in marks:
        yield f'<line x1="{MARGIN}" y1="{y}" x2="{WIDTH - MARGIN}" y2="{y}" stroke="#deddda"/>'
        yield text(MARGIN - 34, y + 4, label)


def text(x: float, y: float, words: str, *, size: int = 13, middle: bool = False) -> str:
    """Return a line of text that begins at a point, or has its middle there."""
    anchor = ' text-anchor="middle"' if middle else ""
    place = f'x="{x:.1f}" y="{y:.1f}" font-family="sans-serif" font-size="{size}"'
    return f"<text {place}{anchor}>{escaped(words)}</text>"


def escaped(words: str) -> str:
    """Return text as it stands in SVG."""
    return words.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
