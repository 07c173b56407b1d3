"""How a call reaches WeChat's API, and errors that say what to do, without tokens or openids."""

from __future__ import annotations

import logging
from typing import Any, Final

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import NewConnectionError

from bot.error_codes import ACTIONS, RETRYABLE, TOKEN_CALL_ACTIONS, Action, action_of

# Its debug lines show the address of every call, and with it the token.
logging.getLogger("urllib3.connectionpool").setLevel(logging.INFO)

PLATFORM_URL: Final = "https://api.weixin.qq.com/"
TIMEOUT_SECONDS: Final = (3.05, 5.0)
REASON_CHARACTERS: Final = 180
HTTP_ERROR: Final = 400


class DeliveryError(Exception):
    """A call of the platform failed.

    Attributes:
        code: the platform's error code; None when it gave no proper answer.
        action: what to do about it.
        reason: short technical text without tokens or personal data.
        retry_after: seconds to wait at least; None leaves it to the caller.
        is_unsure: the platform may have done what was asked all the same.
    """

    def __init__(
        self,
        code: int | None,
        action: Action,
        *,
        reason: str = "",
        retry_after: float | None = None,
        is_unsure: bool = False,
    ) -> None:
        """Keep the facts; see the class."""
        super().__init__(f"{code if code is not None else 'no answer'}: {action}")
        self.code = code
        self.action = action
        self.reason = reason[:REASON_CHARACTERS]
        self.retry_after = retry_after
        self.is_unsure = is_unsure

    @property
    def retryable(self) -> bool:
        """Whether the same request may succeed later."""
        return self.action in RETRYABLE


class ApiAdapter(HTTPAdapter):
    """Sends what is addressed to the platform to a base address, never without a timeout."""

    def __init__(self, base_url: str, *, timeout: tuple[float, float] = TIMEOUT_SECONDS) -> None:
        """Prepare the connections.

        Args:
            base_url: what stands for `https://api.weixin.qq.com`.
            timeout: seconds to connect, seconds without a byte.
        """
        super().__init__(pool_maxsize=16)
        self._base_url = base_url.rstrip("/") + "/"
        self._timeout = timeout

    def send(
        self, request: requests.PreparedRequest, *args: Any, **kwargs: Any
    ) -> requests.Response:
        """Send to the base address; a missing timeout becomes the default."""
        if request.url and request.url.startswith(PLATFORM_URL):
            request.url = self._base_url + request.url.removeprefix(PLATFORM_URL)
            request.headers.pop("Host", None)
            # The proxies were chosen for the platform's host, not for this one.
            kwargs["proxies"] = requests.utils.get_environ_proxies(request.url)
        if kwargs.get("timeout") is None:
            kwargs["timeout"] = self._timeout
        return super().send(request, *args, **kwargs)


def make_http(base_url: str, *, timeout: tuple[float, float] = TIMEOUT_SECONDS) -> requests.Session:
    """Return a session whose calls of the platform go to `base_url`."""
    http = requests.Session()
    http.mount(PLATFORM_URL, ApiAdapter(base_url, timeout=timeout))
    return http


def error_of(code: int, message: str, *, token_call: bool = False) -> DeliveryError:
    """Return the error for a code of the platform.

    Args:
        code: `errcode` of the answer.
        message: `errmsg`; its `rid` is what the platform's support asks for.
        token_call: it came from the call that fetches a token.
    """
    action = TOKEN_CALL_ACTIONS.get(code) if token_call else None
    action = action or action_of(code)
    reason = f"{code} {message}" if code in ACTIONS else f"{code} (not in the table) {message}"
    return DeliveryError(code, action, reason=reason)


def failure_of(error: requests.RequestException) -> DeliveryError:
    """Return the error for a call without an answer; the address, with its token, is left out."""
    # A connection that was never made cannot have carried the request.
    cause = getattr(error.args[0], "reason", None) if error.args else None
    never_sent = isinstance(error, requests.ConnectTimeout) or isinstance(cause, NewConnectionError)
    return DeliveryError(None, Action.RETRY, reason=type(error).__name__, is_unsure=not never_sent)


def answer_of(response: requests.Response) -> dict[str, Any]:
    """Return the JSON object that the platform answered, without looking at its code.

    Raises:
        DeliveryError: another status than 200, or a page that is not a JSON object.
    """
    if response.status_code >= HTTP_ERROR:
        raise DeliveryError(
            None, Action.RETRY, reason=f"status {response.status_code}", is_unsure=True
        )
    try:
        answer = response.json()
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        raise DeliveryError(None, Action.RETRY, reason="not a JSON object", is_unsure=True)
    return answer
