"""How slots vary together."""

from __future__ import annotations

import numpy as np
import pytest

from core.arrivals.variance import shared_variance, variance_of


def test_windows_vary_about_as_the_days_do() -> None:
    rng = np.random.default_rng(0)
    mood = rng.normal(1, 0.1, (2000, 1))
    trains = np.zeros((2000, 288))
    for start in range(60, 280, 4):  # a train falls into one of two slots that follow each other
        late = rng.integers(0, 2, 2000)
        trains[np.arange(2000), start + late] += 60
    people = rng.poisson(trains * mood).astype(float)
    shared = shared_variance(people)
    for first, length in ((60, 12), (61, 12), (70, 30), (120, 96), (62, 25), (0, 288)):
        drawn = people[:, first : first + length].sum(1).var()
        assert variance_of(shared, first, first + length) == pytest.approx(drawn, rel=0.35)
    quarter = people[:, 120:123].sum(1).var()
    assert variance_of(shared, 120, 123) == pytest.approx(quarter)


def test_days_that_are_all_alike_do_not_vary() -> None:
    shared = shared_variance(np.full((50, 24), 7.0))
    assert variance_of(shared, 1, 20) == 0
    assert shared.weights == pytest.approx(np.full(24, 1 / 3))
