from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import ConflictError, DomainError
from core.risk.rules import Colour
from handlers.forms import (
    MAX_LIST,
    MAX_NUMBER,
    ChoiceMissingError,
    DayInvalidError,
    DecimalInvalidError,
    FieldMissingError,
    Form,
    NumberInvalidError,
    TextTooLongError,
    UploadMissingError,
    UploadTooLargeError,
    choice_field,
    day_field,
    ids_of,
    number_field,
    period_of,
    text_field,
)
from handlers.page import Upload

PLAN = Upload(filename="plan.pdf", media_type="application/pdf", content=b"%PDF-1.7 plan")


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


# --- larger fields ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("一\r\n二\r三\n", "一\n二\n三"),
        ("\n\n  一\t二  \n", "一 二"),
        ("a\x00b\u2028c", "abc"),
        (" \n ", ""),
    ],
)
def test_lines_end_in_one_way_and_have_no_controls(typed: str, read: str) -> None:
    assert Form({"plan": typed}).optional_lines("plan") == read


@given(st.lists(st.text(max_size=12), max_size=30))
def test_ids_are_numbers_of_rows_each_once(values: list[str]) -> None:
    found = ids_of(values)
    assert len(set(found)) == len(found)
    assert all(1 <= number <= MAX_NUMBER for number in found)


def test_ids_keep_their_order_and_their_list_is_bounded() -> None:
    assert ids_of(["7", "3", "x", "7", "0", "3", "12"]) == [7, 3, 12]
    assert len(ids_of([str(number) for number in range(1, MAX_LIST + 9)])) == MAX_LIST


# --- forms --------------------------------------------------------------------------------------


def fault_of(form: Form, name: str) -> tuple[type[DomainError], dict[str, object]]:
    error = form.faults[name]
    return type(error), error.facts


def test_form_that_is_right_has_no_faults() -> None:
    form = Form(
        {
            "name": " 王静 ",
            "count": "25",
            "colour": "red",
            "from": "2020-03-28",
            "plan": "一\r\n二",
            "agreed": "yes",
        },
        uploads={"file": PLAN},
    )
    assert form.text("name") == "王静"
    assert form.number("count", lowest=0, highest=100) == 25
    assert form.choice("colour", Colour) is Colour.RED
    assert form.day("from") == date(2020, 3, 28)
    assert form.lines("plan") == "一\n二"
    assert form.is_checked("agreed")
    assert form.upload("file") is PLAN
    assert form.optional_text("nothing") == ""
    assert form.faults == {}


def test_empty_form_names_every_field_that_is_missing_in_order() -> None:
    form = Form({"name": " \x00 "})
    assert form.text("name") is None
    assert form.lines("plan") is None
    assert form.number("count") is None
    assert form.choice("colour", Colour) is None
    assert form.day("from") is None
    assert form.upload("file") is None
    assert form.optional_upload("picture") is None
    assert not form.is_checked("agreed")
    assert {name: type(error) for name, error in form.faults.items()} == {
        "name": FieldMissingError,
        "plan": FieldMissingError,
        "count": FieldMissingError,
        "colour": ChoiceMissingError,
        "from": FieldMissingError,
        "file": UploadMissingError,
    }
    assert list(form.faults) == ["name", "plan", "count", "colour", "from", "file"]


def test_text_that_is_too_long_is_a_fault_and_never_cut() -> None:
    form = Form({"name": "x" * 65, "reason": " " * 9 + "x" * 64 + " " * 9, "plan": "x\n" * 6})
    assert form.text("name") is None
    assert fault_of(form, "name") == (TextTooLongError, {"max_count": 64})
    assert form.text("reason") == "x" * 64
    assert form.lines("plan", max_count=10) is None
    assert fault_of(form, "plan") == (TextTooLongError, {"max_count": 10})
    assert form.typed["name"] == "x" * 65


@pytest.mark.parametrize("typed", ["0", "101", "-1", "1.5", "１２", "x", "9" * 400])
def test_number_out_of_its_bounds_is_a_fault_that_names_them(typed: str) -> None:
    form = Form({"count": typed})
    assert form.number("count", highest=100) is None
    assert fault_of(form, "count") == (NumberInvalidError, {"lowest": 1, "highest": 100})


@pytest.mark.parametrize(("typed", "value"), [("1", 1.0), (" 12.5 ", 12.5), ("１２．５", 12.5)])
def test_decimal_is_read_as_it_is_typed(typed: str, value: float) -> None:
    form = Form({"seconds": typed})
    assert form.decimal("seconds", lowest=1, highest=99.9) == value
    assert form.faults == {}


@pytest.mark.parametrize("typed", ["0.9", "100", "-2", "1,5", "1e1", "nan", "inf", "1²", "x"])
def test_decimal_out_of_its_bounds_is_a_fault_that_names_them(typed: str) -> None:
    form = Form({"seconds": typed})
    assert form.decimal("seconds", lowest=1, highest=99.9) is None
    assert fault_of(form, "seconds") == (DecimalInvalidError, {"lowest": "1", "highest": "99.9"})


@pytest.mark.parametrize("typed", ["2020-02-30", "28.3.2020", "tomorrow"])
def test_day_that_is_none_is_a_fault(typed: str) -> None:
    form = Form({"from": typed})
    assert form.day("from") is None
    assert fault_of(form, "from") == (DayInvalidError, {})


def test_error_of_a_rule_is_the_fault_of_its_field() -> None:
    def refuse(_: str) -> str:
        raise ConflictError(since=3)

    form = Form({"name": " 王 "})
    assert form.read("name", str) == "王"
    assert form.read("name", refuse) is None
    assert fault_of(form, "name") == (ConflictError, {"since": 3})


def test_first_fault_of_a_field_stays() -> None:
    form = Form({})
    form.text("name")
    form.refuse("name", ConflictError())
    assert fault_of(form, "name")[0] is FieldMissingError


def test_file_that_is_too_large_is_a_fault() -> None:
    form = Form({}, uploads={"file": PLAN})
    assert form.upload("file", max_bytes=2 * 1024 * 1024) is PLAN
    large = Upload(filename="a.pdf", media_type="application/pdf", content=b"x" * (1024 * 1024 + 1))
    form = Form({}, uploads={"file": large})
    assert form.upload("file", max_bytes=1024 * 1024) is None
    assert fault_of(form, "file") == (UploadTooLargeError, {"max_mb": 1})


@given(st.dictionaries(st.sampled_from(["a", "b"]), st.text(max_size=40)))
def test_no_field_breaks_a_reader(fields: dict[str, str]) -> None:
    form = Form(fields)
    for name in ("a", "b"):
        values = (form.text(name), form.lines(name), form.number(name), form.day(name))
        assert any(value is None for value in values)
        assert name in form.faults
