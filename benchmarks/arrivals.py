"""The model of arrivals: how fast it is, and how right its parts are on other people's data.

`python -m benchmarks.arrivals` measures speed on made-up days. With `--trains FILE` (Parquet of
scheduled and actual arrivals) it holds the train part against simpler ones, with
`--bookings FILE` (CSV of booking curves) the booking part. Counts: `flask arrivals validate`.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path
from statistics import median

import numpy as np

from benchmarks import arrivals_parts
from core.arrivals.backtesting import DRAWS as BACKTEST_DRAWS
from core.arrivals.backtesting import PastForecast, backtest
from core.arrivals.forecasting import forecast
from core.arrivals.inputs import CountTable, Inputs, TrainInput, history_of, known_at
from core.arrivals.measures import coverage_pct, errors_of
from core.arrivals.planting import PlantedDay, TimetableTrain, plant_day
from core.arrivals.references import fit_references
from core.arrivals.rules import DRAWS, StationSettings, class_of
from core.arrivals.staffing import staff
from core.clock import start_of

TRAINS = 110
ROUNDS = 7
FIRST, LAST = 5 * 60 + 40, 23 * 60 + 10
SETTINGS = StationSettings()
END = date(2020, 3, 26)
WARM_UP_DAYS = 28


def main() -> None:
    """Measure, and print tables in Markdown."""
    options = _options()
    timetable = _timetable()
    days = [END - timedelta(days=back) for back in range(options.days + WARM_UP_DAYS, -1, -1)]
    planted = [plant_day(timetable, day=day, seed=1) for day in days]
    print(f"Two cores, load average {os.getloadavg()[0]:.1f}; {TRAINS} trains a day\n")
    print("| what | seconds on the clock | processor seconds |\n|---|---:|---:|")
    print("\n".join(_speed(planted[-91:])))
    found = print_year(planted, days=options.days)
    print("\n| made-up days, by hour | |\n|---|---:|")
    print("\n".join(_grades(found)))
    if options.trains:
        print("\n".join(["", *arrivals_parts.trains(options.trains)]))
    if options.bookings:
        print("\n".join(["", *arrivals_parts.bookings(options.bookings)]))


def _speed(planted: Sequence[PlantedDay]) -> Iterator[str]:
    *past, today = planted
    history = history_of([train for one in past for train in one.trains])
    counts = _counts_of(past)
    now = start_of(today.day)
    inputs = Inputs(now=now, trains=known_at(today.trains, now), history=history, counts=counts)
    references = fit_references(history, day=today.day, counts=counts, settings=SETTINGS)

    def fit() -> None:
        fit_references(history, day=today.day, counts=counts, settings=SETTINGS)

    def make() -> None:
        made = forecast(inputs, references, from_at=now, settings=SETTINGS, draws=DRAWS)
        staff(made, settings=SETTINGS)

    for name, work in (
        (f"references from {len(past)} days", fit),
        (f"forecast of 24 hours, {DRAWS:,} draws, with posts and shifts", make),
    ):
        walls, processor = zip(*(_timed(work) for _ in range(ROUNDS)), strict=True)
        yield f"| {name} (median of {ROUNDS}) | {median(walls):.2f} | {median(processor):.2f} |"


def print_year(planted: Sequence[PlantedDay], *, days: int) -> list[PastForecast]:
    """Back-test the last days, print how long it took, and return them."""
    trains: list[TrainInput] = [train for one in planted for train in one.trains]
    found: list[PastForecast] = []
    chosen = [one.day for one in planted[-days:]]

    def work() -> None:
        found.extend(backtest(trains, _counts_of(planted), days=chosen, settings=SETTINGS))

    wall, processor = _timed(work)
    name = f"{days} days back-tested, {BACKTEST_DRAWS} draws, each with references of its own"
    print(f"| {name} | {wall:.0f} | {processor:.0f} |")
    return found


def _grades(found: Sequence[PastForecast]) -> Iterator[str]:
    """Yield how right the hours of the days were after the first four weeks."""
    late = found[WARM_UP_DAYS:] or found
    actual = np.stack([one.actual.reshape(24, 12).sum(1) for one in late])
    bands = {
        name: np.stack([getattr(one.forecast.hours, name) for one in late])
        for name in ("mean", "low80", "high80", "low95", "high95")
    }
    errors = errors_of(bands["mean"], actual)
    if errors is not None:
        yield f"| WMAPE % | {errors.wmape_pct:.1f} |"
    for level in (80, 95):
        covered = coverage_pct(bands["mean"], bands[f"low{level}"], bands[f"high{level}"], actual)
        yield f"| {level} % interval holds | {covered:.1f} |"


def _timed(work: object) -> tuple[float, float]:
    wall, processor = time.perf_counter(), time.process_time()
    work()  # type: ignore[operator]
    return time.perf_counter() - wall, time.process_time() - processor


def _counts_of(planted: Sequence[PlantedDay]) -> CountTable:
    return CountTable(start_day=planted[0].day, values=np.stack([one.counts for one in planted]))


def _timetable() -> list[TimetableTrain]:
    minutes = np.linspace(FIRST, LAST, TRAINS).round().astype(int).tolist()
    numbers = [f"{'GDCKZ'[place % 5]}{9001 + place}" for place in range(TRAINS)]
    return [
        TimetableTrain(
            number=number, train_class=class_of(number), origin="", minute=minute, capacity=600
        )
        for number, minute in zip(numbers, minutes, strict=True)
    ]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.arrivals", description=__doc__)
    parser.add_argument("--days", type=int, default=365, help="that are back-tested (365)")
    parser.add_argument(
        "--trains", type=Path, help="Parquet: sched_arrival, actual_arrival, TOC, cancelled"
    )
    parser.add_argument("--bookings", type=Path, help="CSV: arrival_date, final, otb_<days>")
    return parser.parse_args()


if __name__ == "__main__":
    main()
