"""The scores of a whole table at once: the rules of `score_of`, a column instead of a number.

A night has thousands of rows and a study millions. The results equal those of `score_of` to the
last bit, so that a study judges the very model that people see.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from core.risk.floors import BANDS
from core.risk.rules import (
    GRID,
    MAX_SCORE,
    WEIGHT_TOLERANCE,
    Condition,
    Indicator,
    ModelVersion,
    Rule,
)

Floats: TypeAlias = NDArray[np.float64]
Integers: TypeAlias = NDArray[np.int64]
Flags: TypeAlias = NDArray[np.bool_]
# Places in `BANDS`: higher is worse, and 0 is not known.
Bands: TypeAlias = NDArray[np.int8]

_NO_BAND: Final = np.int8(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreTable:
    """The scores of the rows of a table; the fields are those of `rules.Score`.

    Attributes:
        scores: 0-100 by row; NaN where nothing is known.
        bands: the place of the row's colour in `BANDS`.
        coverages: share of the weights that is known, 0-1.
        lo: the scores if everything missing were harmless.
        hi: the scores if everything missing were at its worst.
        norms: 0-100 by indicator in the version's order, then by row; NaN where it is missing.
        contributions: points of the score, likewise; those of a row sum to its score exactly.
    """

    scores: Floats
    bands: Bands
    coverages: Floats
    lo: Floats
    hi: Floats
    norms: Floats
    contributions: Floats


def score_table(
    version: ModelVersion, values: Mapping[str, Floats], *, row_count: int
) -> ScoreTable:
    """Return the scores of all rows of a table.

    What is missing is left out and the other weights grow in proportion: missing is not zero.

    Args:
        version: the model; its indicators may be any.
        values: by indicator code one value a row, NaN where it is missing. A code that is not
            there is missing in every row; codes that the version lacks are ignored.
        row_count: how many rows the table has.

    Raises:
        ValueError: a column has another number of rows, a bug in the caller.

    Source: docs/sources.md#risk-indicators
    """
    columns = [_column_of(values, one, row_count=row_count) for one in version.indicators]
    norms = np.array([norms_of(one, c) for one, c in zip(version.indicators, columns, strict=True)])
    known = ~np.isnan(norms)
    weights = np.array([one.weight for one in version.indicators])[:, np.newaxis]
    totals = _exact_sum(np.where(known, weights, 0.0))
    safe_totals = np.where(totals > 0, totals, 1.0)
    shares = np.where(known, weights * norms, 0.0) / safe_totals
    scores, contributions = _on_grid(shares)
    lo, _ = _on_grid(shares * totals / MAX_SCORE)
    coverages = np.minimum(1.0, totals / MAX_SCORE)
    return ScoreTable(
        scores=np.where(known.any(axis=0), scores, np.nan),
        bands=_bands_of(version, scores, coverages=coverages, known=known),
        coverages=coverages,
        lo=lo,
        hi=np.minimum(MAX_SCORE, lo + (MAX_SCORE - np.minimum(MAX_SCORE, totals))),
        norms=norms,
        contributions=contributions,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class FinalTable:
    """The final colours of the rows of a table; the fields are those of `floors.FinalColour`.

    Attributes:
        bands: what people see, as places in `BANDS`.
        computed: what it would be without an override, likewise.
        floors: what a known infection alone demands, likewise.
        rules: which rows each rule made another colour than that of their score.
    """

    bands: Bands
    computed: Bands
    floors: Bands
    rules: Mapping[Rule, Flags]


def final_table(
    version: ModelVersion,
    own: Bands,
    values: Mapping[str, Floats],
    *,
    before: Bands,
    overrides: Bands,
) -> FinalTable:
    """Return the final colours of all rows of a table; see `floors.final_colour`.

    Args:
        version: whose floors hold.
        own: `ScoreTable.bands`.
        values: as for `score_table`, also of the codes that only the floors name.
        before: the computed colours that are shown from the days before.
        overrides: colours set by two people and in force; 0 where there is none.

    Source: docs/sources.md#risk-floors
    """
    reader = _FloorReader(version, values, row_count=len(own))
    demands = [
        (one.rule, np.where(reader.holds_all(one.when), np.int8(BANDS.index(one.colour)), _NO_BAND))
        for one in version.floors
    ]
    floors = _highest([demand for _, demand in demands], len(own))
    is_kept = (own > 0) & (own < before)
    if version.stays:
        demands.append((Rule.SUSPICION, np.where(is_kept & reader.is_suspect(), before, _NO_BAND)))
    if version.quiet is not None:
        held = before - reader.is_quiet().astype(np.int8)
        demands.append((Rule.QUIET, np.where(is_kept, held, _NO_BAND)))
    demanded = _highest([own, *(demand for _, demand in demands)], len(own))
    speaks = (floors >= before) & (before > 0) & reader.has_required()
    unscored = np.where(speaks, floors, _NO_BAND)
    computed = np.where(own > 0, demanded, unscored)
    is_other = computed > own
    rules = {rule: is_other & (demand == computed) for rule, demand in demands}
    return FinalTable(
        bands=np.where(overrides > 0, overrides, computed),
        computed=computed,
        floors=floors,
        rules=rules | {Rule.OVERRIDE: overrides > 0},
    )


class _FloorReader:
    """Tells where the conditions of floors hold; a value that is missing adds nothing."""

    def __init__(
        self, version: ModelVersion, values: Mapping[str, Floats], *, row_count: int
    ) -> None:
        self._version = version
        self._values = values
        self._missing = np.full(row_count, np.nan)

    def holds_all(self, conditions: Sequence[Condition]) -> Flags:
        """Return the rows in which every one of some conditions holds."""
        holds: Flags = np.all([self._holds(one) for one in conditions], axis=0)
        return holds

    def has_required(self) -> Flags:
        """Return the rows in which everything is known that the version requires."""
        known = np.ones(len(self._missing), dtype=np.bool_)
        for code in self._version.required:
            known &= ~np.isnan(self._column(code))
        return known

    def is_suspect(self) -> Flags:
        """Return the rows in which somebody may be infected, or in which that is not known."""
        own = {one.code for one in self._version.indicators}
        found = np.zeros(len(self._missing), dtype=np.bool_)
        for condition in self._version.stays:
            found |= self._holds(condition)
            for code in own.intersection(condition.codes):
                found |= np.isnan(self._column(code))
        return found

    def is_quiet(self) -> Flags:
        """Return the rows of which it is known that nobody was infected for long enough."""
        quiet = self._version.quiet
        if quiet is None:
            return np.ones(len(self._missing), dtype=np.bool_)
        # A comparison with what is missing is false.
        is_quiet: Flags = quiet.window_days - self._column(quiet.code) >= quiet.days
        return is_quiet

    def _holds(self, condition: Condition) -> Flags:
        total = np.zeros(len(self._missing))
        for code in condition.codes:
            total += np.nan_to_num(self._column(code))
        holds: Flags = total >= condition.least
        return holds

    def _column(self, code: str) -> Floats:
        return self._values.get(code, self._missing)


def _highest(bands: Sequence[Bands], row_count: int) -> Bands:
    highest: Bands = np.max([np.zeros(row_count, dtype=np.int8), *bands], axis=0)
    return highest


def norms_of(indicator: Indicator, values: Floats) -> Floats:
    """Return values on the common scale, 0 (harmless) to 100; NaN stays NaN."""
    x = np.array([value for value, _ in indicator.points])
    s = np.array([norm for _, norm in indicator.points])
    right = np.clip(np.searchsorted(x, values, side="right"), 1, len(x) - 1)
    x0, x1, s0, s1 = x[right - 1], x[right], s[right - 1], s[right]
    # A share below 0 lies before the first point; the curve is flat there and behind the last.
    between = s0 + (s1 - s0) * np.maximum((values - x0) / (x1 - x0), 0.0)
    norms: Floats = np.where(values >= x[-1], s[-1], between)
    return norms


def _column_of(values: Mapping[str, Floats], indicator: Indicator, *, row_count: int) -> Floats:
    column = values.get(indicator.code)
    if column is None:
        return np.full(row_count, np.nan)
    if column.shape != (row_count,):
        raise ValueError(f"{indicator.code} has the shape {column.shape}, not ({row_count},)")
    return column


def _bands_of(version: ModelVersion, scores: Floats, *, coverages: Floats, known: Flags) -> Bands:
    """Return the places in `BANDS`; a score on a boundary takes the worse colour."""
    bands = 1 + (scores >= version.yellow_cut).astype(np.int8) + (scores >= version.red_cut)
    required = [
        index for index, one in enumerate(version.indicators) if one.code in version.required
    ]
    held = (coverages < version.min_coverage - WEIGHT_TOLERANCE) | ~known[required].all(axis=0)
    return np.where(held, 0, bands).astype(np.int8)


def _on_grid(shares: Floats) -> tuple[Floats, Floats]:
    """Return the sums and the addends, rounded so that the addends sum to the sums exactly."""
    steps = np.rint(shares * GRID)
    totals = np.minimum(np.rint(_exact_sum(shares) * GRID), MAX_SCORE * GRID)
    missing = totals - steps.sum(axis=0)
    if missing.any():
        # Rounding one by one may be off by a few steps of 1e-12: the largest addends take them.
        places = np.argsort(np.argsort(-steps, axis=0, kind="stable"), axis=0)
        steps += np.where(places < np.abs(missing), np.sign(missing), 0.0)
    return totals / GRID, steps / GRID


def _exact_sum(addends: Sequence[Floats] | Floats) -> Floats:
    """Return the sums of the columns with the rounding errors made good, as `math.fsum` does."""
    total = np.zeros_like(addends[0])
    error = np.zeros_like(addends[0])
    for addend in addends:
        new = total + addend
        back = new - total
        error += (total - (new - back)) + (addend - back)
        total = new
    result: Floats = total + error
    return result
