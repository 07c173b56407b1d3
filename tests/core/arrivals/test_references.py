"""Reference tables of a day."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from core.arrivals.inputs import history_of
from core.arrivals.references import document_of, fit_references, references_in
from core.arrivals.rules import Fallback
from tests.core.arrivals.worlds import DAY, SETTINGS, past, references


def test_nothing_from_the_day_on_is_looked_at() -> None:
    history, counts = past()
    earlier = DAY - timedelta(days=5)
    changed = replace(
        history,
        sold=np.where((history.days >= earlier.toordinal())[:, None], 9999.0, history.sold),
        delays=np.where(history.days >= earlier.toordinal(), 300.0, history.delays),
    )
    shouted = replace(counts, values=counts.values.copy())
    shouted.values[-5:] = 9999.0
    left = fit_references(history, day=earlier, counts=counts, settings=SETTINGS)
    right = fit_references(changed, day=earlier, counts=shouted, settings=SETTINGS)
    assert document_of(left) == document_of(right)


def test_what_was_planted_is_found() -> None:
    found = references()
    assert found.flags == frozenset()
    assert found.no_shows["all"] == pytest.approx(0.03, abs=0.005)
    assert found.egress_median_minutes == pytest.approx(5.0, abs=0.7)
    assert 0.02 < found.day_shock < 0.12
    assert found.vanished["all"] == 0


def test_without_a_past_everything_is_flagged_and_the_station_is_believed() -> None:
    found = fit_references(history_of([]), day=DAY, settings=SETTINGS)
    assert found.flags == {
        Fallback.SHORT_HISTORY,
        Fallback.DEFAULT_DELAY,
        Fallback.DEFAULT_EGRESS,
    }
    assert found.day_shock == SETTINGS.day_shock
    assert found.egress_p95_minutes == SETTINGS.egress_p95_minutes


def test_gate_counts_say_the_no_show_where_nobody_counts_at_trains() -> None:
    history, counts = past()
    uncounted = replace(history, alighted=np.full(len(history), np.nan))
    found = fit_references(uncounted, day=DAY, counts=counts, settings=SETTINGS)
    assert found.no_shows["all"] == pytest.approx(0.03, abs=0.01)


def test_trains_that_are_cancelled_with_tickets_held_are_counted() -> None:
    history, _ = past()
    every_tenth = np.arange(len(history)) % 10 == 0
    found = fit_references(replace(history, cancelled=every_tenth), day=DAY, settings=SETTINGS)
    assert found.vanished["all"] == pytest.approx(0.1, abs=0.01)


def test_a_document_gives_the_references_back() -> None:
    document = json.loads(json.dumps(document_of(references())))
    again = references_in(document)
    assert document_of(again) == document_of(references())
    assert again.flags == references().flags
    with pytest.raises(ValueError, match="no references"):
        references_in({"day": "2020-03-26"})
