from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.h5_cookies import (
    FIRST_TRY,
    MAX_ATTEMPTS,
    Attempt,
    find_session,
    list_attempts,
    new_attempt,
    new_session,
    sealed_attempts,
    used,
)
from core.db import Keyring, install_keyring
from tests.conftest import DATA_KEY

NOW = datetime(2020, 3, 28, 0, 0, tzinfo=UTC)
OPENID = "oTESTabcdefghijklmnopqrstuvw"


def attempt(path: str = "/h5/", *, minutes: int = 0) -> Attempt:
    return new_attempt(path=path, attempt_try=FIRST_TRY, now=NOW + timedelta(minutes=minutes))


@given(openid=st.text("abcABC019_-", max_size=64))
def test_session_comes_out_as_it_went_in(openid: str) -> None:
    install_keyring(Keyring([DATA_KEY]))
    session = new_session(openid=openid, now=NOW)
    sealed = session.sealed()
    assert find_session(sealed) == session
    assert openid not in sealed or len(openid) < 4
    assert session.sealed() != sealed


@pytest.mark.parametrize(
    ("minutes", "is_over"), [(-2, True), (0, False), (119, False), (120, True), (99_999, True)]
)
def test_session_is_over_after_two_hours(minutes: int, is_over: bool) -> None:
    session = new_session(openid=OPENID, now=NOW)
    assert session.is_over(NOW + timedelta(minutes=minutes)) is is_over


def test_session_that_is_made_anew_all_day_is_over_after_twelve_hours() -> None:
    later = NOW + timedelta(hours=11, minutes=59)
    session = replace(new_session(openid=OPENID, now=NOW), issued_at=later)
    assert not session.is_over(later)
    assert session.is_over(NOW + timedelta(hours=12))


@given(st.text(max_size=80))
def test_any_text_is_a_cookie_of_nobody(cookie: str) -> None:
    install_keyring(Keyring([DATA_KEY]))
    assert find_session(cookie) is None
    assert list_attempts(cookie, now=NOW) == []


def test_one_cookie_does_not_stand_for_the_other() -> None:
    assert find_session(sealed_attempts([attempt()])) is None
    assert list_attempts(new_session(openid=OPENID, now=NOW).sealed(), now=NOW) == []


def test_attempts_come_out_as_they_went_in_the_newest_three() -> None:
    attempts = [attempt(f"/h5/c/{number}?q=田林|x") for number in range(5)]
    kept = list_attempts(sealed_attempts(attempts), now=NOW)
    assert kept == attempts[-MAX_ATTEMPTS:]
    again = list_attempts(sealed_attempts(used(kept, kept[1].state)), now=NOW)
    assert [one.is_used for one in again] == [False, True, False]


def test_attempt_lives_ten_minutes() -> None:
    sealed = sealed_attempts([attempt(), attempt(minutes=5)])
    later = NOW + timedelta(minutes=10)
    assert [one.began_at for one in list_attempts(sealed, now=later)] == [
        NOW + timedelta(minutes=5)
    ]


def test_longest_attempts_fit_a_cookie() -> None:
    longest = "/h5/" + "长" * 165
    sealed = sealed_attempts([attempt(longest)] * MAX_ATTEMPTS)
    assert len(sealed) < 3900
    assert [one.path for one in list_attempts(sealed, now=NOW)] == [longest] * MAX_ATTEMPTS
    assert attempt(longest + "长").path == "/h5/"


def test_states_are_letters_and_digits_and_never_the_same() -> None:
    states = {attempt().state for _ in range(100)}
    assert len(states) == 100
    assert all(state.isascii() and state.isalnum() and state[0] == "1" for state in states)
