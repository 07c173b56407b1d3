"""Writing a sheet row by row, in little memory, into a file that has no name."""

from __future__ import annotations

import csv
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from io import TextIOWrapper
from tempfile import TemporaryDirectory
from typing import IO, Final, TypeAlias

from xlsxwriter import Workbook
from xlsxwriter.worksheet import Worksheet

from core.exports.rules import MAX_ROWS, ExportTooLargeError, safe_cell

MEDIA_TYPE: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
PART_BYTES: Final = 64 * 1024
FIRST_ROW: Final = 2  # behind the watermark and the head
MAX_MARGIN: Final = 120  # characters of a page's header or footer
_WIDTH: Final = 18
_WIDTH_FIRST: Final = 24

Cell: TypeAlias = "str | int | None"


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """What stands around the rows of a sheet.

    Attributes:
        title: name of the sheet.
        watermark: who made it, when, masked or not, its number; in the first row and on every
            printed page.
        heads: of the columns.
    """

    title: str
    watermark: str
    heads: tuple[str, ...]


class SheetFile:
    """A sheet that was written; it is gone when it was read once, or given up."""

    def __init__(self, file: IO[bytes], *, row_count: int) -> None:
        """Hold a file.

        Args:
            file: at its end.
            row_count: rows below the head.
        """
        self._file = file
        self.row_count = row_count

    def parts(self) -> Iterator[bytes]:
        """Yield the content in parts, then let go of it."""
        with self._file as file:
            file.seek(0)
            while part := file.read(PART_BYTES):
                yield part


def write_sheet(layout: Layout, rows: Iterable[Sequence[Cell]]) -> SheetFile:
    """Return a sheet with these rows, of which never more than one is in memory.

    What it is made of lies in a folder with a random name for this user alone, and is gone when
    this returns or fails; the file itself has no name that could be left behind.

    Args:
        layout: what stands around the rows.
        rows: as many cells each as there are heads; text is made safe, numbers stay numbers.

    Raises:
        ExportTooLargeError: more than 200,000 rows.
    """
    file = tempfile.TemporaryFile()  # noqa: SIM115  whoever reads it closes it
    try:
        with TemporaryDirectory() as folder:
            # A string is a string: no link, no formula, no number is made of it.
            options = {
                "constant_memory": True,
                "tmpdir": folder,
                "strings_to_urls": False,
                "strings_to_formulas": False,
                "strings_to_numbers": False,
            }
            with Workbook(file, options) as book:
                row_count = _fill(book, layout, rows)
    except BaseException:
        file.close()
        raise
    return SheetFile(file, row_count=row_count)


def write_csv(layout: Layout, rows: Iterable[Sequence[Cell]]) -> SheetFile:
    """Return the same rows as CSV in UTF-8, with a mark at the start by which Excel knows it.

    Args:
        layout: the watermark is the first row, the heads are the second.
        rows: as `write_sheet` takes them.

    Raises:
        ExportTooLargeError: more than 200,000 rows.
    """
    file = tempfile.TemporaryFile()  # noqa: SIM115  whoever reads it closes it
    try:
        text = TextIOWrapper(file, encoding="utf-8-sig", newline="")
        count = _fill_csv(text, layout, rows)
        text.detach()
    except BaseException:
        file.close()
        raise
    return SheetFile(file, row_count=count)


def _fill_csv(text: TextIOWrapper, layout: Layout, rows: Iterable[Sequence[Cell]]) -> int:
    writer = csv.writer(text)
    writer.writerow([safe_cell(layout.watermark)])
    writer.writerow([safe_cell(head) for head in layout.heads])
    count = 0
    for count, row in enumerate(rows, start=1):
        if count > MAX_ROWS:
            raise ExportTooLargeError(max_count=MAX_ROWS)
        writer.writerow([safe_cell(cell) if isinstance(cell, str) else cell for cell in row])
    return count


def _fill(book: Workbook, layout: Layout, rows: Iterable[Sequence[Cell]]) -> int:
    sheet = book.add_worksheet(layout.title)
    _dress(book, sheet, layout)
    count = 0
    for count, row in enumerate(rows, start=1):
        if count > MAX_ROWS:
            raise ExportTooLargeError(max_count=MAX_ROWS)
        for column, cell in enumerate(row):
            if isinstance(cell, int):
                sheet.write_number(FIRST_ROW + count - 1, column, cell)
            elif cell:
                sheet.write_string(FIRST_ROW + count - 1, column, safe_cell(cell))
    return count


def _dress(book: Workbook, sheet: Worksheet, layout: Layout) -> None:
    """Write what stands around the rows; in this mode all of it must come before them."""
    bold = book.add_format({"bold": True})
    mark = book.add_format({"bold": True, "font_color": "#C0261F"})
    # A single ampersand begins a code of a header.
    margin = layout.watermark.replace("&", "&&")[:MAX_MARGIN]
    sheet.set_header(f"&C{margin}")
    sheet.set_footer(f"&L{margin}&R&P / &N")
    sheet.set_landscape()
    sheet.repeat_rows(0, FIRST_ROW - 1)
    sheet.freeze_panes(FIRST_ROW, 0)
    sheet.set_column(0, 0, _WIDTH_FIRST)
    sheet.set_column(1, len(layout.heads) - 1, _WIDTH)
    book.set_properties({"title": layout.title, "comments": layout.watermark})
    sheet.write_string(0, 0, safe_cell(layout.watermark), mark)
    for column, head in enumerate(layout.heads):
        sheet.write_string(FIRST_ROW - 1, column, head, bold)
