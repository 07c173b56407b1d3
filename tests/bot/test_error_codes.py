from __future__ import annotations

import pytest

from bot.error_codes import ACTIONS, RETRYABLE, Action, action_of
from bot.transport import error_of


@pytest.mark.parametrize("code", [0, 1, 99999])
def test_code_that_is_not_in_the_table_is_given_up(code: int) -> None:
    assert action_of(code) is Action.GIVE_UP


def test_every_action_is_asked_for_by_some_code() -> None:
    assert set(ACTIONS.values()) == set(Action)


@pytest.mark.parametrize("code", sorted(ACTIONS))
def test_error_of_every_code_is_retryable_as_its_action_says(code: int) -> None:
    error = error_of(code, "words rid: 1")
    assert error.retryable is (ACTIONS[code] in RETRYABLE)
    assert str(code) in error.reason


def test_refused_secret_in_the_token_call_is_no_stale_token() -> None:
    assert error_of(40001, "", token_call=True).action is Action.CONFIG_ALARM
    assert error_of(40001, "").action is Action.REFRESH_TOKEN
