"""Reading tables that people hand in: CSV in the encodings of the country, or a spreadsheet."""

from __future__ import annotations

import codecs
import csv
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Final

from python_calamine import CalamineError, CalamineWorkbook

from core.importing import FileRefusedError, ImportRow, Rejection, shown

CHUNK_BYTES: Final = 1 << 20
MAX_CELL_CHARACTERS: Final = 10_000

_SPREADSHEET_MARKS: Final = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
_UTF16_MARKS: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_DELIMITERS: Final = ",\t;"
# From here on a spreadsheet's number has lost digits.
_EXACT_UP_TO: Final = 10.0**15


@dataclass(frozen=True, slots=True)
class _Record:
    line: int
    cells: list[str]
    numbers: frozenset[int] = frozenset()


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
    records = iter(_records_of(path))
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
        if file.read(4).startswith(_SPREADSHEET_MARKS):
            return 0
        file.seek(0)
        return sum(chunk.count(b"\n") for chunk in iter(lambda: file.read(CHUNK_BYTES), b""))


def _records_of(path: Path) -> Iterable[_Record]:
    with path.open("rb") as file:
        mark = file.read(4)
    records = _sheet_records(path) if mark.startswith(_SPREADSHEET_MARKS) else _csv_records(path)
    return (record for record in records if any(record.cells))


def _columns_of(header: _Record, *, required: Sequence[str], optional: Sequence[str]) -> list[str]:
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


def _wrong_count(record: _Record, columns: Sequence[str]) -> Rejection:
    return Rejection(
        record.line, "cell_count", {"count": len(record.cells), "expected": len(columns)}
    )


# ---- CSV ------------------------------------------------------------------------------------


def _csv_records(path: Path) -> Iterator[_Record]:
    encoding = _encoding_of(path)
    with path.open(encoding=encoding, newline="") as file:
        first = file.readline()
        file.seek(0)
        csv.field_size_limit(MAX_CELL_CHARACTERS)
        delimiter = max(_DELIMITERS, key=first.count)
        # Strict: a quote that never ends means that the file was cut off.
        reader = csv.reader(file, delimiter=delimiter, strict=True)
        while True:
            line = reader.line_num + 1
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                raise FileRefusedError(line, "csv_broken", problem=str(error)) from error
            yield _Record(line, [cell.strip() for cell in cells])


def _encoding_of(path: Path) -> str:
    with path.open("rb") as file:
        if file.read(2) in _UTF16_MARKS:
            return "utf-16"
    for encoding in ("utf-8-sig", "gb18030"):
        if _is_written_in(path, encoding):
            return encoding
    raise FileRefusedError(1, "encoding_unknown")


def _is_written_in(path: Path, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        with path.open("rb") as file:
            for chunk in iter(lambda: file.read(CHUNK_BYTES), b""):
                decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


# ---- spreadsheets ---------------------------------------------------------------------------


def _sheet_records(path: Path) -> Iterator[_Record]:
    try:
        rows = CalamineWorkbook.from_path(path).get_sheet_by_index(0).iter_rows()
        for line, values in enumerate(rows, start=1):
            numbers = frozenset(
                index for index, value in enumerate(values) if isinstance(value, float | int)
            )
            yield _Record(line, [_text_of(value) for value in values], numbers)
    except CalamineError as error:
        raise FileRefusedError(1, "spreadsheet_broken", problem=shown(str(error))) from error


def _text_of(value: object) -> str:
    """Return a cell as a CSV file would hold it."""
    if isinstance(value, float) and value.is_integer() and abs(value) < _EXACT_UP_TO:
        return str(int(value))
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == datetime.min.time() else str(value)
    if isinstance(value, date):
        return value.isoformat()
    return str(value).strip()
