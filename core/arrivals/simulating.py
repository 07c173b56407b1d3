"""Days by chance: loads, delays and ways to the check of all trains, thousands of times at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import numpy as np

from core.arrivals.chance import normal_share
from core.arrivals.delays import DelayCurve, minutes_late
from core.arrivals.inputs import Flags, Floats, Integers
from core.arrivals.rules import SLOT_MINUTES, Fallback

# A train's busiest slot is reckoned with where at least this share of the days has it.
BULK_SHARE: Final = 0.1
HIGH_SHARE: Final = 0.9
LOW_SHARE: Final = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainOutlook:
    """What is known of one train before chance has its say.

    Attributes:
        minute: of the scheduled arrival, from the start of the window; may be negative.
        people: expected to get off.
        variance: of them, without the chance of single people.
        limit: the most that may get off.
        vanish_share: probability that it does not come.
        delay: its group's curve; None: it came when it was due by `shift`.
        shift: minutes that are known already.
        spread: by how much of the curve's own spread it may still differ, 0-1.
        least: minutes late that it is already.
        is_certain: what it brings is known and no day's mood changes it.
        fallback: what was done without.
    """

    minute: int
    people: float
    variance: float
    limit: float
    vanish_share: float
    delay: DelayCurve | None
    shift: float
    spread: float
    least: float | None
    is_certain: bool
    fallback: Fallback | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulated:
    """What the trains bring.

    Attributes:
        people: by draw and slot, whole numbers.
        mean: by slot, expected people without the chance of single ones.
        loads: by train: mean, lower and upper end of the 80 % interval.
        delays: by train, the median in minutes.
        bulk: by slot, people per slot when the largest train that may well come then does.
    """

    people: Floats
    mean: Floats
    loads: Floats
    delays: Floats
    bulk: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class DayChance:
    """What all trains of a day share.

    Attributes:
        shock: one standard deviation of the number of people, as a share.
        delay_correlation: of two trains' delays, 0-1.
    """

    shock: float
    delay_correlation: float


def simulate(
    trains: Sequence[TrainOutlook],
    *,
    egress: Floats,
    chance: DayChance,
    slots: int,
    draws: int,
    rng: np.random.Generator,
) -> Simulated:
    """Return the arrivals that the trains bring on many days.

    Given a day's loads and delays, single people come independently of each other. So a slot has
    a Poisson number of them around what the trains bring into it, and windows are sums of slots
    of one and the same day.

    Args:
        trains: of the window and shortly before it.
        egress: as `egress_shares` returns them.
        chance: what the trains of a day share.
        slots: of the window.
        draws: days.
        rng: source of chance.

    Source: docs/sources.md#arrivals-intervals
    """
    if not trains:
        return Simulated(
            people=np.zeros((draws, slots)),
            mean=np.zeros(slots),
            loads=np.zeros((0, 3)),
            delays=np.zeros(0),
            bulk=np.zeros(slots),
        )
    loads = _loads(trains, chance, draws, rng)
    late = _delays(trains, chance, draws, rng)
    came = np.array([one.minute for one in trains], np.int64) + minutes_late(late)
    brought, by_train = _spread(loads, came, egress, slots)
    mean = brought.mean(0)
    heads = rng.poisson(loads)
    limits = np.array([one.limit for one in trains])
    ends = np.quantile(heads, (LOW_SHARE, HIGH_SHARE), axis=0)
    summary = np.stack([loads.mean(0), *np.minimum(ends, limits)], axis=1)
    return Simulated(
        people=rng.poisson(brought).astype(float),
        mean=mean,
        loads=summary,
        delays=np.median(late, axis=0),
        bulk=_bulk(summary[:, 2], came, egress, mean, by_train),
    )


def _loads(
    trains: Sequence[TrainOutlook], chance: DayChance, draws: int, rng: np.random.Generator
) -> Floats:
    """Return expected people by draw and train: gamma around the mean, times the day's mood."""
    people = np.array([one.people for one in trains])
    variance = np.array([one.variance for one in trains])
    is_open = (people > 0) & (variance > 0)
    shape = np.divide(people**2, variance, out=np.ones_like(people), where=is_open)
    scale = np.divide(variance, people, out=np.ones_like(people), where=is_open)
    loads = np.where(is_open, rng.gamma(shape, scale, (draws, len(trains))), people)
    mood = np.exp(chance.shock * rng.standard_normal((draws, 1)) - chance.shock**2 / 2)
    certain = np.array([one.is_certain for one in trains])
    loads = loads * np.where(certain, 1.0, mood)
    comes = rng.random((draws, len(trains))) >= np.array([one.vanish_share for one in trains])
    limited: Floats = np.minimum(loads, np.array([one.limit for one in trains])) * comes
    return limited


