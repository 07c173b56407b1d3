"""Arrivals at the station: when to have how many posts, the curve, the trains, what if."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from itertools import groupby
from typing import Final

from core.arrivals.overview import Board, TrainLine, find_board
from core.arrivals.queues import MAX_POSTS, QueueSlot, QueueView, find_queue
from core.arrivals.windows import WindowView, find_window
from core.clock import day_of, local
from core.people.staff.rules import Role
from handlers.access import Access, access
from handlers.console.arrivals_curves import board_curve_of, compared_curve_of, queue_curve_of
from handlers.console.visit import Visit
from handlers.forms import choice_field, number_field
from handlers.page import Answer, Page

SEEN_BY: Final = (Role.STATION_MANAGER, Role.ADMINISTRATOR, Role.AUDITOR)
# The forecast of the whole of tomorrow is issued from this hour on.
TOMORROW_FROM_HOUR: Final = 16
# More would not fit on the one sheet that is printed.
PRINTED_TRAINS: Final = 12
MAX_CLOCK: Final = 8
# The coming 24 hours are forecast anew every hour; later than this nobody does.
OLD: Final = timedelta(hours=2)


class Window(StrEnum):
    """What is shown: the coming 24 hours, or a whole local day."""

    NEXT = "next"
    TODAY = "today"
    TOMORROW = "tomorrow"


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueHour:
    """The worst of an hour with a number of posts that somebody asked for.

    Attributes:
        starts_at: of the hour.
        worst: the five minutes of it with the longest wait.
    """

    starts_at: datetime
    worst: QueueSlot


@access(Access.STAFF, *SEEN_BY)
def arrivals(visit: Visit) -> Answer:
    """Show when to have how many posts, then the curve behind it, the hours and the trains."""
    shown = window_of(visit)
    board = find_window_board(visit, shown)
    queue = _queue_of(visit, shown) if board else None
    compared = board.yesterday if board else None
    return Page(
        template="arrivals/board",
        values={
            **frame_of(visit, shown),
            "board": board,
            "is_old": is_old(board, shown, now=visit.now),
            "curve": board_curve_of(board) if board else None,
            "compared": compared,
            "compared_curve": compared_curve_of(compared) if compared else None,
            "trains": coming_of(board) if board else [],
            "to_meet": to_meet_of(board) if board else [],
            **_stretch_of(visit, shown),
            "posts": visit.query.get("posts", "")[:8],
            "is_posts_odd": bool(visit.query.get("posts")) and board is not None and queue is None,
            "max_posts": MAX_POSTS,
            "queue": queue,
            "queue_hours": queue_hours_of(queue) if queue else [],
            "queue_curve": queue_curve_of(queue) if queue else None,
        },
    )


@access(Access.STAFF, *SEEN_BY)
def roster(visit: Visit) -> Answer:
    """Show the posts of a day on one sheet of A4, to be printed and signed."""
    shown = window_of(visit)
    board = find_window_board(visit, shown)
    to_meet = to_meet_of(board) if board else []
    return Page(
        template="arrivals/roster",
        values={
            **frame_of(visit, shown),
            "board": board,
            "is_old": is_old(board, shown, now=visit.now),
            "to_meet": to_meet[:PRINTED_TRAINS],
            "more_count": len(to_meet[PRINTED_TRAINS:]),
        },
    )


def window_of(visit: Visit) -> Window:
    """Return what a page is asked to show; the coming 24 hours unless a day is named."""
    return choice_field(visit.query, "window", Window) or Window.NEXT


def find_window_board(visit: Visit, shown: Window) -> Board | None:
    """Return the board of what is shown, or None while there is no forecast for it."""
    return find_board(visit.reading(), now=visit.now, day=_day_of(visit, shown))


def frame_of(visit: Visit, shown: Window) -> dict[str, object]:
    """Return what the head of a page says: which window, and which others there are."""
    today = day_of(visit.now)
    return {
        "shown": shown,
        "windows": list(Window),
        "now": visit.now,
        "today": today,
        "tomorrow": today + timedelta(days=1),
        "is_early": local(visit.now).hour < TOMORROW_FROM_HOUR,
        "tomorrow_from_hour": TOMORROW_FROM_HOUR,
    }


def is_old(board: Board | None, shown: Window, *, now: datetime) -> bool:
    """Return whether the coming 24 hours are those of hours ago, as no worker runs."""
    return board is not None and shown is Window.NEXT and now - board.from_at >= OLD


def coming_of(board: Board) -> list[TrainLine]:
    """Return the trains that come in the window; those of just before it bring people, too."""
    return [one for one in board.trains if one.expected_at >= board.from_at]


def to_meet_of(board: Board) -> list[TrainLine]:
    """Return the trains from key areas that are still to come, in the order of their arrival."""
    return [one for one in coming_of(board) if one.key_areas and not one.is_cancelled]


def queue_hours_of(queue: QueueView) -> list[QueueHour]:
    """Return the hours in which anybody waits, each by its worst five minutes."""
    hours = groupby(queue.slots, key=lambda one: local(one.starts_at).replace(minute=0))
    found = [QueueHour(starts_at=hour, worst=_worst(list(slots))) for hour, slots in hours]
    return [one for one in found if one.worst.high_waiting >= 1]


def _worst(slots: Sequence[QueueSlot]) -> QueueSlot:
    return max(slots, key=lambda one: (one.wait_minutes, one.high_wait_minutes, one.high_waiting))


def _queue_of(visit: Visit, shown: Window) -> QueueView | None:
    """Return what would happen with the posts that are asked for; None without a number."""
    posts = number_field(visit.query, "posts")
    if posts is None or posts > MAX_POSTS:
        return None
    return find_queue(visit.reading(), now=visit.now, posts=posts, day=_day_of(visit, shown))


def _stretch_of(visit: Visit, shown: Window) -> dict[str, object]:
    """Return who comes between the two times that are asked for, and what was typed."""
    typed = [visit.query.get(name, "")[:MAX_CLOCK] for name in ("from", "to")]
    start, end = (_clock_of(text) for text in typed)
    found: WindowView | None = None
    if start is not None and end is not None:
        day = _day_of(visit, shown)
        found = find_window(visit.reading(), now=visit.now, start=start, end=end, day=day)
    return {"start": typed[0], "end": typed[1], "stretch": found}


def _clock_of(text: str) -> time | None:
    """Return a time of the clock as a browser sends it, or None."""
    try:
        return time.fromisoformat(text).replace(tzinfo=None)
    except ValueError:
        return None


def _day_of(visit: Visit, shown: Window) -> date | None:
    today = day_of(visit.now)
    return {Window.TODAY: today, Window.TOMORROW: today + timedelta(days=1)}.get(shown)
