from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest
import xlsxwriter
from hypothesis import given
from hypothesis import strategies as st

from bot.feeds.tables import count_lines, read_table
from core.importing import FileRefusedError, ImportRow, Rejection

HEADER = "code,name"


def read(path: Path, refused: list[Rejection] | None = None) -> list[ImportRow]:
    rows = read_table(
        path,
        required=("code", "name"),
        optional=("aliases",),
        refused=[] if refused is None else refused,
    )
    return list(rows)


def file(tmp_path: Path, content: str | bytes) -> Path:
    path = tmp_path / "file"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def sheet(tmp_path: Path, *rows: list[object]) -> Path:
    path = tmp_path / "file.xlsx"
    book = xlsxwriter.Workbook(path, {"default_date_format": "yyyy-mm-dd"})
    page = book.add_worksheet()
    for number, row in enumerate(rows):
        page.write_row(number, 0, row)
    book.close()
    return path


def refusal(path: Path) -> Rejection:
    with pytest.raises(FileRefusedError) as caught:
        read(path)
    return caught.value.rejection


# ---- CSV ------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "gbk", "utf-16"])
def test_csv_is_read_in_every_encoding(tmp_path: Path, encoding: str) -> None:
    path = file(tmp_path, "code,name\nT1,田林十二村\n".encode(encoding))
    assert read(path) == [ImportRow(2, {"code": "T1", "name": "田林十二村"})]


def test_rare_characters_survive_in_both_encodings(tmp_path: Path) -> None:
    for encoding in ("utf-8", "gb18030"):
        path = file(tmp_path, "code,name\nT1,䶮𬭎苑\n".encode(encoding))
        assert read(path)[0].cells["name"] == "䶮𬭎苑"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("code,name\r\nT1,x\r\n", id="line ends of Windows"),
        pytest.param("code,name\nT1,x", id="no line end at the end"),
        pytest.param("code\tname\nT1\tx\n", id="tabs"),
        pytest.param("code;name\nT1;x\n", id="semicolons"),
        pytest.param(" Code , NAME \n T1 , x \n", id="blanks and capitals"),
        pytest.param("code,name,,\nT1,x,,\n", id="empty columns at the end"),
    ],
)
def test_csv_is_read_as_programs_write_it(tmp_path: Path, text: str) -> None:
    assert [row.cells for row in read(file(tmp_path, text))] == [{"code": "T1", "name": "x"}]


def test_line_is_where_a_row_begins_in_spite_of_quoted_line_breaks_and_blank_lines(
    tmp_path: Path,
) -> None:
    path = file(tmp_path, 'code,name\nT1,"a\nb"\n\nT2,"c ""d"", e"\n')
    assert [(row.line, row.cells["name"]) for row in read(path)] == [
        (2, "a\nb"),
        (5, 'c "d", e'),
    ]


def test_columns_may_stand_in_any_order_and_optional_ones_may_be_absent(tmp_path: Path) -> None:
    assert read(file(tmp_path, "aliases,name,code\nb,x,T1\n"))[0].cells == {
        "aliases": "b",
        "name": "x",
        "code": "T1",
    }
    assert "aliases" not in read(file(tmp_path, "code,name\nT1,x\n"))[0].cells


def test_rows_with_too_many_or_too_few_cells_are_refused_alone(tmp_path: Path) -> None:
    refused: list[Rejection] = []
    path = file(tmp_path, "code,name\nT1\nT2,x,y\nT3,z\n")
    assert [row.cells["code"] for row in read(path, refused)] == ["T3"]
    assert refused == [
        Rejection(2, "cell_count", {"count": 1, "expected": 2}),
        Rejection(3, "cell_count", {"count": 3, "expected": 2}),
    ]


@pytest.mark.parametrize(
    ("content", "line", "code"),
    [
        pytest.param(b"", 1, "file_empty", id="empty"),
        pytest.param(b"\n\n \n", 1, "file_empty", id="blank lines alone"),
        pytest.param(b"code\nT1\n", 1, "columns_missing", id="column missing"),
        pytest.param(b"T1,x\n", 1, "columns_missing", id="no header"),
        pytest.param(b"code,name,colour\n", 1, "columns_unknown", id="unknown column"),
        pytest.param(b"code,name,,aliases\n", 1, "columns_unknown", id="column without a name"),
        pytest.param(b"code,name,name\n", 1, "columns_twice", id="column twice"),
        pytest.param(b'code,name\nT1,"cut off', 2, "csv_broken", id="cut off in a quote"),
        pytest.param(b'code,name\nT1,"a"b\n', 2, "csv_broken", id="quote in the middle"),
        pytest.param(b"code,name\nT1," + b"x" * 20_000, 2, "csv_broken", id="endless cell"),
        pytest.param(b"code,name\nT1,\xff\xff\xff\n", 1, "encoding_unknown", id="no text"),
        pytest.param(b"PK\x03\x04 not a workbook", 1, "spreadsheet_broken", id="broken workbook"),
    ],
)
def test_file_that_cannot_be_read_is_refused_with_line_and_reason(
    tmp_path: Path, content: bytes, line: int, code: str
) -> None:
    found = refusal(file(tmp_path, content))
    assert (found.line, found.code) == (line, code)


def test_wrong_columns_are_named_with_those_expected(tmp_path: Path) -> None:
    found = refusal(file(tmp_path, "code,title,colour\n"))
    assert found.facts == {"columns": "name", "expected": "code, name, [aliases]"}
    found = refusal(file(tmp_path, "code,name,title,colour\n"))
    assert found.facts["columns"] == "title, colour"


@given(content=st.binary(max_size=200) | st.text(max_size=100).map(str.encode))
def test_any_bytes_are_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "any"
    for head in (b"", b"code,name\n"):
        path.write_bytes(head + content)
        try:
            rows = read(path)
        except FileRefusedError:
            continue
        assert all({"code", "name"} <= row.cells.keys() for row in rows)


# ---- spreadsheets ---------------------------------------------------------------------------


def test_spreadsheet_gives_text_and_says_what_was_a_number(tmp_path: Path) -> None:
    path = sheet(
        tmp_path,
        ["code", "name", "aliases"],
        ["0012", "田林", "a"],
        [12, 121.4375, True],
        ["T3", datetime(2020, 3, 27, tzinfo=UTC).replace(tzinfo=None), date(2020, 3, 28)],
    )
    rows = read(path)
    assert [list(row.cells.values()) for row in rows] == [
        ["0012", "田林", "a"],
        ["12", "121.4375", "True"],
        ["T3", "2020-03-27", "2020-03-28"],
    ]
    assert rows[0].numbers == frozenset()
    assert {"code", "name"} <= rows[1].numbers
    assert [row.line for row in rows] == [2, 3, 4]


def test_spreadsheet_may_have_blank_rows(tmp_path: Path) -> None:
    path = sheet(tmp_path, [], ["code", "name"], [], ["T1", "x"], [])
    assert [(row.line, row.cells["code"]) for row in read(path)] == [(4, "T1")]


def test_count_lines_is_for_text_alone(tmp_path: Path) -> None:
    assert count_lines(file(tmp_path, "a\nb\nc\n")) == 3
    assert count_lines(sheet(tmp_path, ["a"])) == 0
