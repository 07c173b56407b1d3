"""The account's access token and its ticket: one for all processes, fetched by one at a time.

They live in the store. `cgi-bin/stable_token` gives everybody the same token while it is valid, so
two installations with one account do not end each other's tokens. The ticket signs pages that use
WeChat's script; it is scarce too, and is fetched with the token.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Final

import orjson
import requests
import structlog

from bot import telemetry
from bot.error_codes import Action
from bot.store import Store, StoreUnavailableError
from bot.transport import PLATFORM_URL, DeliveryError, answer_of, error_of, failure_of

log = structlog.get_logger()

EARLY_SECONDS: Final = 300  # the platform renews in the last five minutes; both tokens work then
SHORTEST_USE_SECONDS: Final = 60
LOCK_SECONDS: Final = 10  # longer than a call with its timeouts, short for who waits for a dead
WAIT_SECONDS: Final = 6.0
FIRST_PAUSE_SECONDS: Final = 5.0
LONGEST_PAUSE_SECONDS: Final = 300.0
FORCE_GAP_SECONDS: Final = 60  # the platform allows 30 s, and 20 a day


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """An access token, or a ticket.

    Attributes:
        value: what the platform knows it by.
        renew_at: when it should be fetched anew, seconds since 1970.
        until: when it ends.
    """

    value: str
    renew_at: float
    until: float


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pause:
    """Fetching failed: nobody tries again before `until`."""

    failures: int
    until: float
    code: int | None
    action: str
    reason: str

    def error(self, now: float) -> DeliveryError:
        """Return what a caller is told in the meantime."""
        return DeliveryError(
            self.code,
            Action(self.action),
            reason=f"not fetched: {self.reason}",
            retry_after=max(self.until - now, 1.0),
        )


class _Provider(ABC):
    """Gives a token; fetches it early, alone, and never in a loop."""

    # What it gives, in the store's keys and in reasons.
    name: ClassVar[str]

    def __init__(self, *, appid: str, store: Store, clock: Callable[[], float]) -> None:
        self._store = store
        self._clock = clock
        self._key = f"wechat:{self.name}:{appid}"
        self._pause_key = f"wechat:{self.name}-pause:{appid}"
        self._known: Token | None = None

    @abstractmethod
    def _fetch(self, *, is_forced: bool = False) -> Token:
        """Return a token of the platform.

        Args:
            is_forced: whether the platform shall end the one before.

        Raises:
            DeliveryError: there is none to be had now.
        """

    @abstractmethod
    def _refreshed(self, outcome: str) -> None:
        """Count a fetch, `ok` or `failed`."""

    def current(self) -> str:
        """Return a token that is valid now.

        Near its end one process fetches the next, while the others go on with this one.

        Raises:
            DeliveryError: there is none and it cannot be fetched now.
        """
        try:
            token = self._load()
            if token is not None and self._clock() < token.renew_at:
                return token.value
            return self._replace(token, rejected="")
        except StoreUnavailableError:
            return self._alone()

    def renew(self, rejected: str) -> str:
        """Return another token than one that the platform refused.

        Another process may have fetched it already; otherwise it is fetched here, once.

        Raises:
            DeliveryError: it cannot be fetched now.
        """
        try:
            token = self._load()
            if token is not None and token.value != rejected:
                return token.value
            return self._replace(None, rejected=rejected)
        except StoreUnavailableError:
            raise self._store_gone() from None

    def _replace(self, old: Token | None, *, rejected: str) -> str:
        usable = old is not None and self._clock() < old.until
        with self._store.lock(
            self._key, seconds=LOCK_SECONDS, wait_seconds=0.0 if usable else WAIT_SECONDS
        ) as held:
            token = self._load()
            if token is not None and token.value != rejected and token != old:
                return token.value
            if held:
                return self._fetch_or(old if usable else None, rejected=rejected)
        if usable and old is not None:
            return old.value
        raise DeliveryError(None, Action.RETRY, reason=f"no {self.name}: another process is at it")

    def _fetch_or(self, old: Token | None, *, rejected: str) -> str:
        try:
            return self._fetch_shared(rejected)
        except DeliveryError:
            if old is None:
                raise
            return old.value  # still valid for some minutes

    def _fetch_shared(self, rejected: str) -> str:
        """Fetch a token under the lock and share it; a failure makes everybody pause."""
        now = self._clock()
        pause = self._load_pause()
        if pause is not None and now < pause.until:
            raise pause.error(now)
        try:
            token = self._fetch()
            if token.value == rejected and self._store.hit(
                self._pause_key, limit=1, seconds=FORCE_GAP_SECONDS
            ):
                token = self._fetch(is_forced=True)
        except DeliveryError as error:
            self._refreshed("failed")
            self._keep_pause(error, failures=pause.failures + 1 if pause else 1)
            raise
        self._refreshed("ok")
        self._known = token
        self._store.put(
            self._key, orjson.dumps(asdict(token)).decode(), seconds=max(token.until - now, 1)
        )
        self._store.delete(self._pause_key)
        log.info("token fetched", kind=self.name, seconds=round(token.until - now))
        return token.value

    def _load(self) -> Token | None:
        text = self._store.get(self._key)
        if text is None:
            return None
        try:
            token = Token(**orjson.loads(text))
        except (TypeError, ValueError):
            log.warning("stored token is unreadable", kind=self.name)
            return None
        if token.until <= self._clock():
            return None
        self._known = token
        return token

    def _alone(self) -> str:
        """Return the token this process knows: without the store nobody may fetch one."""
        if self._known is not None and self._clock() < self._known.until:
            return self._known.value
        raise self._store_gone()

    def _store_gone(self) -> DeliveryError:
        reason = f"no {self.name}: the store is unavailable"
        return DeliveryError(None, Action.RETRY, reason=reason)

    def _load_pause(self) -> _Pause | None:
        text = self._store.get(self._pause_key)
        try:
            return None if text is None else _Pause(**orjson.loads(text))
        except (TypeError, ValueError):
            return None

    def _keep_pause(self, error: DeliveryError, *, failures: int) -> None:
        seconds = min(FIRST_PAUSE_SECONDS * 2.0 ** min(failures - 1, 16), LONGEST_PAUSE_SECONDS)
        if error.action is Action.CONFIG_ALARM:
            seconds = LONGEST_PAUSE_SECONDS
        pause = _Pause(
            failures=failures,
            until=self._clock() + seconds,
            code=error.code,
            action=error.action.value,
            reason=error.reason,
        )
        # Kept longer than it lasts, so that the next failure knows of this one.
        self._store.put(
            self._pause_key, orjson.dumps(asdict(pause)).decode(), seconds=seconds + 600
        )
        log.error(
            "token not fetched",
            kind=self.name,
            code=error.code,
            reason=error.reason,
            failures=failures,
        )

    def _token_of(self, value: object, seconds: object) -> Token:
        if not isinstance(value, str) or not value or not isinstance(seconds, int):
            raise DeliveryError(None, Action.RETRY, reason=f"answer without a {self.name}")
        now = self._clock()
        # One fetched in its last minutes must not be fetched again with every call.
        shortest = min(SHORTEST_USE_SECONDS, seconds / 2)
        return Token(
            value=value,
            renew_at=now + max(seconds - EARLY_SECONDS, shortest),
            until=now + seconds,
        )


class TokenProvider(_Provider):
    """Gives the access token."""

    name: ClassVar[str] = "token"

    def __init__(
        self,
        *,
        appid: str,
        secret: str,
        http: requests.Session,
        store: Store,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Prepare the provider; nothing is fetched yet.

        Args:
            appid: the account.
            secret: its secret.
            http: calls the platform.
            store: shares the token.
            clock: seconds since 1970.
        """
        super().__init__(appid=appid, store=store, clock=clock)
        self._appid = appid
        self._secret = secret
        self._http = http

    def _fetch(self, *, is_forced: bool = False) -> Token:
        started, outcome = time.perf_counter(), "failed"
        body = {
            "grant_type": "client_credential",
            "appid": self._appid,
            "secret": self._secret,
            "force_refresh": is_forced,
        }
        try:
            answer = answer_of(self._http.post(PLATFORM_URL + "cgi-bin/stable_token", json=body))
            if code := int(answer.get("errcode") or 0):
                raise error_of(code, str(answer.get("errmsg", "")), token_call=True)
            token = self._token_of(answer.get("access_token"), answer.get("expires_in"))
            outcome = "ok"
        except requests.RequestException as error:
            failure = failure_of(error)
        else:
            return token
        finally:
            telemetry.api_called("stable_token", outcome, time.perf_counter() - started)
        raise failure

    def _refreshed(self, outcome: str) -> None:
        telemetry.token_refreshed(outcome)


class TicketProvider(_Provider):
    """Gives the ticket that signs pages for WeChat's script."""

    name: ClassVar[str] = "ticket"

    def __init__(
        self,
        *,
        appid: str,
        ask: Callable[[], Mapping[str, Any]],
        store: Store,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Prepare the provider; nothing is fetched yet.

        Args:
            appid: the account.
            ask: calls the platform with the access token; raises DeliveryError alone.
            store: shares the ticket.
            clock: seconds since 1970.
        """
        super().__init__(appid=appid, store=store, clock=clock)
        self._ask = ask

    def _fetch(self, *, is_forced: bool = False) -> Token:  # noqa: ARG002  none can be ended
        answer = self._ask()
        return self._token_of(answer.get("ticket"), answer.get("expires_in"))

    def _refreshed(self, outcome: str) -> None:
        """The call is counted as every call of the client is."""
