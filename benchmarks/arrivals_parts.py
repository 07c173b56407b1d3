"""The train part and the booking part of the model of arrivals, beside simpler ones."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb
import numpy as np

from core.arrivals.chance import gamma_quantile
from core.arrivals.conformal import (
    WINDOWS,
    Interval,
    PastDay,
    Scaling,
    conformal_quantile,
    scaling_of,
    sums_of,
)
from core.arrivals.delays import curve_for, delay_correlation, fit_delays
from core.arrivals.inputs import CLASSES, Flags, Floats, History
from core.arrivals.measures import coverage_pct, errors_of
from core.arrivals.pickup import Line, fit_line
from core.arrivals.rules import LEAD_HOURS, LEVELS, SLOT_MINUTES, SLOTS
from core.arrivals.simulating import DayChance, Simulated, TrainOutlook, simulate

# ---- trains ---------------------------------------------------------------------------------

SHOWN_WINDOWS = (5, 15, 60)
TEST_DAYS = 28
SATURDAY = 5
# A train is counted as this many people who step off at once: then their counts are trains.
PEOPLE = 1000.0
TRAIN_DRAWS = 400
_TRAINS = """
    SELECT sched_arrival::TIMESTAMP, actual_arrival::TIMESTAMP, TOC, cancelled
    FROM read_parquet(?) WHERE sched_arrival IS NOT NULL ORDER BY 1, 2, 3
