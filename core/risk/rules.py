"""The risk model as pure rules: normalising, score, its parts, colour.

Source: docs/sources.md#risk-indicators, docs/sources.md#risk-bands
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final, NamedTuple

WEIGHT_TOLERANCE: Final = 1e-9
MAX_SCORE: Final = 100.0

YELLOW_CUT: Final = 40.0
RED_CUT: Final = 60.0
MAX_CARD_AGE_DAYS: Final = 3
# The code by which conditions of a model version name the open fevers; see `suspicion.py`.
FEVER_OPEN: Final = "fever_open"
JUMP_SHARE: Final = 0.1
JUMP_LEAST: Final = 20

# Contributions are whole multiples of 2**-40. Binary floats add such numbers without any rounding,
# so they sum to the score exactly, in any order and in any database, and a score that belongs on a
# cut is on it rather than 1e-14 below.
GRID: Final = 2.0**40


class Colour(StrEnum):
    """A community's colour; grey means that nothing fresh is known, which is not safe."""

    RED = "red"
    YELLOW = "yellow"
    BLUE = "blue"
    GREY = "grey"


class Unit(StrEnum):
    """What an indicator counts."""

    PERSONS = "persons"
    CLUSTERS = "clusters"
    DAYS = "days"
    PER_MILLE = "per_mille"
    SHARE = "share"
    ADDRESSES = "addresses"
    PER_100K = "per_100k"
    RATIO = "ratio"


UNIT_MAXIMUM: Final[Mapping[Unit, float]] = {Unit.PER_MILLE: 1000.0, Unit.SHARE: 1.0}


class Status(StrEnum):
    """How fresh the value of an indicator is."""

    FRESH = "fresh"
    STALE = "stale"
    MISSING = "missing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Indicator:
    """One indicator of a model version.

    Attributes:
        code: its name in files and tables.
        label: its name for people.
        unit: what it counts.
        unit_label: the unit as people write it after the number.
        weight: percent of the score, 3 to 20.
        points: (value, norm) pairs, values rising, norms 0-100 never falling.
    """

    code: str
    label: str
    unit: Unit
    unit_label: str
    weight: float
    points: tuple[tuple[float, float], ...]

    def norm_of(self, value: float) -> float:
        """Return the value on the common scale: 0 (harmless) to 100, linear between the points."""
        points = self.points
        right = bisect_right(points, value, key=_value_of_point)
        if right == 0:
            return points[0][1]
        if right == len(points):
            return points[-1][1]
        (x0, s0), (x1, s1) = points[right - 1], points[right]
        return s0 + (s1 - s0) * ((value - x0) / (x1 - x0))


def _value_of_point(point: tuple[float, float]) -> float:
    return point[0]


class Rule(StrEnum):
    """What may make a community's colour another one than that of its score."""

    INFECTION = "R1"
    CLUSTER = "R2"
    SUSPICION = "R3"
    QUIET = "R4"
    OVERRIDE = "R5"


