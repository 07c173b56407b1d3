"""Whether reviewing keeps up with what companies submit: both counted by day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from core.clock import start_of
from core.people.staff.rules import Area
from core.registry.model import Company
from core.resumption.filing.model import Filing, FilingStep
from core.resumption.filing.reviewing import FilingQuery, conditions_of
from core.resumption.filing.rules import STATE_AFTER, FilingState

DAYS: Final = 14
_DECIDED: Final = tuple(state.value for state in STATE_AFTER.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class DayPace:
    """What happened on one local day."""

    day: date
    submitted_count: int
    decided_count: int


def list_pace(session: Session, *, area: Area, today: date, day_count: int = DAYS) -> list[DayPace]:
    """Return how many filings of an area were submitted and decided on each of the last days.

    Args:
        session: may be a reading one.
        area: of duty.
        today: local day; the last of the list.
        day_count: days of the list.

    Returns:
        One for each day, the oldest first, also for those without any.
    """
    days = [today - timedelta(days=ago) for ago in reversed(range(day_count))]
    # Local days are no function that both databases have: each step falls before one of the ends.
    ends = [start_of(day + timedelta(days=1)) for day in days]
    place = case(*((FilingStep.at < end, number) for number, end in enumerate(ends)))
    is_submitted = FilingStep.state == FilingState.SUBMITTED.value
    rows = session.execute(
        select(
            place.label("place"),
            func.count().filter(is_submitted).label("submitted"),
            func.count().filter(FilingStep.state.in_(_DECIDED)).label("decided"),
        )
        .select_from(FilingStep)
        .join(Filing, Filing.id == FilingStep.filing_id)
        .join(Company, Company.id == Filing.company_id)
        .where(FilingStep.at >= start_of(days[0]), FilingStep.at < ends[-1])
        .where(*conditions_of(FilingQuery(area=area, state=None)))
        .group_by("place")
    )
    counts = {row.place: (row.submitted, row.decided) for row in rows}
    return [
        DayPace(
            day=day,
            submitted_count=counts.get(number, (0, 0))[0],
            decided_count=counts.get(number, (0, 0))[1],
        )
        for number, day in enumerate(days)
    ]