def _delays(
    trains: Sequence[TrainOutlook], chance: DayChance, draws: int, rng: np.random.Generator
) -> Floats:
    """Return minutes late by draw and train; the trains of a day tend to be late together."""
    shared = chance.delay_correlation**0.5 * rng.standard_normal((draws, 1))
    own = (1 - chance.delay_correlation) ** 0.5 * rng.standard_normal((draws, len(trains)))
    shares = normal_share(shared + own)
    late = np.empty((draws, len(trains)))
    for place, train in enumerate(trains):
        late[:, place] = _delay_of(train, shares[:, place])
    return late


def _delay_of(train: TrainOutlook, shares: Floats) -> Floats:
    if train.delay is None:
        return np.full(len(shares), train.shift)
    if train.least is not None:
        # It has not come yet: of the group's delays only the longer ones are left.
        passed = train.delay.share_until(train.least)
        return np.maximum(train.delay.at(passed + (1 - passed) * shares), train.least)
    late = train.delay.at(shares)
    if train.spread < 1:
        late = train.shift + train.spread * (late - np.median(train.delay.quantiles))
    return late


def _spread(loads: Floats, came: Integers, egress: Floats, slots: int) -> tuple[Floats, Floats]:
    """Return expected people by draw and slot, and their means by train and slot."""
    draws, trains = loads.shape
    lead = egress.shape[1]  # who came so many slots before the window still passes in it
    minutes = (came + lead * SLOT_MINUTES).clip(0, (slots + lead) * SLOT_MINUTES)
    width = (slots + lead) * SLOT_MINUTES + 1  # the last minute stands for all that follow
    of_draw = np.arange(draws)[:, None] * width
    of_train = np.arange(trains)[None, :] * width
    # What came long before has passed; it is kept out of the first minute.
    people = np.where(came < -lead * SLOT_MINUTES, 0.0, loads).ravel()
    brought = np.asarray(np.bincount((of_draw + minutes).ravel(), people, draws * width), float)
    by_train = np.asarray(np.bincount((of_train + minutes).ravel(), people, trains * width), float)
    return (
        _passed(brought.reshape(draws, width), egress, slots),
        _passed(by_train.reshape(trains, width), egress, slots) / draws,
    )


def _passed(came: Floats, egress: Floats, slots: int) -> Floats:
    """Return people by slot at the check, from people by minute at the platform."""
    lead = egress.shape[1]
    by_slot = came[:, :-1].reshape(len(came), slots + lead, SLOT_MINUTES)
    passed = np.zeros((len(came), slots))
    for later in range(lead):
        first = lead - later
        passed += by_slot[:, first : first + slots] @ egress[:, later]
    return passed


def _bulk(high: Floats, came: Integers, egress: Floats, mean: Floats, by_train: Floats) -> Floats:
    """Return people per slot when the largest train that may well come in it does."""
    slots = len(mean)
    first, phase = np.divmod(came, SLOT_MINUTES)
    busiest = (first + egress.argmax(1)[phase]).clip(-1, slots) + 1
    bulk = mean.copy()
    most = egress.max()
    for place in range(len(high)):
        often = np.bincount(busiest[:, place], minlength=slots + 2)[1:-1] / len(came)
        likely: Flags = often >= min(BULK_SHARE, often.max()) if often.any() else often > 1
        others = np.maximum(mean - by_train[place], 0.0)
        bulk = np.where(likely, np.maximum(bulk, high[place] * most + others), bulk)
    return bulk


def simulate_profile(
    expected: Floats, residuals: Floats, *, shock: float, draws: int, rng: np.random.Generator
) -> Floats:
    """Return people by draw and slot of a day that is known by its clock profile alone.

    Each draw repeats how an earlier day, taken at random, differed from its forecast, so that
    what hangs together within a day stays together.

    Args:
        expected: by slot.
        residuals: by earlier day and slot, in square roots of what was expected; NaN where not
            known. With none, single people come independently in days of different mood.
        shock: one standard deviation of a day's mood, as a share.
        draws: days.
        rng: source of chance.
    """
    if not len(residuals):
        mood = np.exp(shock * rng.standard_normal((draws, 1)) - shock**2 / 2)
        return rng.poisson(expected * mood).astype(float)
    paths = np.nan_to_num(residuals)[rng.integers(len(residuals), size=draws)]
    people: Floats = np.maximum(expected + paths * np.sqrt(np.maximum(expected, 1.0)), 0.0)
    return people


def minutes_from(start: datetime, at: datetime) -> int:
    """Return whole minutes from one instant to another, negative before it."""
    return int((at - start).total_seconds() // 60)
