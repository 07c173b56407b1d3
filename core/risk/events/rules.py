"""The kinds of epidemic events, how they end, and the feeds that bring them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from enum import StrEnum
from statistics import median
from typing import Final


class EventKind(StrEnum):
    """What is known of a person."""

    CONFIRMED = "confirmed"
    ASYMPTOMATIC = "asymptomatic"
    SUSPECTED = "suspected"
    CLOSE_CONTACT = "close"
    SECOND_CONTACT = "second"
    FEVER = "fever"
    KEY_AREA_ARRIVAL = "keyarea"
    OVERSEAS_ARRIVAL = "overseas"
    HOME_ISOLATION = "homeq"


class Ending(StrEnum):
    """Why an event is over: released or recovered, excluded, or turned into a worse kind."""

    RELEASED = "released"
    EXCLUDED = "excluded"
    CONVERTED = "converted"


class Feed(StrEnum):
    """A source of events; a day of it is complete up to its watermark."""

    CASES = "cases"
    CONTACTS = "contacts"
    FEVER_CLINICS = "fever"
    ARRIVALS = "arrivals"
    ISOLATION = "isolation"
    RESIDENTS = "residents"


FEED_OF: Final[Mapping[EventKind, Feed]] = {
    EventKind.CONFIRMED: Feed.CASES,
    EventKind.ASYMPTOMATIC: Feed.CASES,
    EventKind.SUSPECTED: Feed.CASES,
    EventKind.CLOSE_CONTACT: Feed.CONTACTS,
    EventKind.SECOND_CONTACT: Feed.CONTACTS,
    EventKind.FEVER: Feed.FEVER_CLINICS,
    EventKind.KEY_AREA_ARRIVAL: Feed.ARRIVALS,
    EventKind.OVERSEAS_ARRIVAL: Feed.ARRIVALS,
    EventKind.HOME_ISOLATION: Feed.ISOLATION,
}
"""The source that brings a kind of event, where a file does not name another one."""

# The longest window of an indicator: what is older and over changes nothing of today.
WINDOW_DAYS: Final = 14
# A feed is as large as usual up to so many times its usual size; a few rows are never too many.
MAX_SIZE_RATIO: Final = 2
SMALL_FEED: Final = 20
USUAL_OF_DELIVERIES: Final = 7
MAX_CLUSTER: Final = 64
MAX_ROUTE: Final = 32
MAX_REASON: Final = 200


def usual_size_of(row_counts: Sequence[int]) -> int | None:
    """Return how large the deliveries of a feed usually are.

    Args:
        row_counts: of its newest deliveries; those that brought nothing do not count.

    Returns:
        Their median, rounded down; None if there is none.
    """
    counts = [count for count in row_counts if count]
    return int(median(counts)) if counts else None


def is_too_large(row_count: int, *, usual: int | None) -> bool:
    """Return whether a delivery is so much larger than usual that somebody should look at it."""
    return usual is not None and row_count > max(MAX_SIZE_RATIO * usual, SMALL_FEED)


def watermark_for(days: Iterable[date], *, today: date) -> date | None:
    """Return up to which local day a feed is complete that says nothing of it itself.

    Args:
        days: of its rows, none after today.
        today: of the delivery; a day that is not over cannot be complete.

    Returns:
        The newest day that is over; None if there is none.
    """
    return max((day for day in days if day < today), default=None)
