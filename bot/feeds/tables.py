"""Reading tables that operators hand in: the columns of an import, row by row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from core.importing import FileRefusedError, ImportRow, Rejection, shown
from core.tables import CHUNK_BYTES, SPREADSHEET_MARKS, Record, records_of


def read_table(
    path: Path, *, required: Sequence[str], optional: Sequence[str], refused: list[Rejection]
) -> Iterator[ImportRow]:
    """Yield the rows of a table, one by one.

    Args:
        path: a CSV file (UTF-8 with or without mark, UTF-16 with mark, GB18030; comma, tab or
            semicolon) or a spreadsheet, of which the first sheet is read.
        required: columns that must be there, in any order.
        optional: columns that may be there; a cell of one that is not is absent from the row.
        refused: rows that have too many or too few cells are added here.

    Raises:
        FileRefusedError: unreadable, broken, or with wrong columns.
    """
    records = iter(records_of(path))
    header = next(records, None)
    if header is None:
        raise FileRefusedError(1, "file_empty")
    columns = _columns_of(header, required=required, optional=optional)
    for record in records:
        # A spreadsheet pads its rows with empty cells.
        if len(record.cells) < len(columns) or any(record.cells[len(columns) :]):
            refused.append(_wrong_count(record, columns))
        else:
            yield ImportRow(
                record.line,
                dict(zip(columns, record.cells, strict=False)),
                frozenset(columns[index] for index in record.numbers if index < len(columns)),
            )


def count_lines(path: Path) -> int:
    """Return the number of lines of a CSV file, for a progress bar; 0 for a spreadsheet."""
    with path.open("rb") as file:
        if file.read(4).startswith(SPREADSHEET_MARKS):
            return 0
        file.seek(0)
        return sum(chunk.count(b"\n") for chunk in iter(lambda: file.read(CHUNK_BYTES), b""))


def _columns_of(header: Record, *, required: Sequence[str], optional: Sequence[str]) -> list[str]:
    cells = [cell.lower() for cell in header.cells]
    while cells and not cells[-1]:
        cells.pop()
    missing = [name for name in required if name not in cells]
    unknown = [name for name in cells if name not in {*required, *optional}]
    expected = ", ".join((*required, *(f"[{name}]" for name in optional)))
    for code, names in (("columns_missing", missing), ("columns_unknown", unknown)):
        if names:
            raise FileRefusedError(
                header.line, code, columns=", ".join(map(shown, names)), expected=expected
            )
    if len(set(cells)) < len(cells):
        twice = sorted({name for name in cells if cells.count(name) > 1})
        raise FileRefusedError(header.line, "columns_twice", columns=", ".join(twice))
    return cells


def _wrong_count(record: Record, columns: Sequence[str]) -> Rejection:
    return Rejection(
        record.line, "cell_count", {"count": len(record.cells), "expected": len(columns)}
    )
