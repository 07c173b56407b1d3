"""The board, the queue, the public hours and the notices to those on duty, of one forecast."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from core.arrivals.crowds import Crowd
from core.arrivals.duty import call_for, tell_duty
from core.arrivals.grading import grade_day
from core.arrivals.issued import Occasion
from core.arrivals.issuing import issue_forecast
from core.arrivals.model import TicketFeed, TrainRun
from core.arrivals.overview import Board, find_board
from core.arrivals.public import find_public_hours
from core.arrivals.queues import PostsInvalidError, find_queue
from core.clock import SHANGHAI, start_of
from core.db import Database
from core.keyareas.model import KeyArea
from core.notices.model import Notice
from core.people.staff.rules import Role
from tests.core.arrivals.worlds import DAY, planted
from tests.core.people.staff.test_wechat import add, bind

HOUR = timedelta(hours=1)
ONE = timedelta(days=1)
MIDNIGHT = start_of(DAY)
MORNING, EVENING = MIDNIGHT + 7 * HOUR, MIDNIGHT + 20.5 * HOUR


def issue(session: Session, now: datetime, occasion: Occasion = Occasion.DATA, **more: Any) -> None:
    issue_forecast(session, now=now, occasion=occasion, draws=200, **more)


@pytest.fixture(scope="module")
def _issued_file(_station_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The station with its key area, a train that is cancelled, and two days' forecasts."""
    path = tmp_path_factory.mktemp("issued") / "issued.db"
    shutil.copyfile(_station_file, path)
    database = Database(f"sqlite:///{path}")
    with database.transaction() as session:
        cancelled = planted(DAY).trains[40]
        of_it = (TrainRun.day == DAY, TrainRun.number == cancelled.number)
        session.execute(update(TrainRun).where(*of_it).values(is_cancelled=True))
        listed = KeyArea(code="420100", name="武汉", since=MIDNIGHT - 9 * ONE, aliases="")
        listed.source, listed.imported_at = "test", MIDNIGHT
        session.add(listed)
        session.flush()
        issue(session, MIDNIGHT - ONE, Occasion.MIDNIGHT)
        issue(session, MIDNIGHT, Occasion.MIDNIGHT)
    database.dispose()
    return path


@pytest.fixture
def issued(_issued_file: Path, tmp_path: Path) -> Iterator[Session]:
    path = tmp_path / "issued.db"
    shutil.copyfile(_issued_file, path)
    database = Database(f"sqlite:///{path}")
    with Session(database.engine, expire_on_commit=False) as session:
        yield session
        session.rollback()
    database.dispose()


@pytest.fixture
def board(issued: Session, eight: datetime) -> Board:
    grade_day(issued, day=DAY - ONE, now=eight)
    found = find_board(issued, now=eight)
    assert found is not None
    return found


def test_parts_of_the_board_agree(board: Board) -> None:
    assert (board.from_at, board.until_at) == (MIDNIGHT, MIDNIGHT + ONE)
    total = pytest.approx(board.total.mean, abs=2)
    assert sum(one.band.mean for one in board.slots) == total
    assert sum(one.band.mean for one in board.hours) == total
    assert sum(one.share for one in board.hours) == pytest.approx(1)
    assert board.peak_share == pytest.approx(sum(one.share for one in board.peaks))
    assert {one.starts_at.hour for one in board.peaks} == {9, 12}
    assert [one.starts_at.hour for one in board.top_hours[:2]] in ([9, 12], [12, 9])
    assert sum(one.top_probability for one in board.hours) == pytest.approx(2, abs=0.05)
    assert sum(one.mean for one in board.shifts) == total
    assert board.shifts[0].starts_at == MIDNIGHT
    assert board.shifts[-1].ends_at == MIDNIGHT + ONE
    assert max(one.posts for one in board.slots) == board.max_posts
    assert all(one.posts >= one.needed for one in board.slots)
    busiest = [one for one in board.hours if one.crowd is Crowd.BUSIEST]
    assert {one.starts_at.hour for one in busiest} == {9, 12}


def test_board_names_trains_with_what_is_known_of_them(board: Board) -> None:
    assert len(board.trains) == 72
    (cancelled,) = [one for one in board.trains if one.is_cancelled]
    assert (cancelled.mean, cancelled.expected_at) == (0, cancelled.scheduled_at)
    met = [one for one in board.trains if one.key_areas]
    assert {one.origin for one in met} == {"武昌"}
    assert board.key_areas.train_count == len(met) > 0
    assert 0 < board.key_areas.share < 1
    assert all(one.sold is not None for one in board.trains)


def test_board_shows_the_last_graded_day_and_no_feed_where_there_is_none(board: Board) -> None:
    assert board.yesterday is not None
    assert [one.day for one in board.grades] == [board.yesterday.grade.day] == [DAY - ONE]
    assert (board.feed.is_connected, board.feed.is_stale, board.alert) == (False, False, None)


