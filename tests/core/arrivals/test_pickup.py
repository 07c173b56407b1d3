"""From tickets sold so far to tickets in the end."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.arrivals.pickup import (
    FALLBACK_NO_SHOW,
    Line,
    fallback_line,
    fit_line,
    fit_load_factors,
    fit_no_shows,
    fit_pickups,
    line_for,
)
from core.arrivals.rules import LEAD_HOURS, DayType, TrainClass

PARENT = Line(added=0.0, slope=1.0, dispersion=2.0)


def test_a_line_is_found_where_there_is_one() -> None:
    sold = np.arange(400.0)
    line = fit_line(sold, 30 + 1.2 * sold, parent=PARENT)
    assert line.finals(sold) == pytest.approx(30 + 1.2 * sold, rel=0.06)
    assert line.dispersion < PARENT.dispersion


def test_trains_that_sold_alike_say_nothing_of_the_slope() -> None:
    line = fit_line(np.full(100, 50.0), np.full(100, 80.0), parent=PARENT)
    assert line.slope == 1.0
    assert line.added == pytest.approx(30 * 100 / 120)


@given(st.lists(st.tuples(st.floats(0, 900), st.floats(0, 900)), max_size=30))
def test_few_trains_move_a_line_little(pairs: list[tuple[float, float]]) -> None:
    sold, finals = (np.array([pair[side] for pair in pairs]) for side in (0, 1))
    line = fit_line(sold, finals, parent=PARENT)
    if not pairs:
        assert line == PARENT
        return
    share = len(pairs) / (len(pairs) + 20)
    moved = line.added + line.slope * sold.mean() - sold.mean()
    assert abs(moved) <= share * abs(finals.mean() - sold.mean()) + 1e-6


def test_a_lead_between_two_lies_between_their_lines() -> None:
    early, late = (
        line_for({}, TrainClass.EMU, DayType.WORKDAY, lead_hours=one) for one in (24, 18)
    )
    between = line_for({}, TrainClass.EMU, DayType.WORKDAY, lead_hours=21)
    assert late.slope < between.slope < early.slope
    assert early.slope == fallback_line(LEAD_HOURS.index(24)).slope


def test_a_class_without_trains_goes_by_all_of_them() -> None:
    rng = np.random.default_rng(0)
    finals = rng.uniform(100, 500, 300)
    sold = np.outer(finals, np.full(len(LEAD_HOURS), 0.5))
    nothing = np.zeros(300, np.int64)
    curves = fit_pickups(sold, finals, classes=nothing, day_types=nothing)
    line = line_for(curves, TrainClass.FAST, DayType.HOLIDAY, lead_hours=12)
    assert line.finals(np.array([200.0])) == pytest.approx([400.0], rel=0.05)


def test_load_factors_and_no_shows_are_shares() -> None:
    nothing = np.zeros(200, np.int64)
    people = np.full(200, 300.0)
    factor = fit_load_factors(people, np.full(200, 600.0), classes=nothing, day_types=nothing)[
        "all"
    ]
    assert factor.mean == pytest.approx(0.5)
    assert factor.deviation < 0.1
    shares = fit_no_shows(np.full(200, 320.0), people, classes=nothing)
    assert shares["all"] == pytest.approx(0.0625, abs=0.005)
    unknown = np.full(200, np.nan)
    assert fit_no_shows(people, unknown, classes=nothing)["all"] == FALLBACK_NO_SHOW
