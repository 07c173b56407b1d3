"""Pick-up: how many tickets a train has in the end, from how many it has now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from core.arrivals.inputs import CLASSES, Flags, Floats, Integers
from core.arrivals.rules import LEAD_HOURS, DayType, TrainClass

ALL: Final = "all"
# So many trains weigh as much as the group above them.
PRIOR_RUNS: Final = 20
# What is taken for a train of which nothing was ever seen: the share of its tickets that is sold
# by lead, and the variance of what is left, per ticket.
FALLBACK_SOLD: Final = (1.0, 0.98, 0.95, 0.90, 0.80, 0.70, 0.62, 0.55)
FALLBACK_DISPERSION: Final = (1.0, 1.2, 1.5, 2.0, 3.0, 5.0, 7.0, 10.0)
FALLBACK_LOAD: Final = 0.5
FALLBACK_LOAD_DEVIATION: Final = 0.25
FALLBACK_NO_SHOW: Final = 0.03
NO_SHOW_LIMITS: Final = (-0.2, 0.6)
MIN_SLOPE_RUNS: Final = 8
DAY_TYPES: Final = tuple(DayType)


@dataclass(frozen=True, slots=True, kw_only=True)
class PickupCurve:
    """The pick-up of one group of trains, by lead of `LEAD_HOURS`.

    Final tickets = `added` + `slope` · tickets sold so far.

    Attributes:
        added: tickets.
        slope: final tickets per ticket sold.
        dispersion: variance of what is left, per final ticket.
        run_count: trains of this group that were looked at.
    """

    added: Floats
    slope: Floats
    dispersion: Floats
    run_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadFactor:
    """People as a share of the capacity: mean and one standard deviation."""

    mean: float
    deviation: float
    run_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A straight line from tickets sold to final tickets, with the dispersion around it."""

    added: float
    slope: float
    dispersion: float

    def finals(self, sold: Floats) -> Floats:
        """Return final tickets."""
        return np.maximum(self.added + self.slope * sold, 0.0)


def fallback_line(lead: int) -> Line:
    """Return the line of a lead (place in `LEAD_HOURS`) of which nothing was seen."""
    return Line(added=0.0, slope=1 / FALLBACK_SOLD[lead], dispersion=FALLBACK_DISPERSION[lead])


def fit_line(sold: Floats, finals: Floats, *, parent: Line) -> Line:
    """Return the line of a group, drawn towards its parent's as n to 20.

    With few trains, or all with the same sales, only the level is fitted (additive pick-up);
    with more the slope too (regression).

    Args:
        sold: tickets so far, one per train; without NaN.
        finals: tickets in the end.
        parent: line of the group above.

    Source: docs/sources.md#arrivals-loads
    """
    count = len(sold)
    if not count:
        return parent
    left = finals - parent.finals(sold)
    share = count / (count + PRIOR_RUNS)
    centred = sold - sold.mean()
    spread = float(centred @ centred)
    steeper = 0.0
    if count >= MIN_SLOPE_RUNS and spread > 0:
        steeper = share * float(centred @ left) / spread
    slope = parent.slope + steeper
    added = parent.added + share * float(left.mean()) - steeper * float(sold.mean())
    line = Line(added=added, slope=slope, dispersion=parent.dispersion)
    residual = (finals - line.finals(sold)) ** 2 / np.maximum(line.finals(sold), 1.0)
    drawn = parent.dispersion + share * (float(residual.mean()) - parent.dispersion)
    return Line(added=added, slope=slope, dispersion=drawn)


def group_key(train_class: TrainClass, day_type: DayType) -> str:
    """Return the name under which a group is kept."""
    return f"{train_class.value}/{day_type.value}"


def nearest(keys: Iterable[str], train_class: TrainClass, day_type: DayType) -> str | None:
    """Return the key of a train's group, or of the nearest above it; None if there is none."""
    wanted = (group_key(train_class, day_type), train_class.value, ALL)
    return next((one for one in wanted if one in keys), None)


def fit_pickups(
    sold: Floats, finals: Floats, *, classes: Integers, day_types: Integers
) -> dict[str, PickupCurve]:
    """Return the curves of all groups.

    Args:
        sold: by train and lead, tickets so far; NaN where not known.
        finals: tickets in the end; NaN where not known.
        classes: by train, the place in `CLASSES`.
        day_types: by train, the place in `DayType`.

    Returns:
        By `class/day type`, by class, and under `all`; only groups that have trains.
    """
    known = ~np.isnan(finals)
    parents = {ALL: [fallback_line(lead) for lead in range(len(LEAD_HOURS))]}
    curves: dict[str, PickupCurve] = {}
    for key, above, chosen in groups_of(classes, day_types):
        places = np.flatnonzero(chosen & known)
        parents[key] = _lines(sold[places], finals[places], parents[above])
        curves[key] = _curve_of(parents[key], len(places))
    return curves


