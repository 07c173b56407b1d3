"""States of a notice, the channel that fits a person, and when to try again."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final, TypeAlias

Value: TypeAlias = "str | int | float"


class NoticeState(StrEnum):
    """Where a notice is on its way."""

    QUEUED = "queued"
    LEASED = "leased"
    SENT = "sent"
    DELIVERED = "delivered"
    DEAD = "dead"


class Channel(StrEnum):
    """How WeChat carries a notice."""

    TEMPLATE = "template"
    SUBSCRIBE = "subscribe"
    CUSTOM = "custom"


class Receipt(StrEnum):
    """What the platform reports about a message that it had accepted."""

    SUCCESS = "success"
    BLOCKED = "blocked"
    FAILED = "failed"


class DeadReason(StrEnum):
    """Why nobody will try again; an error code of the platform stands beside it."""

    UNREACHABLE = "unreachable"
    EXPIRED = "expired"
    REFUSED = "refused"
    BLOCKED = "blocked"
    GAVE_UP = "gave_up"


LATE_REPLY: Final = "late_reply"

OPEN_STATES: Final = frozenset({NoticeState.QUEUED, NoticeState.LEASED})

# A worker that lost its lease may still report that the platform accepted the message: a fact
# counts from whichever state it finds, except the final ones.
TRANSITIONS: Final[Mapping[NoticeState, frozenset[NoticeState]]] = {
    NoticeState.QUEUED: frozenset({NoticeState.LEASED, NoticeState.SENT}),
    NoticeState.LEASED: frozenset(
        {NoticeState.LEASED, NoticeState.QUEUED, NoticeState.SENT, NoticeState.DEAD}
    ),
    NoticeState.SENT: frozenset({NoticeState.DELIVERED, NoticeState.QUEUED, NoticeState.DEAD}),
    NoticeState.DELIVERED: frozenset(),
    NoticeState.DEAD: frozenset(),
}

# The platform ignores a repeated `client_msg_id` for ten minutes; a minute is kept for clocks.
REPEAT_GUARD: Final = timedelta(minutes=9)

FIRST_RETRY_SECONDS: Final = 5.0
LONGEST_RETRY_SECONDS: Final = 3600.0
MAX_ATTEMPTS: Final = 24

ANSWER_LIFETIME: Final = timedelta(hours=24)
NOTICE_LIFETIME: Final = timedelta(days=3)

# An answer is best read in the chat. A notice goes as a template message, and a person's
# consent to a subscription message, which is used up, is spent last.
ANSWER_ORDER: Final = (Channel.CUSTOM, Channel.TEMPLATE, Channel.SUBSCRIBE)
NOTICE_ORDER: Final = (Channel.TEMPLATE, Channel.CUSTOM, Channel.SUBSCRIBE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """What is known about the ways to a person at this moment.

    Attributes:
        is_following: None when the account never heard of the person.
        has_template: a template message is configured for the kind of notice.
        consents_left: subscription messages of this kind that the person still accepts.
        is_window_open: the customer-service window; None when nobody can tell.
    """

    is_following: bool | None
    has_template: bool
    consents_left: int
    is_window_open: bool | None


def may_become(state: NoticeState, new: NoticeState) -> bool:
    """Return whether a notice in `state` may go to `new`."""
    return new in TRANSITIONS[state]


def client_msg_id_for(key: str) -> str:
    """Return the id under which the platform recognises a repeated template message.

    It follows from the key, so that the same notice has the same id whoever sends it.
    """
    return hashlib.blake2b(key.encode(), digest_size=16).hexdigest()


def staff_key_for(matter: str, *, staff_id: int) -> str:
    """Return the identity of a notice to one account of the staff about a matter."""
    return f"{matter}:staff:{staff_id}"


def lifetime_of(kind: str) -> timedelta:
    """Return how long after it was queued a notice is still worth sending."""
    return ANSWER_LIFETIME if kind == LATE_REPLY else NOTICE_LIFETIME


def priority_of(kind: str) -> int:
    """Return the place in the line: somebody waits for an answer (0), nobody for a notice (1)."""
    return 0 if kind == LATE_REPLY else 1


def retry_delay_for(attempts: int, *, jitter: float) -> timedelta:
    """Return how long to wait after the `attempts`-th failure.

    Args:
        attempts: failures so far, at least 1.
        jitter: 0 up to 1, drawn by the caller; spreads workers over half of the delay.

    Returns:
        5 s after the first failure, doubled each time up to an hour, times 0.75 to 1.25.

    Raises:
        ValueError: `attempts` or `jitter` out of range, a bug in the caller.
    """
    if attempts < 1 or not 0 <= jitter <= 1:
        raise ValueError("attempts from 1, jitter from 0 to 1")
    doubled = FIRST_RETRY_SECONDS * 2.0 ** min(attempts - 1, 30)
    return timedelta(seconds=min(doubled, LONGEST_RETRY_SECONDS) * (0.75 + jitter / 2))


def channels_for(kind: str, reach: Reach) -> tuple[Channel, ...]:
    """Return the channels that can reach the person, the best first; empty: none can.

    Args:
        kind: kind of notice.
        reach: what is known about the person.
    """
    is_answer = kind == LATE_REPLY
    # Whoever waits for an answer has just written, which only followers can.
    may_follow = is_answer or reach.is_following is not False
    # Somebody who just asked has opened the window; only an answer may try when nobody can tell.
    window = is_answer if reach.is_window_open is None else reach.is_window_open
    fits = {
        Channel.TEMPLATE: may_follow and reach.has_template,
        Channel.CUSTOM: may_follow and window,
        Channel.SUBSCRIBE: reach.consents_left > 0,
    }
    return tuple(
        channel for channel in (ANSWER_ORDER if is_answer else NOTICE_ORDER) if fits[channel]
    )


def candidates_for(
    kind: str, reach: Reach, *, refused: AbstractSet[Channel], unsure: Channel | None
) -> tuple[Channel, ...]:
    """Return the channels to try for one notice, the best first; empty: nobody can be reached.

    When an attempt ended without an answer, nobody knows whether the person has the message.
    A template message is repeated on its channel: the platform drops it by its id. So is a
    subscription message: the consent that the first one used up refuses the second. A
    customer-service message has no such guard: any other channel comes before it, and it is
    repeated only when there is none, because an answer twice is better than silence.

    Args:
        kind: kind of notice.
        reach: what is known about the person.
        refused: channels on which the platform refused this notice.
        unsure: the channel of an attempt whose outcome is unknown.
    """
    channels = tuple(channel for channel in channels_for(kind, reach) if channel not in refused)
    if unsure is None or unsure not in channels:
        return channels
    if unsure is Channel.CUSTOM:
        return (*(channel for channel in channels if channel is not unsure), unsure)
    return (unsure,)


def receipt_of(status: str) -> Receipt:
    """Return what the `Status` of a TEMPLATESENDJOBFINISH event says.

    Args:
        status: `success`, `failed:user block`, `failed: system failed`, in any case and spacing.
    """
    words = status.lower().replace(":", " ").split()
    if words[:1] == ["success"]:
        return Receipt.SUCCESS
    return Receipt.BLOCKED if "block" in words else Receipt.FAILED
