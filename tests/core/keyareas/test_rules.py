"""Codes cover what lies within them, and a stay counts for the days of the list."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.keyareas.rules import (
    Area,
    aliases_of,
    covers,
    is_area_code,
    prefix_of,
    was_one_between,
)

pairs = st.integers(min_value=1, max_value=82).map("{:02}".format)


@pytest.mark.parametrize(
    ("area", "place", "expected"),
    [
        ("420000", "420000", True),
        ("420000", "420100", True),
        ("420000", "420102", True),
        ("420100", "420102", True),
        ("420100", "420000", False),
        ("420100", "421100", False),
        ("420102", "420100", False),
        ("220200", "220000", False),
        ("110000", "110106", True),
        ("429004", "429005", False),
    ],
)
def test_area_covers_what_lies_in_it(area: str, place: str, expected: bool) -> None:
    assert covers(area, place) is expected


@given(pairs, pairs, pairs)
def test_covering_goes_down_and_never_up(province: str, city: str, district: str) -> None:
    codes = [f"{province}0000", f"{province}{city}00", f"{province}{city}{district}"]
    for wide, one in enumerate(codes):
        assert [covers(one, other) for other in codes] == [wide <= narrow for narrow in range(3)]
    assert [len(prefix_of(code)) for code in codes] == [2, 4, 6]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("420000", True),
        ("420100", True),
        ("420102", True),
        ("42010", False),
        ("4201020", False),
        ("020100", False),
        ("920000", False),
        ("420002", False),
        ("42010a", False),
        ("４２０１００", False),
        ("", False),
    ],
)
def test_form_of_a_code(text: str, expected: bool) -> None:
    assert is_area_code(text) is expected


@pytest.mark.parametrize(
    ("since", "until", "expected"),
    [
        pytest.param(-30, None, True, id="still one"),
        pytest.param(-30, -20, False, id="over before the stay"),
        pytest.param(-30, -14, False, id="over when the stay began"),
        pytest.param(-30, -13, True, id="over on the first day"),
        pytest.param(-5, -3, True, id="within the stay"),
        pytest.param(-1, None, True, id="begun during the stay"),
        pytest.param(0, None, False, id="begun when the stay was over"),
        pytest.param(3, None, False, id="begun later"),
    ],
)
def test_stay_counts_for_the_days_on_which_the_area_was_one(
    now: datetime, since: int, until: int | None, expected: bool
) -> None:
    area = Area(
        code="420100",
        name="武汉市",
        since=now + timedelta(days=since),
        until=None if until is None else now + timedelta(days=until),
    )
    assert was_one_between(area, since=now - timedelta(days=14), until=now) is expected


def test_aliases_are_parted_and_named_once() -> None:
    assert aliases_of(" 江城 |wuhan||江城") == ("江城", "wuhan")
    assert aliases_of("") == ()
