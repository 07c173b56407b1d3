"""Delays by group."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from core.arrivals.delays import (
    ALL,
    FALLBACK,
    curve_for,
    delay_correlation,
    fit_delays,
)
from core.arrivals.inputs import History, history_of
from core.arrivals.rules import TrainClass
from tests.core.arrivals.worlds import past


def _late(history: History, minutes: float) -> History:
    return replace(history, delays=np.full(len(history), minutes))


def test_without_a_past_the_usual_delays_hold() -> None:
    curves = fit_delays(history_of([]))
    assert curve_for(curves, TrainClass.EMU, 600).quantiles == pytest.approx(FALLBACK.quantiles)
    assert FALLBACK.at(np.array([0.5])) == pytest.approx([1.0], abs=0.01)
    assert FALLBACK.at(np.array([0.95])) == pytest.approx([10.0], abs=0.2)
    assert FALLBACK.share_until(FALLBACK.quantiles[-1]) == 1


def test_few_trains_are_drawn_towards_all_and_many_speak_for_themselves() -> None:
    history, _ = past()
    few = fit_delays(_late(history.where(np.arange(len(history)) < 4), 30.0))
    many = fit_delays(_late(history, 30.0))
    assert few[ALL].at(np.array([0.5]))[0] < 10
    assert many[ALL].at(np.array([0.5]))[0] == pytest.approx(30.0)
    assert many[ALL].run_count == len(history)


def test_curves_never_fall() -> None:
    history, _ = past()
    for curve in fit_delays(history).values():
        assert (np.diff(curve.quantiles) >= 0).all()


def test_days_that_are_late_as_a_whole_are_noticed() -> None:
    history, _ = past()
    rng = np.random.default_rng(0)
    alone = replace(history, delays=rng.normal(size=len(history)))
    together = replace(history, delays=(history.days % 7) * 5.0 + rng.normal(size=len(history)))
    assert delay_correlation(alone) < 0.1
    assert delay_correlation(together) > 0.3
