"""The account's access token: one for all processes, fetched by one of them at a time.

It lives in the store. `cgi-bin/stable_token` gives everybody the same token while it is valid, so
two installations with one account do not end each other's tokens.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Final

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
    """An access token.

    Attributes:
        value: the token itself.
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
            reason=f"no token: {self.reason}",
            retry_after=max(self.until - now, 1.0),
        )


class TokenProvider:
    """Gives the token; fetches it early, alone, and never in a loop."""

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
        self._appid = appid
        self._secret = secret
        self._http = http
        self._store = store
        self._clock = clock
        self._key = f"wechat:token:{appid}"
        self._pause_key = f"wechat:token-pause:{appid}"
        self._known: Token | None = None

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
            raise _store_gone() from None

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
        raise DeliveryError(None, Action.RETRY, reason="no token: another process is at it")

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
            telemetry.token_refreshed("failed")
            self._keep_pause(error, failures=pause.failures + 1 if pause else 1)
            raise
        telemetry.token_refreshed("ok")
        self._known = token
        self._store.put(
            self._key, orjson.dumps(asdict(token)).decode(), seconds=max(token.until - now, 1)
        )
        self._store.delete(self._pause_key)
        log.info("token fetched", seconds=round(token.until - now))
        return token.value

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
            token = self._token_of(answer)
            outcome = "ok"
        except requests.RequestException as error:
            failure = failure_of(error)
        else:
            return token
        finally:
            telemetry.api_called("stable_token", outcome, time.perf_counter() - started)
        raise failure

    def _token_of(self, answer: dict[str, Any]) -> Token:
        if code := int(answer.get("errcode") or 0):
            raise error_of(code, str(answer.get("errmsg", "")), token_call=True)
        value, seconds = answer.get("access_token"), answer.get("expires_in")
        if not isinstance(value, str) or not value or not isinstance(seconds, int):
            raise DeliveryError(None, Action.RETRY, reason="answer without a token")
        now = self._clock()
        # A token fetched in its last minutes must not be fetched again with every call.
        shortest = min(SHORTEST_USE_SECONDS, seconds / 2)
        return Token(
            value=value,
            renew_at=now + max(seconds - EARLY_SECONDS, shortest),
            until=now + seconds,
        )

    def _load(self) -> Token | None:
        text = self._store.get(self._key)
        if text is None:
            return None
        try:
            token = Token(**orjson.loads(text))
        except (TypeError, ValueError):
            log.warning("stored token is unreadable")
            return None
        if token.until <= self._clock():
            return None
        self._known = token
        return token

    def _alone(self) -> str:
        """Return the token this process knows: without the store nobody may fetch one."""
        if self._known is not None and self._clock() < self._known.until:
            return self._known.value
        raise _store_gone()

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
        log.error("token not fetched", code=error.code, reason=error.reason, failures=failures)


def _store_gone() -> DeliveryError:
    return DeliveryError(None, Action.RETRY, reason="no token: the store is unavailable")
