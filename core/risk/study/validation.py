"""The validation of a model version: what it said on a day, against what came after it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import pairwise
from typing import Final

import numpy as np

from core.risk.floors import BANDS
from core.risk.rules import MAX_SCORE, Colour, ModelVersion
from core.risk.study.measures import auc_of, average_precision_of, lift_of, spearman_of
from core.risk.study.outbreak import FORTNIGHT_DAYS, INDICATORS, Outbreak, Surveillance
from core.risk.table import Flags, Floats, score_table

HORIZONS_DAYS: Final = (7, 14)
# The horizon at which colours are held against what happened.
COLOUR_HORIZON_DAYS: Final = 7
STEP_DAYS: Final = 2
ALL: Final = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """A stretch of an outbreak, both days included."""

    name: str
    first_day: date
    last_day: date


# Shanghai in spring 2022; from docs/sources.md#validation-measures.
PHASES: Final = (
    Phase(name="growth", first_day=date(2022, 3, 20), last_day=date(2022, 4, 5)),
    Phase(name="plateau", first_day=date(2022, 4, 6), last_day=date(2022, 4, 26)),
    Phase(name="decline", first_day=date(2022, 4, 27), last_day=date(2022, 5, 10)),
)


class IndicatorsMissingError(ValueError):
    """A version asks for indicators that do not follow from what was published."""

    def __init__(self, codes: Sequence[str]) -> None:
        """Name the codes."""
        super().__init__(", ".join(codes))
        self.codes = tuple(codes)


@dataclass(frozen=True, slots=True, kw_only=True)
class DayResult:
    """The measures of one day and horizon, by name; None where a measure is not defined."""

    day: date
    measures: Mapping[str, float | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class BandResult:
    """What became of the communities of one colour; those of every scored day are counted."""

    count: int
    share: float
    hit_share: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Validation:
    """The table of a validation.

    Attributes:
        version: the name of the model version.
        community_count: how many were scored each day.
        days: by horizon in days, one result per day that was scored, in order.
        means: by horizon, then by phase and `all`: the means over the days by measure; None
            where no day has it.
        day_counts: how many days each mean is of, likewise.
        bands: by phase and colour what happened within 7 days; grey ones were not published.
        is_monotone: whether in every phase with scores a worse colour was never hit less often.
    """

    version: str
    community_count: int
    days: Mapping[int, Sequence[DayResult]]
    means: Mapping[int, Mapping[str, Mapping[str, float | None]]]
    day_counts: Mapping[int, Mapping[str, int]]
    bands: Mapping[str, Mapping[Colour, BandResult]]
    is_monotone: bool


def validate(
    version: ModelVersion,
    outbreak: Outbreak,
    *,
    chosen: Flags,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Validation:
    """Return how well a version's scores order what happened afterwards.

    Every second day of the phases is scored, with what was known at its end. A day is held
    against a horizon only if all days of the horizon are known. Measures are taken day by day,
    within the chosen communities, and averaged over days.

    Args:
        version: the model; its indicators are among `INDICATORS`.
        outbreak: what was published, of the chosen communities and of those around them.
        chosen: which communities are ranked and counted.
        progress: called with the days done and in all.

    Raises:
        IndicatorsMissingError: the version has other indicators.

    Source: docs/sources.md#validation-measures
    """
    unknown = [one.code for one in version.indicators if one.code not in INDICATORS]
    if unknown:
        raise IndicatorsMissingError(unknown)
    study = _Study(version, outbreak, chosen)
    days = list_scored_days(outbreak)
    for done, day in enumerate(days, start=1):
        study.take(day)
        progress(done, len(days))
    return study.result()


def list_scored_days(outbreak: Outbreak) -> list[date]:
    """Return every second day of the phases of which something is known, in order."""
    first, last = PHASES[0].first_day, PHASES[-1].last_day
    every = (first + timedelta(days=n) for n in range(0, (last - first).days + 1, STEP_DAYS))
    known_until = outbreak.first_day + timedelta(days=outbreak.day_count - 1)
    return [day for day in every if outbreak.first_day <= day <= known_until]


def phase_of(day: date) -> str:
    """Return the name of the phase of a day.

    Raises:
        ValueError: the day is in none, a bug in the caller.
    """
    for phase in PHASES:
        if phase.first_day <= day <= phase.last_day:
            return phase.name
    raise ValueError(f"{day} is in no phase")


def equal_weights(version: ModelVersion) -> ModelVersion:
    """Return the version with the same weight for each of its indicators."""
    weight = MAX_SCORE / len(version.indicators)
    return replace(
        version, indicators=tuple(replace(one, weight=weight) for one in version.indicators)
    )


class _Study:
    """Collects the measures and the colours of one day after the other."""

    def __init__(self, version: ModelVersion, outbreak: Outbreak, chosen: Flags) -> None:
        self._version = version
        self._equal = equal_weights(version)
        self._outbreak = outbreak
        self._chosen = chosen
        self._seen = Surveillance(outbreak)
        self._days: dict[int, list[DayResult]] = {horizon: [] for horizon in HORIZONS_DAYS}
        self._band_counts: dict[str, Floats] = defaultdict(lambda: np.zeros((len(BANDS), 2)))

    def take(self, day: date) -> None:
        """Score a day and measure each horizon that is known."""
        index = (day - self._outbreak.first_day).days
        values = {code: v[self._chosen] for code, v in self._seen.values_on(index).items()}
        row_count = int(self._chosen.sum())
        table = score_table(self._version, values, row_count=row_count)
        orders = {
            "score": table.scores,
            "naive": self._seen.recent(index, days=FORTNIGHT_DAYS)[self._chosen],
            "equal": score_table(self._equal, values, row_count=row_count).scores,
        }
        is_new = ~self._seen.was_ever_listed(index)[self._chosen]
        for horizon in HORIZONS_DAYS:
            if index + horizon >= self._outbreak.day_count:
                continue
            ahead = self._seen.days_listed(first=index + 1, last=index + horizon)[self._chosen]
            measures = measures_of(orders, ahead.astype(np.float64), is_new=is_new)
            self._days[horizon].append(DayResult(day=day, measures=measures))
            if horizon == COLOUR_HORIZON_DAYS:
                counts = self._band_counts[phase_of(day)]
                np.add.at(counts, table.bands, np.column_stack((np.ones(row_count), ahead > 0)))

    def result(self) -> Validation:
        """Return the table of what was taken."""
        groups = {horizon: _by_phase(days) for horizon, days in self._days.items()}
        bands = {phase.name: _bands_of(self._band_counts[phase.name]) for phase in PHASES}
        return Validation(
            version=self._version.name,
            community_count=int(self._chosen.sum()),
            days=self._days,
            means={
                horizon: {name: means_of(days) for name, days in phases.items()}
                for horizon, phases in groups.items()
            },
            day_counts={
                horizon: {name: len(days) for name, days in phases.items()}
                for horizon, phases in groups.items()
            },
            bands=bands,
            is_monotone=is_monotone(bands.values()),
        )


# What is measured of each way to order the communities; `new` are those never listed so far.
MEASURES: Final = (
    *("auc_score", "auc_naive", "auc_equal", "spearman_score", "spearman_naive"),
    *("spearman_equal", "ap_score", "ap_naive", "ap_equal"),
    *("lift_score", "lift_naive", "lift_equal"),
    *(
        "base_rate",
        "new_auc_score",
        "new_auc_naive",
        "new_auc_equal",
        "new_lift_score",
        "new_base_rate",
    ),
)


def measures_of(
    orders: Mapping[str, Floats], ahead: Floats, *, is_new: Flags
) -> dict[str, float | None]:
    """Return the measures of a day, named as in `MEASURES`.

    Args:
        orders: by name (`score`, `naive`, `equal`) the numbers that order the communities.
        ahead: on how many days of the horizon each was listed.
        is_new: who was never listed up to the day.
    """
    hits = ahead > 0
    measures: dict[str, float | None] = {
        "base_rate": float(hits.mean()) if len(hits) else None,
        "new_base_rate": float(hits[is_new].mean()) if is_new.any() else None,
    }
    for name, numbers in orders.items():
        measures[f"auc_{name}"] = auc_of(numbers, hits)
        measures[f"spearman_{name}"] = spearman_of(numbers, ahead)
        measures[f"ap_{name}"] = average_precision_of(numbers, hits)
        measures[f"lift_{name}"] = lift_of(numbers, hits)
        measures[f"new_auc_{name}"] = auc_of(numbers[is_new], hits[is_new])
        measures[f"new_lift_{name}"] = lift_of(numbers[is_new], hits[is_new])
    return {name: measures[name] for name in MEASURES}


def means_of(days: Sequence[DayResult]) -> dict[str, float | None]:
    """Return the mean of each measure over the days that have it; None where none has."""
    means: dict[str, float | None] = {}
    for name in MEASURES:
        numbers = [number for day in days if (number := day.measures[name]) is not None]
        means[name] = sum(numbers) / len(numbers) if numbers else None
    return means


def is_monotone(phases: Iterable[Mapping[Colour, BandResult]]) -> bool:
    """Return whether a worse colour was never hit less often; False if nothing was scored."""
    shares = [
        [bands[colour].hit_share for colour in BANDS[1:] if bands[colour].count] for bands in phases
    ]
    known = [[share for share in phase if share is not None] for phase in shares]
    return any(known) and all(a <= b for phase in known for a, b in pairwise(phase))


def _by_phase(days: Sequence[DayResult]) -> dict[str, list[DayResult]]:
    groups: dict[str, list[DayResult]] = {phase.name: [] for phase in PHASES}
    for day in days:
        groups[phase_of(day.day)].append(day)
    return groups | {ALL: list(days)}


def _bands_of(counts: Floats) -> dict[Colour, BandResult]:
    total = counts[:, 0].sum()
    return {
        colour: BandResult(
            count=int(count),
            share=float(count / total) if total else 0.0,
            hit_share=float(hit_count / count) if count else None,
        )
        for colour, (count, hit_count) in zip(BANDS, counts, strict=True)
    }
