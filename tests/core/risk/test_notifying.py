from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from threading import Barrier, Event
from time import sleep

import pytest
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from core.db import Database
from core.notices.model import Notice
from core.people.model import Person
from core.places.model import Community, Street
from core.risk.model import RiskScore
from core.risk.notifying import queue_colour_notices
from core.risk.service import subscribe, unsubscribe
from core.risk.turns import stand_in_line
from tests.core.risk.values import set_by_hand

DAY = date(2020, 3, 27)
ONE = timedelta(days=1)
DAY_BEFORE = DAY - ONE


@pytest.fixture
def subscriber(session: Session, now: datetime) -> Person:
    """Somebody who subscribed to the one community before it had a colour."""
    session.add(Street(id=1, code="1", name="田林街道"))
    session.add(Community(id=1, code="1", name="田林十二村", street_id=1, changed_at=now))
    return subscribed(session, "o-subscriber", now=now)


def subscribed(session: Session, openid: str, *, now: datetime) -> Person:
    person = Person(openid=openid, created_at=now)
    session.add(person)
    session.flush()
    subscribe(session, person_id=person.id, community_id=1, now=now)
    return person


def score(
    session: Session,
    day: date,
    colour: str,
    *,
    now: datetime,
    is_published: bool = True,
    is_provisional: bool = False,
) -> None:
    session.execute(delete(RiskScore).where(RiskScore.day == day))
    session.add(
        RiskScore(
            day=day,
            community_id=1,
            version="v",
            score=50.5,
            colour=colour,
            coverage=1,
            lo=1,
            hi=1,
            parts=[],
            is_published=is_published,
            is_provisional=is_provisional,
            scored_at=now,
        )
    )
    session.flush()


def told(session: Session, openid: str = "o-subscriber") -> list[tuple[object, object]]:
    """Return the colours that somebody was told, each with the one before."""
    notices = session.scalars(select(Notice).where(Notice.openid == openid).order_by(Notice.id))
    return [(one.values["previous"], one.values["colour"]) for one in notices]


def kinds(session: Session, openid: str = "o-subscriber") -> list[str]:
    """Return the kinds of notices that somebody was told, without what they share."""
    notices = session.scalars(select(Notice).where(Notice.openid == openid).order_by(Notice.id))
    return [one.kind.removeprefix("colour_") for one in notices]


def score_and_tell(
    session: Session, days: Iterable[tuple[date, str]], *, now: datetime
) -> list[int]:
    """Score the days one after the other, a minute apart; return how many notices each brought."""
    counts = []
    for minute, (day, colour) in enumerate(days):
        score(session, day, colour, now=now, is_published=colour != "grey")
        counts.append(queue_colour_notices(session, now=now + timedelta(minutes=minute)))
    return counts


