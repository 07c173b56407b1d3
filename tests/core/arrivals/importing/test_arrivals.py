from __future__ import annotations

from datetime import datetime

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.arrivals.importing.arrivals import import_arrivals
from core.arrivals.importing.settling import CANCELLED_CAME, OVER_CAPACITY
from core.arrivals.importing.trains import import_trains
from core.arrivals.model import TrainArrival, TrainRun
from core.clock import local
from tests.core.importing_rows import Cells, counts, loader_of

load = loader_of(import_arrivals)


@pytest.fixture(autouse=True)
def _trains(session: Session, now: datetime) -> None:
    rows = [
        {"number": "K511", "origin": "武昌", "scheduled_at": "2020-03-27 23:50", "capacity": "300"},
        {"number": "G7301", "origin": "杭州东", "scheduled_at": "2020-03-28 07:05"},
        {"number": "G7303", "origin": "宁波", "scheduled_at": "2020-03-28 07:15", "cancelled": "1"},
    ]
    loader_of(import_trains)(session, now, *rows)


def cells(number: str = "G7301", at: str = "2020-03-28 07:09:30", **changes: str) -> Cells:
    return {"number": number, "day": "2020-03-28", "actual_at": at, "alighted": "80"} | changes


def arrivals(session: Session) -> list[tuple[str, str, int | None]]:
    rows = session.execute(
        select(TrainRun.number, TrainArrival.actual_at, TrainArrival.alighted)
        .join(TrainRun, TrainRun.id == TrainArrival.train_run_id)
        .order_by(TrainRun.number)
    )
    return [(number, f"{local(at):%d %H:%M:%S}", alighted) for number, at, alighted in rows]


def test_train_may_come_after_midnight_and_belongs_to_its_day(
    session: Session, now: datetime
) -> None:
    late = cells("K511", "2020-03-28 00:20", day="2020-03-27", departed_at="2020-03-27 12:00")
    assert counts(load(session, now, cells(), late)) == (2, 0, 0, 0)
    assert arrivals(session) == [("G7301", "28 07:09:30", 80), ("K511", "28 00:20:00", 80)]


def test_count_that_a_later_file_has_not_is_kept(session: Session, now: datetime) -> None:
    load(session, now, cells())
    assert counts(load(session, now, cells(alighted=""))) == (0, 0, 1, 0)
    assert counts(load(session, now, cells(at="2020-03-28 07:10", alighted=""))) == (0, 1, 0, 0)
    assert arrivals(session) == [("G7301", "28 07:10:00", 80)]


def test_what_is_strange_is_settled_and_named(session: Session, now: datetime) -> None:
    outcome = load(
        session,
        now,
        cells("G7303", "2020-03-28 07:20"),
        cells("K511", "2020-03-27 23:40", day="2020-03-27", alighted="320"),
    )
    assert outcome.findings == {
        CANCELLED_CAME: ["2020-03-28 G7303"],
        OVER_CAPACITY: ["2020-03-27 K511"],
    }
    assert ("K511", "27 23:40:00", 300) in arrivals(session)


def test_arrivals_that_cannot_be_are_refused_with_line_and_reason(
    session: Session, now: datetime
) -> None:
    wrong = {
        "arrival_before_departure": cells("G7303", departed_at="2020-03-28 07:09:30"),
        "arrival_implausible": cells("G7303", "2020-03-28 06:14"),
        "instant_to_come": cells("G7303", "2020-03-28 08:06"),
        "day_too_early": cells("G7303", day="0001-01-01"),
        "train_unknown": cells("G1"),
        "number_too_small": cells("G7303", alighted="-1"),
        "code_twice": cells(),
    }
    late = cells("K511", "2020-03-28 07:55", day="2020-03-27")

    outcome = load(session, now, cells(), *wrong.values(), late)

    refused = {one.code: one.line for one in outcome.rejections}
    assert refused == {code: line for line, code in enumerate(wrong, start=3)}
    assert [number for number, *_ in arrivals(session)] == ["G7301", "K511"]
