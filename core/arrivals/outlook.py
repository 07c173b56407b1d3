"""One train: how many people it will bring, how late it may be, what of that is known already."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from core.arrivals.calendar import day_type_of
from core.arrivals.delays import curve_for
from core.arrivals.inputs import Inputs, TrainInput, last_told_at, minute_of, sold_at
from core.arrivals.pickup import (
    ALL,
    FALLBACK_LOAD,
    FALLBACK_LOAD_DEVIATION,
    LoadFactor,
    line_for,
    nearest,
)
from core.arrivals.references import References
from core.arrivals.rules import Fallback
from core.arrivals.simulating import TrainOutlook, minutes_from
from core.clock import day_of

SOLD_OUT_SHARE: Final = 0.98
# What is taken for a train of which nobody says how many it holds.
USUAL_CAPACITY: Final = 600
# A delay that was reported under way leaves this much of the group's spread.
LIVE_SPREAD: Final = 0.5
TRACKED_HOURS: Final = 3


def outlook_of(
    train: TrainInput,
    inputs: Inputs,
    references: References,
    *,
    start: datetime,
    tracked_until: datetime | None,
) -> TrainOutlook:
    """Return what is known of a train at `inputs.now`.

    Args:
        train: of the window or shortly before.
        inputs: all that is known.
        references: of its day.
        start: of the window.
        tracked_until: up to when arrivals are told, so that a train which was due before and has
            not come is late; None: they are not told as they happen.
    """
    no_show = _of_class(references.no_shows, train)
    people, variance, limit, fallback = _people_of(train, inputs, references, no_show=no_show)
    has_come = train.actual_at is not None and train.actual_at <= inputs.now
    has_counted = has_come and train.alighted is not None and not train.is_cancelled
    if has_counted and train.alighted is not None:
        people, variance, limit, fallback = float(train.alighted), 0.0, float(train.alighted), None
    curve = curve_for(references.delays, train.train_class, minute_of(train.scheduled_at))
    shift, spread = _shift_of(train, inputs.now)
    late = _late_at(train, tracked_until)
    is_awaited = not has_come and train.live_delay_minutes is None and late > 0
    return TrainOutlook(
        minute=minutes_from(start, train.scheduled_at),
        people=0.0 if train.is_cancelled else people,
        variance=variance,
        limit=0.0 if train.is_cancelled else limit,
        vanish_share=0.0 if has_come else _of_class(references.vanished, train),
        delay=None if has_come else curve,
        shift=shift,
        spread=spread,
        least=late if is_awaited else None,
        is_certain=has_counted,
        fallback=fallback,
    )


def tracked_until(inputs: Inputs) -> datetime | None:
    """Return the newest arrival of the last three hours; None without one.

    Up to then arrivals were told. A source of them that stops does not make trains late.
    """
    since = inputs.now - timedelta(hours=TRACKED_HOURS)
    return max(
        (
            one.actual_at
            for one in inputs.trains
            if one.actual_at is not None and since <= one.actual_at <= inputs.now
        ),
        default=None,
    )


def is_sold_out(train: TrainInput, at: datetime) -> bool:
    """Return whether at least 98 of 100 places are sold."""
    sold = sold_at(train, at)
    return sold is not None and 0 < train.capacity * SOLD_OUT_SHARE <= sold


def known_until(inputs: Inputs) -> datetime:
    """Return up to when the sales are known."""
    return min(inputs.now, inputs.tickets_until or inputs.now)


def sales_until(train: TrainInput, inputs: Inputs) -> datetime:
    """Return up to when the sales of a train are known.

    A file may tell of it after the live feed stopped.
    """
    until = known_until(inputs)
    return max(until, last_told_at(train, inputs.now) or until)


def _people_of(
    train: TrainInput, inputs: Inputs, references: References, *, no_show: float
) -> tuple[float, float, float, Fallback | None]:
    """Return people, their variance beyond single people, their limit, and the fallback."""
    capacity = float(train.capacity or USUAL_CAPACITY)
    until = sales_until(train, inputs)
    sold = sold_at(train, until)
    if sold is None:
        factor = _load_factor(train, references)
        people = min(factor.mean, 1.0) * capacity
        variance = max((factor.deviation * capacity) ** 2 - people, 0.0)
        return people, variance, capacity, Fallback.NO_TICKETS
    comes = 1 - no_show
    limit = capacity * comes
    if is_sold_out(train, until):
        return limit, 0.0, limit, None
    # A list of the morning is no list of noon with nothing sold since.
    told_at = until if inputs.is_feed_live else last_told_at(train, until) or until
    line = line_for(
        references.pickups,
        train.train_class,
        day_type_of(day_of(train.scheduled_at)),
        lead_hours=(train.scheduled_at - told_at).total_seconds() / 3600,
    )
    tickets = min(max(line.added + line.slope * sold, 0.0), capacity)
    # Single people are a Poisson number already; only what is beyond that is added.
    variance = max(line.dispersion - 1, 0.0) * tickets * comes**2
    return tickets * comes, variance, limit, None


def _load_factor(train: TrainInput, references: References) -> LoadFactor:
    kind = day_type_of(day_of(train.scheduled_at))
    key = nearest(references.load_factors, train.train_class, kind)
    if key is None:
        return LoadFactor(mean=FALLBACK_LOAD, deviation=FALLBACK_LOAD_DEVIATION, run_count=0)
    return references.load_factors[key]


def _shift_of(train: TrainInput, now: datetime) -> tuple[float, float]:
    """Return the minutes of delay that are known, and how much of the usual spread is left."""
    if train.actual_at is not None and train.actual_at <= now:
        return (train.actual_at - train.scheduled_at).total_seconds() / 60, 0.0
    if train.live_delay_minutes is not None:
        return float(train.live_delay_minutes), LIVE_SPREAD
    return 0.0, 1.0


def _late_at(train: TrainInput, at: datetime | None) -> float:
    return 0.0 if at is None else (at - train.scheduled_at).total_seconds() / 60


def _of_class(shares: Mapping[str, float], train: TrainInput) -> float:
    return shares.get(train.train_class.value, shares.get(ALL, 0.0))
