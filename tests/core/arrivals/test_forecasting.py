"""The forecast as a whole."""

from __future__ import annotations

from collections import Counter
from dataclasses import fields, replace
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.arrivals.drawing import ArrivalsWithoutBasisError
from core.arrivals.forecasting import Bands, Forecast, forecast, window_of
from core.arrivals.inputs import Inputs, history_of, known_at, slot_start
from core.arrivals.planting import NO_SHOW, PEAKS
from core.arrivals.rules import Fallback
from core.clock import start_of
from tests.core.arrivals.worlds import DAY, SETTINGS, blank, inputs, planted, references


def made(known: Inputs, *, hour: int = 0, draws: int = 1000) -> Forecast:
    start = start_of(DAY) + timedelta(hours=hour)
    return forecast(known, references(), from_at=start, settings=SETTINGS, draws=draws)


@pytest.fixture(scope="module")
def midnight() -> Forecast:
    return made(inputs(), draws=2000)


def test_planted_peaks_are_found_within_two_points(midnight: Forecast) -> None:
    share = midnight.hours.mean[list(PEAKS)].sum() / midnight.total.mean
    planned = planted(DAY).hour_shares[list(PEAKS)].sum()
    assert share == pytest.approx(planned, abs=0.02)
    assert [peak.start_at.hour for peak in midnight.peaks][:2] == [9, 12]
    assert {start.hour for start, _ in midnight.top_hours[:2]} == {9, 12}
    assert midnight.top_hours[0][1] > 0.9


def test_the_same_arguments_give_the_same_forecast(midnight: Forecast) -> None:
    again = made(inputs(), draws=2000)
    for one in fields(Bands):
        assert (getattr(again.slots, one.name) == getattr(midnight.slots, one.name)).all()
    assert again.top_hours == midnight.top_hours


def test_windows_add_up_and_intervals_hold_their_mean(midnight: Forecast) -> None:
    for bands in (midnight.slots, midnight.quarters, midnight.hours):
        assert bands.mean.sum() == pytest.approx(midnight.total.mean)
        assert (bands.low95 <= bands.low80).all()
        assert (bands.low80 <= bands.mean).all()
        assert (bands.mean <= bands.high80).all()
        assert (bands.high80 <= bands.high95).all()
        assert (bands.low95 >= 0).all()
    assert (midnight.bulk >= midnight.slots.mean - 1e-9).all()


def test_nobody_of_the_trains_is_lost(midnight: Forecast) -> None:
    expected = sum(load.mean for load in midnight.train_loads)
    # All but those of the last trains who pass after midnight.
    assert midnight.total.mean == pytest.approx(expected, rel=0.01)


def test_the_day_came_as_the_intervals_said(midnight: Forecast) -> None:
    counts = planted(DAY).counts
    hours = counts.reshape(24, 12).sum(1)
    inside = (midnight.hours.low95 <= hours) & (hours <= midnight.hours.high95)
    assert inside.mean() > 0.85
    assert midnight.total.low95 <= counts.sum() <= midnight.total.high95


@settings(max_examples=40)
@given(first=st.integers(0, 287), length=st.integers(1, 288))
def test_any_window_is_the_sum_of_its_slots(first: int, length: int) -> None:
    whole = _kept()
    last = min(first + length, 288)
    start, end = (whole.from_at + timedelta(minutes=5 * one) for one in (first, last))
    window = window_of(whole, start, end)
    assert window.mean == pytest.approx(whole.slots.mean[first:last].sum())
    ends = [window.low95, window.low80, window.mean, window.high80, window.high95]
    assert ends == sorted(ends)


_forecasts: list[Forecast] = []


def _kept() -> Forecast:
    if not _forecasts:
        _forecasts.append(made(inputs()))
    return _forecasts[0]


def test_a_window_across_hours_is_about_as_wide_as_drawn_ones(midnight: Forecast) -> None:
    start = slot_start(DAY, 0)
    drawn = window_of(midnight, start + timedelta(hours=9), start + timedelta(hours=10))
    by_slots = replace(midnight, hours=replace(midnight.hours, mean=np.empty(0)))
    summed = window_of(by_slots, start + timedelta(minutes=545), start + timedelta(minutes=605))
    assert summed.high80 - summed.low80 == pytest.approx(drawn.high80 - drawn.low80, rel=0.4)
    with pytest.raises(ValueError, match="not inside"):
        window_of(midnight, start, start + timedelta(hours=25))


def test_sales_of_a_file_are_those_of_its_own_hour() -> None:
    """Lists of set leads say less than a feed: at midnight the last one is hours old."""
    trains = [one for one in inputs().trains if one.scheduled_at >= start_of(DAY)]
    finals = sum(one.sold[-1][1] for one in planted(DAY).trains)
    expected = sum(load.mean for load in made(inputs()).train_loads) / (1 - NO_SHOW)
    as_if_live = made(replace(inputs(), is_feed_live=True))
    assert len(trains) == len(planted(DAY).trains)
    assert expected == pytest.approx(finals, rel=0.04)
    # Taken for numbers of now, they would promise fewer people than come.
    assert sum(load.mean for load in as_if_live.train_loads) / (1 - NO_SHOW) < 0.97 * expected


