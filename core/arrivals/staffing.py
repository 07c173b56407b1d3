"""How many posts it takes, by which shifts, and what becomes of the queue with fewer."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

import numpy as np

from core.arrivals.inputs import Floats, Integers
from core.arrivals.rules import SLOT_MINUTES, StationSettings, check_settings

if TYPE_CHECKING:
    from core.arrivals.forecasting import Forecast

SLOT_SECONDS: Final = SLOT_MINUTES * 60
HALF_MINUTES: Final = 30
HALVES: Final = 2
SLOTS_PER_HALF: Final = HALF_MINUTES // SLOT_MINUTES
ROUNDING: Final = 1e-9
# Of two rosters that cost the same, the one that changes less often.
CHANGE_COST: Final = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """Posts that stand from one time to another.

    Attributes:
        start_at: a full or half hour.
        end_at: likewise, excluded.
        posts: that are open at once.
        relief: people beside them who relieve them.
    """

    start_at: datetime
    end_at: datetime
    posts: int
    relief: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Roster:
    """Posts for the window of a forecast.

    Attributes:
        slots: posts needed in each five minutes.
        planned: posts that the shifts keep open in each five minutes.
        shifts: one after the other without a gap; 0 posts where nobody comes.
        post_hours: of the shifts, relief included.
        is_limited: more posts are needed at some time than there is room for.
    """

    slots: Integers
    planned: Integers
    shifts: tuple[Shift, ...]
    post_hours: float
    is_limited: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """What waits, by slot, with a number of posts that does not change.

    Attributes:
        posts: open all the time.
        lengths: people waiting at the end of each slot, at the mean of the forecast.
        waits: minutes that the last one waits who comes in the slot, likewise.
        high_lengths: people waiting when as many come as the upper end of the 80 % interval.
        high_waits: minutes, likewise.
        longest: the greatest of `lengths`.
        longest_wait: the greatest of `waits`, minutes.
        longest_at: start of the slot with the longest wait.
    """

    posts: int
    lengths: Floats
    waits: Floats
    high_lengths: Floats
    high_waits: Floats
    longest: float
    longest_wait: float
    longest_at: datetime


def staff(forecast: Forecast, *, settings: StationSettings) -> Roster:
    """Return the posts that a forecast asks for.

    In each five minutes it is the greatest of three numbers, for the upper end of the 80 %
    interval: posts that are not busier than allowed, posts with which waiting is as short as
    wanted, and posts with which the people of one large train are through in time. Shifts are the
    cheapest ones of the shortest length or more that keep as many open.

    Source: docs/sources.md#arrivals-staffing
    """
    check_settings(settings)
    needed = posts_needed(forecast.slots.high80, forecast.bulk, settings=settings)
    limit = settings.post_limit or int(needed.max(initial=0))
    pieces = _pieces(needed.clip(max=limit), settings.min_shift_hours * HALVES)
    shifts = tuple(
        Shift(
            start_at=forecast.from_at + timedelta(minutes=HALF_MINUTES * first),
            end_at=forecast.from_at + timedelta(minutes=HALF_MINUTES * last),
            posts=posts,
            # A half counts as one: five posts have somebody to relieve them, four have nobody.
            relief=math.floor(posts * settings.relief_share + 0.5),
        )
        for first, last, posts in pieces
    )
    return Roster(
        slots=needed,
        planned=np.concatenate(
            [np.full((last - first) * SLOTS_PER_HALF, posts) for first, last, posts in pieces]
        ),
        shifts=shifts,
        post_hours=sum((one.posts + one.relief) * _hours_of(one) for one in shifts),
        is_limited=bool((needed > limit).any()),
    )


def posts_needed(flow: Floats, bulk: Floats, *, settings: StationSettings) -> Integers:
    """Return the posts that each five minutes need by themselves.

    Args:
        flow: people who come in each slot.
        bulk: people who come in it when a large train does.
        settings: of the station.
    """
    loads = flow * settings.check_seconds / SLOT_SECONDS
    busy = _rounded_up(loads / settings.utilisation)
    wait_seconds = settings.wait_target_minutes * 60
    short = posts_for_wait(
        loads,
        check_seconds=settings.check_seconds,
        wait_seconds=wait_seconds,
        share=settings.wait_share,
    )
    cleared = _rounded_up(bulk * settings.check_seconds / (SLOT_SECONDS + wait_seconds))
    return np.maximum(np.maximum(busy, short), cleared)


def _rounded_up(posts: Floats) -> Integers:
    # 0.85 · 7 / 0.85 is a little more than 7; nobody opens an eighth post for that.
    return np.ceil(posts - ROUNDING).astype(np.int64)


def _hours_of(shift: Shift) -> float:
    return (shift.end_at - shift.start_at).total_seconds() / 3600


def _pieces(needed: Integers, shortest: int) -> list[tuple[int, int, int]]:
    """Return (first half hour, last one excluded, posts) of the cheapest shifts.

    Args:
        needed: posts by slot; whole hours of them.
        shortest: half hours that a shift lasts at least; no posts at all may last shorter.
    """
    halves = needed.reshape(-1, SLOTS_PER_HALF).max(1).tolist()
    count = len(halves)
    # By end: cost until then, and the piece that ends there.
    best: list[tuple[float, int, int]] = [(0.0, 0, 0)]
    for last in range(1, count + 1):
        posts, found = 0, (math.inf, 0, 0)
        for first in range(last - 1, -1, -1):
            posts = max(posts, halves[first])
            if posts and last - first < min(shortest, count):
                continue
            cost = best[first][0] + posts * (last - first) + CHANGE_COST
            found = min(found, (cost, first, posts))
        best.append(found)
    pieces: list[tuple[int, int, int]] = []
    last = count
    while last:
        _, first, posts = best[last]
        pieces.append((first, last, posts))
        last = first
    return _joined(pieces[::-1])


def _joined(pieces: list[tuple[int, int, int]]) -> list[tuple[int, int, int]]:
    joined: list[tuple[int, int, int]] = []
    for first, last, posts in pieces:
        if joined and joined[-1][2] == posts:
            joined[-1] = (joined[-1][0], last, posts)
        else:
            joined.append((first, last, posts))
    return joined


# ---- waiting --------------------------------------------------------------------------------


def erlang_c(loads: Floats, posts: int) -> Floats:
    """Return the probability that somebody has to wait, by Erlang's formula for waiting.

    Args:
        loads: people who come in the time of one check; 1 where the posts are too few.
        posts: from 1.

    Source: docs/sources.md#arrivals-staffing
    """
    blocked = np.ones_like(loads)
    for count in range(1, posts + 1):
        blocked = loads * blocked / (count + loads * blocked)
    return _waiting(loads, blocked, posts)


def _waiting(loads: Floats, blocked: Floats, posts: int) -> Floats:
    busy = loads / posts
    waiting = np.divide(blocked, 1 - busy * (1 - blocked), out=np.ones_like(loads), where=busy < 1)
    return np.where(busy < 1, waiting, 1.0)


def posts_for_wait(
    loads: Floats, *, check_seconds: float, wait_seconds: float, share: float
) -> Integers:
    """Return the fewest posts with which enough people are served in time.

    Args:
        loads: people who come in the time of one check, by slot.
        check_seconds: of one person.
        wait_seconds: within which they are to be served.
        share: of the people who are, 0-1.

    Returns:
        Posts; 0 where nobody comes.

    Source: docs/sources.md#arrivals-staffing
    """
    posts = np.zeros(len(loads), np.int64)
    is_open = loads > 0
    blocked = np.ones_like(loads)
    count = 0
    while is_open.any():
        count += 1
        blocked = loads * blocked / (count + loads * blocked)
        late = _waiting(loads, blocked, count)
        late = late * np.exp(-np.maximum(count - loads, 0.0) * wait_seconds / check_seconds)
        done = is_open & (loads < count) & (late <= 1 - share)
        posts[done] = count
        is_open &= ~done
    return posts


def what_if(forecast: Forecast, *, posts: int, settings: StationSettings) -> Queue:
    """Return what the queue would be with a number of posts.

    Args:
        forecast: of the window.
        posts: open all the time, from 1.
        settings: for the time that a check takes.
    """
    check_settings(settings)
    if posts < 1:
        raise ValueError("at least one post")
    bands = forecast.slots
    lengths, waits = queue_of(bands.mean, posts=posts, check_seconds=settings.check_seconds)
    high_lengths, high_waits = queue_of(
        bands.high80, posts=posts, check_seconds=settings.check_seconds
    )
    worst = int(waits.argmax())
    return Queue(
        posts=posts,
        lengths=lengths,
        waits=waits,
        high_lengths=high_lengths,
        high_waits=high_waits,
        longest=float(lengths.max()),
        longest_wait=float(waits[worst]),
        longest_at=forecast.from_at + timedelta(minutes=SLOT_MINUTES * worst),
    )


def queue_of(flow: Floats, *, posts: int, check_seconds: float) -> tuple[Floats, Floats]:
    """Return people waiting at the end of each slot, and the wait in minutes of who comes last.

    The queue is what the posts could not serve so far. Where they can serve everybody there is
    still the wait that comes of people not arriving evenly, by Erlang's formula; the greater of
    the two is told.

    Args:
        flow: people who come in each slot.
        posts: open all the time.
        check_seconds: of one person.
    """
    served = posts * SLOT_SECONDS / check_seconds
    # The queue is as long as what came beyond the posts since it was last empty.
    beyond = np.concatenate([[0.0], np.cumsum(flow - served)])
    lengths: Floats = (beyond - np.minimum.accumulate(beyond))[1:]
    loads = flow * check_seconds / SLOT_SECONDS
    spare = np.maximum(posts - loads, ROUNDING)
    uneven = erlang_c(loads, posts) * check_seconds / spare
    # In five minutes chance alone brings about so many people more than that.
    uneven = np.minimum(uneven, np.sqrt(flow) * check_seconds / posts)
    waits: Floats = np.maximum(lengths * check_seconds / posts, uneven) / 60
    return lengths, waits
