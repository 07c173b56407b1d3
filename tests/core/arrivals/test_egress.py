"""From the platform to the check."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.arrivals.egress import egress_shares, find_egress
from tests.core.arrivals.worlds import past


@given(median=st.floats(0.5, 20), ratio=st.floats(1.2, 5))
def test_nobody_of_a_train_is_lost(median: float, ratio: float) -> None:
    shares = egress_shares(median=median, p95=median * ratio)
    assert shares.shape[0] == 5
    assert (shares >= 0).all()
    assert shares.sum(1) == pytest.approx(np.ones(5))


def test_half_of_a_train_is_through_after_the_median() -> None:
    # A train at the full minute 0: 4.5 minutes of its first slot are left after half a minute.
    shares = egress_shares(median=4.5, p95=12.0)
    assert shares[0, 0] == pytest.approx(0.5, abs=0.005)


def test_counts_say_how_long_the_way_is() -> None:
    history, counts = past()
    found = find_egress(history, history.alighted, counts, median=9.0, p95=27.0)
    assert found is not None
    # Planted: 5 and 12 minutes; five days' worth of the wrong start is still in it.
    assert found == (pytest.approx(5.0, abs=1.0), pytest.approx(12.0, abs=3.0))
    assert (
        find_egress(history, history.alighted, counts.until(counts.start_day), median=9.0, p95=27.0)
        is None
    )
