from __future__ import annotations

import contextlib
import math
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.clock import SHANGHAI
from core.importing import (
    ImportRow,
    RowRefusedError,
    check_first,
    code_in,
    day_in,
    instant_in,
    number_in,
    shown,
    text_in,
    whole_in,
)

TODAY = date(2020, 3, 28)


def row(value: str, *, is_number: bool = False) -> ImportRow:
    return ImportRow(2, {"x": value}, frozenset({"x"}) if is_number else frozenset())


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ("田林十二村", "田林十二村"),
        ("龙 𬭎", "龙 𬭎"),
        ("第一行\n第二行", "第一行 第二行"),
        ("田林\u200b十二村\ufeff", "田林十二村"),
    ],
)
def test_text_is_one_line_without_invisible_characters(cell: str, text: str) -> None:
    assert text_in(row(cell), "x", max_length=20) == text


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ("", "cell_empty"),
        ("\u200b", "cell_empty"),
        ("x" * 21, "cell_too_long"),
        ("a\x00b", "cell_control_character"),
        ("a\ud800b", "cell_control_character"),
    ],
)
def test_text_that_cannot_be_used_is_refused(cell: str, code: str) -> None:
    with pytest.raises(RowRefusedError) as caught:
        text_in(row(cell), "x", max_length=20)
    assert caught.value.at(7).code == code


def test_whole_number_has_no_fraction() -> None:
    assert whole_in(row("12.0"), "x") == 12
    assert whole_in(row(""), "x") is None
    with pytest.raises(RowRefusedError, match="not_whole"):
        whole_in(row("1.5"), "x")


@pytest.mark.parametrize(
    ("cell", "instant"),
    [
        ("2020-03-28", "2020-03-27T16:00:00"),
        ("2020/3/28 9:05", "2020-03-28T01:05:00"),
        ("2020-03-28T09:05:30.25", "2020-03-28T01:05:30"),
        ("２０２０-03-28 ０９：０５", "2020-03-28T01:05:00"),
        ("2020-03-28T09:05:00Z", "2020-03-28T09:05:00"),
        ("2020-03-28 09:05+08:00", "2020-03-28T01:05:00"),
        ("2020-03-28T09:05:00-0330", "2020-03-28T12:35:00"),
    ],
)
def test_instant_is_local_unless_it_says_otherwise(cell: str, instant: str) -> None:
    latest = datetime(2020, 3, 28, 8, tzinfo=SHANGHAI)
    found = instant_in(row(cell), "x", latest=latest)
    assert found == datetime.fromisoformat(instant).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ("", "cell_empty"),
        ("2020-03-28 24:00", "not_a_day"),
        ("2020-03-28 09:60", "not_a_day"),
        ("2020-03-28 09:05+99:00", "not_a_day"),
        ("0001-01-01 00:00", "not_a_day"),
        ("2020-02-30 09:05", "not_a_day"),
        ("2020-03-29 00:00", "day_too_late"),
    ],
)
def test_instant_that_is_none_is_refused(cell: str, code: str) -> None:
    with pytest.raises(RowRefusedError, match=code):
        instant_in(row(cell), "x", latest=datetime(2020, 3, 28, 8, tzinfo=SHANGHAI))


def test_code_that_was_a_number_in_the_spreadsheet_is_refused() -> None:
    assert code_in(row("0012"), "x", max_length=9) == "0012"
    with pytest.raises(RowRefusedError, match="code_is_number"):
        code_in(row("12", is_number=True), "x", max_length=9)


@pytest.mark.parametrize(
    ("cell", "number"),
    [("1", 1), ("-0", 0), ("0.25", 0.25), (".5", 0.5), ("1e3", 1000), ("１２", 12), ("", None)],
)
def test_number_is_read(cell: str, number: float | None) -> None:
    found = number_in(row(cell), "x")
    assert found == number
    assert found is None or math.copysign(1, found) == 1


@pytest.mark.parametrize(
    "cell", ["nan", "inf", "1_000", "1,000", "0x1f", "12人", "1e999", "--1", "٣"]
)
def test_number_that_is_none_is_refused(cell: str) -> None:
    with pytest.raises(RowRefusedError, match="not_a_number"):
        number_in(row(cell), "x")


@pytest.mark.parametrize(
    ("cell", "code"), [("-0.1", "number_too_small"), ("1.01", "number_too_large")]
)
def test_number_outside_the_limits_is_refused(cell: str, code: str) -> None:
    with pytest.raises(RowRefusedError, match=code):
        number_in(row(cell), "x", minimum=0, maximum=1)


@pytest.mark.parametrize(
    "cell", ["2020-03-07", "2020/3/7", "2020.03.7", "20200307", "２０２０－０３－０７"]
)
def test_day_is_read_in_the_ways_it_is_written(cell: str) -> None:
    assert day_in(row(cell), "x", latest=TODAY) == date(2020, 3, 7)


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ("2020-02-30", "not_a_day"),
        ("2020-13-01", "not_a_day"),
        ("2020-3/7", "not_a_day"),
        ("202037", "not_a_day"),
        ("0000-01-01", "not_a_day"),
        ("昨天", "not_a_day"),
        ("43918", "not_a_day"),
        ("", "cell_empty"),
        ("2020-03-29", "day_too_late"),
    ],
)
def test_day_that_is_none_or_too_late_is_refused(cell: str, code: str) -> None:
    with pytest.raises(RowRefusedError, match=code):
        day_in(row(cell), "x", latest=TODAY)


@given(st.text())
def test_cells_are_read_or_refused_and_nothing_else(cell: str) -> None:
    for read in (
        lambda: text_in(row(cell), "x", max_length=9),
        lambda: number_in(row(cell), "x"),
        lambda: day_in(row(cell), "x", latest=TODAY),
    ):
        with contextlib.suppress(RowRefusedError):
            read()


def test_check_first_names_the_line_that_came_before() -> None:
    seen: dict[str, int] = {}
    check_first("A", line=2, seen=seen)
    check_first("B", line=3, seen=seen)
    with pytest.raises(RowRefusedError) as caught:
        check_first("A", line=9, seen=seen)
    assert caught.value.facts == {"value": "A", "first": 2}


def test_shown_is_short_and_one_line() -> None:
    assert shown("a\nb") == "a b"
    assert len(shown("长" * 500)) == 40
