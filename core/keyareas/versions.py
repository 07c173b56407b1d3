"""Versions of the list of key areas: what each import left standing, and what it changed."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.errors import NotFoundError
from core.keyareas.model import KeyArea, KeyAreaList
from core.keyareas.rules import Area, Level, aliases_of, is_one_at

_VERSIONS: Final = 100


class KeyAreaListNotFoundError(NotFoundError):
    """There is no such version of the list of key areas."""

    code = "key_area_list_not_found"


class ChangeKind(StrEnum):
    """What became of an area between two versions."""

    ADDED = "added"
    CHANGED = "changed"
    ENDED = "ended"
    WITHDRAWN = "withdrawn"  # listed by mistake, and taken back


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """A version of the list.

    Attributes:
        area_count: areas that were key areas when it was imported.
        source: of the rows that came with it, where they name one; empty: they name several.
    """

    id: int
    imported_at: datetime
    area_count: int
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What became of an area; `before` and `after` are None where it was not, or is not, listed."""

    kind: ChangeKind
    before: Area | None
    after: Area | None

    @property
    def area(self) -> Area:
        """The area as it is listed, or was."""
        area = self.after or self.before
        if area is None:
            raise ValueError("a change is of an area")
        return area


def record_version(session: Session, *, source: str, now: datetime) -> int | None:
    """Keep what stands as a version, unless it is what the newest one says.

    Args:
        session: of the import, whose rows are written.
        source: what the new rows say of themselves.
        now: aware instant.

    Returns:
        The version's id; None if it is the newest one's list.
    """
    rows = _rows_of(session)
    digest = hashlib.sha256(json.dumps(rows, ensure_ascii=False).encode()).digest()
    newest = session.execute(
        select(KeyAreaList.digest).order_by(KeyAreaList.id.desc()).limit(1)
    ).scalar_one_or_none()
    if newest == digest:
        return None
    count = sum(is_one_at(_area_of(row), now) for row in rows)
    version = KeyAreaList(
        imported_at=now, digest=digest, area_count=count, source=source, rows=rows
    )
    session.add(version)
    session.flush()
    return version.id


def find_newest_id(session: Session) -> int | None:
    """Return the id of the newest version; None if nothing was imported yet."""
    return session.scalar(select(func.max(KeyAreaList.id)))


def list_versions(session: Session, *, limit: int = _VERSIONS) -> list[Version]:
    """Return the versions, the newest first."""
    rows = session.execute(
        select(KeyAreaList.id, KeyAreaList.imported_at, KeyAreaList.area_count, KeyAreaList.source)
        .order_by(KeyAreaList.id.desc())
        .limit(limit)
    )
    return [
        Version(id=version_id, imported_at=imported_at, area_count=count, source=source)
        for version_id, imported_at, count, source in rows
    ]


def list_changes(session: Session, *, before_id: int | None, after_id: int) -> list[Change]:
    """Return what changed from one version to another, by code and start.

    Args:
        session: may be a reading one.
        before_id: the earlier version; None: from an empty list.
        after_id: the later one.

    Raises:
        KeyAreaListNotFoundError: one of them is none.
    """
    before = {} if before_id is None else _areas_of(session, before_id)
    after = _areas_of(session, after_id)
    changes = (_change_of(before.get(key), after.get(key)) for key in sorted({*before, *after}))
    return [change for change in changes if change is not None]


def _change_of(before: Area | None, after: Area | None) -> Change | None:
    if before == after:
        return None
    if before is None:
        kind = ChangeKind.ADDED
    elif after is None:
        kind = ChangeKind.WITHDRAWN
    else:
        is_ended = before.until is None and after.until is not None
        kind = ChangeKind.ENDED if is_ended else ChangeKind.CHANGED
    return Change(kind=kind, before=before, after=after)


def _areas_of(session: Session, version_id: int) -> dict[tuple[str, datetime], Area]:
    rows = session.scalar(select(KeyAreaList.rows).where(KeyAreaList.id == version_id))
    if rows is None:
        raise KeyAreaListNotFoundError
    areas = [_area_of(row) for row in rows]
    return {(area.code, area.since): area for area in areas}


def _rows_of(session: Session) -> list[list[Any]]:
    # By columns: what the session holds may be older than what the import wrote.
    found = session.execute(
        select(
            KeyArea.code,
            KeyArea.name,
            KeyArea.aliases,
            KeyArea.level,
            KeyArea.since,
            KeyArea.until,
        ).order_by(KeyArea.code, KeyArea.since)
    )
    return [
        [*fields, since.isoformat(), until.isoformat() if until else None]
        for *fields, since, until in found
    ]


def _area_of(row: list[Any]) -> Area:
    code, name, aliases, level, since, until = row
    return Area(
        code=code,
        name=name,
        aliases=aliases_of(aliases),
        level=Level(level),
        since=datetime.fromisoformat(since),
        until=datetime.fromisoformat(until) if until else None,
    )
