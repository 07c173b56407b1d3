"""Reference tables, fitted every night from what ran before: pick-up, loads, delays, egress."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date, timedelta
from typing import Any, Final

import numpy as np

from core.arrivals.calendar import day_type_of
from core.arrivals.conformal import UNSCALED, Scaling
from core.arrivals.delays import DelayCurve, delay_correlation, fit_delays
from core.arrivals.egress import find_egress
from core.arrivals.inputs import CLASSES, CountTable, Floats, History, Integers, no_counts
from core.arrivals.pickup import (
    ALL,
    DAY_TYPES,
    LoadFactor,
    PickupCurve,
    fit_load_factors,
    fit_no_shows,
    fit_pickups,
    line_for,
)
from core.arrivals.rules import (
    LEAD_HOURS,
    MINUTES_PER_DAY,
    SHORT_HISTORY_DAYS,
    Fallback,
    StationSettings,
)

HISTORY_DAYS: Final = 90
# So many days weigh as much as what the station says itself.
PRIOR_DAYS: Final = 10
MIN_DELAY_RUNS: Final = 20
PRIOR_RUNS: Final = 20
# Where whole days are compared with what was expected half a day before.
SHOCK_LEAD: Final = LEAD_HOURS.index(12)
MAX_SHOCK: Final = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class References:
    """What earlier days say about the trains of a day.

    Attributes:
        day: the first day that was not looked at.
        pickups: by `class/day type`, class and `all`; how sales become final tickets.
        load_factors: likewise; people as a share of the capacity.
        no_shows: by class and `all`; share of the tickets of which nobody came.
        vanished: by class and `all`; share of trains that were cancelled though tickets were held.
        delays: by `class/block`, class and `all`; minutes after the schedule.
        delay_correlation: of two trains of one day, 0-1.
        egress_median_minutes: from the platform to the check.
        egress_p95_minutes: the same, 95 of 100.
        day_shock: one standard deviation of whole days, as a share.
        scaling: factors for the widths of the intervals.
        flags: what was too little known.
        run_count: trains that were looked at.
    """

    day: date
    pickups: Mapping[str, PickupCurve]
    load_factors: Mapping[str, LoadFactor]
    no_shows: Mapping[str, float]
    vanished: Mapping[str, float]
    delays: Mapping[str, DelayCurve]
    delay_correlation: float
    egress_median_minutes: float
    egress_p95_minutes: float
    day_shock: float
    scaling: Scaling
    flags: frozenset[Fallback]
    run_count: int


def fit_references(
    history: History,
    *,
    day: date,
    counts: CountTable | None = None,
    settings: StationSettings,
    scaling: Scaling | None = None,
) -> References:
    """Return the references that hold on a day.

    Args:
        history: trains of the past; of those from `day` on, and of those more than 90 days
            before it, nothing is looked at.
        day: the local day.
        counts: at the gate; lets the egress be fitted. Nothing from `day` on is looked at.
        settings: what is taken where nothing was measured.
        scaling: of the intervals, from past forecasts; None: none.

    Source: docs/sources.md#arrivals-loads
    """
    past = _known_before(history.between(day - timedelta(days=HISTORY_DAYS), day), day)
    counted = (counts or no_counts(day)).until(day)
    day_types = day_types_of(past)
    ran = ~past.cancelled
    finals = np.where(ran, past.sold[:, 0], np.nan)
    no_shows = _no_shows(past, finals, counted)
    people = _people_of(past, finals, no_shows)
    pickups = fit_pickups(past.sold, finals, classes=past.classes, day_types=day_types)
    egress = find_egress(
        past,
        people,
        counted,
        median=settings.egress_median_minutes,
        p95=settings.egress_p95_minutes,
    )
    return References(
        day=day,
        pickups=pickups,
        load_factors=fit_load_factors(
            people, past.capacities, classes=past.classes, day_types=day_types
        ),
        no_shows=no_shows,
        vanished=_vanished(past),
        delays=fit_delays(past),
        delay_correlation=delay_correlation(past),
        egress_median_minutes=egress[0] if egress else settings.egress_median_minutes,
        egress_p95_minutes=egress[1] if egress else settings.egress_p95_minutes,
        day_shock=_day_shock(past, finals, day_types, pickups, settings.day_shock),
        scaling=scaling or UNSCALED,
        flags=_flags_of(past, is_egress_known=egress is not None),
        run_count=len(past),
    )


def _known_before(history: History, day: date) -> History:
    """Return trains without what became known of the last ones after midnight."""
    minutes = (history.days - day.toordinal()) * MINUTES_PER_DAY + history.minutes
    is_later = minutes + np.nan_to_num(history.delays) > 0
    return replace(
        history,
        delays=np.where(is_later, np.nan, history.delays),
        alighted=np.where(is_later, np.nan, history.alighted),
    )


def day_types_of(history: History) -> Integers:
    """Return the place in `DayType` of each train's day."""
    days, places = np.unique(history.days, return_inverse=True)
    kinds = [DAY_TYPES.index(day_type_of(date.fromordinal(int(one)))) for one in days]
    return np.array(kinds, np.int64)[places] if kinds else np.empty(0, np.int64)


def _flags_of(past: History, *, is_egress_known: bool) -> frozenset[Fallback]:
    lacking = {
        Fallback.SHORT_HISTORY: len(np.unique(past.days)) < SHORT_HISTORY_DAYS,
        Fallback.DEFAULT_DELAY: (~np.isnan(past.delays)).sum() < MIN_DELAY_RUNS,
        Fallback.DEFAULT_EGRESS: not is_egress_known,
    }
    return frozenset(flag for flag, is_so in lacking.items() if is_so)