"""


@dataclass(frozen=True)
class _Runs:
    history: History
    came: Floats  # minutes since the first midnight; NaN where it never came

    @property
    def days(self) -> list[int]:
        return sorted(set(self.history.days.tolist()))

    def counted(self, day: int) -> Floats:
        """Return trains that came, by slot of a day."""
        minutes = self.came - (day - self.days[0]) * SLOTS * SLOT_MINUTES
        slots = np.floor(minutes[~np.isnan(minutes)] / SLOT_MINUTES).astype(int)
        slots = slots[(slots >= 0) & (slots < SLOTS)]
        return np.bincount(slots, minlength=SLOTS).astype(float)


def trains(path: Path) -> Iterator[str]:
    """Yield a table: trains that come by window, the last four weeks forecast."""
    runs = _read_trains(path)
    days = runs.days
    last, middle = days[-TEST_DAYS:], days[-2 * TEST_DAYS : -TEST_DAYS]
    learnt = runs.history.where(runs.history.days < last[0])
    counted = {day: runs.counted(day) for day in days}
    actual = np.stack([counted[day] for day in last])
    scaling = _scaling(runs, middle, counted)
    made = [_simulated(runs, learnt, day) for day in last]
    methods = {
        "schedule only": np.stack([_scheduled(runs, day) for day in last]),
        "mean of days alike": np.stack(
            [
                np.mean(
                    [counted[one] for one in days if one < last[0] and _alike(one, day)], axis=0
                )
                for day in last
            ]
        ),
        "delays of all trains alike": np.stack(
            [_simulated(runs, learnt, day, is_pooled=True).mean / PEOPLE for day in last]
        ),
        "**this model**": np.stack([one.mean / PEOPLE for one in made]),
    }
    told = f"the last {len(last)} of {len(days)} days forecast"
    yield f"Trains: {len(runs.history):,}, {told}. WMAPE %:\n"
    yield f"| window | {' | '.join(methods)} | 80 % holds, unscaled / scaled | 95 % |"
    yield "|---|" + "---:|" * (len(methods) + 2)
    for minutes in SHOWN_WINDOWS:
        wmape = [_wmape(one, actual, minutes) for one in methods.values()]
        covered = [_covered(made, actual, minutes, level, scaling) for level in LEVELS]
        cells = [f"{minutes} min", *(f"{one:.1f}" for one in wmape)]
        cells += [f"{raw:.1f} / {scaled:.1f}" for raw, scaled in covered]
        yield f"| {' | '.join(cells)} |"


def _read_trains(path: Path) -> _Runs:
    rows = duckdb.execute(_TRAINS, [str(path)]).fetchall()
    operators = sorted({row[2] for row in rows})
    first = rows[0][0].date().toordinal()
    came = np.array(
        [
            np.nan
            if row[1] is None
            else _minute(row[1]) + _day(row[1], first) * SLOTS * SLOT_MINUTES
            for row in rows
        ]
    )
    due = np.array([_minute(row[0]) + _day(row[0], first) * SLOTS * SLOT_MINUTES for row in rows])
    nothing = np.full(len(rows), np.nan)
    history = History(
        days=np.array([row[0].date().toordinal() for row in rows]),
        minutes=np.array([_minute(row[0]) for row in rows]),
        # Its operator stands for the class of a train.
        classes=np.array([operators.index(row[2]) % len(CLASSES) for row in rows]),
        capacities=nothing,
        cancelled=np.isnan(came),
        sold=np.full((len(rows), len(LEAD_HOURS)), np.nan),
        alighted=nothing,
        delays=came - due,
    )
    return _Runs(history, came)


def _minute(at: object) -> int:
    return at.hour * 60 + at.minute  # type: ignore[attr-defined]


def _day(at: object, first: int) -> int:
    return at.toordinal() - first  # type: ignore[attr-defined]


def _alike(day: int, other: int) -> bool:
    """Return whether two days are both Saturdays, both Sundays or neither."""
    kinds = [max(date.fromordinal(one).weekday(), SATURDAY - 1) for one in (day, other)]
    return kinds[0] == kinds[1]


def _scheduled(runs: _Runs, day: int) -> Floats:
    minutes = runs.history.minutes[runs.history.days == day]
    return np.bincount(minutes // SLOT_MINUTES, minlength=SLOTS).astype(float)


def _simulated(runs: _Runs, learnt: History, day: int, *, is_pooled: bool = False) -> Simulated:
    """Return the trains of a day as the model of people draws them."""
    curves = fit_delays(learnt)
    vanished = float(learnt.cancelled.mean())
    places = np.flatnonzero(runs.history.days == day)
    outlooks = []
    for place in places:
        train_class = CLASSES[runs.history.classes[place]]
        minute = int(runs.history.minutes[place])
        outlooks.append(
            TrainOutlook(
                minute=minute,
                people=PEOPLE,
                variance=0.0,
                limit=PEOPLE,
                vanish_share=vanished,
                delay=curves["all"] if is_pooled else curve_for(curves, train_class, minute),
                shift=0.0,
                spread=1.0,
                least=None,
                is_certain=True,
                fallback=None,
            )
        )
    return simulate(
        outlooks,
        egress=np.ones((SLOT_MINUTES, 1)),
        chance=DayChance(shock=0.0, delay_correlation=delay_correlation(learnt)),
        slots=SLOTS,
        draws=TRAIN_DRAWS,
        rng=np.random.default_rng(day),
    )


def _scaling(runs: _Runs, days: list[int], counted: dict[int, Floats]) -> Scaling:
    """Return the factors that the four weeks before ask for, forecast from those before them."""
    learnt = runs.history.where(runs.history.days < days[0])
    past = []
    for day in days:
        made = _simulated(runs, learnt, day)
        misses = {
            level: {
                minutes: _interval(made, minutes, level).misses(sums_of(counted[day], minutes))
                for minutes in WINDOWS
            }
            for level in LEVELS
        }
        past.append(PastDay(misses80=misses[LEVELS[0]], misses95=misses[LEVELS[1]]))
    return scaling_of(past)


def _interval(made: Simulated, minutes: int, level: float) -> Interval:
    mean = sums_of(made.mean, minutes) / PEOPLE
    # Whole trains: chance alone makes 970 of a thousand people, which is one train.
    drawn = np.rint(sums_of(made.people, minutes) / PEOPLE)
    low, high = np.quantile(drawn, ((1 - level) / 2, (1 + level) / 2), axis=0)
    return Interval(mean=mean, low=np.minimum(low, mean), high=np.maximum(high, mean))


def _covered(
    made: list[Simulated], actual: Floats, minutes: int, level: float, scaling: Scaling
) -> tuple[float, float]:
    shares = []
    for factor in (1.0, scaling.factor(level, minutes)):
        intervals = [_interval(one, minutes, level).scaled(factor) for one in made]
        shares.append(
            coverage_pct(
                np.stack([one.mean for one in intervals]),
                np.stack([one.low for one in intervals]),
                np.stack([one.high for one in intervals]),
                sums_of(actual, minutes),
            )
            or 0.0
        )
    return shares[0], shares[1]


def _wmape(expected: Floats, actual: Floats, minutes: int) -> float:
    errors = errors_of(sums_of(expected, minutes), sums_of(actual, minutes))
    return errors.wmape_pct or 0.0 if errors else 0.0


# ---- bookings -------------------------------------------------------------------------------

SHOWN_LEADS = (1, 3, 7, 14, 28)
FRIDAY = 4
WARM_UP = 90
CALIBRATION = 180
ENDS = (0.1, 0.9, 0.025, 0.975)
ADDITIVE = Line(added=0.0, slope=1.0, dispersion=2.0)


def bookings(path: Path) -> Iterator[str]:
    """Yield a table: final bookings from those so far, the second half of the days forecast."""
    with path.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    days = [date.fromisoformat(row["arrival_date"]) for row in rows]
    finals = np.array([float(row["final"]) for row in rows])
    late_week = np.array([day.weekday() >= FRIDAY for day in days])
    half = len(rows) // 2
    yield f"Bookings: {len(rows)} days, the last {len(rows) - half} forecast. WMAPE %:\n"
    methods = "sold so far | additive | linear regression | **this model**"
    yield f"| days before | {methods} | 80 % holds | 95 % |"
    yield "|---|---:|---:|---:|---:|---:|---:|"
    for lead in SHOWN_LEADS:
        sold = np.array([float(row[f"otb_{lead}"]) for row in rows])
        cells = _bookings(lead, sold, finals, late_week, half)
        yield (
            f"| {lead} | {' | '.join(f'{one:.2f}' for one in cells[:4])} | "
            + " | ".join(f"{one:.1f}" for one in cells[4:])
            + " |"
        )


def _bookings(lead: int, sold: Floats, finals: Floats, late_week: Flags, half: int) -> list[float]:
    """Return errors of the four, and coverages; each day is fitted from those that were over."""
    made: list[tuple[float, ...]] = []
    # Widths need a past of forecasts too: they begin some weeks before the second half.
    for place in range(half - WARM_UP, len(sold)):
        known = slice(0, place - lead)
        before, after = sold[known], finals[known]
        slope, added = np.polyfit(before, after, 1)
        line = fit_line(before, after, parent=ADDITIVE)
        alike = late_week[known] == late_week[place]
        line = fit_line(before[alike], after[alike], parent=line)
        mean = float(line.finals(sold[place : place + 1])[0])
        ends = [gamma_quantile(mean, line.dispersion * mean, share) for share in ENDS]
        additive = sold[place] + (after - before).mean()
        made.append((sold[place], additive, added + slope * sold[place], mean, *ends))
    columns = np.array(made).T
    actual = finals[half - WARM_UP :]
    tested = slice(WARM_UP, None)
    errors = [
        100 * float(np.abs(one - actual)[tested].sum() / actual[tested].sum())
        for one in columns[:4]
    ]
    covered = [
        _held(columns[3], columns[low], columns[low + 1], actual, level=level, lead=lead)
        for level, low in zip(LEVELS, (4, 6), strict=True)
    ]
    return [*errors, *covered]


def _held(
    mean: Floats, low: Floats, high: Floats, actual: Floats, *, level: float, lead: int
) -> float:
    """Return how often intervals hold that are scaled by those that were over."""
    whole = Interval(mean=mean, low=low, high=high)
    misses = whole.misses(actual)
    inside = []
    for place in range(WARM_UP, len(mean)):
        past = misses[max(0, place - lead - CALIBRATION) : place - lead]
        one = Interval(mean=mean[place], low=low[place], high=high[place])
        one = one.scaled(conformal_quantile(past[~np.isnan(past)], level))
        inside.append(one.low <= actual[place] <= one.high)
    return 100 * float(np.mean(inside))
