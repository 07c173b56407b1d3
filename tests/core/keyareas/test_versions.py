"""Each import that changes what stands leaves a version, and two of them can be compared."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.importing import ImportOutcome, Manifest
from core.keyareas.importing import ENDED, UNLISTED, import_key_areas
from core.keyareas.model import KeyArea
from core.keyareas.rules import Level
from core.keyareas.service import list_rows_at
from core.keyareas.versions import (
    ChangeKind,
    KeyAreaListNotFoundError,
    list_changes,
    list_versions,
)
from tests.core.importing_rows import Cells, rows_of

WUHAN: Cells = {"code": "420100", "name": "武汉市", "since": "2020-01-23", "source": "通告1"}
FENGTAI: Cells = {"code": "110106", "name": "丰台区", "since": "2020-03-20", "level": "high"}
LATER: Cells = {"code": "220283", "name": "舒兰市", "since": "2020-04-02"}


def load(session: Session, now: datetime, *rows: Cells, **said: bool) -> ImportOutcome:
    return import_key_areas(session, rows_of(rows), now=now, manifest=Manifest(**said))


def codes_at(session: Session, at: datetime) -> list[str]:
    return [row.code for row in list_rows_at(session, at=at)]


def changed(session: Session, before_id: int | None, after_id: int) -> list[tuple[str, str]]:
    changes = list_changes(session, before_id=before_id, after_id=after_id)
    return [(change.kind.value, change.area.code) for change in changes]


def test_list_that_is_another_is_a_version_and_the_same_again_is_none(
    session: Session, now: datetime
) -> None:
    load(session, now, WUHAN, LATER)
    load(session, now + timedelta(hours=1), WUHAN)
    load(session, now + timedelta(hours=2), WUHAN | {"source": "通告2"})
    (only,) = list_versions(session)
    assert (only.imported_at, only.area_count, only.source) == (now, 1, "通告1")
    load(session, now + timedelta(hours=3), WUHAN | {"until": "2020-03-28"}, FENGTAI)
    newer, older = list_versions(session)
    assert (newer.area_count, older) == (1, only)
    assert changed(session, older.id, newer.id) == [("added", "110106"), ("ended", "420100")]
    # Both stand as they were, though the table has only what is.
    assert changed(session, None, older.id) == [("added", "220283"), ("added", "420100")]


def test_change_shows_what_was_and_what_is(session: Session, now: datetime) -> None:
    load(session, now, WUHAN, FENGTAI)
    load(session, now, FENGTAI | {"level": "watched"}, WUHAN | {"until": WUHAN["since"]})
    newer, older = list_versions(session)
    lower, gone = list_changes(session, before_id=older.id, after_id=newer.id)
    assert lower.kind is ChangeKind.CHANGED
    assert lower.before is not None
    assert lower.after is not None
    assert (lower.before.level, lower.after.level) == (Level.HIGH, Level.WATCHED)
    assert (gone.kind, gone.area.code, gone.after) == (ChangeKind.WITHDRAWN, "420100", None)
    with pytest.raises(KeyAreaListNotFoundError):
        list_changes(session, before_id=older.id, after_id=99)


def test_full_file_names_what_it_does_not_have_and_ends_it_if_asked(
    session: Session, now: datetime
) -> None:
    load(session, now, WUHAN, FENGTAI, LATER)
    outcome = load(session, now, FENGTAI, is_full=True)
    assert outcome.findings == {UNLISTED: ["220283", "420100"]}
    assert codes_at(session, now) == ["110106", "420100"]
    outcome = load(session, now, FENGTAI, is_full=True, is_missing_ended=True)
    assert (outcome.findings, outcome.updated_count) == ({ENDED: ["220283", "420100"]}, 2)
    assert codes_at(session, now) == ["110106"]
    # What was one until now is known to have been; what had not begun never was.
    assert codes_at(session, now - timedelta(seconds=1)) == ["110106", "420100"]
    assert codes_at(session, now + timedelta(days=30)) == ["110106"]
    assert "220283" not in session.scalars(select(KeyArea.code)).all()
    again = load(session, now + timedelta(hours=1), FENGTAI, is_missing_ended=True)
    assert (again.findings, len(list_versions(session))) == ({ENDED: []}, 2)


def test_list_is_as_its_rows_say_whenever_they_came(session: Session, now: datetime) -> None:
    load(session, now, WUHAN | {"until": "2020-03-25 12:00"})
    noon = datetime.fromisoformat("2020-03-25T12:00:00+08:00")
    assert codes_at(session, noon - timedelta(microseconds=1)) == ["420100"]
    assert codes_at(session, noon) == []
    (version,) = list_versions(session)
    assert version.area_count == 0