def _no_shows(past: History, finals: Floats, counts: CountTable) -> dict[str, float]:
    shares = fit_no_shows(finals, past.alighted, classes=past.classes)
    if not np.isnan(past.alighted).all():
        return shares
    # Nobody counts at the trains: whole days at the gate say it of all of them together.
    sold, counted = _whole_days(past, finals, counts)
    everything = np.zeros(len(sold), np.int64)
    return {ALL: fit_no_shows(sold, counted, classes=everything)[ALL]}


def _whole_days(past: History, finals: Floats, counts: CountTable) -> tuple[Floats, Floats]:
    """Return final tickets and people at the gate of the days of which both are wholly known."""
    first = counts.start_day.toordinal()
    sold, counted = [], []
    for day in np.unique(past.days):
        people = counts.find_day(date.fromordinal(int(day))) if day >= first else None
        tickets = finals[(past.days == day) & ~past.cancelled]
        if people is not None and not np.isnan(people).any() and not np.isnan(tickets).any():
            sold.append(tickets.sum())
            counted.append(people.sum())
    return np.array(sold), np.array(counted)


def _people_of(past: History, finals: Floats, no_shows: Mapping[str, float]) -> Floats:
    """Return who got off each train: as counted, or as the tickets say; NaN if unknown."""
    shares = np.array([no_shows.get(one.value, no_shows[ALL]) for one in CLASSES])
    people: Floats = np.where(
        np.isnan(past.alighted), finals * (1 - shares[past.classes]), past.alighted
    )
    people[past.cancelled] = np.nan
    return people


def _vanished(past: History) -> dict[str, float]:
    """Return how often a train is cancelled though tickets were still held for it."""
    held = past.sold[:, 0] > 0
    late = held & past.cancelled
    overall = float(late.sum()) / (held.sum() + PRIOR_RUNS)
    shares = {ALL: overall}
    for place in np.unique(past.classes[held]):
        of_class = held & (past.classes == place)
        drawn = (late[of_class].sum() + PRIOR_RUNS * overall) / (of_class.sum() + PRIOR_RUNS)
        shares[CLASSES[place].value] = float(drawn)
    return shares


def _day_shock(
    past: History,
    finals: Floats,
    day_types: Integers,
    pickups: Mapping[str, PickupCurve],
    stated: float,
) -> float:
    """Return by how much whole days differ from what their sales said half a day before.

    Source: docs/sources.md#arrivals-loads
    """
    sold = past.sold[:, SHOCK_LEAD]
    usable = ~(np.isnan(sold) | np.isnan(finals))
    days, places = np.unique(past.days[usable], return_inverse=True)
    if len(days) < 2:  # noqa: PLR2004 - one day has no spread
        return stated
    expected, variance = _expected(past.classes[usable], day_types[usable], sold[usable], pickups)
    sums = [np.bincount(places, weights=one) for one in (finals[usable], expected, variance)]
    relative = sums[0] / np.maximum(sums[1], 1.0) - 1
    chance = (sums[2] / np.maximum(sums[1], 1.0) ** 2).mean()
    extra = max(0.0, float((relative**2).mean() - chance))
    share = len(days) / (len(days) + PRIOR_DAYS)
    drawn = stated**2 + share * (extra - stated**2)
    return float(min(drawn**0.5, MAX_SHOCK))


def _expected(
    classes: Integers, day_types: Integers, sold: Floats, pickups: Mapping[str, PickupCurve]
) -> tuple[Floats, Floats]:
    expected, dispersion = np.zeros(len(sold)), np.zeros(len(sold))
    for place in np.unique(classes):
        for kind in np.unique(day_types[classes == place]):
            chosen = (classes == place) & (day_types == kind)
            line = line_for(
                pickups, CLASSES[place], DAY_TYPES[kind], lead_hours=LEAD_HOURS[SHOCK_LEAD]
            )
            expected[chosen] = line.finals(sold[chosen])
            dispersion[chosen] = line.dispersion
    return expected, expected * dispersion


# ---- as a document --------------------------------------------------------------------------


def document_of(references: References) -> dict[str, object]:
    """Return references as plain values for JSON."""
    document: dict[str, Any] = asdict(references)
    document["day"] = references.day.isoformat()
    document["flags"] = sorted(references.flags)
    plain = _plain(document)
    assert isinstance(plain, dict)  # noqa: S101 - a mapping stays one
    return plain


def references_in(document: Mapping[str, Any]) -> References:
    """Return the references that `document_of` wrote down.

    Raises:
        ValueError: it is not such a document.
    """
    try:
        return References(**{**document, **_parts_of(document)})
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError("these are no references") from error


def _parts_of(document: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "day": date.fromisoformat(document["day"]),
        "pickups": {key: _curve_in(one) for key, one in document["pickups"].items()},
        "load_factors": {key: LoadFactor(**one) for key, one in document["load_factors"].items()},
        "delays": {
            key: DelayCurve(quantiles=np.array(one["quantiles"], float), run_count=one["run_count"])
            for key, one in document["delays"].items()
        },
        "scaling": scaling_in(document["scaling"]),
        "flags": frozenset(Fallback(one) for one in document["flags"]),
    }


def scaling_in(document: Mapping[str, Any]) -> Scaling:
    """Return a scaling from its plain values, of which the keys may have become text."""
    return Scaling(
        factors80={int(key): float(one) for key, one in document["factors80"].items()},
        factors95={int(key): float(one) for key, one in document["factors95"].items()},
        day_count=int(document["day_count"]),
    )


def _curve_in(document: Mapping[str, Any]) -> PickupCurve:
    return PickupCurve(
        added=np.array(document["added"], float),
        slope=np.array(document["slope"], float),
        dispersion=np.array(document["dispersion"], float),
        run_count=document["run_count"],
    )


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, np.generic):
        return value.item()
    return value
