"""How long arrivals are kept: 400 days, and of old sales only what the model looks at."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Final

import structlog
from sqlalchemy import bindparam, delete, func, select
from sqlalchemy.orm import Session

from core.arrivals.model import (
    FittedReference,
    ForecastGrade,
    GateCount,
    IssuedForecast,
    TicketSale,
    TrainRun,
)
from core.arrivals.rules import LEAD_HOURS
from core.bulk import table_of
from core.clock import day_of, start_of

log = structlog.get_logger()

# The same season of the year before, and a month to compare it with.
KEPT_DAYS: Final = 400
# Sales of the newest days are kept as they came.
RAW_DAYS: Final = 2
# So many days before those are looked at: a night that was missed is made up for.
THINNED_DAYS: Final = 14


def sweep_arrivals(session: Session, *, now: datetime) -> int:
    """Delete what is older than 400 days, and old sales that no lead of the model looks at.

    Args:
        session: of a transaction.
        now: aware instant.

    Returns:
        How many trains of before were deleted; sales and arrivals went with them.
    """
    first = day_of(now) - timedelta(days=KEPT_DAYS)
    count = session.scalar(select(func.count()).select_from(TrainRun).where(TrainRun.day < first))
    # Forecasts go after the grades that name them.
    for statement in (
        delete(TrainRun).where(TrainRun.day < first),
        delete(GateCount).where(GateCount.starts_at < start_of(first)),
        delete(FittedReference).where(FittedReference.day < first),
        delete(ForecastGrade).where(ForecastGrade.day < first),
        delete(IssuedForecast).where(
            IssuedForecast.from_at < start_of(first),
            IssuedForecast.id.not_in(select(ForecastGrade.forecast_id)),
        ),
    ):
        session.execute(statement)
    thinned = _thin_sales(session, last=day_of(now) - timedelta(days=RAW_DAYS + 1))
    if count or thinned:
        log.info("arrivals swept", trains=count, sales=thinned)
    return count or 0


def kept_sales(instants: Sequence[datetime], *, scheduled_at: datetime) -> set[datetime]:
    """Return the sales that say how many tickets were sold at each lead of the model.

    Args:
        instants: of the sales of a train, in any order.
        scheduled_at: its arrival in the timetable.
    """
    leads = [scheduled_at - timedelta(hours=hours) for hours in LEAD_HOURS]
    before = [[at for at in instants if at <= lead] for lead in leads]
    return {max(known) for known in before if known}


def _thin_sales(session: Session, *, last: date) -> int:
    """Delete the sales between the leads up to a day; a live feed tells hundreds of each train."""
    rows = session.execute(
        select(TicketSale.train_run_id, TrainRun.scheduled_at, TicketSale.at)
        .join(TrainRun, TrainRun.id == TicketSale.train_run_id)
        .where(TrainRun.day.between(last - timedelta(days=THINNED_DAYS), last))
    )
    sales: defaultdict[tuple[int, datetime], list[datetime]] = defaultdict(list)
    for run_id, scheduled_at, at in rows:
        sales[run_id, scheduled_at].append(at)
    gone = [
        {"run_id": run_id, "instant": at}
        for (run_id, scheduled_at), instants in sales.items()
        for at in set(instants) - kept_sales(instants, scheduled_at=scheduled_at)
    ]
    if gone:
        table = table_of(TicketSale)
        session.connection().execute(
            delete(table).where(
                table.c.train_run_id == bindparam("run_id"), table.c.at == bindparam("instant")
            ),
            gone,
        )
    return len(gone)
