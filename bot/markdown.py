"""Tables that commands print: Markdown, which reads well in a terminal too."""

from __future__ import annotations

from collections.abc import Sequence


def table_of(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Return the lines of a table, all cells set to the right."""
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    body = [
        "| " + " | ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) + " |"
        for row in [head, *rows]
    ]
    rule = "|" + "|".join("-" * (width + 1) + ":" for width in widths) + "|"
    return [body[0], rule, *body[1:]]
