from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.risk.floors import BANDS, final_colour
from core.risk.rules import Colour, ModelVersion, Reading, score_of
from core.risk.table import Floats, ScoreTable, final_table, norms_of, score_table
from core.risk.versions import get_version

VERSIONS = [get_version(), get_version("sh-2022.1")]
Row = dict[str, float]

numbers = st.floats(0, 600) | st.integers(0, 30).map(float)
versions = st.sampled_from(VERSIONS)


@st.composite
def tables(draw: st.DrawFn) -> tuple[ModelVersion, list[Row]]:
    """Draw a version and rows of which each may lack any value."""
    version = draw(versions)
    codes = st.sampled_from([one.code for one in version.indicators])
    return version, draw(st.lists(st.dictionaries(codes, numbers), min_size=1, max_size=8))


def table_of(version: ModelVersion, rows: list[Row]) -> ScoreTable:
    columns = {
        one.code: np.array([row.get(one.code, np.nan) for row in rows])
        for one in version.indicators
    }
    return score_table(version, columns, row_count=len(rows))


@given(tables())
def test_a_table_has_the_scores_of_its_rows_to_the_last_bit(
    drawn: tuple[ModelVersion, list[Row]],
) -> None:
    version, rows = drawn
    table = table_of(version, rows)
    for place, row in enumerate(rows):
        score = score_of(version, {code: Reading(value) for code, value in row.items()})
        found = table.scores[place]
        assert (None if np.isnan(found) else found) == score.score
        assert BANDS[table.bands[place]] is score.colour
        assert (table.lo[place], table.hi[place]) == (score.lo, score.hi)
        assert table.coverages[place] == score.coverage
        assert table.contributions[:, place].tolist() == [one.contribution for one in score.parts]


@given(tables(), st.data())
def test_final_colours_of_a_table_are_those_of_its_rows(
    drawn: tuple[ModelVersion, list[Row]], data: st.DataObject
) -> None:
    version, rows = drawn
    rows = [row | data.draw(st.sampled_from(({}, {"fever_open": 1.0}))) for row in rows]
    bands = st.lists(st.integers(0, 3), min_size=len(rows), max_size=len(rows))
    before, overrides = (np.array(data.draw(bands), dtype=np.int8) for _ in range(2))
    values = {
        code: np.array([row.get(code, np.nan) for row in rows])
        for code in {code for row in rows for code in row}
    }
    scores = table_of(version, rows)
    table = final_table(version, scores.bands, values, before=before, overrides=overrides)
    for place, row in enumerate(rows):
        found = final_colour(
            version,
            score_colour=BANDS[scores.bands[place]],
            values=row,
            before=BANDS[before[place]],
            override=BANDS[overrides[place]] if overrides[place] else None,
        )
        assert BANDS[table.bands[place]] is found.colour
        assert BANDS[table.computed[place]] is found.computed
        assert BANDS[table.floors[place]] is found.floor
        assert tuple(rule for rule, flags in table.rules.items() if flags[place]) == found.rules


@given(tables())
def test_contributions_sum_to_the_score_exactly(drawn: tuple[ModelVersion, list[Row]]) -> None:
    table = table_of(*drawn)
    known = ~np.isnan(table.scores)
    assert (table.contributions.sum(axis=0)[known] == table.scores[known]).all()


@given(version=versions, data=st.data())
def test_a_worse_value_never_lowers_score_or_colour(
    version: ModelVersion, data: st.DataObject
) -> None:
    row = {one.code: data.draw(numbers) for one in version.indicators}
    code = data.draw(st.sampled_from(list(row)))
    table = table_of(version, [row, row | {code: row[code] + data.draw(st.floats(0, 100))}])
    assert table.scores[0] <= table.scores[1]
    assert table.bands[0] <= table.bands[1]


@pytest.mark.parametrize("version", VERSIONS, ids=lambda version: version.name)
def test_the_worst_of_everything_is_100_and_red(version: ModelVersion) -> None:
    worst = {one.code: one.points[-1][0] for one in version.indicators}
    best = {one.code: one.points[0][0] for one in version.indicators}
    table = table_of(version, [worst, best])
    assert table.scores.tolist() == [100, 0]
    assert [BANDS[band] for band in table.bands] == [Colour.RED, Colour.BLUE]


def test_another_set_of_indicators_is_scored_as_well() -> None:
    first = replace(VERSIONS[0].indicators[0], code="study", weight=100.0)
    version = replace(VERSIONS[0], indicators=(first,), required=frozenset({"study"}))
    table = score_table(version, {"study": np.array([0.0, 0.5, 1.0, 9.0])}, row_count=4)
    assert table.scores.tolist() == [0, 40, 80, 100]
    assert [BANDS[band].value for band in table.bands] == ["blue", "yellow", "red", "red"]


def test_a_column_that_is_not_there_is_missing_everywhere() -> None:
    table = score_table(VERSIONS[0], {}, row_count=2)
    assert np.isnan(table.scores).all()
    assert [BANDS[band] for band in table.bands] == [Colour.GREY, Colour.GREY]
    assert table.hi.tolist() == [100, 100]


def test_a_column_of_another_length_is_a_bug_of_the_caller() -> None:
    with pytest.raises(ValueError, match="confirmed has the shape"):
        score_table(VERSIONS[0], {"confirmed": np.zeros(3)}, row_count=2)


@given(version=versions, values=st.lists(st.floats(-10, 700), min_size=1))
def test_norms_are_those_of_the_indicator(version: ModelVersion, values: list[float]) -> None:
    column: Floats = np.array([*values, np.nan])
    for indicator in version.indicators:
        norms = norms_of(indicator, column)
        assert norms[:-1].tolist() == [indicator.norm_of(value) for value in values]
        assert np.isnan(norms[-1])
