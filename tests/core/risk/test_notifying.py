from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.notices.model import Notice
from core.people.model import Person
from core.places.model import Community, Street
from core.risk.model import RiskScore
from core.risk.notifying import queue_colour_notices
from core.risk.service import subscribe

DAY = date(2020, 3, 27)
LONG_AGO = timedelta(days=30)


@pytest.fixture
def subscriber(session: Session, now: datetime) -> Person:
    """Somebody who subscribed to the one community long ago."""
    session.add(Street(id=1, code="1", name="田林街道"))
    session.add(Community(id=1, code="1", name="田林十二村", street_id=1, changed_at=now))
    person = Person(openid="o-subscriber", created_at=now)
    session.add(person)
    session.flush()
    subscribe(session, person_id=person.id, community_id=1, now=now - LONG_AGO)
    return person


def score(
    session: Session, day: date, colour: str, *, now: datetime, is_published: bool = True
) -> None:
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
            scored_at=now,
        )
    )
    session.flush()


def keys(session: Session) -> list[str]:
    return list(session.scalars(select(Notice.key)))


def test_subscriber_is_told_once_of_a_change(
    session: Session, subscriber: Person, now: datetime
) -> None:
    score(session, DAY - timedelta(days=1), "blue", now=now)
    score(session, DAY, "yellow", now=now)
    for _ in range(2):
        assert queue_colour_notices(session, day=DAY, now=now) == 1
    notice = session.scalars(select(Notice)).one()
    assert (notice.kind, notice.openid) == ("colour_changed", "o-subscriber")
    assert notice.values == {
        "community": "田林十二村",
        "colour": "yellow",
        "previous": "blue",
        "score": 50.5,
        "day": "2020-03-27",
    }


def test_change_is_against_the_last_published_day(
    session: Session, subscriber: Person, now: datetime
) -> None:
    score(session, DAY - timedelta(days=5), "red", now=now)
    score(session, DAY - timedelta(days=3), "blue", now=now)
    score(session, DAY - timedelta(days=1), "grey", now=now, is_published=False)
    score(session, DAY, "yellow", now=now)
    queue_colour_notices(session, day=DAY, now=now)
    assert session.scalars(select(Notice)).one().values["previous"] == "blue"


@pytest.mark.parametrize(
    "colours",
    [
        pytest.param([("yellow", True), ("yellow", True)], id="no change"),
        pytest.param([("yellow", True)], id="first score ever"),
        pytest.param([("yellow", True), ("grey", False)], id="publication held"),
        pytest.param([("yellow", False), ("red", True)], id="nothing published before"),
    ],
)
def test_nobody_is_told_without_a_change(
    session: Session, subscriber: Person, now: datetime, colours: list[tuple[str, bool]]
) -> None:
    for age, (colour, is_published) in enumerate(reversed(colours)):
        score(session, DAY - timedelta(days=age), colour, now=now, is_published=is_published)
    assert queue_colour_notices(session, day=DAY, now=now) == 0
    assert keys(session) == []


def test_somebody_who_subscribed_after_the_score_was_known_is_not_told(
    session: Session, subscriber: Person, now: datetime
) -> None:
    late = Person(openid="o-late", created_at=now)
    session.add(late)
    session.flush()
    subscribe(session, person_id=late.id, community_id=1, now=now + timedelta(minutes=1))
    score(session, DAY - timedelta(days=1), "blue", now=now)
    score(session, DAY, "red", now=now)
    queue_colour_notices(session, day=DAY, now=now + timedelta(hours=1))
    assert keys(session) == [f"colour:1:{DAY}:{subscriber.id}"]
