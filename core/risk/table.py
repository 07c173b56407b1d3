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

from core.risk.rules import (
    GRID,
    MAX_SCORE,
    WEIGHT_TOLERANCE,
    Colour,
    Indicator,
    ModelVersion,
)

Floats: TypeAlias = NDArray[np.float64]
Integers: TypeAlias = NDArray[np.int64]
Flags: TypeAlias = NDArray[np.bool_]

# `ScoreTable.bands` holds places in this row: higher is worse, and 0 is not known.
BANDS: Final = (Colour.GREY, Colour.BLUE, Colour.YELLOW, Colour.RED)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreTable:
    """The scores of the rows of a table; the fields are those of `rules.Score`.

    Attributes:
        scores: 0-100 by row; NaN where nothing is known.
        bands: the place of the row's colour in `BANDS`.
        coverages: share of the weights that is known, 0-1.
        lo: the scores if everything missing were harmless.
        hi: the scores if everything missing were at its worst.
        contributions: points of the score, by indicator in the version's order, then by row; those
            of a row sum to its score exactly.
    """

    scores: Floats
    bands: NDArray[np.int8]
    coverages: Floats
    lo: Floats
    hi: Floats
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
        contributions=contributions,
    )


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


def _bands_of(
    version: ModelVersion, scores: Floats, *, coverages: Floats, known: Flags
) -> NDArray[np.int8]:
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
