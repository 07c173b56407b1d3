"""Rules of codes: how long they live, what their tokens and check codes look like."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.clock import day_of
from core.codes.rules import (
    CHECK_ALPHABET,
    address_of,
    company_id_of,
    expiry_of,
    is_token,
    last_day_of,
    shown_check_code,
    subject_of,
)

EPOCH = datetime(2020, 1, 1, tzinfo=UTC)
instants = st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=7300)).map(EPOCH.__add__)


@given(instants)
def test_code_works_to_the_end_of_its_ninetieth_day(now: datetime) -> None:
    expires_at = expiry_of(now)
    last_day = last_day_of(expires_at)
    assert last_day == day_of(now) + timedelta(days=90)
    assert day_of(expires_at) == last_day + timedelta(days=1)


def test_last_day_is_that_of_shanghai() -> None:
    # In Shanghai it is the 29th already.
    assert last_day_of(expiry_of(datetime(2020, 3, 28, 17, tzinfo=UTC))) == date(2020, 6, 27)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("Ab3_-Ab3_-Ab3_-Ab3_-xy", True, id="token"),
        pytest.param("Ab3_-Ab3_-Ab3_-Ab3_-x", False, id="short"),
        pytest.param("Ab3_-Ab3_-Ab3_-Ab3_-xyz", False, id="long"),
        pytest.param("Ab3_-Ab3_-Ab3_-Ab3_-x/", False, id="slash"),
        pytest.param("Ａb3_-Ab3_-Ab3_-Ab3_-xy", False, id="full width"),
        pytest.param("Ab3_-Ab3_-Ab3_-Ab3_-x\n", False, id="line end"),
        pytest.param("", False, id="nothing"),
    ],
)
def test_most_guesses_are_no_tokens(text: str, expected: bool) -> None:
    assert is_token(text) is expected


@given(st.integers(min_value=1, max_value=2**31))
def test_subject_names_its_company(company_id: int) -> None:
    assert company_id_of(subject_of(company_id)) == company_id


@pytest.mark.parametrize("subject", ["site:7", "company:", "company:x", "company:٣", "7", ""])
def test_other_subjects_are_no_companies(subject: str) -> None:
    assert company_id_of(subject) is None


def test_address_keeps_the_prefix_that_a_mini_program_can_take_over() -> None:
    assert address_of("https://a.example", "t") == "https://a.example/h5/c/t"


def test_check_code_has_no_look_alikes_and_is_shown_in_halves() -> None:
    assert not set("0OQD1ILBSZ258AEUVG") & set(CHECK_ALPHABET)
    assert len(set(CHECK_ALPHABET)) == len(CHECK_ALPHABET)
    assert shown_check_code("K7M4QX") == "K7M 4QX"
