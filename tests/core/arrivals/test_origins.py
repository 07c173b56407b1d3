from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from sqlalchemy.orm import Session

from core.arrivals.model import TrainRun
from core.arrivals.origins import find_key_areas
from core.clock import day_of, start_of
from core.db import Database
from core.keyareas.model import KeyArea

HOUR = timedelta(hours=1)


@pytest.fixture
def session(sqlite_database: Database) -> Iterator[Session]:
    with sqlite_database.transaction() as session:
        yield session


def area(session: Session, code: str, since: datetime, until: datetime | None = None) -> None:
    listed = KeyArea(code=code, name=code, since=since, until=until)
    listed.aliases, listed.source, listed.imported_at = "", "test", since
    session.add(listed)
    session.flush()


def run(session: Session, number: str, code: str, at: datetime) -> None:
    session.add(
        TrainRun(
            day=day_of(at),
            number=number,
            train_class="high_speed",
            origin="某地",
            origin_code=code,
            scheduled_at=at,
            capacity=600,
            source="test",
            changed_at=at,
        )
    )
    session.flush()


@pytest.mark.parametrize(
    ("listed", "origin", "is_met"),
    [
        pytest.param("420000", "420100", True, id="city-of-a-province"),
        pytest.param("420100", "420100", True, id="city"),
        pytest.param("420106", "420100", True, id="district-of-a-city"),
        pytest.param("110115", "110000", True, id="district-of-a-city-with-provincial-rank"),
        pytest.param("420100", "420000", False, id="province-of-which-a-part-is-one"),
        pytest.param("420100", "330100", False, id="elsewhere"),
        pytest.param("420100", "", False, id="nobody-knows"),
    ],
)
def test_train_is_met_that_starts_in_a_key_area_or_in_a_city_with_one(
    session: Session, now: datetime, listed: str, origin: str, is_met: bool
) -> None:
    area(session, listed, now - 24 * HOUR)
    run(session, "G1", origin, now + HOUR)
    found = find_key_areas(session, start=now, end=now + 24 * HOUR)
    assert found == ({("G1", now + HOUR): (listed,)} if is_met else {})


def test_list_is_that_of_the_day_of_each_train(session: Session, now: datetime) -> None:
    tomorrow = start_of(day_of(now) + timedelta(days=1))
    area(session, "420100", now - 24 * HOUR, until=tomorrow)
    area(session, "330300", tomorrow)
    for number, at in (("G1", now + HOUR), ("G2", tomorrow + HOUR)):
        run(session, number, "420100", at)
    run(session, "G3", "330300", tomorrow + HOUR)
    found = find_key_areas(session, start=now, end=now + 24 * HOUR)
    assert {number: areas for (number, _), areas in found.items()} == {
        "G1": ("420100",),
        "G3": ("330300",),
    }
