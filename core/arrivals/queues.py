"""What becomes of the queue with a number of posts that somebody asks for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import ClassVar, Final

from sqlalchemy.orm import Session

from core.arrivals.bodies import forecast_in
from core.arrivals.issued import find_newest
from core.arrivals.rules import SLOT_MINUTES
from core.arrivals.settings import settings_of
from core.errors import InvalidInputError

SLOT: Final = timedelta(minutes=SLOT_MINUTES)
MAX_POSTS: Final = 1000


class PostsInvalidError(InvalidInputError):
    """This is not a number of posts; fact `max`."""

    code: ClassVar[str] = "posts_invalid"


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueSlot:
    """Five minutes with a number of posts that somebody asked for.

    Attributes:
        starts_at: of the five minutes.
        waiting: persons in the queue at their end, if as many come as expected.
        wait_minutes: how long somebody waits who comes in them.
        high_waiting: persons in the queue, if as many come as the upper 80 percent bound says.
        high_wait_minutes: likewise.
    """

    starts_at: datetime
    waiting: float
    wait_minutes: float
    high_waiting: float
    high_wait_minutes: float


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueView:
    """What would happen with so many posts all day.

    Attributes:
        posts: asked for.
        slots: in order.
        longest: the slot with the longest wait, if as many come as expected.
        late_minutes: minutes of the window in which that wait is above the target.
        target_minutes: of the settings.
    """

    posts: int
    slots: tuple[QueueSlot, ...]
    longest: QueueSlot
    late_minutes: int
    target_minutes: float


def find_queue(
    session: Session, *, now: datetime, posts: int, day: date | None = None
) -> QueueView | None:
    """Return what would happen with so many posts, or None without a forecast.

    Args:
        session: may be a reading one.
        now: aware instant.
        posts: open all the time, 1-1000.
        day: as `find_board` takes it.

    Raises:
        PostsInvalidError: not a number of posts.
    """
    if not 1 <= posts <= MAX_POSTS:
        raise PostsInvalidError(max=MAX_POSTS)
    row = find_newest(session, now=now, day=day)
    if row is None:
        return None
    # Arrays take a while to load, and only here are they needed.
    from core.arrivals.staffing import what_if

    settings = settings_of(row.settings)
    forecast = forecast_in(row.body)
    queue = what_if(forecast, posts=posts, settings=settings)
    columns = (queue.lengths, queue.waits, queue.high_lengths, queue.high_waits)
    slots = tuple(
        QueueSlot(
            starts_at=forecast.from_at + place * SLOT,
            waiting=waiting,
            wait_minutes=wait,
            high_waiting=high_waiting,
            high_wait_minutes=high_wait,
        )
        for place, (waiting, wait, high_waiting, high_wait) in enumerate(
            zip(*(column.tolist() for column in columns), strict=True)
        )
    )
    target = settings.wait_target_minutes
    return QueueView(
        posts=posts,
        slots=slots,
        longest=max(slots, key=_wait_of),
        late_minutes=SLOT_MINUTES * sum(one.wait_minutes > target for one in slots),
        target_minutes=target,
    )


def _wait_of(slot: QueueSlot) -> float:
    return slot.wait_minutes
