"""The one client of WeChat's API: timeouts, the shared token, errors that say what to do.

wechatpy knows the addresses and bodies of the calls. Everything that its client leaves open is
closed here: its retry without end is off, every call has a timeout, an answer that is not JSON is
an error, and the token comes from `bot/tokens.py`. Neither tokens, secrets nor openids reach a log.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import requests
import structlog
from wechatpy.client import WeChatClient as PlatformClient
from wechatpy.exceptions import WeChatClientException

from bot import telemetry
from bot.error_codes import Action
from bot.settings import Settings
from bot.store import Store
from bot.tokens import TicketProvider, TokenProvider
from bot.transport import (
    PLATFORM_URL,
    TIMEOUT_SECONDS,
    DeliveryError,
    answer_of,
    error_of,
    failure_of,
    make_http,
)

__all__ = ["DeliveryError", "MiniSession", "PageLogin", "SceneCode", "WeChatClient"]

log = structlog.get_logger()

LOGIN_TIMEOUT_SECONDS: Final = (2.0, 3.0)
BUSY_RETRIES: Final = 2
BUSY_SECONDS: Final = 0.2

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True, kw_only=True)
class MiniSession:
    """Who opened the mini program; the session key never leaves the server."""

    openid: str
    session_key: str
    unionid: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PageLogin:
    """Who opened a page inside WeChat; a snapshot user is nobody and is not registered."""

    openid: str
    unionid: str = ""
    is_snapshot: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SceneCode:
    """A QR code that opens the account with a scene; `url` is what to draw."""

    ticket: str
    url: str
    expire_seconds: int | None = None


class _Platform(PlatformClient):  # type: ignore[misc]
    """wechatpy's client with our token, and no answer accepted that is not JSON."""

    def __init__(self, *, appid: str, http: requests.Session) -> None:
        super().__init__(appid, "", auto_retry=False)
        self._http = http
        self._of_thread = threading.local()

    def use_token(self, token: str) -> None:
        """Make `token` the one of this thread's next calls."""
        self._of_thread.token = token

    @property
    def access_token(self) -> str:
        return str(self._of_thread.token)

    def fetch_access_token(self) -> None:
        raise RuntimeError("the token provider fetches tokens")

    def _decode_result(self, res: requests.Response) -> dict[str, Any]:
        return answer_of(res)


