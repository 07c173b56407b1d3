"""The register as conversations use it: indexed once, never stale."""

from __future__ import annotations

from datetime import datetime

import pytest
from sqlalchemy import event
from sqlalchemy.orm import Session

from core.db import Database
from core.places.matching import Fit
from core.places.model import Community, CommunityAlias, Street
from core.places.service import (
    CommunityNotFoundError,
    current_book,
    find_places,
    find_street,
    get_place,
    list_nearest,
    list_places,
    list_streets,
    mark_changed,
)


def _add(session: Session, now: datetime, code: str, name: str, *aliases: str) -> None:
    street = find_street(session, code="310104011") or Street(code="310104011", name="田林街道")
    session.add(street)
    session.flush()
    session.add(
        Community(
            code=code,
            name=name,
            street_id=street.id,
            longitude=121.42,
            latitude=31.17,
            changed_at=now,
            aliases=[CommunityAlias(name=alias) for alias in aliases],
        )
    )
    session.flush()
    mark_changed(session)


def test_an_empty_register_names_nothing(session: Session) -> None:
    finding, book = find_places(session, text="田林十二村什么颜色")

    assert finding.fit is not Fit.ONE
    assert book.places == {}


def test_a_community_that_another_process_adds_is_found_by_the_next_message(
    database: Database, now: datetime
) -> None:
    with database.transaction() as session:
        _add(session, now, "T12", "田林十二村")
    with database.reading() as session:
        assert find_places(session, text="田林十二村")[0].fit is Fit.ONE
        assert find_places(session, text="龙华新村")[0].fit is not Fit.ONE

    other = Database(database.url.render_as_string(hide_password=False))
    with other.transaction() as session:
        _add(session, now, "L1", "龙华新村", "龙新")
    other.dispose()

    with database.reading() as session:
        finding, book = find_places(session, text="龙新")
        assert book.places[finding.ids[0]].name == "龙华新村"


def test_a_rolled_back_import_leaves_no_index_behind(database: Database, now: datetime) -> None:
    with database.transaction() as session:
        _add(session, now, "T12", "田林十二村")
    with Session(database.engine) as session:
        _add(session, now, "L1", "龙华新村")
        assert find_places(session, text="龙华新村")[0].fit is Fit.ONE
        session.rollback()
    with database.transaction() as session:
        _add(session, now, "L2", "龙华三村")

    with database.reading() as session:
        assert sorted(current_book(session).by_code) == ["L2", "T12"]


def test_the_index_is_built_once(database: Database, now: datetime) -> None:
    with database.transaction() as session:
        _add(session, now, "T12", "田林十二村")
    statements: list[str] = []
    event.listen(
        database.read_engine,
        "before_cursor_execute",
        lambda _connection, _cursor, statement, *_rest: statements.append(statement),
    )
    with database.reading() as session:
        for _ in range(5):
            find_places(session, text="田林十二村")

    assert sum("FROM community" in statement for statement in statements) == 2
    assert len(statements) <= 2 + 5


def test_places_and_streets_are_listed_in_order(session: Session, now: datetime) -> None:
    _add(session, now, "T12", "田林十二村")
    _add(session, now, "T02", "田林二村")

    assert [place.code for place in list_places(session)] == ["T02", "T12"]
    assert [street.name for street in list_streets(session)] == ["田林街道"]


def test_a_place_is_got_by_its_code(session: Session, now: datetime) -> None:
    _add(session, now, "T12", "田林十二村")

    assert get_place(session, code="T12").street == "田林街道"
    with pytest.raises(CommunityNotFoundError):
        get_place(session, code="nowhere")


def test_the_nearest_are_within_reach(session: Session, now: datetime) -> None:
    _add(session, now, "T12", "田林十二村")

    found = list_nearest(session, longitude=121.421, latitude=31.17)
    assert [place.code for place, _ in found] == ["T12"]
    assert found[0][1] == pytest.approx(95, abs=2)
    assert list_nearest(session, longitude=116.4, latitude=39.9) == []
