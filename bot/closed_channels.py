"""Channels that the platform has closed for a while, shared by all workers."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final

import structlog

from bot.error_codes import Action
from bot.store import Store, StoreUnavailableError
from bot.transport import DeliveryError
from core.clock import day_of, start_of
from core.notices.rules import Channel

log = structlog.get_logger()

CLOSING: Final = frozenset({Action.NEXT_MINUTE, Action.TOMORROW, Action.CONFIG_ALARM})
TEMPLATE_FAULTS: Final = frozenset({40037, 41030, 43116})  # of one template, not of the account
CONFIG_PAUSE: Final = timedelta(minutes=10)
CLOSED_KEY: Final = "notices:closed:"


def reopens_at(action: Action, now: datetime) -> datetime:
    """Return when a closed channel may work again.

    Args:
        action: NEXT_MINUTE, TOMORROW (midnight in Shanghai), or CONFIG_ALARM: somebody has to
            mend the account, and what waits must not be lost meanwhile.
        now: aware instant.
    """
    if action is Action.NEXT_MINUTE:
        return now.replace(second=0, microsecond=0) + timedelta(minutes=1, seconds=1)
    if action is Action.TOMORROW:
        return start_of(day_of(now) + timedelta(days=1)) + timedelta(minutes=1)
    return now + CONFIG_PAUSE


class ClosedChannels:
    """Which channels rest, for every kind of notice or for one; without the store, only here."""

    def __init__(self, store: Store) -> None:
        """Begin with every channel open, until `load`."""
        self._store = store
        self._until: dict[str, datetime] = {}

    def close(self, channel: Channel, *, kind: str, error: DeliveryError, now: datetime) -> None:
        """Let a channel rest as an error asks for.

        Args:
            channel: on which the error came.
            kind: of the notice; a fault of one template closes the channel for this kind alone.
            error: its action is one of CLOSING.
            now: aware instant.
        """
        until = reopens_at(error.action, now)
        name = channel.value
        if error.code in TEMPLATE_FAULTS:
            name = f"{name}:{kind}"
        self._until[name] = until
        log.warning("channel closed", channel=name, code=error.code, until=until.isoformat())
        seconds = (until - now).total_seconds()
        try:
            self._store.put(CLOSED_KEY + name, until.isoformat(), seconds=seconds)
        except StoreUnavailableError:
            log.warning("closed channel not shared", channel=name)

    def load(self, kinds: Collection[str]) -> None:
        """Learn what other workers closed."""
        names = [channel.value for channel in Channel]
        names += [f"{name}:{kind}" for name in names for kind in kinds]
        for name in names:
            try:
                text = self._store.get(CLOSED_KEY + name)
            except StoreUnavailableError:
                return
            if text is not None:
                self._until[name] = datetime.fromisoformat(text)

    def for_kind(self, kind: str, *, now: datetime) -> dict[Channel, datetime]:
        """Return the channels that rest for a kind of notice, and until when."""
        closed: dict[Channel, datetime] = {}
        for channel in Channel:
            ends = [
                until
                for name in (channel.value, f"{channel.value}:{kind}")
                if (until := self._until.get(name)) is not None and until > now
            ]
            if ends:
                closed[channel] = max(ends)
        return closed
