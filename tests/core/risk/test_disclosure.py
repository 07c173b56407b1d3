from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.risk.disclosure import PUBLISHED, RANGES, Disclosed, disclosed
from core.risk.rules import Indicator, Unit
from core.risk.versions import get_version

INDICATORS = {one.code: one for one in get_version().indicators}
FEW = {
    code: one for code, one in INDICATORS.items() if one.unit in RANGES and code not in PUBLISHED
}
FULL = 25.0


def of(indicator: Indicator, value: float) -> Disclosed:
    contribution = FULL * indicator.norm_of(value) / 100
    return disclosed(indicator, value=value, contribution=contribution, full=FULL)


def values_of(indicator: Indicator) -> st.SearchStrategy[float]:
    if indicator.unit is Unit.PERSONS:
        return st.integers(0, 200).map(float)
    return st.floats(0, 1000 if indicator.unit is Unit.PER_MILLE else 30)


@given(st.data(), st.sampled_from(sorted(INDICATORS)))
def test_value_and_points_lie_within_what_is_told(data: st.DataObject, code: str) -> None:
    indicator = INDICATORS[code]
    value = data.draw(values_of(indicator))
    told = of(indicator, value)
    points = FULL * indicator.norm_of(value) / 100
    assert told.low <= value
    assert told.high is None or value <= told.high
    assert told.points_low <= points <= told.points_high


@given(st.data(), st.sampled_from(sorted(FEW)))
def test_what_is_told_of_few_people_is_the_same_for_every_number_of_a_range(
    data: st.DataObject, code: str
) -> None:
    value, other = (data.draw(values_of(FEW[code])) for _ in range(2))
    told = of(FEW[code], value)
    if value and other and told.low <= other and (told.high is None or other < told.high):
        assert of(FEW[code], other) == told


@pytest.mark.parametrize("code", sorted(FEW))
def test_one_person_is_never_told_from_another_number(code: str) -> None:
    # The smallest community that a rate is over has 300 residents, a usual one a thousand.
    one = 1.0 if FEW[code].unit is Unit.PERSONS else 1000 / 1150
    assert of(FEW[code], one) == of(FEW[code], 4 * one)
    assert not of(FEW[code], one).is_exact


def test_cases_and_what_is_no_secret_are_exact() -> None:
    assert {code for code in INDICATORS if of(INDICATORS[code], 2.0).is_exact} == PUBLISHED


def test_none_at_all_is_told() -> None:
    assert of(FEW["suspected"], 0.0) == Disclosed(0.0, 0.0, 0.0, 0.0)


@pytest.mark.parametrize(
    ("code", "value", "expected"),
    [
        ("suspected", 1.0, (1, 4)),
        ("close", 4.0, (1, 4)),
        ("close", 5.0, (5, 9)),
        ("second", 50.0, (50, None)),
        ("fever", 0.1, (0, 5)),
        ("homeq", 5.0, (5, 10)),
    ],
)
def test_ranges_are_those_of_the_decision(
    code: str, value: float, expected: tuple[float, float | None]
) -> None:
    assert of(FEW[code], value)[:2] == expected


def test_what_nobody_knows_the_unit_of_is_not_told() -> None:
    told = disclosed(None, value=1.0, contribution=2.2, full=11.0)
    assert told == Disclosed(0.0, None, 0.0, 11.0)
