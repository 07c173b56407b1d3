from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.risk.rules import Colour
from handlers.console.fields import (
    MAX_NUMBER,
    choice_field,
    day_field,
    number_field,
    period_of,
    text_field,
)


@pytest.mark.parametrize(
    ("typed", "read"), [(" 田林 ", "田林"), ("a\x00b\n", "ab"), ("x" * 99, "x" * 64), ("", "")]
)
def test_text_is_cleaned(typed: str, read: str) -> None:
    assert text_field({"q": typed}, "q") == read


@pytest.mark.parametrize(
    ("typed", "read"),
    [("1", 1), (str(MAX_NUMBER), MAX_NUMBER), (str(MAX_NUMBER + 1), None)]
    + [(odd, None) for odd in ("0", "-1", "1.5", "１", "²", "", "x", "9" * 5000)],
)
def test_number_is_one_that_a_row_may_have(typed: str, read: int | None) -> None:
    assert number_field({"page": typed}, "page") == read


def test_field_that_is_not_there_is_not_given() -> None:
    assert text_field({}, "q") == ""
    assert number_field({}, "q") is None
    assert choice_field({}, "q", Colour) is None
    assert day_field({}, "q") is None


@pytest.mark.parametrize(("typed", "read"), [("red", Colour.RED), ("RED", None), ("pink", None)])
def test_choice_is_one_of_its_values(typed: str, read: Colour | None) -> None:
    assert choice_field({"colour": typed}, "colour", Colour) is read


@given(st.text(max_size=20))
def test_any_text_is_a_day_or_not_given(typed: str) -> None:
    found = day_field({"from": typed}, "from")
    assert found is None or isinstance(found, date)


def test_period_is_that_of_the_shanghai_days() -> None:
    first, last = date(2020, 3, 28), date(2020, 3, 29)
    assert period_of(first, last) == (
        datetime(2020, 3, 27, 16, tzinfo=UTC),
        datetime(2020, 3, 29, 16, tzinfo=UTC),
    )
    assert period_of(None, None) == (None, None)


def test_days_at_the_ends_of_the_calendar_have_no_instant() -> None:
    assert period_of(date.min, date.max) == (None, None)