def groups_of(classes: Integers, day_types: Integers) -> list[tuple[str, str, Flags]]:
    """Return every group that has trains: its key, the key above it, which trains it has."""
    groups: list[tuple[str, str, Flags]] = [(ALL, ALL, np.ones(len(classes), bool))]
    for place in np.unique(classes):
        of_class = classes == place
        train_class = CLASSES[place]
        groups.append((train_class.value, ALL, of_class))
        for kind in np.unique(day_types[of_class]):
            key = group_key(train_class, DAY_TYPES[kind])
            groups.append((key, train_class.value, of_class & (day_types == kind)))
    return groups


def _lines(sold: Floats, finals: Floats, parents: list[Line]) -> list[Line]:
    """Return the line of every lead; a lead at which sales are not known has its parent's."""
    lines = []
    for lead, parent in enumerate(parents):
        usable = np.flatnonzero(~np.isnan(sold[:, lead]))
        lines.append(fit_line(sold[usable, lead], finals[usable], parent=parent))
    return lines


def _curve_of(lines: list[Line], run_count: int) -> PickupCurve:
    return PickupCurve(
        added=np.array([one.added for one in lines]),
        slope=np.array([one.slope for one in lines]),
        dispersion=np.array([one.dispersion for one in lines]),
        run_count=run_count,
    )


def line_for(
    pickups: Mapping[str, PickupCurve],
    train_class: TrainClass,
    day_type: DayType,
    *,
    lead_hours: float,
) -> Line:
    """Return the line of a train's group at any lead, between those of `LEAD_HOURS`.

    Args:
        pickups: as `fit_pickups` returns them; may be empty.
        train_class: of the train.
        day_type: of its day.
        lead_hours: before the scheduled arrival; what is outside of 0-24 is taken as the end.
    """
    key = nearest(pickups, train_class, day_type)
    curve = (
        pickups[key]
        if key
        else _curve_of([fallback_line(lead) for lead in range(len(LEAD_HOURS))], 0)
    )
    return Line(
        added=float(np.interp(lead_hours, LEAD_HOURS, curve.added)),
        slope=float(np.interp(lead_hours, LEAD_HOURS, curve.slope)),
        dispersion=float(np.interp(lead_hours, LEAD_HOURS, curve.dispersion)),
    )


def fit_load_factors(
    people: Floats, capacities: Floats, *, classes: Integers, day_types: Integers
) -> dict[str, LoadFactor]:
    """Return people as a share of the capacity, by the same groups; NaN is left out."""
    known = ~np.isnan(people) & ~np.isnan(capacities)
    shares = np.divide(people, capacities, out=np.zeros_like(people), where=known)
    fallback = LoadFactor(mean=FALLBACK_LOAD, deviation=FALLBACK_LOAD_DEVIATION, run_count=0)
    factors: dict[str, LoadFactor] = {ALL: fallback}
    for key, above, chosen in groups_of(classes, day_types):
        factors[key] = _factor_of(shares[chosen & known], parent=factors[above])
    return factors


def _factor_of(shares: Floats, *, parent: LoadFactor) -> LoadFactor:
    if not len(shares):
        return parent
    share = len(shares) / (len(shares) + PRIOR_RUNS)
    mean = parent.mean + share * (float(shares.mean()) - parent.mean)
    own = float(((shares - mean) ** 2).mean())
    variance = parent.deviation**2 + share * (own - parent.deviation**2)
    return LoadFactor(mean=mean, deviation=variance**0.5, run_count=len(shares))


def fit_no_shows(finals: Floats, people: Floats, *, classes: Integers) -> dict[str, float]:
    """Return the share of the tickets of which nobody came, by class and under `all`.

    Below 0 where more people come than hold tickets to this station.
    """
    known = ~np.isnan(finals) & ~np.isnan(people)
    shares = {ALL: _no_show_of(finals[known], people[known], parent=FALLBACK_NO_SHOW)}
    for place in np.unique(classes):
        chosen = known & (classes == place)
        shares[CLASSES[place].value] = _no_show_of(
            finals[chosen], people[chosen], parent=shares[ALL]
        )
    return shares


def _no_show_of(finals: Floats, people: Floats, *, parent: float) -> float:
    total = float(finals.sum())
    if total <= 0:
        return parent
    share = len(finals) / (len(finals) + PRIOR_RUNS)
    measured = 1 - float(people.sum()) / total
    return float(np.clip(parent + share * (measured - parent), *NO_SHOW_LIMITS))
