from __future__ import annotations

from datetime import date
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.cn import ric, uscc

from bot.demo.names import (
    birth_date,
    company_code,
    company_name,
    person_name,
    resident_check,
    resident_number,
    unified_check,
)

TODAY = date(2020, 3, 28)
chances = st.integers(0, 2**32).map(Random)


def many(make: object, count: int = 4000) -> list[str]:
    random = Random(1)
    assert callable(make)
    return [make(random) for _ in range(count)]


@given(chances, st.dates(date(1925, 1, 1), TODAY), st.booleans())
def test_resident_number_has_a_right_check_digit_and_birth_date(
    random: Random, born_on: date, is_female: bool
) -> None:
    number = resident_number(random, born_on=born_on, is_female=is_female)
    assert ric.validate(number) == number
    assert ric.get_birth_date(number) == born_on
    assert (int(number[16]) % 2 == 0) is is_female


@given(chances, st.dates(date(1925, 1, 1), TODAY))
def test_resident_number_is_of_no_district_in_which_people_are_registered(
    random: Random, born_on: date
) -> None:
    assert resident_number(random, born_on=born_on, is_female=True).startswith("310100")


@given(chances)
def test_company_code_has_right_check_digits_and_an_office_that_does_not_exist(
    random: Random,
) -> None:
    code = company_code(random)
    assert uscc.validate(code) == code
    assert code[2:8] == "310199"


@pytest.mark.parametrize(
    ("body", "check"), [("11010519491231002", "X"), ("44052418800101001", "4")]
)
def test_resident_check_agrees_with_the_examples_of_the_standard(body: str, check: str) -> None:
    assert resident_check(body) == check


def test_unified_check_agrees_with_a_published_code() -> None:
    assert unified_check("91110000600037341") == "L"


def test_person_names_are_varied_with_rare_characters_and_dots() -> None:
    names = many(person_name)
    assert len(set(names)) > 2500
    assert 5 < sum("·" in name for name in names) < 80
    assert any(ord(one) > 0xFFFF for name in names for one in name)
    assert {len(name) for name in names if "·" not in name} <= {2, 3, 4}


def test_company_names_end_in_their_legal_form() -> None:
    names = many(company_name)
    assert all(name.startswith("上海") for name in names)
    assert all(name.endswith(("公司", "（有限合伙）")) for name in names)
    assert len(set(names)) > 3000


@given(chances, st.integers(0, 60), st.integers(1, 40))
def test_birth_date_lies_between_the_ages(random: Random, youngest: int, span: int) -> None:
    born_on = birth_date(random, today=TODAY, youngest=youngest, oldest=youngest + span)
    assert youngest <= (TODAY - born_on).days / 365.25 <= youngest + span
