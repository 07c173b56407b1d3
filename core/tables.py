"""Tables as people hand them in: CSV in the encodings of the country, or a spreadsheet.

What a table is is told by its content, never by its name.
"""

from __future__ import annotations

import codecs
import csv
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from io import BytesIO, TextIOWrapper
from pathlib import Path
from typing import BinaryIO, Final, TypeAlias

from python_calamine import CalamineError, CalamineWorkbook

from core.importing import FileRefusedError, shown

CHUNK_BYTES: Final = 1 << 20
MAX_CELL_CHARACTERS: Final = 10_000
# A small spreadsheet may unpack to more than a machine has.
MAX_UNPACKED_BYTES: Final = 256 << 20

SPREADSHEET_MARKS: Final = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
_UTF16_MARKS: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_DELIMITERS: Final = ",\t;"
# From here on a spreadsheet's number has lost digits.
_EXACT_UP_TO: Final = 10.0**15

Source: TypeAlias = "Path | bytes"


@dataclass(frozen=True, slots=True)
class Record:
    """A row of a table that is not empty.

    Attributes:
        line: where it begins, from 1.
        cells: free of surrounding white space.
        numbers: places of cells that were numbers in a spreadsheet.
    """

    line: int
    cells: list[str]
    numbers: frozenset[int] = frozenset()


@contextmanager
def _opened(source: Source) -> Iterator[BinaryIO]:
    if isinstance(source, bytes):
        yield BytesIO(source)
    else:
        with source.open("rb") as file:
            yield file


def records_of(source: Source) -> Iterable[Record]:
    """Return the rows of a table that are not empty, one by one, the header among them.

    Args:
        source: a CSV file (UTF-8 with or without mark, UTF-16 with mark, GB18030; comma, tab or
            semicolon) or a spreadsheet, of which the first sheet is read: where it is, or itself.

    Raises:
        FileRefusedError: unreadable or broken; also in the middle of it.
    """
    with _opened(source) as file:
        mark = file.read(4)
    is_sheet = mark.startswith(SPREADSHEET_MARKS)
    records = _sheet_records(source) if is_sheet else _csv_records(source)
    return (record for record in records if any(record.cells))


# ---- CSV ------------------------------------------------------------------------------------


def _csv_records(source: Source) -> Iterator[Record]:
    encoding = _encoding_of(source)
    with _opened(source) as raw, TextIOWrapper(raw, encoding=encoding, newline="") as file:
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
            yield Record(line, [cell.strip() for cell in cells])


def _encoding_of(source: Source) -> str:
    with _opened(source) as file:
        if file.read(2) in _UTF16_MARKS:
            return "utf-16"
    for encoding in ("utf-8-sig", "gb18030"):
        if _is_written_in(source, encoding):
            return encoding
    raise FileRefusedError(1, "encoding_unknown")


def _is_written_in(source: Source, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        with _opened(source) as file:
            for chunk in iter(lambda: file.read(CHUNK_BYTES), b""):
                decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


# ---- spreadsheets ---------------------------------------------------------------------------


def _sheet_records(source: Source) -> Iterator[Record]:
    _check_unpacked(source)
    try:
        rows = _workbook_of(source).get_sheet_by_index(0).iter_rows()
        for line, values in enumerate(rows, start=1):
            numbers = frozenset(
                index for index, value in enumerate(values) if isinstance(value, float | int)
            )
            yield Record(line, [_text_of(value) for value in values], numbers)
    except CalamineError as error:
        raise FileRefusedError(1, "spreadsheet_broken", problem=shown(str(error))) from error


def _workbook_of(source: Source) -> CalamineWorkbook:
    if isinstance(source, bytes):
        return CalamineWorkbook.from_filelike(BytesIO(source))
    return CalamineWorkbook.from_path(source)


def _check_unpacked(source: Source) -> None:
    """Refuse a spreadsheet that unpacks to more than any table has.

    Raises:
        FileRefusedError: it does.
    """
    with _opened(source) as file:
        if not zipfile.is_zipfile(file):
            return  # the old form is not packed; what is neither the reader refuses
        with zipfile.ZipFile(file) as packed:
            size = sum(one.file_size for one in packed.infolist())
    if size > MAX_UNPACKED_BYTES:
        raise FileRefusedError(1, "spreadsheet_broken", problem="too large")


def _text_of(value: object) -> str:
    """Return a cell as a CSV file would hold it."""
    if isinstance(value, float) and value.is_integer() and abs(value) < _EXACT_UP_TO:
        return str(int(value))
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == datetime.min.time() else str(value)
    if isinstance(value, date):
        return value.isoformat()
    return str(value).strip()
