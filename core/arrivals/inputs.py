"""What a forecast is made from, as plain values: trains, what ran before, counts at the gate."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from core.arrivals.rules import LEAD_HOURS, MINUTES_PER_DAY, SLOTS, TrainClass
from core.clock import SHANGHAI, day_of, local

Floats: TypeAlias = NDArray[np.float64]
Integers: TypeAlias = NDArray[np.int64]
Flags: TypeAlias = NDArray[np.bool_]

CLASSES: Final = tuple(TrainClass)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainInput:
    """One train of one day.

    Attributes:
        number: its number, in its one spelling.
        train_class: by the letter of the number, or as the timetable says.
        origin: where it comes from, as the timetable writes it.
        scheduled_at: when it is to arrive here.
        capacity: people that may get off here at most; 0: not known.
        is_cancelled: known to be cancelled.
        sold: (instant, tickets to this station sold so far), in the order of time; it holds until
            the next. Empty: the feed says nothing of this train.
        live_delay_minutes: reported while it is under way; None: nothing reported.
        actual_at: when it arrived; None: it has not, or nobody said so.
        alighted: people who got off; None: not counted.
    """

    number: str
    train_class: TrainClass
    origin: str
    scheduled_at: datetime
    capacity: int
    is_cancelled: bool = False
    sold: tuple[tuple[datetime, int], ...] = ()
    live_delay_minutes: int | None = None
    actual_at: datetime | None = None
    alighted: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """Trains of the past, one element per train and day; all arrays have the same length.

    Attributes:
        days: ordinals of the local days on which they were to arrive (`date.toordinal`).
        minutes: scheduled arrival, minutes since that midnight.
        classes: places in `CLASSES`.
        capacities: NaN where not known.
        cancelled: whether the train was cancelled.
        sold: by lead of `LEAD_HOURS`, tickets sold so far; NaN where not known.
        alighted: people who got off; NaN where not counted.
        delays: minutes later than scheduled; NaN where not known.
    """

    days: Integers
    minutes: Integers
    classes: Integers
    capacities: Floats
    cancelled: Flags
    sold: Floats
    alighted: Floats
    delays: Floats

    def __len__(self) -> int:
        return len(self.days)

    def between(self, first: date, last: date) -> History:
        """Return the trains of the days from `first` to before `last`."""
        chosen = (self.days >= first.toordinal()) & (self.days < last.toordinal())
        return self.where(chosen)

    def where(self, chosen: Flags) -> History:
        """Return the trains that are chosen."""
        return History(
            days=self.days[chosen],
            minutes=self.minutes[chosen],
            classes=self.classes[chosen],
            capacities=self.capacities[chosen],
            cancelled=self.cancelled[chosen],
            sold=self.sold[chosen],
            alighted=self.alighted[chosen],
            delays=self.delays[chosen],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CountTable:
    """People counted at the gate in every slot of whole local days.

    Attributes:
        start_day: the first day.
        values: by day and slot of five minutes; NaN: not counted, which is not 0.
    """

    start_day: date
    values: Floats

    @property
    def end_day(self) -> date:
        """The day after the last."""
        return self.start_day + timedelta(days=len(self.values))

    def until(self, day: date) -> CountTable:
        """Return what was counted before a day."""
        kept = max(0, (day - self.start_day).days)
        return CountTable(start_day=self.start_day, values=self.values[:kept])

    def find_day(self, day: date) -> Floats | None:
        """Return the slots of a day, NaN where not counted; None outside of the table."""
        place = (day - self.start_day).days
        return self.values[place] if 0 <= place < len(self.values) else None


def no_counts(day: date) -> CountTable:
    """Return a table without a day."""
    return CountTable(start_day=day, values=np.empty((0, SLOTS)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """What is known when a forecast is made.

    Attributes:
        now: the instant; whatever is dated later is not looked at.
        trains: those that are to arrive from three hours before the window to its end.
        history: trains of earlier days.
        counts: of earlier days; may hold the day that is going on.
        tickets_until: up to when the feed of tickets is complete; None: up to `now`.
        is_feed_live: every sale is told as it happens, so that a number that did not change since
            morning is the number of now; else it is the number of its own instant.
    """

    now: datetime
    trains: tuple[TrainInput, ...]
    history: History
    counts: CountTable
    tickets_until: datetime | None = None
    is_feed_live: bool = False

    def __post_init__(self) -> None:
        """Raise ValueError if an instant has no zone, a bug in the caller."""
        if self.now.tzinfo is None or any(one.scheduled_at.tzinfo is None for one in self.trains):
            raise ValueError("aware instants are needed")


def sold_at(train: TrainInput, at: datetime) -> int | None:
    """Return how many tickets were sold at an instant; None before the first that is known."""
    place = bisect_right(train.sold, at, key=_instant_of)
    return train.sold[place - 1][1] if place else None


def last_told_at(train: TrainInput, at: datetime) -> datetime | None:
    """Return the instant of the newest sales that are known at an instant."""
    place = bisect_right(train.sold, at, key=_instant_of)
    return train.sold[place - 1][0] if place else None


def _instant_of(sale: tuple[datetime, int]) -> datetime:
    return sale[0]


def known_at(trains: Sequence[TrainInput], now: datetime) -> tuple[TrainInput, ...]:
    """Return trains as they were known at an instant: without later sales and arrivals."""
    return tuple(
        replace(
            one,
            sold=tuple(sale for sale in one.sold if sale[0] <= now),
            actual_at=one.actual_at if _has_come(one, now) else None,
            alighted=one.alighted if _has_come(one, now) else None,
        )
        for one in trains
    )


def _has_come(train: TrainInput, now: datetime) -> bool:
    return train.actual_at is not None and train.actual_at <= now


def history_of(trains: Sequence[TrainInput]) -> History:
    """Return trains that are over as arrays, in the order given."""
    return History(
        days=np.array([day_of(one.scheduled_at).toordinal() for one in trains], np.int64),
        minutes=np.array([minute_of(one.scheduled_at) for one in trains], np.int64),
        classes=np.array([CLASSES.index(one.train_class) for one in trains], np.int64),
        capacities=np.array([one.capacity or np.nan for one in trains], float),
        cancelled=np.array([one.is_cancelled for one in trains], bool),
        sold=np.array([_sold_by_lead(one) for one in trains], float).reshape(-1, len(LEAD_HOURS)),
        alighted=np.array([_known(one.alighted) for one in trains], float),
        delays=np.array([_delay_of(one) for one in trains], float),
    )


def minute_of(at: datetime) -> int:
    """Return the minute of the local day, 0-1439."""
    here = local(at)
    return here.hour * 60 + here.minute


def slot_start(day: date, slot: int) -> datetime:
    """Return the first instant of a slot of a local day, as local time."""
    midnight = datetime(day.year, day.month, day.day, tzinfo=SHANGHAI)
    # Asia/Shanghai has had no summer time since 1991.
    return midnight + timedelta(minutes=slot * MINUTES_PER_DAY // SLOTS)


def _sold_by_lead(train: TrainInput) -> list[float]:
    leads = [train.scheduled_at - timedelta(hours=lead) for lead in LEAD_HOURS]
    return [_known(sold_at(train, at)) for at in leads]


def _delay_of(train: TrainInput) -> float:
    if train.actual_at is None:
        return np.nan
    return (train.actual_at - train.scheduled_at).total_seconds() / 60


def _known(number: int | None) -> float:
    return np.nan if number is None else float(number)
