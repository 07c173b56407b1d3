"""What to do about each error code of WeChat's API, as one table.

Source: docs/sources.md#wechat-error-codes
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class Action(StrEnum):
    """What an error asks for."""

    RETRY = "retry"  # busy: again, with back-off
    NEXT_MINUTE = "next_minute"  # too often: the call rests until the next minute
    TOMORROW = "tomorrow"  # quota used up: the call rests until midnight in Shanghai
    REFRESH_TOKEN = "refresh_token"  # noqa: S105  the token is not the latest: renew it once
    GIVE_UP = "give_up"  # this request will never succeed
    MARK_UNFOLLOWED = "mark_unfollowed"  # the person does not follow the account
    CLEAR_CONSENT = "clear_consent"  # the person accepts no more of these messages
    WINDOW_SHUT = "window_shut"  # no customer-service message now: another channel
    CONFIG_ALARM = "config_alarm"  # the account or this installation is set up wrongly
    TREAT_AS_SUCCESS = "treat_as_success"  # it was done before
    RESTART_LOGIN = "restart_login"  # the code is spent: the person signs in again
    BUG = "bug"  # we sent what the platform's rules forbid


ACTIONS: Final[Mapping[int, Action]] = {
    -1: Action.RETRY,
    40001: Action.REFRESH_TOKEN,
    40003: Action.MARK_UNFOLLOWED,
    40013: Action.CONFIG_ALARM,
    40014: Action.REFRESH_TOKEN,
    40029: Action.RESTART_LOGIN,
    40037: Action.CONFIG_ALARM,
    40125: Action.CONFIG_ALARM,
    40163: Action.RESTART_LOGIN,
    40164: Action.CONFIG_ALARM,
    40226: Action.GIVE_UP,
    41030: Action.CONFIG_ALARM,
    42001: Action.REFRESH_TOKEN,
    43004: Action.MARK_UNFOLLOWED,
    43101: Action.CLEAR_CONSENT,
    43116: Action.CONFIG_ALARM,
    44004: Action.BUG,
    45002: Action.BUG,
    45008: Action.BUG,
    45009: Action.TOMORROW,
    45011: Action.NEXT_MINUTE,
    45015: Action.WINDOW_SHUT,
    45029: Action.GIVE_UP,
    45035: Action.CONFIG_ALARM,
    45047: Action.WINDOW_SHUT,
    45065: Action.TREAT_AS_SUCCESS,
    47001: Action.BUG,
    47003: Action.BUG,
    48001: Action.CONFIG_ALARM,
    48004: Action.CONFIG_ALARM,
    48006: Action.TOMORROW,
    50001: Action.GIVE_UP,
    50002: Action.GIVE_UP,
    61004: Action.CONFIG_ALARM,
    61010: Action.GIVE_UP,
    65320: Action.BUG,
    89501: Action.CONFIG_ALARM,
    89503: Action.CONFIG_ALARM,
    89506: Action.CONFIG_ALARM,
    89507: Action.CONFIG_ALARM,
}

# From the call that fetches a token these mean the secret: another try would change nothing.
TOKEN_CALL_ACTIONS: Final[Mapping[int, Action]] = {40001: Action.CONFIG_ALARM}

RETRYABLE: Final = frozenset(
    {Action.RETRY, Action.NEXT_MINUTE, Action.TOMORROW, Action.CONFIG_ALARM}
)


def action_of(code: int) -> Action:
    """Return what to do about a code; one that is not in the table is given up."""
    return ACTIONS.get(code, Action.GIVE_UP)
