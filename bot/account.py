"""What the pages inside WeChat ask of the official account: its codes, its script, its templates.

Source: docs/sources.md#wechat-script
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final, Protocol

import structlog

from bot.client import SceneCode
from bot.error_codes import Action
from bot.settings import Settings
from bot.transport import DeliveryError
from core.codes.account import (
    AccountBusyError,
    AccountQuotaError,
    AccountRefusedError,
    MadeCode,
)
from core.errors import DomainError
from handlers.h5.visit import ScriptConfig

log = structlog.get_logger()

NONE_LEFT: Final = 45029  # of the 100,000 lasting codes that an account can ever have
LONGEST_LIFE: Final = timedelta(days=30)
_ERROR_OF: Final[dict[Action, type[DomainError]]] = {
    Action.RETRY: AccountBusyError,
    Action.NEXT_MINUTE: AccountBusyError,
    Action.TOMORROW: AccountQuotaError,
}


class Caller(Protocol):
    """The calls of the client that concern the account itself."""

    def create_qrcode(self, scene: str, *, expire_seconds: int | None = None) -> SceneCode:
        """Create a code that opens the account with a scene."""

    def get_jsapi_ticket(self) -> str:
        """Return the ticket that signs pages for WeChat's script."""


class PlatformAccount:
    """The account, asked through the one client."""

    def __init__(self, settings: Settings, client: Caller) -> None:
        """Prepare the account; nothing is asked yet.

        Args:
            settings: name the account, its templates, and where the script is.
            client: calls the platform.
        """
        self._settings = settings
        self._client = client

    @property
    def script_url(self) -> str:
        """Where WeChat's script is."""
        return self._settings.resolved_wechat_script_url

    def make(self, scene: str) -> MadeCode:
        """Return a code whose scan reports a scene: lasting, or of 30 days when none is left.

        Raises:
            AccountBusyError: the platform does not answer.
            AccountQuotaError: no more today.
            AccountRefusedError: never, as the account is set up.
        """
        try:
            try:
                made = self._client.create_qrcode(scene)
            except DeliveryError as error:
                if error.code != NONE_LEFT:
                    raise
                log.warning("no lasting code left")
                seconds = round(LONGEST_LIFE.total_seconds())
                made = self._client.create_qrcode(scene, expire_seconds=seconds)
        except DeliveryError as error:
            log.warning("code of the account not made", code=error.code, reason=error.reason)
            raise _ERROR_OF.get(error.action, AccountRefusedError) from None
        lifetime = None if made.expire_seconds is None else timedelta(seconds=made.expire_seconds)
        return MadeCode(address=made.url, lifetime=lifetime)

    def templates_for(self, kinds: Collection[str]) -> tuple[str, ...]:
        """Return the subscription templates that are set up for some kinds of notice."""
        known = self._settings.wechat_subscribe_templates
        return tuple(dict.fromkeys(known[kind] for kind in kinds if known.get(kind)))

    def sign(self, url: str, *, now: datetime) -> ScriptConfig | None:
        """Return what WeChat's script wants to know of a page; None while it cannot be signed.

        Args:
            url: the page's whole address as the browser has it, without what follows a `#`.
            now: aware instant.
        """
        try:
            ticket = self._client.get_jsapi_ticket()
        except DeliveryError as error:
            log.warning("page not signed", code=error.code, reason=error.reason)
            return None
        nonce, timestamp = secrets.token_hex(8), int(now.timestamp())
        return ScriptConfig(
            appid=self._settings.wechat_appid,
            timestamp=timestamp,
            nonce=nonce,
            signature=signature_of(ticket=ticket, nonce=nonce, timestamp=timestamp, url=url),
        )


def signature_of(*, ticket: str, nonce: str, timestamp: int, url: str) -> str:
    """Return the signature of a page, in small hexadecimal digits.

    Args:
        ticket: of the account, valid at the moment.
        nonce: any text.
        timestamp: seconds since 1970.
        url: the page's address without what follows a `#`.

    Source: docs/sources.md#wechat-script
    """
    text = f"jsapi_ticket={ticket}&noncestr={nonce}&timestamp={timestamp}&url={url}"
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
