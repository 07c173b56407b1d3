from __future__ import annotations

from datetime import date, datetime

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.importing import ImportRow
from core.places.model import Community, Street
from core.risk.importing import import_indicators
from core.risk.model import IndicatorValue
from tests.core.importing_rows import Cells, loader_of

load = loader_of(import_indicators)


@pytest.fixture(autouse=True)
def _places(session: Session, now: datetime) -> None:
    session.add(Street(id=1, code="1", name="田林街道"))
    for number in (1, 2):
        session.add(Community(id=number, code=f"T{number}", name="x", street_id=1, changed_at=now))
    session.flush()


def cells(**changes: str) -> Cells:
    return {
        "day": "2020-03-27",
        "community_code": "T1",
        "indicator": "confirmed",
        "value": "1",
    } | changes


def stored(session: Session) -> list[tuple[object, ...]]:
    table = IndicatorValue.__table__.c
    rows = select(table.day, table.community_id, table.indicator, table.value)
    return sorted(tuple(row) for row in session.execute(rows))


def test_values_are_stored_by_day_community_and_indicator(session: Session, now: datetime) -> None:
    outcome = load(
        session,
        now,
        cells(),
        cells(community_code="T2"),
        cells(indicator="vuln", value="0.35"),
        cells(day="2020/3/26", value="0"),
    )
    assert (outcome.created_count, outcome.rejections) == (4, [])
    assert outcome.days == {date(2020, 3, 26), date(2020, 3, 27)}
    assert stored(session) == [
        (date(2020, 3, 26), 1, "confirmed", 0.0),
        (date(2020, 3, 27), 1, "confirmed", 1.0),
        (date(2020, 3, 27), 1, "vuln", 0.35),
        (date(2020, 3, 27), 2, "confirmed", 1.0),
    ]


def test_second_import_replaces_and_counts_what_changed(session: Session, now: datetime) -> None:
    load(session, now, cells(), cells(community_code="T2"))
    outcome = load(session, now, cells(), cells(community_code="T2", value="3"))
    assert (outcome.created_count, outcome.updated_count, outcome.unchanged_count) == (0, 1, 1)
    assert [row[3] for row in stored(session)] == [1.0, 3.0]


def test_import_of_known_values_touches_no_day(session: Session, now: datetime) -> None:
    load(session, now, cells())
    assert load(session, now, cells()).days == set()


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        pytest.param({"day": "2020-03-29"}, "day_too_late", id="tomorrow"),
        pytest.param({"day": "27.3."}, "not_a_day", id="no day"),
        pytest.param({"community_code": "T9"}, "community_unknown", id="unknown community"),
        pytest.param({"community_code": ""}, "cell_empty", id="no community"),
        pytest.param({"indicator": "humidity"}, "indicator_unknown", id="unknown indicator"),
        pytest.param({"indicator": ""}, "indicator_unknown", id="no indicator"),
        pytest.param({"value": ""}, "cell_empty", id="no value"),
        pytest.param({"value": "-1"}, "number_too_small", id="negative"),
        pytest.param({"value": "nan"}, "not_a_number", id="not a number"),
        pytest.param({"value": "inf"}, "not_a_number", id="infinite"),
        pytest.param({"indicator": "vuln", "value": "33"}, "number_too_large", id="share in %"),
        pytest.param({"indicator": "fever", "value": "1001"}, "number_too_large", id="over 1000 ‰"),
    ],
)
def test_row_that_cannot_be_is_refused(
    session: Session, now: datetime, changes: Cells, code: str
) -> None:
    outcome = load(session, now, cells(**changes), cells(community_code="T2"))
    assert [(one.line, one.code) for one in outcome.rejections] == [(2, code)]
    assert [row[1] for row in stored(session)] == [2]


def test_today_is_possible(session: Session, now: datetime) -> None:
    assert load(session, now, cells(day="2020-03-28")).created_count == 1


def test_second_value_for_one_cell_of_the_day_is_refused(session: Session, now: datetime) -> None:
    outcome = load(session, now, cells(), cells(day="20200327", value="7"))
    assert [(one.line, one.code, one.facts) for one in outcome.rejections] == [
        (3, "value_twice", {"first": 2})
    ]
    assert [row[3] for row in stored(session)] == [1.0]


def test_community_code_that_was_a_number_is_refused(session: Session, now: datetime) -> None:
    row = ImportRow(2, cells(community_code="1"), frozenset({"community_code", "value"}))
    outcome = import_indicators(session, [row], now=now)
    assert [one.code for one in outcome.rejections] == ["code_is_number"]


def test_more_rows_than_a_batch_are_all_stored(
    session: Session, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.risk.importing.BATCH_ROWS", 3)
    rows = [
        cells(community_code=code, indicator=indicator)
        for code in ("T1", "T2")
        for indicator in ("confirmed", "close", "asym", "second")
    ]
    assert load(session, now, *rows).created_count == 8
    assert len(stored(session)) == 8
