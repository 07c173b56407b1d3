from __future__ import annotations

from datetime import UTC, date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.arrivals.importing.trains import import_trains
from core.arrivals.model import TrainRun
from core.audit.model import AuditEntry
from tests.core.importing_rows import Cells, counts, loader_of

load = loader_of(import_trains)


def cells(number: str = "G7301", **changes: str) -> Cells:
    return {
        "number": number,
        "origin": "杭州东",
        "scheduled_at": "2020-03-28 09:05",
        "capacity": "540",
    } | changes


def trains(session: Session) -> list[TrainRun]:
    return list(session.scalars(select(TrainRun).order_by(TrainRun.day, TrainRun.number)))


def test_train_is_stored_by_the_local_day_of_its_arrival(session: Session, now: datetime) -> None:
    rows = [
        cells("g 7301"),
        cells("K511", scheduled_at="2020-03-28T16:20:00Z", capacity=""),
        {"number": "1461", "origin": "怀化", "day": "2020-03-28", "time": "7:05", "class": "fast"},
    ]
    assert counts(load(session, now, *rows)) == (3, 0, 0, 0)

    stored = [
        (one.number, one.day, one.scheduled_at, one.train_class, one.capacity)
        for one in trains(session)
    ]
    assert stored == [
        ("1461", date(2020, 3, 28), datetime(2020, 3, 27, 23, 5, tzinfo=UTC), "fast", None),
        ("G7301", date(2020, 3, 28), datetime(2020, 3, 28, 1, 5, tzinfo=UTC), "high_speed", 540),
        ("K511", date(2020, 3, 29), datetime(2020, 3, 28, 16, 20, tzinfo=UTC), "fast", None),
    ]


def test_same_file_again_changes_nothing_and_what_is_left_empty_stays(
    session: Session, now: datetime
) -> None:
    load(session, now, cells(), cells("G7303", cancelled="1", delay_minutes="12"))

    again = load(session, now, cells(), cells("G7303", capacity=""))
    assert counts(again) == (0, 0, 2, 0)
    later = load(session, now, cells(scheduled_at="2020-03-28 09:15"), cells("G7303"))
    assert counts(later) == (0, 1, 1, 0)
    assert later.days == {date(2020, 3, 28)}
    first, second = trains(session)
    assert first.scheduled_at == datetime(2020, 3, 28, 1, 15, tzinfo=UTC)
    assert (second.is_cancelled, second.live_delay_minutes, second.capacity) == (True, 12, 540)
    assert counts(load(session, now, cells("G7303", cancelled="0"))) == (0, 1, 0, 0)
    assert not trains(session)[1].is_cancelled


def test_trains_that_cannot_be_are_refused_with_line_and_reason(
    session: Session, now: datetime
) -> None:
    wrong = {
        "train_number_wrong": cells("七三〇一"),
        "cell_empty": cells("G2", scheduled_at=""),
        "not_a_day": cells("G3", scheduled_at="2020-03-28 25:00"),
        "day_too_late": cells("G4", scheduled_at="2020-06-28 09:00"),
        "day_too_early": cells("G41", scheduled_at="0001-01-01 09:00"),
        "arrival_before_departure": cells("G5", departs_at="2020-03-28 09:05"),
        "number_too_small": cells("G6", capacity="0"),
        "not_whole": cells("G7", capacity="1.5"),
        "train_class_unknown": cells("G8", **{"class": "quick"}),
        "area_code_wrong": cells("G9", origin_code="330001"),
        "neither_yes_nor_no": cells("G10", cancelled="perhaps"),
        "number_too_large": cells("G11", delay_minutes="1441"),
        "code_twice": cells("g7301"),
    }

    outcome = load(session, now, cells(), *wrong.values())

    assert [(one.line, one.code) for one in outcome.rejections] == list(enumerate(wrong, start=3))
    assert outcome.rejections[-1].facts == {"value": "2020-03-28 G7301", "first": 2}
    assert [one.number for one in trains(session)] == ["G7301"]


def test_same_number_comes_every_day(session: Session, now: datetime) -> None:
    days = [f"2020-03-{day} 09:05" for day in (27, 28, 29)]
    assert load(session, now, *(cells(scheduled_at=at) for at in days)).created_count == 3


def test_import_is_on_record(session: Session, now: datetime) -> None:
    load(session, now, cells(), cells())
    entry = session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc()).limit(1)).one()
    assert (entry.action, entry.subject) == ("trains_imported", "register:arrivals")
    assert entry.facts == {"created": 1, "updated": 0, "unchanged": 0, "rejected": 1}