def test_what_happens_later_changes_nothing() -> None:
    known = inputs(hour=10)
    later = replace(known, trains=planted(DAY).trains)
    assert (made(later).slots.mean == made(known).slots.mean).all()


def test_a_cancelled_train_brings_nobody() -> None:
    known = inputs()
    cancelled = replace(
        known, trains=tuple(replace(one, is_cancelled=True) for one in known.trains)
    )
    assert made(cancelled).total.high95 == 0
    assert made(cancelled).peaks == ()
    assert made(cancelled).top_hours == ()


def test_a_sold_out_train_brings_what_it_holds() -> None:
    known = inputs()
    full = tuple(
        replace(one, sold=((known.now - timedelta(hours=1), 600),)) for one in known.trains
    )
    loads = made(replace(known, trains=full)).train_loads
    assert all(load.is_sold_out for load in loads)
    assert {round(load.mean) for load in loads} <= set(range(560, 601))


def test_a_train_that_came_is_where_it_is() -> None:
    known = inputs(hour=11)
    load = next(one for one in made(known, hour=10).train_loads if one.scheduled_at < known.now)
    train = next(
        one
        for one in known.trains
        if one.actual_at and (one.number, one.scheduled_at) == (load.number, load.scheduled_at)
    )
    assert load.expected_at == train.actual_at
    assert load.mean == train.alighted


def test_a_source_of_arrivals_that_stops_makes_no_train_late() -> None:
    """Else everybody of an hour and a half would stand at the check at once."""
    now = start_of(DAY) + timedelta(hours=14, minutes=30)
    told = replace(inputs(), now=now, trains=known_at(planted(DAY).trains, now))
    stopped = replace(told, trains=inputs(hour=13).trains)
    expected = made(told, hour=14).hours.mean[0]
    assert made(stopped, hour=14).hours.mean[0] == pytest.approx(expected, rel=0.15)


def test_sales_of_a_file_count_after_the_live_feed_stopped() -> None:
    known = inputs(hour=8)
    stopped = replace(known, is_feed_live=True, tickets_until=known.now - timedelta(hours=6))
    number = planted(DAY).trains[-1].number
    by_hand = (known.now - timedelta(hours=1), 599)
    trains = tuple(
        replace(one, sold=(*(sale for sale in one.sold if sale[0] < by_hand[0]), by_hand))
        if one.number == number
        else one
        for one in known.trains
    )
    found = made(replace(stopped, trains=trains), hour=8)
    assert Fallback.FEED_STALE in found.flags
    assert [one.number for one in found.train_loads if one.is_sold_out] == [number]


def test_a_late_train_moves_its_people() -> None:
    known = inputs()
    late = tuple(replace(one, live_delay_minutes=120) for one in known.trains)
    moved = made(replace(known, trains=late))
    assert moved.hours.mean[11] > 1.5 * moved.hours.mean[9]
    assert moved.total.mean < made(known).total.mean  # the last ones come after midnight


@pytest.mark.parametrize(
    ("changed", "flag"),
    [
        ({"tickets_until": start_of(DAY) - timedelta(hours=3)}, Fallback.FEED_STALE),
        ({"trains": ()}, Fallback.NO_TIMETABLE),
    ],
    ids=["stale", "no timetable"],
)
def test_what_is_lacking_is_said(changed: dict[str, object], flag: Fallback) -> None:
    found = made(replace(inputs(), **changed))  # type: ignore[arg-type]
    assert found.flags == {flag}
    assert found.total.mean == pytest.approx(5000, rel=0.15)


def test_without_sales_the_load_factor_stands_in_for_each_train() -> None:
    known = inputs()
    unsold = replace(known, trains=tuple(replace(one, sold=()) for one in known.trains))
    found = made(unsold)
    assert found.flags == {Fallback.NO_TICKETS}
    fallbacks = Counter(load.fallback for load in found.train_loads)
    assert fallbacks == {Fallback.NO_TICKETS: len(found.train_loads)}
    assert found.total.mean == pytest.approx(5000, rel=0.15)
    width = found.total.high80 - found.total.low80
    assert width > made(known).total.high80 - made(known).total.low80


def test_with_nothing_at_all_there_is_no_forecast() -> None:
    with pytest.raises(ArrivalsWithoutBasisError):
        made(blank())
    # A timetable alone is enough: everything else is flagged.
    found = made(replace(blank(), trains=inputs().trains, history=history_of([])))
    assert found.total.mean > 0
