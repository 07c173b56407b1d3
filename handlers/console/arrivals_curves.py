"""What the charts of arrivals are drawn of: plain lists, in the order of time.

Labels are made here, in the station's time: a browser may stand in another zone.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, TypeAlias

from core.arrivals.grades import ComparedDay
from core.arrivals.overview import Board
from core.arrivals.queues import QueueView
from core.arrivals.rules import SLOT_MINUTES, Band
from core.clock import local

# As JSON has it.
Curve: TypeAlias = dict[str, object]

BOUNDS: Final = ("mean", "low80", "high80", "low95", "high95")


def board_curve_of(board: Board) -> Curve:
    """Return the slots of a board with their bands, the posts, and where the peaks lie."""
    starts = [one.starts_at for one in board.slots]
    return {
        **_times(starts, minutes=SLOT_MINUTES),
        **_bands([one.band for one in board.slots]),
        "posts": [one.posts for one in board.slots],
        "actual": None,
        "peaks": [
            [_place_of(starts, one.starts_at), _place_of(starts, one.ends_at)]
            for one in board.peaks
        ],
    }


def compared_curve_of(compared: ComparedDay) -> Curve:
    """Return the slots of a past day with their bands, and what came."""
    return {
        **_times([one.starts_at for one in compared.slots], minutes=compared.grade.slot_minutes),
        **_bands([one.band for one in compared.slots]),
        "posts": None,
        "actual": [None if one.actual is None else round(one.actual) for one in compared.slots],
        "peaks": [],
    }


def queue_curve_of(queue: QueueView) -> Curve:
    """Return how many wait, as expected and if many come, by slot."""
    return {
        **_times([one.starts_at for one in queue.slots], minutes=SLOT_MINUTES),
        "waiting": [round(one.waiting) for one in queue.slots],
        "high_waiting": [round(one.high_waiting) for one in queue.slots],
        "wait_minutes": [round(one.wait_minutes, 1) for one in queue.slots],
    }


def _times(starts: Sequence[datetime], *, minutes: int) -> Curve:
    here = [local(one) for one in starts]
    return {
        "step_minutes": minutes,
        "times": [f"{one:%H:%M}" for one in here],
        "days": [f"{one.month}/{one.day}" for one in here],
        # Of a slot that begins an hour, which hour.
        "hours": [one.hour if not one.minute else None for one in here],
    }


def _bands(bands: Sequence[Band]) -> Curve:
    return {name: [round(getattr(one, name), 1) for one in bands] for name in BOUNDS}


def _place_of(starts: Sequence[datetime], at: datetime) -> int:
    """Return the place of an instant on the axis; one outside of it is at its nearest end."""
    step = timedelta(minutes=SLOT_MINUTES)
    return min(max((at - starts[0]) // step, 0), len(starts) - 1) if starts else 0
