from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.arrivals.importing.counts import import_counts
from core.arrivals.model import GateCount
from core.clock import local
from tests.core.importing_rows import Cells, counts, loader_of

load = loader_of(import_counts)


def cells(clock: str = "07:00", count: str = "12", **changes: str) -> Cells:
    return {"starts_at": f"2020-03-28 {clock}", "count": count} | changes


def stored(session: Session) -> list[tuple[str, int, int]]:
    rows = session.scalars(select(GateCount).order_by(GateCount.starts_at))
    return [(f"{local(one.starts_at):%H:%M}", one.minutes, one.count) for one in rows]


def test_count_without_a_length_holds_for_the_shortest_step_of_the_file(
    session: Session, now: datetime
) -> None:
    rows = [cells("06:30"), cells("06:00"), cells("07:00")]
    assert counts(load(session, now, *rows)) == (3, 0, 0, 0)
    assert stored(session) == [("06:00", 30, 12), ("06:30", 30, 12), ("07:00", 30, 12)]
    assert counts(load(session, now, *rows)) == (0, 0, 3, 0)


def test_single_count_is_of_five_minutes(session: Session, now: datetime) -> None:
    load(session, now, cells())
    assert stored(session) == [("07:00", 5, 12)]


def test_newer_counts_replace_what_they_overlap(session: Session, now: datetime) -> None:
    load(session, now, cells("06:00", minutes="60"), cells("07:00", minutes="15"))
    outcome = load(
        session, now, cells("06:55", "1", minutes="10"), cells("07:15", "2", minutes="5")
    )
    assert counts(outcome) == (2, 0, 0, 0)
    assert outcome.days == {date(2020, 3, 28)}
    assert stored(session) == [("06:55", 10, 1), ("07:15", 5, 2)]
    assert counts(load(session, now, cells("06:55", "3", minutes="5"))) == (0, 1, 0, 0)
    assert stored(session) == [("06:55", 5, 3), ("07:15", 5, 2)]


def test_counts_that_cannot_be_are_refused_with_line_and_reason(
    session: Session, now: datetime
) -> None:
    wrong = {
        "count_off_grid": cells("07:02"),
        "number_too_small": cells("06:00", "-1"),
        "cell_empty": cells("06:00", ""),
        "count_minutes_unknown": cells("06:00", minutes="7"),
        "instant_to_come": cells("08:10"),
        "station_differs": cells("06:00", station="上海虹桥"),
        "code_twice": cells(station="上海南"),
        "count_overlaps": cells("07:05", station="上海南"),
    }

    outcome = load(session, now, cells(minutes="10", station="上海南"), *wrong.values())

    refused = {one.code: one.line for one in outcome.rejections}
    assert refused == {code: line for line, code in enumerate(wrong, start=3)}
    assert stored(session) == [("07:00", 10, 12)]
