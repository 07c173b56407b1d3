from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.risk.rules import (
    Colour,
    Reading,
    Score,
    Status,
    colour_of,
    score_all,
    score_of,
)
from core.risk.versions import get_version

VERSION = get_version()
INDICATORS = {one.code: one for one in VERSION.indicators}
CODES = list(INDICATORS)

readings_of_some = st.dictionaries(
    st.sampled_from(CODES),
    st.builds(
        Reading,
        st.floats(0, 50) | st.integers(0, 30).map(float),
        st.integers(0, VERSION.max_stale_days + 1),
    ),
)
readings_of_all = st.fixed_dictionaries({code: st.floats(0, 50).map(Reading) for code in CODES})


def scored(**values: float) -> Score:
    """Return the score of a community in which every value that is not named is zero."""
    return score_of(VERSION, {code: Reading(values.get(code, 0.0)) for code in CODES})


# ---- scenarios ------------------------------------------------------------------------------

OLD = 0.33  # share aged 60 and over of every scenario


@pytest.mark.parametrize(
    ("values", "score", "colour"),
    [
        pytest.param({"vuln": OLD}, 1.3, Colour.BLUE, id="quiet"),
        pytest.param({"vuln": OLD, "keyarea": 5, "homeq": 8}, 7.7, Colour.BLUE, id="return wave"),
        pytest.param(
            {"vuln": OLD, "keyarea": 10, "fever": 3, "overseas": 5, "homeq": 10},
            21.3,
            Colour.BLUE,
            id="exposure saturated, no case",
        ),
        pytest.param(
            {"vuln": OLD, "confirmed": 1, "recency": 14}, 25.3, Colour.BLUE, id="one confirmed"
        ),
        pytest.param(
            {
                "vuln": OLD,
                "confirmed": 1,
                "recency": 14,
                "close": 5,
                "second": 20,
                "homeq": 4,
            },
            36.6,
            Colour.BLUE,
            id="one confirmed with contacts",
        ),
        pytest.param(
            {
                "vuln": OLD,
                "confirmed": 1,
                "recency": 14,
                "close": 5,
                "second": 20,
                "homeq": 4,
                "suspected": 1,
            },
            42.6,
            Colour.YELLOW,
            id="one confirmed, contacts, one suspected",
        ),
        pytest.param(
            {
                "vuln": OLD,
                "confirmed": 2,
                "recency": 14,
                "cluster": 1,
                "close": 10,
                "second": 20,
                "homeq": 5,
            },
            51.8,
            Colour.YELLOW,
            id="household cluster",
        ),
        pytest.param(
            {
                "vuln": OLD,
                "confirmed": 3,
                "recency": 14,
                "cluster": 1,
                "close": 10,
                "second": 20,
                "suspected": 2,
                "nearby": 3,
                "homeq": 8,
            },
            66.1,
            Colour.RED,
            id="cluster with three confirmed and cases nearby",
        ),
        pytest.param(dict.fromkeys(CODES, 1000.0), 100.0, Colour.RED, id="everything saturated"),
    ],
)
def test_scenario_has_its_score_and_colour(
    values: dict[str, float], score: float, colour: Colour
) -> None:
    found = scored(**values)
    assert found.score == pytest.approx(score, abs=0.05)
    assert found.colour is colour


def test_no_indicator_and_no_pair_reaches_yellow_alone() -> None:
    weights = sorted((one.weight for one in VERSION.indicators), reverse=True)
    assert weights[0] + weights[1] < VERSION.yellow_cut
    assert scored(confirmed=99, suspected=99).colour is Colour.BLUE


# ---- cuts -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("score", "colour"),
    [
        (0.0, Colour.BLUE),
        (39.999999, Colour.BLUE),
        (40.0, Colour.YELLOW),
        (59.999999, Colour.YELLOW),
        (60.0, Colour.RED),
        (100.0, Colour.RED),
    ],
)
def test_score_on_a_cut_takes_the_worse_colour(score: float, colour: Colour) -> None:
    assert colour_of(score) is colour


@pytest.mark.parametrize("score", [-0.001, 100.001, float("nan")])
def test_score_outside_its_range_is_a_bug(score: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 100"):
        colour_of(score)


def test_score_that_belongs_on_the_cut_is_on_it_in_spite_of_binary_fractions() -> None:
    # 20 + 8 + 8 + 3 saturated, and 1 more from keyarea at 1.25 per mille: 40 on paper.
    found = scored(confirmed=3, recency=14, asym=3, vuln=0.5, keyarea=1.25)
    assert found.score == 40.0
    assert found.colour is Colour.YELLOW


# ---- norms ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "value", "norm"),
    [
        ("confirmed", 0, 0),
        ("confirmed", 1, 80),
        ("confirmed", 2, 90),
        ("confirmed", 3, 100),
        ("confirmed", 300, 100),
        ("close", 5.5, 60),
        ("vuln", 0.0, 0),
        ("vuln", 0.2, 0),
        ("vuln", 0.35, 50),
        ("vuln", 1.0, 100),
        ("recency", 7, 50),
    ],
)
def test_norm_is_linear_between_the_points_and_flat_outside(
    code: str, value: float, norm: float
) -> None:
    indicator = INDICATORS[code]
    assert indicator.norm_of(value) == pytest.approx(norm)