def test_feed_that_has_told_nothing_for_an_hour_is_stale(issued: Session, eight: datetime) -> None:
    feed = TicketFeed(source="ticketing", complete_at=eight - 61 * HOUR / 60, polled_at=eight)
    feed.failed_count, feed.last_error = 3, "timeout"
    issued.add(feed)
    issued.flush()
    found = find_board(issued, now=eight)
    assert found is not None
    assert (found.feed.is_stale, found.feed.failed_count) == (True, 3)


def test_board_of_a_day_is_that_of_the_whole_day(issued: Session) -> None:
    assert find_board(issued, now=EVENING, day=DAY + ONE) is None
    issue(issued, EVENING, from_at=MIDNIGHT + ONE)
    found = find_board(issued, now=EVENING, day=DAY + ONE)
    assert found is not None
    assert found.from_at == MIDNIGHT + ONE
    coming = find_board(issued, now=EVENING)
    assert coming is not None
    assert coming.from_at == MIDNIGHT


def test_more_posts_make_nobody_wait_longer(issued: Session, eight: datetime) -> None:
    few, many = (find_queue(issued, now=eight, posts=posts) for posts in (3, 12))
    assert few is not None
    assert many is not None
    assert few.longest.wait_minutes > many.longest.wait_minutes
    assert few.longest.starts_at.hour in {9, 10, 12, 13}
    assert few.late_minutes > many.late_minutes
    assert all(one.high_waiting >= one.waiting for one in few.slots)


@pytest.mark.parametrize("posts", [0, -3, 1001])
def test_number_of_posts_must_be_possible(issued: Session, eight: datetime, posts: int) -> None:
    with pytest.raises(PostsInvalidError):
        find_queue(issued, now=eight, posts=posts)


# ---- everyone ---------------------------------------------------------------------------------


def test_everyone_hears_words_of_the_hours_ahead(issued: Session, eight: datetime) -> None:
    public = find_public_hours(issued, now=eight + HOUR / 2, day=DAY)
    assert public is not None
    crowds = {one.starts_at.hour: one.crowd for one in public.hours}
    assert list(crowds) == list(range(8, 24))
    assert [hour for hour, crowd in crowds.items() if crowd is Crowd.BUSIEST] == [9, 12]
    assert crowds[23] is Crowd.QUIET
    assert not public.is_degraded


def test_newer_forecast_counts_and_tomorrow_begins_with_what_is_known(issued: Session) -> None:
    assert find_public_hours(issued, now=EVENING, day=DAY + ONE) is None
    issue(issued, EVENING)
    known = find_public_hours(issued, now=EVENING, day=DAY + ONE)
    assert known is not None
    assert [one.starts_at.hour for one in known.hours] == list(range(20))
    today = find_public_hours(issued, now=EVENING, day=DAY)
    assert today is not None
    assert today.made_at == EVENING
    later = find_public_hours(issued, now=EVENING + 8 * HOUR, day=DAY + ONE)
    assert later is not None
    assert (today.is_of_before, later.is_of_before) == (False, True)


# ---- those on duty ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("hour", "kind"),
    [(5, None), (6, "morning"), (9.9, "morning"), (10, None), (20, "evening"), (23, None)],
)
def test_duty_is_called_in_the_morning_and_in_the_evening(hour: float, kind: str | None) -> None:
    call = call_for(MIDNIGHT + hour * HOUR)
    assert (call.kind if call else None) == (f"arrivals_{kind}" if kind else None)


def test_those_on_duty_are_told_once_in_the_morning_and_once_in_the_evening(
    issued: Session,
) -> None:
    for role in (Role.STATION_MANAGER, Role.ADMINISTRATOR):
        staff_id = add(issued, MIDNIGHT, role=role, name=role.value.replace("_", "-"))
        bind(issued, staff_id, MIDNIGHT, openid=role.value)
    assert tell_duty(issued, now=EVENING) == 0  # tomorrow is not forecast yet
    issue(issued, EVENING, from_at=MIDNIGHT + ONE)
    for at in (MORNING, MORNING + HOUR, EVENING, EVENING + HOUR):
        tell_duty(issued, now=at)
    notices = issued.scalars(select(Notice).order_by(Notice.id)).all()
    assert [(one.kind, one.openid) for one in notices] == [
        ("arrivals_morning", "station_manager"),
        ("arrivals_evening", "station_manager"),
    ]
    morning, evening = (one.values for one in notices)
    assert (morning["peaks"], evening["day"]) == (
        "09:00–10:00;12:00–13:00",
        (DAY + ONE).isoformat(),
    )
    assert morning["train_count"] == 18
    first = morning["trains"].split(";")[0].split(" ")
    assert first[2] == "武昌"
    assert datetime.strptime(first[0], "%H:%M").replace(tzinfo=SHANGHAI)
