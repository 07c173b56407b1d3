"""Short-lived state: messages seen, conversations, locks, limits, tokens, counters.

One small interface, two homes: `bot/redis_store.py` where `REDIS_URL` names a Redis, otherwise
`bot/table_store.py` in the application's own database.
"""

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from secrets import token_hex

from core.db import Database

LEASE_SECONDS = 5.0  # a message whose worker died is free before the platform's first re-send ends
LATE_LEASE_SECONDS = 120.0
KEEP_SECONDS = 300  # a kept reply lives as long as a callback may be old
STATE_SECONDS = 900
POLL_SECONDS = 0.02

# What a message's entry holds: in work or promised for later, with the owner behind it; or
# answered, with the answer.
WORKING, LATE, ANSWERED = "w", "l", "a"


class StoreUnavailableError(RuntimeError):
    """The store does not answer; what needs no memory goes on without it."""


class ClaimState(StrEnum):
    """What became of the attempt to claim a message."""

    MINE = "mine"  # nobody has handled it: go on
    QUEUED = "queued"  # mine, but an earlier message of the person is still in work
    WORKING = "working"  # somebody else is at it
    LATE = "late"  # the answer was promised for later
    ANSWERED = "answered"  # `answer` is what it was answered


@dataclass(frozen=True, slots=True)
class Claim:
    """The result of claiming a message.

    Attributes:
        state: whose it is.
        answer: the kept answer, of an answered message.
        memory: what the person's conversation remembers, of a message that is mine.
    """

    state: ClaimState
    answer: str = ""
    memory: str = ""


@dataclass(frozen=True, slots=True)
class Window:
    """How long, and how often, customer-service messages may still be sent to a person.

    Attributes:
        until: seconds since 1970.
        left: messages that the platform still allows.
    """

    until: float
    left: int


class Store(ABC):
    """Short-lived state. Every method may raise StoreUnavailableError.

    Attributes:
        is_quick: whether it answers or fails within a second, whatever else goes on.
    """

    is_quick: bool = False

    @abstractmethod
    def claim(self, key: str, openid: str, *, owner: str, window: Window | None = None) -> Claim:
        """Claim a message for handling, behind the person's earlier ones.

        Args:
            key: identity of the message.
            openid: whose conversation it belongs to.
            owner: unique to this attempt, so that a repeated command finds its own claim.
            window: the customer-service window that this message opens.
        """

    @abstractmethod
    def check(self, key: str, openid: str, *, owner: str) -> Claim:
        """Return how a queued or working message stands now; takes it over when its turn came."""

    @abstractmethod
    def extend(self, key: str, *, owner: str) -> None:
        """Mark a message as late if it is still the owner's: its answer follows."""

    @abstractmethod
    def finish(self, key: str, openid: str, *, owner: str, answer: str, memory: str | None) -> None:
        """Keep the answer and let the person's next message pass.

        An owner who stood still for longer than the lease and lost the message changes nothing.

        Args:
            key: identity of the message.
            openid: whose conversation it belongs to.
            owner: who claimed it.
            answer: kept for re-sends.
            memory: what the conversation remembers now; empty forgets, None leaves it.
        """

    @abstractmethod
    def get(self, key: str) -> str | None:
        """Return the value, or None when there is none or it expired."""

    @abstractmethod
    def put(self, key: str, value: str, *, seconds: float) -> None:
        """Keep a value for so many seconds."""

    @abstractmethod
    def put_new(self, key: str, value: str, *, seconds: float) -> bool:
        """Keep a value unless there is one; return whether it was kept."""

    @abstractmethod
    def delete(self, key: str, *, value: str | None = None) -> None:
        """Forget a value; with `value`, only if that is what the key holds."""

    @abstractmethod
    def hit(self, name: str, *, limit: int, seconds: int) -> bool:
        """Count one use and return whether it is within `limit` uses in `seconds`."""

    @abstractmethod
    def count(self, name: str, by: int = 1) -> int:
        """Add to a lasting counter and return its new number."""

    @abstractmethod
    def window(self, openid: str) -> Window | None:
        """Return the person's open customer-service window."""

    @abstractmethod
    def spend_window(self, openid: str) -> None:
        """Note that one customer-service message was sent."""

    @abstractmethod
    def ping(self) -> None:
        """Return if the store answers."""

    @abstractmethod
    def sweep(self) -> int:
        """Delete what expired and return the number of rows; Redis does so by itself."""

    @contextmanager
    def lock(self, name: str, *, seconds: float, wait_seconds: float = 0.0) -> Iterator[bool]:
        """Hold a lock while the block runs; yields whether it is held.

        Args:
            name: what is locked.
            seconds: after which a dead holder loses it.
            wait_seconds: how long to wait for another holder.
        """
        token = token_hex(8)
        key = f"lock:{name}"
        deadline = time.monotonic() + wait_seconds
        held = self.put_new(key, token, seconds=seconds)
        while not held and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)
            held = self.put_new(key, token, seconds=seconds)
        try:
            yield held
        finally:
            if held:
                # What was done under the lock is done; the lock itself runs out.
                with suppress(StoreUnavailableError):
                    self.delete(key, value=token)


def claim_of(value: str | None, owner: str) -> Claim | None:
    """Return what a message's entry says to `owner`; None: it is theirs to handle."""
    if not value or (value[0] != ANSWERED and value[1:] == owner):
        return None
    if value[0] == ANSWERED:
        return Claim(ClaimState.ANSWERED, answer=value[1:])
    return Claim(ClaimState.LATE if value[0] == LATE else ClaimState.WORKING)


def window_of(value: str | None) -> Window | None:
    """Return the window that was kept as `until|left`, None when it is shut."""
    if not value:
        return None
    until, _, left = value.partition("|")
    window = Window(float(until), int(left))
    return window if window.until > time.time() else None


def open_store(redis_url: str, database: Database) -> Store:
    """Return the store in Redis, or in the database where `redis_url` is empty."""
    if redis_url:
        from bot.redis_store import RedisStore

        return RedisStore(redis_url)
    from bot.table_store import TableStore

    return TableStore(database)


_owner_count = threading.local()


def new_owner() -> str:
    """Return an id that no other attempt, thread or process uses."""
    prefix = getattr(_owner_count, "prefix", None)
    if prefix is None:
        prefix = _owner_count.prefix = token_hex(8)
        _owner_count.number = 0
    _owner_count.number += 1
    return f"{prefix}{_owner_count.number}"
