"""Days made up from a timetable, with peaks planted in them: for tests and for the demo."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from typing import Final

import numpy as np

from core.arrivals.chance import DEVIATE_95, normal_share
from core.arrivals.delays import FALLBACK, minutes_late
from core.arrivals.egress import egress_shares
from core.arrivals.inputs import Floats, Integers, TrainInput, slot_start
from core.arrivals.rules import LEAD_HOURS, SLOT_MINUTES, SLOTS, SLOTS_PER_HOUR, TrainClass

TOTAL: Final = 5000
# Shares of the day's people who pass the gate in these hours.
PEAKS: Final[Mapping[int, float]] = {9: 0.20, 12: 0.20}
HOURS: Final = 24
NO_SHOW: Final = 0.03
DAY_SHOCK: Final = 0.05
TRAIN_SHOCK: Final = 0.15
DELAY_CORRELATION: Final = 0.15
EGRESS_MEDIAN: Final = 5.0
EGRESS_P95: Final = 12.0
# Leads at which sales are told, and which share of the tickets is sold by then.
SALE_HOURS: Final = (*LEAD_HOURS, 36)
SOLD_SHARES: Final = (1.0, 0.985, 0.96, 0.92, 0.84, 0.76, 0.66, 0.58, 0.45)
ROUNDS: Final = 50

_MIDDLES: Final = (np.arange(200) + 0.5) / 200


@dataclass(frozen=True, slots=True, kw_only=True)
class TimetableTrain:
    """A train of a timetable.

    Attributes:
        number: of the train.
        train_class: its class.
        origin: where it comes from.
        minute: of the local day at which it is to arrive, 0-1439.
        capacity: people that may get off here.
    """

    number: str
    train_class: TrainClass
    origin: str
    minute: int
    capacity: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PlantedDay:
    """What a made-up day was like.

    Attributes:
        day: the local day.
        trains: with all their sales, actual arrivals and people who got off.
        counts: people at the gate by five minutes, 288; those after midnight are left out.
        hour_shares: by hour of the day, the share of people that was meant to come.
    """

    day: date
    trains: tuple[TrainInput, ...]
    counts: Floats
    hour_shares: Floats


def plant_day(
    timetable: Sequence[TimetableTrain],
    *,
    day: date,
    total: int = TOTAL,
    peaks: Mapping[int, float] = PEAKS,
    seed: int,
) -> PlantedDay:
    """Return a day on which the trains of a timetable bring about so many people.

    Args:
        timetable: of the day; the hours of `peaks` need trains with room enough.
        day: the local day.
        total: people expected; the day itself is somewhat more or less.
        peaks: by hour of the day, the share of people who come then.
        seed: of chance; the same arguments give the same day.

    Raises:
        ValueError: no train comes in an hour of `peaks`, or those that do have no room, a bug in
            the caller.
    """
    rng = np.random.default_rng((seed, day.toordinal()))
    expected, hour_shares = _expected_people(timetable, total, peaks)
    capacities = np.array([one.capacity for one in timetable])
    mood = np.exp(DAY_SHOCK * rng.standard_normal() - DAY_SHOCK**2 / 2)
    loads = rng.gamma(1 / TRAIN_SHOCK**2, expected * TRAIN_SHOCK**2) * mood / (1 - NO_SHOW)
    finals = np.minimum(rng.poisson(loads), capacities)
    alighted = rng.binomial(finals, 1 - NO_SHOW)
    late = _delays(len(timetable), rng)
    minutes = np.array([one.minute for one in timetable]) + late
    sold = _sales(finals, rng)
    trains = tuple(
        _train_of(one, day, sold=sold[place], late=int(late[place]), alighted=int(alighted[place]))
        for place, one in enumerate(timetable)
    )
    return PlantedDay(
        day=day,
        trains=trains,
        counts=_counts(minutes, alighted, rng),
        hour_shares=hour_shares,
    )


def _expected_people(
    timetable: Sequence[TimetableTrain], total: int, peaks: Mapping[int, float]
) -> tuple[Floats, Floats]:
    """Return the people of each train, and the shares of the hours, so that the peaks hold."""
    by_hour = _hours_of(timetable)
    weights = np.array([one.capacity for one in timetable], float)
    main = by_hour.argmax(1)
    wanted = {hour: share for hour, share in peaks.items() if share > 0}
    missing = [hour for hour in wanted if not (main == hour).any()]
    if missing:
        raise ValueError(f"no train comes in hours {missing}")
    rest = 1 - sum(wanted.values())
    for _ in range(ROUNDS):
        shares = weights @ by_hour / weights.sum()
        others = 1 - sum(shares[hour] for hour in wanted)
        for hour, share in wanted.items():
            weights[main == hour] *= (share / shares[hour]) / (rest / others)
    people = total * weights / weights.sum()
    if (people > [one.capacity for one in timetable]).any():
        raise ValueError("the trains of the peaks have no room for so many people")
    return people, weights @ by_hour / weights.sum()


def _hours_of(timetable: Sequence[TimetableTrain]) -> Floats:
    """Return in which hour the people of each train pass the gate, as shares."""
    egress = egress_shares(median=EGRESS_MEDIAN, p95=EGRESS_P95)
    late = minutes_late(FALLBACK.at(_MIDDLES))
    minutes = np.array([one.minute for one in timetable])[:, None] + late
    first, phase = np.divmod(minutes, SLOT_MINUTES)
    hours = np.zeros((len(timetable), HOURS))
    for later in range(egress.shape[1]):
        place = ((first + later) // SLOTS_PER_HOUR).clip(0, HOURS - 1)
        for train in range(len(timetable)):
            shares = egress[phase[train], later] / len(late)
            hours[train] += np.bincount(place[train], shares, HOURS)
    return hours


def _delays(count: int, rng: np.random.Generator) -> Integers:
    """Return minutes late; the trains of a day are late together."""
    shared = DELAY_CORRELATION**0.5 * rng.standard_normal()
    own = (1 - DELAY_CORRELATION) ** 0.5 * rng.standard_normal(count)
    return minutes_late(FALLBACK.at(normal_share(shared + own)))


def _sales(finals: Integers, rng: np.random.Generator) -> Integers:
    """Return tickets sold so far by train and lead; none is given back."""
    sold = [finals]
    for later, earlier in pairwise(SOLD_SHARES):
        sold.append(rng.binomial(sold[-1], earlier / later))
    return np.stack(sold, axis=1)


def _counts(minutes: Integers, alighted: Integers, rng: np.random.Generator) -> Floats:
    deviation = math.log(EGRESS_P95 / EGRESS_MEDIAN) / DEVIATE_95
    people = int(alighted.sum())
    at = np.repeat(minutes, alighted) + rng.random(people)
    at += EGRESS_MEDIAN * np.exp(deviation * rng.standard_normal(people))
    slots = (at // SLOT_MINUTES).astype(np.int64)
    slots = slots[(slots >= 0) & (slots < SLOTS)]
    return np.bincount(slots, minlength=SLOTS).astype(float)


def _train_of(
    train: TimetableTrain, day: date, *, sold: Integers, late: int, alighted: int
) -> TrainInput:
    scheduled_at = slot_start(day, 0) + timedelta(minutes=train.minute)
    leads = sorted(zip(SALE_HOURS, sold.tolist(), strict=True), reverse=True)
    return TrainInput(
        number=train.number,
        train_class=train.train_class,
        origin=train.origin,
        scheduled_at=scheduled_at,
        capacity=train.capacity,
        sold=tuple((scheduled_at - timedelta(hours=lead), count) for lead, count in leads),
        actual_at=scheduled_at + timedelta(minutes=late),
        alighted=alighted,
    )
