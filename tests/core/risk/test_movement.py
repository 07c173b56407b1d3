from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from core.risk.model import StoredPart
from core.risk.movement import movements_of
from core.risk.rules import Reading, score_of
from tests.core.risk.values import HARMLESS, VERSION, YELLOW

VALUES = st.fixed_dictionaries(
    {one.code: st.sampled_from([value for value, _ in one.points]) for one in VERSION.indicators}
)


def parts_of(values: dict[str, float]) -> list[StoredPart]:
    score = score_of(VERSION, {code: Reading(value) for code, value in values.items()})
    return [list(part) for part in score.parts]


@given(VALUES, VALUES)
def test_changes_sum_to_that_of_the_score_the_largest_first(
    now: dict[str, float], before: dict[str, float]
) -> None:
    moved = movements_of(VERSION, parts_of(now), parts_of(before))
    scores = [sum(float(part[4] or 0) for part in parts_of(one)) for one in (now, before)]
    assert math.isclose(sum(one.change for one in moved), scores[0] - scores[1], abs_tol=1e-9)
    sizes = [abs(one.change) for one in moved]
    assert sizes == sorted(sizes, reverse=True)
    assert {one.indicator: (one.value, one.value_before) for one in moved} == {
        code: (now[code], before[code]) for code in now
    }


def test_indicator_is_named_as_its_version_names_it() -> None:
    moved = movements_of(VERSION, parts_of(YELLOW), parts_of(HARMLESS))
    assert (moved[0].label, moved[0].unit_label) == ("14天内确诊病例", "例")


def test_indicator_of_an_unknown_version_or_a_missing_value_is_still_told() -> None:
    missing = {code: value for code, value in HARMLESS.items() if code != "fever"}
    moved = movements_of(None, parts_of(HARMLESS), parts_of(missing)[:-1])
    found = {one.indicator: one for one in moved}
    assert found["fever"].label == "fever"
    assert (found["fever"].value, found["fever"].value_before) == (0.0, None)
    assert found["vuln"].value_before is None
