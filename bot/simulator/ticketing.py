"""A stand-in for the ticketing system: the demo station's days, told as they go by.

It keeps nothing. What it tells is made up from the day alone, so that the demo's history, loaded
at any moment, and what the feed says afterwards belong together.
"""

from __future__ import annotations

import time
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any, Final, TypeAlias

from flask import Blueprint, Response, jsonify, request

from bot.demo.arrivals import DAYS_AHEAD, arrival_cells, ticket_cells, train_cells
from bot.demo.timetable import planted
from core.clock import day_of, start_of

MOST_ITEMS: Final = 5000
USUAL_ITEMS: Final = 1000
# Whoever asks from the beginning is told of yesterday, too.
DAYS_BACK: Final = 1
LONGEST_PAUSE: Final = timedelta(days=14)
GONE: Final = 410

# When it is told, seconds since 1970, its place among the items of its day, and the item.
_Event: TypeAlias = "tuple[float, int, dict[str, Any]]"


@dataclass(frozen=True, slots=True)
class Mark:
    """How far somebody has been told.

    Attributes:
        first: the first day whose trains they are told of.
        seconds: since 1970, of the last item.
        place: of the last item, among those of that moment; -1: nothing was told.
    """

    first: date
    seconds: float
    place: int

    def __str__(self) -> str:
        """Return the mark as a watermark."""
        return f"{self.first.isoformat()}/{self.seconds:.3f}/{self.place}"


def create_ticketing(*, clock: Callable[[], float] = time.time) -> Blueprint:
    """Return the stand-in.

    Args:
        clock: seconds since 1970.
    """
    blueprint = Blueprint("ticketing", __name__, url_prefix="/ticketing")

    def changes() -> tuple[Response, int]:
        now = datetime.fromtimestamp(clock(), UTC)
        try:
            mark = mark_of(request.args.get("after", ""), now=now)
            limit = min(MOST_ITEMS, max(1, int(request.args.get("limit", USUAL_ITEMS))))
        except ValueError:
            # A mark that nobody here gave out: the asker begins anew.
            return jsonify({"error": "gone"}), GONE
        return jsonify(answer_to(mark, limit=limit, now=now)), 200

    blueprint.add_url_rule("/changes", endpoint="changes", view_func=changes, methods=["GET"])
    return blueprint


def mark_of(text: str, *, now: datetime) -> Mark:
    """Return the mark that a watermark stands for; an empty one is the beginning.

    Raises:
        ValueError: none that was given out, or one of long ago.
    """
    today = day_of(now)
    if not text:
        return Mark(today - timedelta(days=DAYS_BACK), 0.0, -1)
    first, seconds, place = text.split("/")
    mark = Mark(date.fromisoformat(first), float(seconds), int(place))
    if not (now - LONGEST_PAUSE).timestamp() <= mark.seconds <= now.timestamp():
        raise ValueError("a mark of another time")
    return mark


def answer_to(mark: Mark, *, limit: int, now: datetime) -> dict[str, Any]:
    """Return what happened after a mark and before an instant.

    Args:
        mark: how far has been told.
        limit: items at most.
        now: aware instant.
    """
    # The last that is told of a train is its arrival, maybe on the day after its own.
    recent = day_of(datetime.fromtimestamp(mark.seconds, UTC)) - timedelta(days=1)
    first, last = max(mark.first, recent), day_of(now) + timedelta(days=DAYS_AHEAD)
    days = (first + timedelta(days=number) for number in range((last - first).days + 1))
    events = sorted(
        (event for day in days for event in _events_of(day)), key=lambda event: event[:2]
    )
    begin = bisect_right(events, (mark.seconds, mark.place), key=lambda event: event[:2])
    end = bisect_right(events, now.timestamp(), key=lambda event: event[0])
    told = events[begin : min(begin + limit, end)]
    return {
        "watermark": str(Mark(mark.first, *told[-1][:2]) if told else mark),
        "complete_until": now.isoformat(),
        "has_more": begin + limit < end,
        "items": [item for _, _, item in told],
    }


@lru_cache(maxsize=16)
def _events_of(day: date) -> tuple[_Event, ...]:
    """Return all that is told of the trains of a day, each item with its own place."""
    told = sorted(_told_of(day), key=lambda event: event[0])
    # Of two days' items of one moment, those of the earlier day come first.
    base = day.toordinal() * 100_000
    return tuple(
        (round(at.timestamp(), 3), base + place, item) for place, (at, item) in enumerate(told)
    )


def _told_of(day: date) -> Iterator[tuple[datetime, dict[str, Any]]]:
    published_at = start_of(day - timedelta(days=DAYS_AHEAD))
    for train in planted(day).trains:
        yield published_at, {"kind": "train"} | train_cells(train)
        for at, sold in train.sold:
            # Nothing is told of a train before the train itself.
            yield max(at, published_at), {"kind": "ticket"} | ticket_cells(train, at=at, sold=sold)
        if train.actual_at is not None:
            yield train.actual_at, {"kind": "arrival"} | arrival_cells(train)