class WeChatClient:
    """The calls that the product makes; each raises DeliveryError and nothing else."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        *,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
        timeout: tuple[float, float] = TIMEOUT_SECONDS,
    ) -> None:
        """Prepare the client; nothing connects yet.

        Args:
            settings: appid, secrets and the address of the API.
            store: shares token and ticket with the other processes.
            clock: seconds since 1970.
            sleep: waits between the tries of a call that met a busy platform.
            timeout: seconds to connect, seconds without a byte.
        """
        self._settings = settings
        self._clock = clock
        self._sleep = sleep
        self._http = make_http(settings.resolved_wechat_api_url, timeout=timeout)
        self.tokens = TokenProvider(
            appid=settings.wechat_appid,
            secret=settings.wechat_secret.get_secret_value(),
            http=self._http,
            store=store,
            clock=clock,
        )
        self._platform = _Platform(appid=settings.wechat_appid, http=self._http)
        self.tickets = TicketProvider(
            appid=settings.wechat_appid,
            ask=lambda: self._call("ticket", lambda api: api.jsapi.get_ticket("jsapi")),
            store=store,
            clock=clock,
        )

    # --- messages -------------------------------------------------------------------------------

    def send_template(
        self,
        *,
        openid: str,
        template_id: str,
        data: Mapping[str, Mapping[str, str]],
        client_msg_id: str,
        link: str = "",
        page_path: str = "",
    ) -> str:
        """Send a template message and return its id.

        Args:
            openid: the receiver.
            template_id: a template of the account.
            data: fitted fields.
            client_msg_id: the same id to the same person within ten minutes is sent once.
            link: page that a tap opens; one of ours may begin with `/`.
            page_path: page of the mini program that a tap opens; wins over `link`.
        """
        body = {
            "touser": openid,
            "template_id": template_id,
            "data": data,
            "client_msg_id": client_msg_id,
        } | self._target(link, page_path)
        answer = self._call("template", lambda api: api.post("message/template/send", data=body))
        return str(answer.get("msgid", ""))

    def send_subscribe(
        self,
        *,
        openid: str,
        template_id: str,
        data: Mapping[str, Mapping[str, str]],
        link: str = "",
        page_path: str = "",
    ) -> str:
        """Send a subscription message, using up one consent, and return its id."""
        target = self._target(link, page_path)
        answer = self._call(
            "subscribe",
            lambda api: api.message.send_subscribe_message(
                openid, template_id, data, target.get("miniprogram"), target.get("url")
            ),
        )
        return str(answer.get("msgid", ""))

    def send_custom_text(self, *, openid: str, text: str) -> None:
        """Send a text in the chat, within the customer-service window."""
        self._call("custom", lambda api: api.message.send_text(openid, text))

    def _target(self, link: str, page_path: str) -> dict[str, Any]:
        if link.startswith("/"):
            # Core knows the paths of our pages, and not where people reach this installation.
            link = self._settings.resolved_public_url + link
        target: dict[str, Any] = {"url": link} if link else {}
        if page_path and self._settings.mini_appid:
            target["miniprogram"] = {"appid": self._settings.mini_appid, "pagepath": page_path}
        return target

    # --- the account ----------------------------------------------------------------------------

    def create_menu(self, menu: Mapping[str, Any]) -> None:
        """Publish the account's menu, replacing the one before."""
        self._call("menu_create", lambda api: api.menu.create(dict(menu)))

    def get_menu(self) -> dict[str, Any] | None:
        """Return the published menu, or None when there is none."""
        answer = self._call("menu_get", lambda api: api.menu.get())
        return None if answer is None else dict(answer.get("menu", answer))

    def create_qrcode(self, scene: str, *, expire_seconds: int | None = None) -> SceneCode:
        """Create a QR code that opens the account with a scene.

        Args:
            scene: 1 to 64 characters, found again in the event.
            expire_seconds: life of a temporary code, at most 30 days; None makes a permanent one,
                of which the account has 100,000.
        """
        body: dict[str, Any] = {"action_info": {"scene": {"scene_str": scene}}}
        if expire_seconds is None:
            body["action_name"] = "QR_LIMIT_STR_SCENE"
        else:
            # Left out it would be one minute.
            body |= {"action_name": "QR_STR_SCENE", "expire_seconds": expire_seconds}
        answer = self._call("qrcode", lambda api: api.qrcode.create(body))
        return SceneCode(
            ticket=_text(answer, "ticket"),
            url=_text(answer, "url"),
            expire_seconds=answer.get("expire_seconds"),
        )

    def get_jsapi_ticket(self) -> str:
        """Return the ticket that signs pages for WeChat's script; everybody shares one."""
        return self.tickets.current()

    # --- signing in: no access token is involved ------------------------------------------------

    def code2session(self, code: str) -> MiniSession:
        """Return who sent a code of `wx.login`; a code works once, for five minutes."""
        settings = self._settings
        answer = self._login(
            "code2session",
            "sns/jscode2session",
            {
                "appid": settings.mini_appid or settings.wechat_appid,
                "secret": (
                    settings.mini_secret if settings.mini_appid else settings.wechat_secret
                ).get_secret_value(),
                "js_code": code,
                "grant_type": "authorization_code",
            },
        )
        return MiniSession(
            openid=_text(answer, "openid"),
            session_key=_text(answer, "session_key"),
            unionid=str(answer.get("unionid") or ""),
        )

    def login_page(self, code: str) -> PageLogin:
        """Return who came back from the authorize page with a code."""
        answer = self._login(
            "oauth",
            "sns/oauth2/access_token",
            {
                "appid": self._settings.wechat_appid,
                "secret": self._settings.wechat_secret.get_secret_value(),
                "code": code,
                "grant_type": "authorization_code",
            },
        )
        return PageLogin(
            openid=_text(answer, "openid"),
            unionid=str(answer.get("unionid") or ""),
            is_snapshot=bool(answer.get("is_snapshotuser")),
        )

    def _login(self, name: str, path: str, params: Mapping[str, str]) -> dict[str, Any]:
        def call() -> dict[str, Any]:
            response = self._http.get(
                PLATFORM_URL + path, params=params, timeout=LOGIN_TIMEOUT_SECONDS
            )
            answer = answer_of(response)
            if code := int(answer.get("errcode") or 0):
                raise error_of(code, str(answer.get("errmsg", "")))
            return answer

        # Never twice: a code works once, and the answer to the first try may only be lost.
        return self._measured(name, call)

    # --- how a call is made ---------------------------------------------------------------------

    def _call(self, name: str, call: Callable[[Any], Any]) -> Any:
        """Make a call; a refused token is renewed and the call repeated, once."""

        def with_token(token: str) -> Any:
            self._platform.use_token(token)
            return self._patiently(lambda: self._translated(call))

        def with_renewal() -> Any:
            token = self.tokens.current()
            try:
                return with_token(token)
            except DeliveryError as error:
                if error.action is not Action.REFRESH_TOKEN:
                    raise
            try:
                return with_token(self.tokens.renew(token))
            except DeliveryError as error:
                if error.action is not Action.REFRESH_TOKEN:
                    raise
                # Renewed and refused again: somebody must look, a loop would burn the quota.
                raise DeliveryError(
                    error.code, Action.CONFIG_ALARM, reason=f"after renewal: {error.reason}"
                ) from None

        return self._measured(name, with_renewal)

    def _translated(self, call: Callable[[Any], Any]) -> Any:
        try:
            return call(self._platform)
        except WeChatClientException as error:
            if error.errcode is None:
                status = getattr(error.response, "status_code", "?")
                failure = DeliveryError(
                    None, Action.RETRY, reason=f"status {status}", is_unsure=True
                )
            else:
                failure = error_of(int(error.errcode), str(error.errmsg))
        except requests.RequestException as error:
            failure = failure_of(error)
        # Outside of the handlers: the old error holds the address, and so the token.
        if failure.action is Action.TREAT_AS_SUCCESS:
            return {}
        raise failure

    def _patiently(self, call: Callable[[], Result]) -> Result:
        """Repeat a call that met a busy platform, which did nothing, a few times."""
        for attempt in range(BUSY_RETRIES):
            try:
                return call()
            except DeliveryError as error:
                if error.action is not Action.RETRY or error.code is None:
                    raise
            self._sleep(BUSY_SECONDS * 2**attempt)
        return call()

    def _measured(self, name: str, call: Callable[[], Result]) -> Result:
        started = time.perf_counter()
        outcome = "ok"
        try:
            return call()
        except DeliveryError as error:
            failure, outcome = error, error.action.value
        except requests.RequestException as error:
            failure = failure_of(error)
            outcome = failure.action.value
        finally:
            telemetry.api_called(name, outcome, time.perf_counter() - started)
        if failure.action in {Action.CONFIG_ALARM, Action.BUG}:
            log.error("call refused", call=name, code=failure.code, reason=failure.reason)
        raise failure


def _text(answer: Mapping[str, Any], key: str) -> str:
    value = answer.get(key)
    if not isinstance(value, str) or not value:
        raise DeliveryError(None, Action.RETRY, reason=f"answer without {key}", is_unsure=True)
    return value