class Condition(NamedTuple):
    """Holds where the values of some codes sum to at least so much; what is missing adds nothing.

    Attributes:
        codes: of values of the day; indicators of the version or others.
        least: in their unit.
    """

    codes: tuple[str, ...]
    least: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Floor:
    """Raises a colour while all of some conditions hold.

    Attributes:
        rule: its name.
        colour: at least this one.
        when: conditions; all must hold.
    """

    rule: Rule
    colour: Colour
    when: tuple[Condition, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Quiet:
    """How long nobody must have been infected before a colour may fall, by one step a day.

    Attributes:
        days: that must have passed since the last infection.
        code: an indicator that is `window_days` minus the days since the last infection, and 0
            where there was none in the window.
        window_days: see `code`; at least `days`.
    """

    days: int
    code: str
    window_days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelVersion:
    """An immutable model: indicators with weights and points, cuts, and when not to publish.

    Attributes:
        name: for example `xh-2020.1`.
        digest: SHA-256 of the document, hexadecimal; tells two documents of one name apart.
        valid_from: the first day that it scores.
        indicators: in the order of the document.
        yellow_cut: the lowest yellow score.
        red_cut: the lowest red score.
        min_coverage: share of the weights that must be known for a colour to be published.
        max_stale_days: how many days an old value stands in for one that has not come.
        required: codes without which nothing is published.
        names: label and unit label by code.
        floors: what raises the colour above that of the score; see `floors.py`.
        stays: the colour does not fall while any of these conditions holds.
        quiet: what must have passed before the colour falls by a step; None: it falls at once.
        jump_share: a day on which more than this share of the communities changes colour is held.
        jump_least: but only if more than so many do.
    """

    name: str
    digest: str
    valid_from: date
    indicators: tuple[Indicator, ...]
    yellow_cut: float
    red_cut: float
    min_coverage: float
    max_stale_days: int
    required: frozenset[str]
    names: Mapping[str, tuple[str, str]]
    floors: tuple[Floor, ...] = ()
    stays: tuple[Condition, ...] = ()
    quiet: Quiet | None = None
    jump_share: float = JUMP_SHARE
    jump_least: int = JUMP_LEAST


# Readings and parts are tuples: a night makes some ten thousand of them.
class Reading(NamedTuple):
    """A value of an indicator and its age: 0 for the day that is scored, 1 for the day before."""

    value: float
    age_days: int = 0


class Part(NamedTuple):
    """What one indicator adds to a score.

    Attributes:
        indicator: its code.
        value: in the indicator's unit; None when missing.
        norm: 0-100; None when missing.
        weight: percent of the full score.
        contribution: points of the score; the contributions of a score sum to it exactly.
        status: how fresh the value is.
    """

    indicator: str
    value: float | None
    norm: float | None
    weight: float
    contribution: float
    status: Status


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """A score with its reasons and its uncertainty.

    Attributes:
        score: 0 (safest) to 100 over what is known; None when nothing is.
        colour: the band of the score; grey when the score may not be published.
        coverage: share of the weights that is known, 0-1.
        lo: the score if everything missing were harmless.
        hi: the score if everything missing were at its worst.
        parts: one per indicator, in the order of the version.
    """

    score: float | None
    colour: Colour
    coverage: float
    lo: float
    hi: float
    parts: tuple[Part, ...]


def colour_of(score: float, *, yellow_cut: float = YELLOW_CUT, red_cut: float = RED_CUT) -> Colour:
    """Return the colour band that a score falls in.

    Args:
        score: weighted score, 0 (safest) to 100.
        yellow_cut: the lowest yellow score.
        red_cut: the lowest red score.

    Returns:
        The band; a score on a boundary takes the worse colour.

    Raises:
        ValueError: outside 0-100, a bug in the caller.

    Source: docs/sources.md#risk-bands
    """
    if not 0 <= score <= MAX_SCORE:
        raise ValueError(f"a score lies between 0 and 100, not at {score}")
    if score >= red_cut:
        return Colour.RED
    return Colour.YELLOW if score >= yellow_cut else Colour.BLUE


def score_of(version: ModelVersion, readings: Mapping[str, Reading]) -> Score:
    """Return the score of one community.

    What is missing is left out and the other weights grow in proportion: missing is not zero.

    Args:
        version: the model.
        readings: by indicator code; an indicator without one, or whose reading is older than the
            version's `max_stale_days`, is missing. Codes that the version lacks are ignored.

    Returns:
        The score; grey where coverage is too small or a required indicator is missing.

    Source: docs/sources.md#risk-indicators
    """
    known = _known(version, readings)
    total = math.fsum(indicator.weight for indicator, _, _ in known)
    shares = [indicator.weight * norm / total for indicator, _, norm in known]
    score, contributions = _on_grid(shares)
    lo, _ = _on_grid([share * total / MAX_SCORE for share in shares])
    coverage = min(1.0, total / MAX_SCORE)
    parts = {
        one[0].code: _part_of(*one, contribution)
        for one, contribution in zip(known, contributions, strict=True)
    }
    return Score(
        score=score if known else None,
        colour=_published_colour(version, score, coverage=coverage, known=parts.keys()),
        coverage=coverage,
        lo=lo,
        hi=min(MAX_SCORE, lo + (MAX_SCORE - min(MAX_SCORE, total))),
        parts=tuple(
            parts.get(one.code) or Part(one.code, None, None, one.weight, 0.0, Status.MISSING)
            for one in version.indicators
        ),
    )


def _known(
    version: ModelVersion, readings: Mapping[str, Reading]
) -> list[tuple[Indicator, Reading, float]]:
    """Return the indicators that are not missing, in the order of the model, with their norms."""
    known: list[tuple[Indicator, Reading, float]] = []
    for indicator in version.indicators:
        reading = readings.get(indicator.code)
        if reading is not None and reading.age_days <= version.max_stale_days:
            known.append((indicator, reading, indicator.norm_of(reading.value)))
    return known


def _part_of(indicator: Indicator, reading: Reading, norm: float, contribution: float) -> Part:
    status = Status.STALE if reading.age_days else Status.FRESH
    return Part(indicator.code, reading.value, norm, indicator.weight, contribution, status)


def score_all(
    version: ModelVersion, readings: Mapping[int, Mapping[str, Reading]]
) -> dict[int, Score]:
    """Return the score of every community, by its id; see `score_of`."""
    return {community_id: score_of(version, values) for community_id, values in readings.items()}


def _published_colour(
    version: ModelVersion, score: float, *, coverage: float, known: Iterable[str]
) -> Colour:
    # The tolerance is for a sum of weights such as 0.1 + 0.2.
    if coverage < version.min_coverage - WEIGHT_TOLERANCE or not version.required <= set(known):
        return Colour.GREY
    return colour_of(score, yellow_cut=version.yellow_cut, red_cut=version.red_cut)


def _on_grid(shares: list[float]) -> tuple[float, list[float]]:
    """Return the sum and the addends, rounded so that the addends sum to the sum exactly."""
    steps = [round(share * GRID) for share in shares]
    total = min(round(math.fsum(shares) * GRID), int(MAX_SCORE * GRID))
    missing = total - sum(steps)
    if missing:
        # Rounding one by one may be off by a few steps of 1e-12: the largest addends take them.
        largest = sorted(range(len(steps)), key=steps.__getitem__, reverse=True)
        for index in largest[: abs(missing)]:
            steps[index] += 1 if missing > 0 else -1
    return total / GRID, [step / GRID for step in steps]
