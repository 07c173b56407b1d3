"""What the station manager sees of the coming hours, read of one forecast as it was issued.

So its parts agree. Instants are aware; hours are those of Asia/Shanghai.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy.orm import Session

from core.arrivals.bodies import KeptForecast, KeptTrain, kept_in
from core.arrivals.crowds import Crowd, crowds_of
from core.arrivals.grades import (
    ComparedDay,
    CoverageAlert,
    Grade,
    alert_of,
    find_compared_day,
    list_grades,
)
from core.arrivals.issued import find_newest
from core.arrivals.model import IssuedForecast
from core.arrivals.rules import (
    SLOT_MINUTES,
    SLOTS_PER_HOUR,
    STALE_MINUTES,
    Band,
    Fallback,
    StationSettings,
    TrainClass,
)
from core.arrivals.settings import settings_of
from core.clock import day_of

SLOT: Final = timedelta(minutes=SLOT_MINUTES)
HOUR: Final = timedelta(hours=1)
SHOWN_TOP_HOURS: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotLine:
    """Five minutes of the forecast.

    Attributes:
        starts_at: of the five minutes.
        band: persons at the check point.
        needed: posts that these minutes need by themselves.
        posts: that the shifts keep open.
    """

    starts_at: datetime
    band: Band
    needed: int
    posts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HourLine:
    """An hour of the forecast.

    Attributes:
        starts_at: of the hour; the first and the last one may be cut by the window.
        band: persons at the check point.
        share: of all that come in the window, 0-1.
        top_probability: that the hour is among the two busiest, 0-1.
        posts: the most that any part of it needs.
        crowd: the word for it that everyone may hear.
    """

    starts_at: datetime
    band: Band
    share: float
    top_probability: float
    posts: int
    crowd: Crowd


@dataclass(frozen=True, slots=True, kw_only=True)
class PeakLine:
    """Hours next to each other that belong to the smallest set with the asked share.

    Attributes:
        starts_at: of the first hour.
        ends_at: of the last one.
        mean: persons.
        share: of all that come in the window, 0-1.
    """

    starts_at: datetime
    ends_at: datetime
    mean: float
    share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ShiftLine:
    """How many posts to man from when until when.

    Attributes:
        starts_at: of the shift.
        ends_at: of the shift.
        posts: to man at once.
        relief: people beside them who relieve them.
        mean: persons expected in it.
    """

    starts_at: datetime
    ends_at: datetime
    posts: int
    relief: int
    mean: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainLine:
    """A train of the window.

    Attributes:
        number: as on the ticket.
        train_class: of the number.
        origin: where it starts, as the timetable has it.
        scheduled_at: by timetable.
        expected_at: with the delay that is known or usual; `scheduled_at` of a cancelled train.
        capacity: seats.
        sold: tickets to this station known when the forecast was made; None: not known.
        mean: persons that leave it here; 0 for a cancelled train.
        low80: lower bound, 80 percent.
        high80: upper bound.
        is_cancelled: it does not come.
        is_sold_out: taken as full.
        fallback: what was done without; None: nothing.
        key_areas: names of the key areas of its day that hold its origin; empty: none.
    """

    number: str
    train_class: TrainClass
    origin: str
    scheduled_at: datetime
    expected_at: datetime
    capacity: int
    sold: int | None
    mean: float
    low80: float
    high80: float
    is_cancelled: bool
    is_sold_out: bool
    fallback: Fallback | None
    key_areas: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyAreaShare:
    """Who comes from key areas.

    Attributes:
        mean: persons expected from trains that start in one.
        share: of all expected from trains, 0-1.
        train_count: of these trains.
    """

    mean: float
    share: float
    train_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedState:
    """How the live ticket feed does.

    Attributes:
        is_connected: one was ever read; else tickets come by import alone.
        is_stale: connected, and too long without a success.
        complete_at: up to when its sales are known; None: never.
        succeeded_at: the last attempt that succeeded.
        failed_count: attempts that failed since.
        last_error: code of the last failure; empty without one.
    """

    is_connected: bool
    is_stale: bool
    complete_at: datetime | None
    succeeded_at: datetime | None
    failed_count: int
    last_error: str


NO_FEED: Final = FeedState(
    is_connected=False,
    is_stale=False,
    complete_at=None,
    succeeded_at=None,
    failed_count=0,
    last_error="",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """All that the station manager sees.

    Attributes:
        forecast_id: of the forecast as issued.
        made_at: when it was.
        from_at: where its window begins.
        until_at: where it ends.
        total: persons in the window.
        slots: of five minutes, in order.
        hours: clock hours, in order.
        peaks: in order.
        peak_share: what the peaks hold together, 0-1.
        top_hours: those most likely among the two busiest, the likeliest first, at most four.
        shifts: in order.
        post_hours: of all shifts.
        max_posts: of any shift.
        is_limited: more posts are needed at some time than there is room for.
        trains: by expected arrival.
        key_areas: who comes from one.
        feed: of tickets.
        flags: what the forecast was made without.
        settings: that the posts were worked out with.
        yesterday: the last day that was graded, beside what came; None: none in 14 days.
        grades: of up to 14 days, the newest first.
        alert: None while the bands hold what they say.
    """

    forecast_id: int
    made_at: datetime
    from_at: datetime
    until_at: datetime
    total: Band
    slots: tuple[SlotLine, ...]
    hours: tuple[HourLine, ...]
    peaks: tuple[PeakLine, ...]
    peak_share: float
    top_hours: tuple[HourLine, ...]
    shifts: tuple[ShiftLine, ...]
    post_hours: float
    max_posts: int
    is_limited: bool
    trains: tuple[TrainLine, ...]
    key_areas: KeyAreaShare
    feed: FeedState
    flags: frozenset[Fallback]
    settings: StationSettings
    yesterday: ComparedDay | None
    grades: tuple[Grade, ...]
    alert: CoverageAlert | None


def find_board(session: Session, *, now: datetime, day: date | None = None) -> Board | None:
    """Return what the station manager sees, or None without a forecast for it.

    Args:
        session: may be a reading one.
        now: aware instant.
        day: None: the newest forecast of the coming 24 hours; a local day: the newest one of that
            whole day. Tomorrow's is issued every hour from 16:00 on, today's at midnight.
    """
    row = find_newest(session, now=now, day=day)
    return None if row is None else board_of(session, row, now=now)


def board_of(session: Session, row: IssuedForecast, *, now: datetime) -> Board:
    """Return what the station manager sees of a forecast.

    Args:
        session: may be a reading one.
        row: the forecast; one that was not issued has the id 0 on the board.
        now: aware instant.
    """
    kept = kept_in(row.body)
    hours = _hours_of(kept)
    peaks, trains = _peaks_of(hours, kept.peak_hours), _trains_of(kept)
    grades = list_grades(session, until_day=day_of(now) - timedelta(days=1))
    return Board(
        forecast_id=row.id or 0,
        made_at=row.made_at,
        from_at=kept.from_at,
        until_at=kept.until_at,
        total=kept.total,
        slots=_slots_of(kept),
        hours=hours,
        peaks=peaks,
        peak_share=sum(one.share for one in peaks),
        top_hours=_top_of(hours),
        shifts=_shifts_of(kept),
        post_hours=kept.post_hours,
        max_posts=max((one.posts for one in kept.shifts), default=0),
        is_limited=kept.is_limited,
        trains=trains,
        key_areas=_key_areas_of(trains),
        feed=_find_feed(session, now=now),
        flags=kept.flags,
        settings=settings_of(row.settings),
        yesterday=find_compared_day(session, day=grades[0].day) if grades else None,
        grades=tuple(grades),
        alert=alert_of(grades),
    )


def _slots_of(kept: KeptForecast) -> tuple[SlotLine, ...]:
    parts = zip(kept.slots, kept.needed, kept.planned, strict=True)
    return tuple(
        SlotLine(starts_at=kept.from_at + place * SLOT, band=band, needed=needed, posts=planned)
        for place, (band, needed, planned) in enumerate(parts)
    )


def _hours_of(kept: KeptForecast) -> tuple[HourLine, ...]:
    means = [band.mean for band in kept.hours]
    crowds = crowds_of(means, usual_peak=kept.usual_peak)
    total = sum(means)
    starts = [kept.from_at + place * HOUR for place in range(len(means))]
    return tuple(
        HourLine(
            starts_at=at,
            band=band,
            share=band.mean / total if total else 0.0,
            top_probability=kept.top_hours.get(at, 0.0),
            posts=max(kept.planned[place * SLOTS_PER_HOUR : (place + 1) * SLOTS_PER_HOUR]),
            crowd=crowds[place],
        )
        for place, (at, band) in enumerate(zip(starts, kept.hours, strict=True))
    )


def _peaks_of(hours: Sequence[HourLine], starts: Collection[datetime]) -> tuple[PeakLine, ...]:
    peaks: list[PeakLine] = []
    for hour in (one for one in hours if one.starts_at in starts):
        begun = peaks.pop() if peaks and peaks[-1].ends_at == hour.starts_at else None
        peaks.append(
            PeakLine(
                starts_at=begun.starts_at if begun else hour.starts_at,
                ends_at=hour.starts_at + HOUR,
                mean=hour.band.mean + (begun.mean if begun else 0),
                share=hour.share + (begun.share if begun else 0),
            )
        )
    return tuple(peaks)


def _top_of(hours: Sequence[HourLine]) -> tuple[HourLine, ...]:
    likely = [one for one in hours if one.top_probability > 0]
    return tuple(sorted(likely, key=_likeliest_first)[:SHOWN_TOP_HOURS])


def _likeliest_first(hour: HourLine) -> tuple[float, datetime]:
    return -hour.top_probability, hour.starts_at


def _shifts_of(kept: KeptForecast) -> tuple[ShiftLine, ...]:
    return tuple(
        ShiftLine(
            starts_at=one.starts_at,
            ends_at=one.ends_at,
            posts=one.posts,
            relief=one.relief,
            mean=sum(
                band.mean
                for place, band in enumerate(kept.slots)
                if one.starts_at <= kept.from_at + place * SLOT < one.ends_at
            ),
        )
        for one in kept.shifts
    )


def _trains_of(kept: KeptForecast) -> tuple[TrainLine, ...]:
    return tuple(
        TrainLine(
            number=one.number,
            train_class=one.note.train_class,
            origin=one.origin,
            scheduled_at=one.scheduled_at,
            expected_at=one.scheduled_at if one.is_cancelled else one.expected_at,
            capacity=one.note.capacity,
            sold=one.note.sold,
            mean=one.mean,
            low80=one.low80,
            high80=one.high80,
            is_cancelled=one.is_cancelled,
            is_sold_out=one.is_sold_out,
            fallback=one.fallback,
            key_areas=one.note.key_areas,
        )
        for one in sorted(kept.trains, key=_next_first)
        # Those before the window are kept for the people who are still on their way.
        if max(one.scheduled_at, one.expected_at) >= kept.from_at
    )


def _next_first(train: KeptTrain) -> tuple[datetime, str]:
    return train.scheduled_at if train.is_cancelled else train.expected_at, train.number


def _key_areas_of(trains: Sequence[TrainLine]) -> KeyAreaShare:
    running = [one for one in trains if not one.is_cancelled]
    met = [one for one in running if one.key_areas]
    total, mean = sum(one.mean for one in running), sum(one.mean for one in met)
    return KeyAreaShare(mean=mean, share=mean / total if total else 0.0, train_count=len(met))


def _find_feed(session: Session, *, now: datetime) -> FeedState:
    # Arrays take a while to load, and a page needs none.
    from core.arrivals.service import find_feed

    feed = find_feed(session)
    if feed is None:
        return NO_FEED
    stale = now - timedelta(minutes=STALE_MINUTES)
    return FeedState(
        is_connected=True,
        is_stale=feed.complete_at is None or feed.complete_at < stale,
        complete_at=feed.complete_at,
        succeeded_at=feed.succeeded_at,
        failed_count=feed.failed_count,
        last_error=feed.last_error,
    )