@given(code=st.sampled_from(CODES), low=st.floats(0, 100), more=st.floats(0, 100))
def test_norm_never_falls(code: str, low: float, more: float) -> None:
    indicator = INDICATORS[code]
    assert 0 <= indicator.norm_of(low) <= indicator.norm_of(low + more) <= 100


# ---- score ----------------------------------------------------------------------------------


@given(readings_of_some)
def test_contributions_sum_to_the_score_exactly_in_any_order(readings: dict[str, Reading]) -> None:
    found = score_of(VERSION, readings)
    contributions = [part.contribution for part in found.parts]
    expected = found.score or 0.0
    assert sum(contributions) == expected
    assert sum(reversed(contributions)) == expected
    assert sum(sorted(contributions)) == expected


@given(readings_of_all)
def test_score_is_the_weighted_mean_of_the_norms(readings: dict[str, Reading]) -> None:
    expected = sum(
        one.weight * one.norm_of(readings[one.code].value) / 100 for one in VERSION.indicators
    )
    found = score_of(VERSION, readings)
    assert found.score == pytest.approx(expected, abs=1e-9)
    assert found.coverage == 1
    assert found.lo == found.hi == found.score


@given(readings_of_some)
def test_score_lies_between_its_bounds(readings: dict[str, Reading]) -> None:
    found = score_of(VERSION, readings)
    assert 0 <= found.lo <= found.hi <= 100
    if found.score is not None:
        assert found.lo - 1e-9 <= found.score <= found.hi + 1e-9


@given(readings_of_all, st.sampled_from(CODES), st.floats(0, 50))
def test_score_never_falls_when_a_value_rises(
    readings: dict[str, Reading], code: str, more: float
) -> None:
    worse = readings | {code: Reading(readings[code].value + more)}
    before, after = score_of(VERSION, readings), score_of(VERSION, worse)
    assert before.score is not None
    assert after.score is not None
    assert after.score >= before.score - 1e-9


@given(readings_of_some)
def test_missing_indicators_neither_add_nor_count_as_zero(readings: dict[str, Reading]) -> None:
    usable = {code: one for code, one in readings.items() if one.age_days <= VERSION.max_stale_days}
    found = score_of(VERSION, readings)
    assert {part.indicator for part in found.parts if part.status is not Status.MISSING} == set(
        usable
    )
    weight = sum(one.weight for one in VERSION.indicators if one.code in usable)
    assert found.coverage == pytest.approx(weight / 100)
    if weight:
        norms = {
            one.code: one.norm_of(usable[one.code].value) * one.weight
            for one in VERSION.indicators
            if one.code in usable
        }
        assert found.score == pytest.approx(sum(norms.values()) / weight, abs=1e-9)


@given(st.lists(readings_of_some, max_size=5))
def test_scoring_all_agrees_with_scoring_one(district: list[dict[str, Reading]]) -> None:
    readings = dict(enumerate(district))
    found = score_all(VERSION, readings)
    assert found == {number: score_of(VERSION, one) for number, one in readings.items()}


# ---- publication ----------------------------------------------------------------------------


def without(*codes: str) -> Score:
    return score_of(VERSION, {code: Reading(99.0) for code in CODES if code not in codes})


@pytest.mark.parametrize(
    ("missing", "colour"),
    [
        pytest.param((), Colour.RED, id="nothing missing"),
        pytest.param(("suspected", "keyarea"), Colour.RED, id="exactly 0.8 known"),
        pytest.param(("suspected", "asym", "vuln"), Colour.GREY, id="0.77 known"),
        pytest.param(("confirmed",), Colour.GREY, id="no confirmed feed, 0.8 known"),
        pytest.param(tuple(CODES), Colour.GREY, id="nothing known"),
    ],
)
def test_colour_is_grey_where_too_little_is_known(missing: tuple[str, ...], colour: Colour) -> None:
    assert without(*missing).colour is colour


def test_missing_harmless_values_raise_the_score_rather_than_lower_it() -> None:
    full = scored(confirmed=3)
    readings = {code: Reading(0.0) for code in CODES} | {"confirmed": Reading(3.0)}
    del readings["suspected"]
    partial = score_of(VERSION, readings)
    assert full.score == 20
    assert partial.score == pytest.approx(20 / 0.88)
    assert (partial.lo, partial.hi) == (20, 32)


def test_nothing_known_has_no_score() -> None:
    found = score_of(VERSION, {})
    assert (found.score, found.coverage, found.lo, found.hi) == (None, 0, 0, 100)
    assert {part.status for part in found.parts} == {Status.MISSING}


@pytest.mark.parametrize(
    ("age_days", "status"),
    [(0, Status.FRESH), (1, Status.STALE), (3, Status.STALE), (4, Status.MISSING)],
)
def test_value_is_carried_for_three_days(age_days: int, status: Status) -> None:
    found = score_of(VERSION, {"fever": Reading(3.0, age_days)})
    fever = next(part for part in found.parts if part.indicator == "fever")
    assert fever.status is status
    assert (fever.value is None) is (status is Status.MISSING)


def test_codes_that_the_version_lacks_are_ignored() -> None:
    values: dict[str, Any] = {code: Reading(1.0) for code in CODES}
    assert score_of(VERSION, values | {"humidity": Reading(9.0)}) == score_of(VERSION, values)


def test_current_version_is_the_published_one() -> None:
    assert VERSION.name == "xh-2020.1"
    assert len(CODES) == 13
    assert VERSION.valid_from == date(2020, 2, 10)
