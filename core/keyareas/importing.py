"""Importing the dated list of key areas: one row per area and the instant it became one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, time, timedelta
from typing import Any, Final
from unicodedata import normalize

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from core.audit.service import record
from core.clock import SHANGHAI, day_of, local
from core.db import upsert
from core.importing import (
    ImportOutcome,
    ImportRow,
    RowRefusedError,
    check_first,
    day_in,
    shown,
    text_in,
)
from core.keyareas.divisions import divisions
from core.keyareas.model import KeyArea
from core.keyareas.naming import short_name_of
from core.keyareas.rules import ALIAS_MARK, CODE_LENGTH, aliases_of, is_area_code

KEY_AREA_COLUMNS: Final = ("code", "name", "since")
KEY_AREA_OPTIONAL_COLUMNS: Final = ("aliases", "until", "source")

ACTOR: Final = "operator:import"
SUBJECT: Final = "register:key_areas"
# A list may announce what begins in some days.
MAX_DAYS_AHEAD: Final = 31
_KEYS: Final = ("code", "since")
_FIELDS: Final = ("name", "aliases", "until", "source")
_CLOCK: Final = re.compile(r"(.+?)[ T]+(\d{1,2}):(\d{2})(?::\d{2})?", re.ASCII)


def import_key_areas(
    session: Session, rows: Iterable[ImportRow], *, now: datetime
) -> ImportOutcome:
    """Store the key areas of a file; one that is known by code and start gets what the file says.

    A row whose end is its start takes back what an earlier file said by mistake.

    Args:
        session: the session of the import.
        rows: with the columns `KEY_AREA_COLUMNS`, perhaps `KEY_AREA_OPTIONAL_COLUMNS`. A day
            means its first moment in Asia/Shanghai, also as an end: from then on it is none.
        now: aware instant.

    Returns:
        Counts and refused rows. Rows that are taken back count as updated.
    """
    known = _known(session)
    outcome = ImportOutcome()
    seen: dict[str, int] = {}
    changed: list[dict[str, Any]] = []
    for row in rows:
        try:
            area = _area_of(row, now=now)
            check_first(_shown_key(area), line=row.line, seen=seen)
        except RowRefusedError as refused:
            outcome.rejections.append(refused.at(row.line))
            continue
        stored = known.get((area["code"], area["since"]))
        is_withdrawn = area["until"] == area["since"]
        if stored == tuple(area[name] for name in _FIELDS) or (is_withdrawn and stored is None):
            outcome.unchanged_count += 1
            continue
        if stored is None:
            outcome.created_count += 1
        else:
            outcome.updated_count += 1
        changed.append(area)
    _write(session, changed, now=now)
    _report(session, outcome, now=now)
    return outcome


def _shown_key(area: Mapping[str, Any]) -> str:
    """Return what a row is known by, as a report names it."""
    return f"{area['code']} {local(area['since']):%Y-%m-%d %H:%M}"


def _known(session: Session) -> dict[tuple[str, datetime], tuple[Any, ...]]:
    table = KeyArea.__table__.c
    columns = (table.code, table.since, *(table[name] for name in _FIELDS))
    return {
        (code, since): tuple(values) for code, since, *values in session.execute(select(*columns))
    }


def _area_of(row: ImportRow, *, now: datetime) -> dict[str, Any]:
    latest = now + timedelta(days=MAX_DAYS_AHEAD)
    code = _code_in(row)
    since = _instant_in(row, "since", latest=latest)
    until = _instant_in(row, "until", latest=latest) if row.cells.get("until") else None
    if until is not None and until < since:
        raise RowRefusedError("period_backwards")
    aliases = aliases_of(
        normalize("NFKC", text_in(row, "aliases", max_length=200, is_required=False))
    )
    return {
        "code": code,
        "name": _name_in(row, code),
        "aliases": ALIAS_MARK.join(aliases),
        "since": since,
        "until": until,
        "source": text_in(row, "source", max_length=200, is_required=False),
    }


def _code_in(row: ImportRow) -> str:
    # No code begins with a zero and all have six digits: a spreadsheet's number lost nothing.
    code = normalize("NFKC", text_in(row, "code", max_length=50))
    if not is_area_code(code):
        raise RowRefusedError("area_code_wrong", value=shown(code), digits=CODE_LENGTH)
    if f"{code[:2]}0000" not in divisions().names:
        raise RowRefusedError("area_code_unknown", value=shown(code))
    return code


def _name_in(row: ImportRow, code: str) -> str:
    """Return the name of an area, which must be that of its code as far as that is known.

    A slip in a code would screen people from another city.
    """
    name = text_in(row, "name", max_length=60)
    official = divisions().names.get(code, "")
    is_known = official in divisions().meanings
    if is_known and short_name_of(official)[:2] not in name:
        raise RowRefusedError("area_name_of_other", value=shown(name), area=code, official=official)
    return name


def _instant_in(row: ImportRow, column: str, *, latest: datetime) -> datetime:
    """Return the instant in a cell: a day, perhaps with a time of day.

    Raises:
        RowRefusedError: as for `day_in`, or the time is none.
    """
    text = normalize("NFKC", row.cells.get(column, ""))
    match = _CLOCK.fullmatch(text)
    cells = {column: match[1] if match else text}
    day = day_in(ImportRow(row.line, cells), column, latest=day_of(latest))
    try:
        clock = time(int(match[2]), int(match[3])) if match else time()
    except ValueError:
        raise RowRefusedError("not_a_day", column=column, value=shown(text)) from None
    return datetime.combine(day, clock, SHANGHAI).astimezone(UTC)


def _write(session: Session, areas: list[dict[str, Any]], *, now: datetime) -> None:
    kept = [area for area in areas if area["until"] != area["since"]]
    for area in areas:
        if area["until"] == area["since"]:
            session.execute(
                delete(KeyArea).where(KeyArea.code == area["code"], KeyArea.since == area["since"])
            )
    if kept:
        statement = upsert(session, KeyArea, keys=_KEYS, update=(*_FIELDS, "imported_at"))
        session.execute(statement, [{**area, "imported_at": now} for area in kept])


def _report(session: Session, outcome: ImportOutcome, *, now: datetime) -> None:
    record(
        session,
        now=now,
        actor=ACTOR,
        action="key_areas_imported",
        subject=SUBJECT,
        created=outcome.created_count,
        updated=outcome.updated_count,
        unchanged=outcome.unchanged_count,
        rejected=len(outcome.rejections),
    )