def test_subscriber_is_told_once_of_a_change(
    session: Session, subscriber: Person, now: datetime
) -> None:
    score_and_tell(session, [(DAY_BEFORE, "blue")], now=now)
    score(session, DAY, "yellow", now=now)
    later = now + timedelta(hours=1)
    assert [queue_colour_notices(session, now=at) for at in (now, now, later)] == [1, 0, 0]
    notice = session.scalars(select(Notice)).one()
    assert (notice.kind, notice.openid) == ("colour_changed", "o-subscriber")
    assert notice.values == {
        "community": "田林十二村",
        "colour": "yellow",
        "previous": "blue",
        "day": "2020-03-27",
        "is_provisional": False,
    }
    assert notice.link == "/h5/community/1"


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        pytest.param(
            [(DAY_BEFORE, "blue"), (DAY, "yellow"), (DAY, "red")],
            [("blue", "yellow"), ("yellow", "red")],
            id="a second change of a day",
        ),
        pytest.param(
            [(DAY_BEFORE, "blue"), (DAY, "red"), (DAY, "blue")],
            [("blue", "red"), ("red", "blue")],
            id="a correction",
        ),
        pytest.param(
            [(DAY, "blue"), (DAY, "red"), (DAY, "blue"), (DAY, "red")],
            [("blue", "red"), ("red", "blue"), ("blue", "red")],
            id="to and fro",
        ),
        pytest.param(
            [(DAY_BEFORE, "blue"), (DAY, "red"), (DAY, "grey")],
            [("blue", "red"), ("red", "blue")],
            id="a score that was taken back",
        ),
        pytest.param(
            [(DAY - timedelta(days=3), "red"), (DAY_BEFORE, "grey"), (DAY, "yellow")],
            [("red", "yellow")],
            id="publication held in between",
        ),
    ],
)
def test_every_real_change_is_told(
    session: Session,
    subscriber: Person,
    now: datetime,
    days: list[tuple[date, str]],
    expected: list[tuple[str, str]],
) -> None:
    # The card of three days ago is still shown at this hour of the night.
    score_and_tell(session, days, now=now - timedelta(days=1, hours=7))
    assert told(session) == expected


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        pytest.param([(DAY_BEFORE, "blue"), (DAY, "red")], ["changed"], id="another day"),
        pytest.param(
            [(DAY_BEFORE, "blue"), (DAY, "red"), (DAY, "yellow")],
            ["changed", "corrected"],
            id="another colour of the day that was told",
        ),
        pytest.param([(DAY, "red"), (DAY, "blue")], ["corrected"], id="seen when subscribing"),
        pytest.param(
            [(DAY_BEFORE, "blue"), (DAY, "red"), (DAY, "grey")],
            ["changed", "corrected"],
            id="the day was taken back",
        ),
        pytest.param(
            [(DAY_BEFORE, "red"), (DAY, "red"), (DAY, "yellow")],
            ["changed"],
            id="right on the day that was told",
        ),
        pytest.param(
            [(DAY_BEFORE, "red"), (DAY, "red"), (DAY_BEFORE, "blue"), (DAY, "blue")],
            ["corrected"],
            id="wrong on all its days",
        ),
        pytest.param(
            [(DAY_BEFORE, "red"), (DAY, "red"), (DAY_BEFORE, "blue"), (DAY + ONE, "yellow")],
            ["changed"],
            id="wrong on the day that was told, right on the next",
        ),
    ],
)
def test_what_was_wrong_is_corrected_and_what_ended_is_not(
    session: Session,
    subscriber: Person,
    now: datetime,
    days: list[tuple[date, str]],
    expected: list[str],
) -> None:
    score_and_tell(session, days, now=now)
    assert kinds(session) == expected


@pytest.mark.parametrize(
    ("colour", "expected"), [("red", ["changed"]), ("blue", ["changed", "corrected"])]
)
def test_provisional_colour_is_told_as_such_and_corrected_if_the_night_takes_it_back(
    session: Session, subscriber: Person, now: datetime, colour: str, expected: list[str]
) -> None:
    score_and_tell(session, [(DAY_BEFORE, "blue")], now=now)
    score(session, DAY, "red", now=now, is_provisional=True)
    assert queue_colour_notices(session, now=now) == 1
    assert session.scalars(select(Notice)).one().values["is_provisional"] is True
    score_and_tell(session, [(DAY, colour)], now=now + timedelta(hours=20))
    assert kinds(session) == expected


def test_colour_that_rises_again_during_the_day_corrects_nothing(
    session: Session, subscriber: Person, now: datetime
) -> None:
    score_and_tell(session, [(DAY_BEFORE, "blue")], now=now)
    for minute, colour in enumerate(("yellow", "red", "blue")):
        score(session, DAY, colour, now=now, is_provisional=True)
        queue_colour_notices(session, now=now + timedelta(minutes=minute))
    assert kinds(session) == ["changed", "changed", "corrected"]


def test_colour_that_people_set_and_end_corrects_nothing(
    session: Session, subscriber: Person, now: datetime
) -> None:
    score_and_tell(session, [(DAY, "blue")], now=now)
    override = set_by_hand(session, "red", now=now)
    session.execute(update(RiskScore).values(colour="red", computed_colour="blue", floors=["R5"]))
    assert queue_colour_notices(session, now=now) == 1
    override.state = "ended"
    session.execute(update(RiskScore).values(colour="blue", floors=[]))
    assert queue_colour_notices(session, now=now + timedelta(hours=1)) == 1
    assert told(session) == [("blue", "red"), ("red", "blue")]
    assert kinds(session) == ["changed", "changed"]


def test_everybody_who_was_told_the_wrong_colour_is_told_that_it_was_wrong(
    session: Session, subscriber: Person, now: datetime
) -> None:
    score_and_tell(session, [(DAY_BEFORE, "blue"), (DAY, "red")], now=now)
    subscribed(session, "o-saw-the-card", now=now)
    gone = subscribed(session, "o-gone", now=now)
    unsubscribe(session, person_id=gone.id)
    assert score_and_tell(session, [(DAY, "blue")], now=now) == [2]
    assert kinds(session) == ["changed", "corrected"]
    assert kinds(session, "o-saw-the-card") == ["corrected"]
    assert kinds(session, "o-gone") == []


