from __future__ import annotations

import tempfile
import tracemalloc
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from python_calamine import CalamineWorkbook

from core.exports import writing
from core.exports.rules import ExportTooLargeError
from core.exports.writing import Layout, SheetFile, write_sheet

LAYOUT = Layout(title="复工备案", watermark="=水印 A&B 编号 X200328-ABCDEF", heads=("名称", "人数"))


def content_of(sheet: SheetFile) -> bytes:
    return b"".join(sheet.parts())


def rows_of(content: bytes) -> list[list[Any]]:
    sheet = CalamineWorkbook.from_filelike(BytesIO(content)).get_sheet_by_index(0)
    return sheet.to_python(skip_empty_area=False)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder for files that live for a moment."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_sheet_has_the_watermark_the_heads_and_safe_cells(folder: Path) -> None:
    sheet = write_sheet(LAYOUT, [("甲", 25), ("=1+1", None), ("http://x.example", 0)])
    assert sheet.row_count == 3
    assert list(folder.iterdir()) == [], "nothing has a name any more"
    content = content_of(sheet)
    assert rows_of(content) == [
        ["'=水印 A&B 编号 X200328-ABCDEF", ""],
        ["名称", "人数"],
        ["甲", 25],
        ["'=1+1", ""],
        ["http://x.example", 0],
    ]
    with ZipFile(BytesIO(content)) as packed:
        page = packed.read("xl/worksheets/sheet1.xml").decode()
        assert "&amp;C=水印 A&amp;&amp;B 编号 X200328-ABCDEF" in page
        assert "<f>" not in page
        assert "hyperlink" not in page


def test_sheet_that_is_given_up_leaves_nothing(folder: Path) -> None:
    def rows() -> Iterator[tuple[str, int]]:
        yield ("甲", 1)
        raise LookupError("the database went away")

    with pytest.raises(LookupError):
        write_sheet(LAYOUT, rows())
    assert list(folder.iterdir()) == []


def test_parts_that_are_not_all_taken_let_go_of_the_file(folder: Path) -> None:
    sheet = write_sheet(LAYOUT, [("甲", 1)])
    parts = sheet.parts()
    next(parts)
    parts.close()
    with pytest.raises(ValueError, match="closed file"):
        next(sheet.parts())


def test_sheet_without_rows_is_a_sheet(folder: Path) -> None:
    sheet = write_sheet(LAYOUT, [])
    assert (sheet.row_count, len(rows_of(content_of(sheet)))) == (0, 2)


def test_more_rows_than_a_file_may_have_are_refused(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "MAX_ROWS", 2)
    with pytest.raises(ExportTooLargeError):
        write_sheet(LAYOUT, [("甲", 1)] * 3)
    assert list(folder.iterdir()) == []


def test_memory_does_not_grow_with_the_rows(folder: Path) -> None:
    def peak_of(count: int) -> int:
        tracemalloc.start()
        content = write_sheet(LAYOUT, ((f"第{number}家", number) for number in range(count)))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert sum(len(part) for part in content.parts()) > 0
        return peak

    peak_of(10)
    assert peak_of(20_000) < peak_of(1000) + 1_000_000
