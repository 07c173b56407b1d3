"""The forecast: what is known of trains, tickets and earlier days, as people per five minutes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import numpy as np

from core.arrivals.chance import gamma_quantile
from core.arrivals.conformal import Interval, Scaling, sums_of
from core.arrivals.drawing import HIGH95, DrawnDays, draw_days
from core.arrivals.inputs import Floats, Inputs
from core.arrivals.outlook import is_sold_out, sales_until
from core.arrivals.peaks import peak_hours, top_hours
from core.arrivals.references import References
from core.arrivals.rules import (
    DRAWS,
    FORECAST_HOURS,
    LEVELS,
    SLOT_MINUTES,
    SLOTS_PER_HOUR,
    Band,
    Fallback,
    StationSettings,
    TrainLoad,
    check_settings,
)
from core.arrivals.variance import SharedVariance, shared_variance, variance_of
from core.clock import local

QUARTER: Final = 15
HOUR: Final = 60
HIGH80: Final = 0.9


@dataclass(frozen=True, slots=True, kw_only=True)
class Bands:
    """People by consecutive windows of equal length: mean, and intervals of 80 and 95 %."""

    mean: Floats
    low80: Floats
    high80: Floats
    low95: Floats
    high95: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Peak:
    """One of the fewest hours that hold the wanted share of all arrivals.

    Attributes:
        start_at: the full hour.
        mean: people.
        share: of all arrivals in the window, 0-1.
    """

    start_at: datetime
    mean: float
    share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """Arrivals from a full hour on.

    Attributes:
        from_at: the full hour at which the first slot begins, local time.
        made_at: the instant of the inputs.
        slots: people per five minutes.
        quarters: people per quarter of an hour.
        hours: people per hour.
        total: people in the whole window.
        bulk: by slot, people per five minutes when the largest train that may well come then
            does; what posts must stand.
        spread: by quarter of an hour and factor: products of rows are covariances of quarters;
            with the next three it gives the interval of any window.
        rest: by quarter, the variance that it shares with no other.
        weights: by slot, its part in what its quarter differs.
        noise: by slot, the variance that it does not share with its quarter.
        train_loads: the trains that bring people into the window, by schedule.
        peaks: in the order of time.
        top_hours: (start of the hour, probability that it is one of the two with most people),
            most probable first; hours with less than 1 % are left out.
        flags: what it had to do without.
        scaling: the factors in its intervals.
        draws: how many days were simulated.
        seed: of the simulation.
    """

    from_at: datetime
    made_at: datetime
    slots: Bands
    quarters: Bands
    hours: Bands
    total: Band
    bulk: Floats
    spread: Floats
    rest: Floats
    weights: Floats
    noise: Floats
    train_loads: tuple[TrainLoad, ...]
    peaks: tuple[Peak, ...]
    top_hours: tuple[tuple[datetime, float], ...]
    flags: frozenset[Fallback]
    scaling: Scaling
    draws: int
    seed: int

    @property
    def end_at(self) -> datetime:
        """The end of the window, excluded."""
        return self.from_at + timedelta(minutes=SLOT_MINUTES * len(self.slots.mean))


def forecast(
    inputs: Inputs,
    references: References,
    *,
    from_at: datetime,
    hours: int = FORECAST_HOURS,
    settings: StationSettings,
    draws: int = DRAWS,
    seed: int = 0,
) -> Forecast:
    """Return the arrivals of the coming hours; the same arguments give the same forecast.

    Args:
        inputs: what is known; nothing later than `inputs.now` is looked at.
        references: fitted from days before.
        from_at: aware; the window begins with its full hour.
        hours: length of the window, 1-48.
        settings: of the station.
        draws: days that are simulated.
        seed: of the simulation.

    Raises:
        ArrivalsWithoutBasisError: the window has no trains, and no day was counted.

    Source: docs/sources.md#station-arrivals
    """
    check_settings(settings)
    start = local(from_at).replace(minute=0, second=0, microsecond=0)
    drawn = draw_days(
        inputs,
        references,
        start=start,
        slots=hours * SLOTS_PER_HOUR,
        day_shock=settings.day_shock,
        draws=draws,
        rng=np.random.default_rng(seed),
    )
    scaling = references.scaling
    hour_draws, hour_means = sums_of(drawn.people, HOUR), sums_of(drawn.mean, HOUR)
    shared = shared_variance(drawn.people)
    starts = [start + timedelta(hours=place) for place in range(hours)]
    whole = _bands(drawn, hours * HOUR, scaling)
    return Forecast(
        from_at=start,
        made_at=inputs.now,
        slots=_bands(drawn, SLOT_MINUTES, scaling),
        quarters=_bands(drawn, QUARTER, scaling),
        hours=_bands(drawn, HOUR, scaling),
        total=_window_at(whole, 0),
        bulk=drawn.bulk,
        spread=shared.spread,
        rest=shared.rest,
        weights=shared.weights,
        noise=shared.noise,
        train_loads=_train_loads(drawn, inputs),
        peaks=tuple(
            Peak(start_at=starts[place], mean=float(hour_means[place]), share=share)
            for place, share in peak_hours(hour_means, settings.peak_share)
        ),
        top_hours=tuple((starts[place], share) for place, share in top_hours(hour_draws)),
        flags=drawn.flags,
        scaling=scaling,
        draws=draws,
        seed=seed,
    )


def _train_loads(drawn: DrawnDays, inputs: Inputs) -> tuple[TrainLoad, ...]:
    return tuple(
        TrainLoad(
            number=train.number,
            origin=train.origin,
            scheduled_at=train.scheduled_at,
            expected_at=train.scheduled_at + timedelta(minutes=round(float(delay))),
            mean=float(load[0]),
            low80=float(min(load[1], load[0])),
            high80=float(max(load[2], load[0])),
            is_cancelled=train.is_cancelled,
            is_sold_out=is_sold_out(train, sales_until(train, inputs)),
            fallback=None if train.is_cancelled else outlook.fallback,
        )
        for train, outlook, load, delay in zip(
            drawn.trains, drawn.outlooks, drawn.loads, drawn.delays, strict=True
        )
    )


def _bands(drawn: DrawnDays, minutes: int, scaling: Scaling) -> Bands:
    """Return the sums over windows, with intervals from the draws, scaled."""
    means = sums_of(drawn.mean, minutes)
    low95, low80, high80, high95 = np.quantile(
        sums_of(drawn.people, minutes), (1 - HIGH95, 1 - HIGH80, HIGH80, HIGH95), axis=0
    )
    inner = _interval(means, low80, high80, scaling.factor(LEVELS[0], minutes))
    outer = _interval(means, low95, high95, scaling.factor(LEVELS[1], minutes))
    return Bands(
        mean=means,
        low80=inner.low,
        high80=inner.high,
        # Two factors of their own must not turn the intervals inside out.
        low95=np.minimum(inner.low, outer.low),
        high95=np.maximum(inner.high, outer.high),
    )


def _interval(mean: Floats, low: Floats, high: Floats, factor: float) -> Interval:
    # Where next to nobody comes the mean lies beyond a quantile of whole people.
    whole = Interval(mean=mean, low=np.minimum(low, mean), high=np.maximum(high, mean))
    return whole.scaled(factor)


def window_of(forecast: Forecast, start: datetime, end: datetime) -> Band:
    """Return the people of any window inside of a forecast.

    Args:
        forecast: as made.
        start: aware; taken down to the slot it lies in.
        end: aware, after `start`, excluded; taken up to the end of its slot.

    Returns:
        What is kept with the forecast for windows that it has; for others intervals from the
        covariances of the slots, as wide as those of whole hours on the whole.

    Raises:
        ValueError: the window is empty or not inside of the forecast.
    """
    first = _slots_between(forecast.from_at, start)
    last = -_slots_between(end, forecast.from_at)
    if not 0 <= first < last <= len(forecast.slots.mean):
        raise ValueError("the window is empty or not inside of the forecast")
    for minutes, bands in (
        (SLOT_MINUTES, forecast.slots),
        (QUARTER, forecast.quarters),
        (HOUR, forecast.hours),
    ):
        size = minutes // SLOT_MINUTES
        if last - first == size and first % size == 0:
            return _window_at(bands, first // size)
    if last - first == len(forecast.slots.mean):
        return forecast.total
    return _summed(forecast, first, last)


def _slots_between(start: datetime, at: datetime) -> int:
    return int((at - start).total_seconds() // (60 * SLOT_MINUTES))


def _summed(forecast: Forecast, first: int, last: int) -> Band:
    """Return a window by the covariances of its slots, as a gamma distribution."""
    mean = float(forecast.slots.mean[first:last].sum())
    shared = SharedVariance(
        spread=forecast.spread,
        rest=forecast.rest,
        weights=forecast.weights,
        noise=forecast.noise,
    )
    variance = variance_of(shared, first, last)
    minutes = (last - first) * SLOT_MINUTES
    ends: list[float] = []
    for level, share in zip(LEVELS, (HIGH80, HIGH95), strict=True):
        factor = forecast.scaling.factor(level, minutes)
        low, high = (gamma_quantile(mean, variance, one) for one in (1 - share, share))
        ends += [max(mean - factor * max(mean - low, 0.0), 0.0)]
        ends += [mean + factor * max(high - mean, 0.0)]
    low80, high80, low95, high95 = ends
    return Band(
        mean=mean,
        low80=low80,
        high80=high80,
        low95=min(low80, low95),
        high95=max(high80, high95),
    )


def _window_at(bands: Bands, place: int) -> Band:
    return Band(
        mean=float(bands.mean[place]),
        low80=float(bands.low80[place]),
        high80=float(bands.high80[place]),
        low95=float(bands.low95[place]),
        high95=float(bands.high95[place]),
    )
