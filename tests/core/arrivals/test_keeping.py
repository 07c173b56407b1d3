from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.arrivals.inputs import TrainInput, history_of
from core.arrivals.keeping import KEPT_DAYS, kept_sales, sweep_arrivals
from core.arrivals.model import (
    FittedReference,
    ForecastGrade,
    GateCount,
    IssuedForecast,
    TicketSale,
    TrainArrival,
    TrainRun,
)
from core.arrivals.rules import TrainClass
from core.clock import SHANGHAI, day_of

ARRIVAL = datetime(2020, 3, 20, 12, 0, tzinfo=SHANGHAI)


def run_of(scheduled_at: datetime) -> TrainRun:
    return TrainRun(
        day=day_of(scheduled_at),
        number="D1",
        train_class="emu",
        origin="杭州",
        scheduled_at=scheduled_at,
        capacity=100,
        source="file",
        changed_at=scheduled_at,
    )


def count_of(session: Session, *tables: type) -> list[int]:
    return [session.scalar(select(func.count()).select_from(one)) or 0 for one in tables]


def test_what_is_older_than_400_days_goes_and_the_rest_stays(
    session: Session, now: datetime
) -> None:
    for days in (KEPT_DAYS + 1, KEPT_DAYS):
        past = now - timedelta(days=days)
        run = run_of(past)
        forecast = IssuedForecast(
            made_at=past,
            from_at=past,
            occasion="hourly",
            digest="",
            flags=[],
            body=b"",
            settings={},
        )
        session.add_all([run, forecast])
        session.flush()
        session.add_all(
            [
                TicketSale(train_run_id=run.id, at=past, sold=1),
                TrainArrival(train_run_id=run.id, actual_at=past),
                GateCount(starts_at=past, minutes=5, count=1, source="file"),
                FittedReference(day=day_of(past), body=b"", fitted_at=past),
                ForecastGrade(
                    day=day_of(past),
                    forecast_id=forecast.id,
                    measures={},
                    baselines={},
                    graded_at=past,
                ),
            ]
        )
    session.flush()

    assert sweep_arrivals(session, now=now) == 1

    tables = (TrainRun, TicketSale, TrainArrival, GateCount, FittedReference, ForecastGrade)
    assert count_of(session, *tables, IssuedForecast) == [1] * 7
    assert sweep_arrivals(session, now=now) == 0


def test_old_sales_are_thinned_and_new_ones_kept_as_they_came(
    session: Session, now: datetime
) -> None:
    old, new = run_of(now - timedelta(days=3)), run_of(now - timedelta(days=2))
    session.add_all([old, new])
    session.flush()
    for run in (old, new):
        session.add_all(
            TicketSale(
                train_run_id=run.id, at=run.scheduled_at - timedelta(minutes=10 * n), sold=100 - n
            )
            for n in range(100)
        )
    session.flush()

    sweep_arrivals(session, now=now)

    counts = dict(
        session.execute(
            select(TicketSale.train_run_id, func.count()).group_by(TicketSale.train_run_id)
        ).all()
    )
    # They begin 16.5 hours before the arrival: no lead of 18 or 24 hours.
    assert counts == {old.id: 6, new.id: 100}


@given(
    st.dictionaries(
        st.integers(-60, 30 * 60).map(lambda minutes: ARRIVAL - timedelta(minutes=minutes)),
        st.integers(0, 100),
        max_size=40,
    )
)
def test_history_is_the_same_after_thinning(sold: dict[datetime, int]) -> None:
    def history(instants: set[datetime]) -> list[float]:
        train = TrainInput(
            number="D1",
            train_class=TrainClass.EMU,
            origin="",
            scheduled_at=ARRIVAL,
            capacity=100,
            sold=tuple(sorted((at, sold[at]) for at in instants)),
        )
        return [float(one) for one in np.nan_to_num(history_of([train]).sold[0], nan=-1.0)]

    kept = kept_sales(list(sold), scheduled_at=ARRIVAL)
    assert len(kept) <= 8
    assert history(kept) == history(set(sold))
