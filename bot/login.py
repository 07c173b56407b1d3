"""Signing in through WeChat: where a page sends a person, and who came back.

A page inside WeChat does not know who holds the phone. It sends the browser to the platform's
authorize page, which comes back at once with a code; the code, asked for with the account's
secret, gives the openid. No access token is involved.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import quote, urljoin

import structlog

from bot.client import DeliveryError, WeChatClient
from bot.error_codes import Action
from bot.settings import Settings

log = structlog.get_logger()

PHONE_COOKIE: Final = "sim_phone"  # which of the simulator's phones a browser stands for
INSIDE: Final = "micromessenger"
OTHER_APP: Final = "wxwork"  # WeCom calls itself WeChat too, but signs in to companies alone
_STATE: Final = re.compile(r"[0-9A-Za-z]{1,128}")
_CODE: Final = re.compile(r"[0-9A-Za-z_-]{1,512}")


class LoginError(Exception):
    """Nobody is signed in.

    Attributes:
        is_retryable: the platform does not answer now; signing in anew may succeed later.
        code: the platform's error code; None when it gave none.
        is_spent: the code was used, is too old or was never given out: begin anew at once. When
            neither this nor `is_retryable` holds, this person cannot sign in.
    """

    def __init__(
        self, *, is_retryable: bool, code: int | None = None, is_spent: bool = False
    ) -> None:
        """Keep the facts; see the class."""
        super().__init__(f"not signed in: {code if code is not None else 'no code'}")
        self.is_retryable = is_retryable
        self.code = code
        self.is_spent = is_spent


def authorize_url(settings: Settings, *, return_to: str, state: str) -> str:
    """Return the platform's page that sends a person back with a code, without asking them.

    Args:
        settings: the account, and where the platform's pages are.
        return_to: where the code goes: a path of this installation (`/h5/…`), or a whole address
            on the host that the account's console names.
        state: comes back unchanged; 1 to 128 letters and digits.

    Raises:
        ValueError: the state has other characters, or the address is not one of the web: a bug
            in the caller.

    Source: docs/sources.md#wechat-sign-in
    """
    if not _STATE.fullmatch(state):
        raise ValueError("a state has 1 to 128 letters and digits")
    address = urljoin(settings.resolved_public_url + "/", return_to)
    if not address.startswith(("https://", "http://")):
        raise ValueError("a code goes to an address of the web")
    # The platform wants the parameters in this order.
    return (
        f"{settings.resolved_wechat_open_url}/connect/oauth2/authorize"
        f"?appid={quote(settings.wechat_appid, safe='')}"
        f"&redirect_uri={quote(address, safe='')}"
        f"&response_type=code&scope=snsapi_base&state={state}#wechat_redirect"
    )


def find_openid(client: WeChatClient, *, code: str) -> str:
    """Return who came back from the authorize page; never empty.

    A code is asked for once: a second question would be refused, whatever became of the first.

    Args:
        client: calls the platform; takes at most some seconds.
        code: from the address that the platform sent the browser to; anybody may have typed it.

    Raises:
        LoginError: the code is worthless, the platform does not answer, or the person looks at a
            snapshot of the page, which makes them nobody.

    Source: docs/sources.md#wechat-sign-in
    """
    if not _CODE.fullmatch(code):
        raise LoginError(is_retryable=False, is_spent=True)
    try:
        login = client.login_page(code)
    except DeliveryError as error:
        failure = _login_error_of(error)
    else:
        if not login.is_snapshot:
            return login.openid
        failure = LoginError(is_retryable=False)
    log.warning("not signed in", code=failure.code, is_retryable=failure.is_retryable)
    raise failure


def is_inside_wechat(user_agent: str, *, has_phone_cookie: bool, is_production: bool) -> bool:
    """Return whether a browser can sign in through WeChat.

    Args:
        user_agent: what the browser calls itself; may be empty.
        has_phone_cookie: it carries `PHONE_COOKIE`, which only the simulator sets.
        is_production: the simulator does not exist, so its cookie means nothing.
    """
    if has_phone_cookie and not is_production:
        return True
    name = user_agent.lower()
    return INSIDE in name and OTHER_APP not in name


def _login_error_of(error: DeliveryError) -> LoginError:
    return LoginError(
        is_retryable=error.retryable,
        code=error.code,
        is_spent=error.action is Action.RESTART_LOGIN,
    )
