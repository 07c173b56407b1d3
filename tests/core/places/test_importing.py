from __future__ import annotations

from datetime import datetime

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.places.importing import import_communities
from core.places.model import Community, CommunityAlias, PlaceRevision, Street
from tests.core.importing_rows import Cells, counts, loader_of

load = loader_of(import_communities)


def cells(code: str = "T1", **changes: str) -> Cells:
    return {
        "code": code,
        "name": "田林十二村",
        "street": "田林街道",
        "longitude": "121.42",
        "latitude": "31.17",
    } | changes


def only(session: Session) -> Community:
    return session.scalars(select(Community)).one()


def aliases(session: Session) -> set[str]:
    return set(session.scalars(select(CommunityAlias.name)))


def revision(session: Session) -> int:
    return session.scalar(select(PlaceRevision.number)) or 0


def test_new_community_is_stored_with_its_street(session: Session, now: datetime) -> None:
    outcome = load(
        session,
        now,
        cells(aliases="田林12村|十二村｜田林十二村||", address="田林路1号", population="2000"),
    )
    assert counts(outcome) == (1, 0, 0, 0)
    stored = only(session)
    assert (stored.code, stored.name, stored.street.name) == ("T1", "田林十二村", "田林街道")
    assert (stored.street.code, stored.population) == ("310104011", 2000)
    assert (stored.longitude, stored.latitude, stored.address) == (121.42, 31.17, "田林路1号")
    assert stored.changed_at == now
    assert aliases(session) == {"田林12村", "十二村"}


def test_same_file_again_changes_nothing(session: Session, now: datetime) -> None:
    rows = [cells("T1", aliases="十二村"), cells("T2", name="田林十三村", aliases="")]
    load(session, now, *rows)
    before = revision(session)
    assert counts(load(session, now, *rows)) == (0, 0, 2, 0)
    assert revision(session) == before


def test_changed_row_updates_its_community_and_the_revision(
    session: Session, now: datetime
) -> None:
    load(session, now, cells("T1"), cells("T2", name="田林十三村"))
    before = revision(session)
    assert counts(load(session, now, cells("T1"), cells("T2", name="田林十四村"))) == (0, 1, 1, 0)
    names = session.scalars(select(Community.name).order_by(Community.code)).all()
    assert names == ["田林十二村", "田林十四村"]
    assert revision(session) != before


def test_optional_column_replaces_and_its_absence_keeps(session: Session, now: datetime) -> None:
    load(session, now, cells(aliases="十二村|老田林", address="田林路1号", population="2000"))
    assert counts(load(session, now, cells())) == (0, 0, 1, 0)
    assert counts(load(session, now, cells(longitude="121.421"))) == (0, 1, 0, 0)
    assert aliases(session) == {"十二村", "老田林"}
    assert only(session).population == 2000
    load(session, now, cells(aliases="老田林", address="", population=""))
    assert aliases(session) == {"老田林"}
    assert (only(session).address, only(session).population) == ("", None)


def test_rename_keeps_what_is_known_of_the_place(session: Session, now: datetime) -> None:
    load(session, now, cells(name="田林12村", aliases="十二村|田林十二村", population="2000"))
    load(session, now, cells(name="田林十二村"))
    assert only(session).population == 2000
    assert aliases(session) == {"十二村"}


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"street": "长桥街道"}, id="another street"),
        pytest.param({"latitude": "31.175"}, id="500 m away"),
    ],
)
def test_code_given_to_another_place_loses_the_old_aliases(
    session: Session, now: datetime, changes: Cells
) -> None:
    load(session, now, cells(aliases="十二村", address="田林路1号", population="2000"))
    load(session, now, cells(name="长桥八村", **changes))
    assert aliases(session) == set()
    assert (only(session).address, only(session).population) == ("", None)


def test_rows_that_cannot_be_used_are_named_and_the_rest_is_kept(
    session: Session, now: datetime
) -> None:
    outcome = load(
        session,
        now,
        cells("T1"),
        cells("", name="x"),
        cells("T1", name="田林十三村"),
        cells("T4", longitude="31.17", latitude="121.42"),
        cells("T5", longitude="0", latitude="0"),
        cells("T6", longitude="121.42", latitude=""),
        cells("T7", street="田林"),
        cells("T8", street="火星"),
        cells("T9", population="12.5"),
        cells("T10", population="-1"),
        cells("T11", longitude="", latitude=""),
        cells("T12", longitude="东经121"),
    )
    assert [(one.line, one.code) for one in outcome.rejections] == [
        (3, "cell_empty"),
        (4, "code_twice"),
        (5, "coordinates_swapped"),
        (6, "coordinates_implausible"),
        (7, "coordinates_incomplete"),
        (8, "street_unknown_like"),
        (9, "street_unknown"),
        (10, "not_whole"),
        (11, "number_too_small"),
        (13, "not_a_number"),
    ]
    assert outcome.rejections[1].facts == {"value": "T1", "first": 2}
    assert outcome.rejections[5].facts == {"value": "田林", "likely": "田林街道"}
    assert set(session.scalars(select(Community.code))) == {"T1", "T11"}


def test_row_after_a_refused_one_may_use_its_code(session: Session, now: datetime) -> None:
    outcome = load(session, now, cells("T1", latitude="north"), cells("T1"))
    assert counts(outcome) == (1, 0, 0, 1)


def test_new_streets_get_a_code_and_are_created_once(session: Session, now: datetime) -> None:
    session.add(Street(code="S002", name="古美街道"))
    session.flush()
    load(
        session,
        now,
        cells("T1", street="虹桥街道"),
        cells("T2", street="虹桥街道"),
        cells("T3", street="新场镇"),
        cells("T4", street="古美街道"),
    )
    streets = session.execute(select(Street.name, Street.code).order_by(Street.code))
    assert [tuple(row) for row in streets] == [
        ("古美街道", "S002"),
        ("虹桥街道", "S003"),
        ("新场镇", "S004"),
    ]


def test_file_that_is_refused_as_a_whole_leaves_the_revision(
    session: Session, now: datetime
) -> None:
    assert counts(load(session, now, cells("T1", name=""))) == (0, 0, 0, 1)
    assert revision(session) == 0
