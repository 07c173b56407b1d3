"""Which trains come from a key area of the day, so that posts know which ones to meet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.arrivals.model import TrainRun
from core.clock import day_of, start_of
from core.keyareas.rules import Area
from core.keyareas.screening import areas_met_by
from core.keyareas.service import list_areas


def find_key_areas(
    session: Session, *, start: datetime, end: datetime
) -> Mapping[tuple[str, datetime], tuple[str, ...]]:
    """Return the trains of a window that start in a key area of their day, in two statements.

    A city of which only a part is a key area counts: who of its people lives in that part is not
    known before they are asked. Stops on the way are not known at all.

    Args:
        session: may be a reading one.
        start: aware instant.
        end: aware instant, excluded.

    Returns:
        By number and scheduled arrival, the names of the areas in the order of their codes;
        trains from elsewhere, and those whose origin nobody could read, are left out.
    """
    first, last = day_of(start), day_of(end - timedelta(microseconds=1))
    areas = list_areas(session, since=start_of(first), until=start_of(last + timedelta(days=1)))
    if not areas:
        return {}
    runs = session.execute(
        select(TrainRun.number, TrainRun.scheduled_at, TrainRun.day, TrainRun.origin_code).where(
            TrainRun.scheduled_at >= start, TrainRun.scheduled_at < end, TrainRun.origin_code != ""
        )
    ).all()
    names = {
        (day, code): _names_of(areas, day=day, code=code)
        for day, code in {(run.day, run.origin_code) for run in runs}
    }
    return {
        (run.number, run.scheduled_at): names[run.day, run.origin_code]
        for run in runs
        if names[run.day, run.origin_code]
    }


def _names_of(areas: Iterable[Area], *, day: date, code: str) -> tuple[str, ...]:
    since, until = start_of(day), start_of(day + timedelta(days=1))
    found = areas_met_by(code, areas=areas, since=since, until=until)
    return tuple(dict.fromkeys(area.name for area in found))
