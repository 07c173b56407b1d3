"""Screening typed places against the dated list."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import event
from sqlalchemy.orm import Session

from core.keyareas.model import KeyArea
from core.keyareas.screening import Screener, find_hits
from core.keyareas.service import list_areas

HUBEI, WUHAN, SHULAN, JILIN = "420000", "420100", "220283", "220200"
NAMES = {HUBEI: "湖北省", WUHAN: "武汉市", SHULAN: "舒兰市", JILIN: "吉林市"}


def add(session: Session, code: str, *, since: datetime, until: datetime | None = None) -> None:
    session.add(KeyArea(code=code, name=NAMES[code], since=since, until=until, imported_at=since))
    session.flush()


def hits(session: Session, now: datetime, *places: str) -> list[tuple[str, str]]:
    found = find_hits(session, places=places, since=now - timedelta(days=14), until=now)
    return [(hit.place, hit.code) for hit in found]


@pytest.mark.parametrize(
    ("area", "place", "is_hit"),
    [
        (HUBEI, "湖北", True),
        (HUBEI, "武汉", True),
        (HUBEI, "江岸区", True),
        (HUBEI, "仙桃", True),
        (HUBEI, "湖南", False),
        (HUBEI, "湖北路", False),
        (WUHAN, "湖北省武汉市江岸区", True),
        (WUHAN, "湖北黄冈", False),
        (WUHAN, "湖北", False),
        (JILIN, "吉林市", True),
        (JILIN, "舒兰", True),
        (JILIN, "吉林", True),
        (JILIN, "吉林省", False),
        (JILIN, "吉林长春", False),
        (SHULAN, "吉林市", False),
    ],
)
def test_hit_is_the_area_itself_or_what_lies_in_it(
    session: Session, now: datetime, area: str, place: str, is_hit: bool
) -> None:
    add(session, area, since=now - timedelta(days=30))
    assert hits(session, now, place) == ([(place, area)] if is_hit else [])


def test_list_counts_as_of_the_days_of_the_stay(session: Session, now: datetime) -> None:
    day = timedelta(days=1)
    add(session, WUHAN, since=now - 60 * day, until=now - 20 * day)
    add(session, SHULAN, since=now + day)
    assert hits(session, now, "武汉", "舒兰") == []
    earlier = find_hits(session, places=["武汉"], since=now - 30 * day, until=now - 19 * day)
    assert [(hit.code, hit.name, hit.place) for hit in earlier] == [(WUHAN, "武汉市", "武汉")]
    later = find_hits(session, places=["舒兰"], since=now, until=now + 2 * day)
    assert [hit.code for hit in later] == [SHULAN]


def test_area_that_came_back_is_one_hit(session: Session, now: datetime) -> None:
    day = timedelta(days=1)
    add(session, WUHAN, since=now - 13 * day, until=now - 10 * day)
    add(session, WUHAN, since=now - 5 * day)
    assert hits(session, now, "武汉", "汉口武汉、武汉") == [
        ("武汉", WUHAN),
        ("汉口武汉、武汉", WUHAN),
    ]


def test_every_area_that_holds_a_place_is_named(session: Session, now: datetime) -> None:
    for code in (WUHAN, HUBEI):
        add(session, code, since=now - timedelta(days=30))
    assert hits(session, now, "武汉") == [("武汉", HUBEI), ("武汉", WUHAN)]


def test_list_of_a_window_has_what_was_one_at_any_moment_of_it(
    session: Session, now: datetime
) -> None:
    day = timedelta(days=1)
    add(session, HUBEI, since=now - 9 * day, until=now - 5 * day)
    add(session, WUHAN, since=now - 3 * day)

    def codes(since: timedelta, until: timedelta) -> list[str]:
        return [one.code for one in list_areas(session, since=now - since, until=now - until)]

    assert codes(5 * day, 3 * day) == []
    assert codes(6 * day, 3 * day) == [HUBEI]
    assert codes(5 * day, 2 * day) == [WUHAN]
    assert [one.code for one in list_areas(session)] == [HUBEI, WUHAN]


def test_nothing_typed_asks_nothing_and_a_stay_costs_one_statement(
    session: Session, now: datetime
) -> None:
    add(session, WUHAN, since=now - timedelta(days=30))
    statements: list[str] = []
    event.listen(
        session.get_bind(), "before_cursor_execute", lambda *call: statements.append(call[2])
    )
    assert hits(session, now) == []
    assert statements == []
    hits(session, now, *("武汉" for _ in range(20)))
    assert len(statements) == 1


def test_list_read_once_screens_many_stays(session: Session, now: datetime) -> None:
    add(session, WUHAN, since=now - timedelta(days=30), until=now - timedelta(days=9))
    screener = Screener(list_areas(session))
    day = timedelta(days=1)
    recent = screener.hits_of(["武汉"], since=now - 8 * day, until=now)
    older = screener.hits_of(["武汉"], since=now - 14 * day, until=now)
    assert (len(recent), len(older)) == (0, 1)
