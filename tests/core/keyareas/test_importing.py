"""Importing the list of key areas: instants, codes and names are checked, nothing is doubled."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.audit.model import AuditEntry
from core.importing import ImportRow
from core.keyareas.importing import import_key_areas
from core.keyareas.model import KeyArea, KeyAreaList
from tests.core.importing_rows import Cells, counts, loader_of

load = loader_of(import_key_areas)


def cells(**changes: str) -> Cells:
    return {
        "code": "420100",
        "name": "武汉市",
        "aliases": "江城|Wuhan",
        "since": "2020-01-23",
        "until": "",
        "source": "市防控办通告",
    } | changes


def stored(session: Session) -> list[tuple[str, str, datetime, datetime | None]]:
    rows = session.scalars(select(KeyArea).order_by(KeyArea.code, KeyArea.since))
    return [(row.code, row.name, row.since, row.until) for row in rows]


def test_day_is_its_first_moment_in_shanghai(session: Session, now: datetime) -> None:
    load(session, now, cells(until="2020-03-25"))
    assert stored(session) == [
        (
            "420100",
            "武汉市",
            datetime(2020, 1, 22, 16, tzinfo=UTC),
            datetime(2020, 3, 24, 16, tzinfo=UTC),
        )
    ]


@pytest.mark.parametrize(
    "since",
    ["2020-01-23 10:00", "2020-01-23T10:00:00", "2020/1/23 10:00", "２０２０-01-23 １０：００"],
)
def test_instant_may_have_a_time_of_day(session: Session, now: datetime, since: str) -> None:
    load(session, now, cells(since=since))
    assert stored(session)[0][2] == datetime(2020, 1, 23, 2, tzinfo=UTC)


def test_same_file_again_changes_nothing_and_another_end_updates(
    session: Session, now: datetime
) -> None:
    rows = [cells(), cells(code="421100", name="黄冈")]
    assert counts(load(session, now, *rows)) == (2, 0, 0, 0)
    assert counts(load(session, now, *rows)) == (0, 0, 2, 0)
    rows[0] = cells(until="2020-03-25")
    assert counts(load(session, now, *rows)) == (0, 1, 1, 0)
    assert [until for *_, until in stored(session)] == [
        datetime(2020, 3, 24, 16, tzinfo=UTC),
        None,
    ]


def test_area_may_come_back(session: Session, now: datetime) -> None:
    load(session, now, cells(until="2020-02-23"), cells(since="2020-03-23"))
    assert len(stored(session)) == 2


def test_row_that_ends_where_it_begins_takes_an_area_back(session: Session, now: datetime) -> None:
    load(session, now, cells(), cells(code="421100", name="黄冈"))
    outcome = load(
        session, now, cells(until="2020-01-23"), cells(since="2020-02-02", until="2020-02-02")
    )
    assert counts(outcome) == (0, 1, 1, 0)
    assert [code for code, *_ in stored(session)] == ["421100"]


def test_code_that_a_spreadsheet_holds_as_a_number_is_fine(session: Session, now: datetime) -> None:
    outcome = import_key_areas(session, [ImportRow(2, cells(), frozenset({"code"}))], now=now)
    assert counts(outcome) == (1, 0, 0, 0)


@pytest.mark.parametrize("name", ["武汉", "湖北武汉", "武汉市（含东西湖区）", "武汉市"])
def test_name_may_be_written_as_the_notice_does(session: Session, now: datetime, name: str) -> None:
    assert counts(load(session, now, cells(name=name))) == (1, 0, 0, 0)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        pytest.param({"code": ""}, "cell_empty", id="no code"),
        pytest.param({"code": "42010"}, "area_code_wrong", id="short code"),
        pytest.param({"code": "4201OO"}, "area_code_wrong", id="letters"),
        pytest.param({"code": "990000"}, "area_code_wrong", id="no such form"),
        pytest.param({"code": "380000"}, "area_code_unknown", id="no such province"),
        pytest.param({"code": "421100"}, "area_name_of_other", id="slip in the code"),
        pytest.param({"name": ""}, "cell_empty", id="no name"),
        pytest.param({"name": "武汉" * 31}, "cell_too_long", id="long name"),
        pytest.param({"aliases": "江" * 201}, "cell_too_long", id="long aliases"),
        pytest.param({"since": ""}, "cell_empty", id="no start"),
        pytest.param({"since": "昨天"}, "not_a_day", id="no day"),
        pytest.param({"since": "2020-02-30"}, "not_a_day", id="no day of the calendar"),
        pytest.param({"since": "2020-01-23 25:00"}, "not_a_day", id="no time"),
        pytest.param({"since": "2021-01-23"}, "day_too_late", id="next year"),
        pytest.param({"until": "2020-01-22"}, "period_backwards", id="ends before it begins"),
        pytest.param({"code": "110000", "name": "北京"}, "code_twice", id="twice"),
    ],
)
def test_row_that_cannot_be_used_is_refused(
    session: Session, now: datetime, changes: Cells, code: str
) -> None:
    outcome = load(session, now, cells(code="110000", name="北京市"), cells(**changes))
    assert [(one.line, one.code) for one in outcome.rejections] == [(3, code)]
    assert counts(outcome) == (1, 0, 0, 1)


def test_what_begins_next_week_may_be_listed(session: Session, now: datetime) -> None:
    since = f"{now + timedelta(days=7):%Y-%m-%d}"
    assert counts(load(session, now, cells(since=since))) == (1, 0, 0, 0)


def test_import_is_recorded_with_its_counts(session: Session, now: datetime) -> None:
    load(session, now, cells(), cells(code="x"))
    entry = session.scalars(select(AuditEntry)).one()
    assert (entry.actor, entry.action, entry.subject) == (
        "operator:import",
        "key_areas_imported",
        "register:key_areas",
    )
    version_id = session.scalars(select(KeyAreaList.id)).one()
    counted = {"created": 1, "updated": 0, "unchanged": 0, "rejected": 1, "ended": 0}
    assert entry.facts == counted | {"version": version_id}


@pytest.mark.parametrize(
    ("level", "stored_level"), [("", "medium"), ("high", "high"), ("Watched", "watched")]
)
def test_level_may_be_left_out(
    session: Session, now: datetime, level: str, stored_level: str
) -> None:
    load(session, now, cells(level=level))
    assert session.scalars(select(KeyArea.level)).one() == stored_level


def test_street_has_nine_digits(session: Session, now: datetime) -> None:
    street = cells(code="420102005", name="百步亭街道")
    outcome = load(session, now, street, cells(code="420100005"), cells(code="4201020"))
    assert counts(outcome) == (2, 0, 0, 1)
