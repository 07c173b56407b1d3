"""Days by chance of a whole window: by the trains where there is a timetable, else by the clock."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

import numpy as np

from core.arrivals.delays import EARLIEST
from core.arrivals.egress import egress_shares
from core.arrivals.forecaster import profile_for
from core.arrivals.inputs import Floats, Inputs, TrainInput, minute_of
from core.arrivals.outlook import known_until, outlook_of, tracked_until
from core.arrivals.references import References
from core.arrivals.rules import SLOT_MINUTES, SLOTS, STALE_MINUTES, Fallback
from core.arrivals.simulating import DayChance, TrainOutlook, simulate, simulate_profile
from core.clock import day_of
from core.errors import ConflictError

HIGH95: Final = 0.975
# A train that is three hours late still brings people into the window.
LOOK_BACK_MINUTES: Final = 180


class ArrivalsWithoutBasisError(ConflictError):
    """There is neither a timetable nor a count of earlier days."""

    code = "arrivals_without_basis"


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnDays:
    """A window, many times.

    Attributes:
        people: by draw and slot.
        mean: by slot, expected people.
        bulk: by slot, people when the largest train that may well come then does.
        trains: that may bring somebody into the window, by schedule.
        outlooks: what is known of each.
        loads: by train: mean, lower and upper end of the 80 % interval.
        delays: by train, the median in minutes.
        flags: what was done without.
    """

    people: Floats
    mean: Floats
    bulk: Floats
    trains: tuple[TrainInput, ...]
    outlooks: tuple[TrainOutlook, ...]
    loads: Floats
    delays: Floats
    flags: frozenset[Fallback]


def draw_days(
    inputs: Inputs,
    references: References,
    *,
    start: datetime,
    slots: int,
    day_shock: float,
    draws: int,
    rng: np.random.Generator,
) -> DrawnDays:
    """Return a window many times over, each time as it may come about.

    Args:
        inputs: what is known.
        references: fitted from days before.
        start: of the window, the start of a slot.
        slots: of the window.
        day_shock: of days that are known by the clock alone and have no past.
        draws: how many times.
        rng: source of chance.

    Raises:
        ArrivalsWithoutBasisError: the window has no trains, and no day was counted.
    """
    trains, outlooks = _outlooks(inputs, references, start=start, slots=slots)
    simulated = simulate(
        outlooks,
        egress=egress_shares(
            median=references.egress_median_minutes, p95=references.egress_p95_minutes
        ),
        chance=DayChance(
            shock=references.day_shock, delay_correlation=references.delay_correlation
        ),
        slots=slots,
        draws=draws,
        rng=rng,
    )
    people, mean, bulk = simulated.people, simulated.mean, simulated.bulk
    flags = set(_flags_of(inputs, references, outlooks))
    by_timetable = {day_of(one.scheduled_at) for one in inputs.trains}
    for day, inside, of_day in _days_of(start, slots):
        if day in by_timetable:
            continue
        flags.add(Fallback.NO_TIMETABLE)
        profile = _by_profile(inputs, day, day_shock=day_shock, draws=draws, rng=rng)
        if profile is None and not trains:
            raise ArrivalsWithoutBasisError(day=day)
        if profile is None:
            # The day before a first timetable: what is known of the other day is worth having.
            continue
        expected, drawn = profile
        people[:, inside] += drawn[:, of_day]
        mean[inside] += expected[of_day]
        bulk[inside] += np.quantile(drawn[:, of_day], HIGH95, axis=0)
    return DrawnDays(
        people=people,
        mean=mean,
        bulk=bulk,
        trains=tuple(trains),
        outlooks=tuple(outlooks),
        loads=simulated.loads,
        delays=simulated.delays,
        flags=frozenset(flags),
    )


def _days_of(start: datetime, slots: int) -> Iterator[tuple[date, slice, slice]]:
    """Yield each local day of a window: the day, its slots in the window, and in the day."""
    place, first = 0, minute_of(start) // SLOT_MINUTES
    day = day_of(start)
    while place < slots:
        count = min(SLOTS - first, slots - place)
        yield day, slice(place, place + count), slice(first, first + count)
        place, first, day = place + count, 0, day + timedelta(days=1)


def _outlooks(
    inputs: Inputs, references: References, *, start: datetime, slots: int
) -> tuple[list[TrainInput], list[TrainOutlook]]:
    """Return the trains that may bring somebody into the window, by schedule, and their outlook."""
    end = start + timedelta(minutes=SLOT_MINUTES * slots - EARLIEST)
    since = start - timedelta(minutes=LOOK_BACK_MINUTES)
    trains = sorted(
        (one for one in inputs.trains if since <= one.scheduled_at < end),
        key=lambda one: (one.scheduled_at, one.number),
    )
    until = tracked_until(inputs)
    return trains, [
        outlook_of(one, inputs, references, start=start, tracked_until=until) for one in trains
    ]


def _flags_of(
    inputs: Inputs, references: References, outlooks: Sequence[TrainOutlook]
) -> Iterator[Fallback]:
    yield from references.flags
    if any(one.fallback is Fallback.NO_TICKETS and one.limit > 0 for one in outlooks):
        yield Fallback.NO_TICKETS
    if inputs.now - known_until(inputs) > timedelta(minutes=STALE_MINUTES):
        yield Fallback.FEED_STALE


def _by_profile(
    inputs: Inputs, day: date, *, day_shock: float, draws: int, rng: np.random.Generator
) -> tuple[Floats, Floats] | None:
    """Return the expected people by slot of a day without a timetable, and drawn ones.

    None where no day was counted.
    """
    counts = inputs.counts.until(day_of(inputs.now))
    days = [counts.start_day + timedelta(days=place) for place in range(len(counts.values))]
    expected, residuals = profile_for(counts.values, days, day)
    if np.isnan(expected).all():
        return None
    expected = np.nan_to_num(expected)
    drawn = simulate_profile(
        expected,
        residuals,
        shock=day_shock,
        draws=draws,
        rng=rng,
    )
    return expected, drawn