@pytest.mark.parametrize(
    "days",
    [
        pytest.param([(DAY_BEFORE, "yellow"), (DAY, "yellow")], id="no change"),
        pytest.param([(DAY, "yellow")], id="first colour ever"),
        pytest.param([(DAY_BEFORE, "yellow"), (DAY, "grey")], id="publication held"),
        pytest.param([(DAY_BEFORE, "grey"), (DAY, "red")], id="nothing published before"),
        pytest.param([(DAY, "blue"), (DAY_BEFORE, "red")], id="the day before came later"),
        pytest.param(
            [(DAY, "blue"), (DAY + timedelta(days=2), "red")], id="a day that is still to come"
        ),
    ],
)
def test_nobody_is_told_without_a_change(
    session: Session, subscriber: Person, now: datetime, days: list[tuple[date, str]]
) -> None:
    assert score_and_tell(session, days, now=now) == [0] * len(days)
    assert told(session) == []


def test_nobody_is_told_what_a_card_shows_no_longer(
    session: Session, subscriber: Person, now: datetime
) -> None:
    score_and_tell(session, [(DAY_BEFORE, "blue")], now=now)
    score(session, DAY, "red", now=now)
    assert queue_colour_notices(session, now=now + timedelta(days=3)) == 0
    assert queue_colour_notices(session, now=now + timedelta(days=2)) == 1


def test_somebody_who_subscribes_after_a_change_is_told_of_the_next(
    session: Session, subscriber: Person, now: datetime
) -> None:
    score_and_tell(session, [(DAY_BEFORE, "blue")], now=now)
    score(session, DAY, "yellow", now=now)
    subscribed(session, "o-late", now=now)
    assert queue_colour_notices(session, now=now) == 1
    assert told(session, "o-late") == []
    assert score_and_tell(session, [(DAY, "red")], now=now) == [2]
    assert told(session, "o-late") == [("yellow", "red")]


def test_somebody_who_subscribes_anew_is_told_of_the_next_change(
    session: Session, subscriber: Person, now: datetime
) -> None:
    score_and_tell(session, [(DAY, "blue"), (DAY, "red")], now=now)
    unsubscribe(session, person_id=subscriber.id)
    later = now + timedelta(hours=1)
    score(session, DAY, "blue", now=later)
    subscribe(session, person_id=subscriber.id, community_id=1, now=later)
    assert score_and_tell(session, [(DAY, "blue"), (DAY, "red")], now=later) == [0, 1]


def test_two_that_tell_together_tell_once(database: Database, now: datetime) -> None:
    with database.transaction() as session:
        session.add(Street(id=1, code="1", name="田林街道"))
        session.add(Community(id=1, code="1", name="田林十二村", street_id=1, changed_at=now))
        score(session, DAY, "blue", now=now)
        subscribed(session, "o-subscriber", now=now)
        score(session, DAY, "red", now=now)
    gate = Barrier(2)

    def tell(number: int) -> int:
        gate.wait()
        with database.transaction() as session:
            count = queue_colour_notices(session, now=now + timedelta(seconds=number))
            sleep(0.1)  # the other is on its way meanwhile
            return count

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(tell, range(2))) == [0, 1]


def test_whoever_tells_sees_what_others_have_scored_meanwhile(
    database: Database, now: datetime
) -> None:
    with database.transaction() as session:
        session.add(Street(id=1, code="1", name="田林街道"))
        session.add(Community(id=1, code="1", name="田林十二村", street_id=1, changed_at=now))
        score(session, DAY, "blue", now=now)
        subscribed(session, "o-subscriber", now=now)
        score(session, DAY, "yellow", now=now)
    is_scored = Event()

    def score_red() -> int:
        with database.transaction() as session:
            stand_in_line(session)
            session.execute(update(RiskScore).values(colour="red"))
            count = queue_colour_notices(session, now=now)
            is_scored.set()
            sleep(0.2)  # the other is on its way meanwhile
            return count

    def tell() -> int:
        assert is_scored.wait(10)
        with database.transaction() as session:
            return queue_colour_notices(session, now=now + ONE)

    with ThreadPoolExecutor(2) as pool:
        counts = [future.result() for future in (pool.submit(score_red), pool.submit(tell))]
    with database.reading() as session:
        assert (counts, told(session)) == ([1, 0], [("blue", "red")])
