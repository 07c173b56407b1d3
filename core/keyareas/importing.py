"""Importing the dated list of key areas: one row per area and the instant it became one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final
from unicodedata import normalize

from sqlalchemy import delete, or_, select, update
from sqlalchemy.orm import Session

from core.audit.service import record
from core.clock import local
from core.db import upsert
from core.importing import (
    ImportOutcome,
    ImportRow,
    Manifest,
    RowRefusedError,
    check_first,
    instant_in,
    shown,
    text_in,
)
from core.keyareas.divisions import divisions
from core.keyareas.model import KeyArea
from core.keyareas.naming import short_name_of
from core.keyareas.rules import (
    ALIAS_MARK,
    CODE_LENGTH,
    STREET_CODE_LENGTH,
    Level,
    aliases_of,
    is_area_code,
)
from core.keyareas.service import change_list
from core.keyareas.versions import record_version

KEY_AREA_COLUMNS: Final = ("code", "name", "since")
KEY_AREA_OPTIONAL_COLUMNS: Final = ("aliases", "level", "until", "source")

ACTOR: Final = "operator:import"
SUBJECT: Final = "register:key_areas"
# A list may announce what begins in some days.
MAX_DAYS_AHEAD: Final = 31
# What a full file does not name: left as it is, or ended with the import.
UNLISTED: Final = "area_unlisted"
ENDED: Final = "area_ended"
_MAX_SOURCE: Final = 200
_KEYS: Final = ("code", "since")
_FIELDS: Final = ("name", "aliases", "level", "until", "source")


def import_key_areas(
    session: Session,
    rows: Iterable[ImportRow],
    *,
    now: datetime,
    manifest: Manifest | None = None,
) -> ImportOutcome:
    """Store the key areas of a file; one that is known by code and start gets what the file says.

    A row whose end is its start takes back what an earlier file said by mistake. What is left
    standing is kept as a version of the list, if it is another than before.

    Args:
        session: the session of the import.
        rows: with the columns `KEY_AREA_COLUMNS`, perhaps `KEY_AREA_OPTIONAL_COLUMNS`. A day
            means its first moment in Asia/Shanghai, also as an end: from then on it is none.
        now: aware instant.
        manifest: what the sender says of the file. A full one names all that is a key area or
            will be; with `is_missing_ended`, what it does not name ends at `now`, and what has
            not begun is taken back. Whoever asks for that takes no file with a refused row.

    Returns:
        Counts and refused rows; rows that are taken back or end count as updated. Under
        `UNLISTED` or `ENDED` the codes that a full file does not name.
    """
    manifest = manifest or Manifest()
    change_list(session)
    known = _known(session)
    outcome = ImportOutcome()
    seen: dict[str, int] = {}
    changed: list[dict[str, Any]] = []
    named: set[tuple[str, datetime]] = set()
    for row in rows:
        try:
            area = _area_of(row, now=now)
            check_first(_shown_key(area), line=row.line, seen=seen)
        except RowRefusedError as refused:
            outcome.rejections.append(refused.at(row.line))
            continue
        named.add((area["code"], area["since"]))
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
    if manifest.is_full or manifest.is_missing_ended:
        _look_for_unlisted(session, outcome, manifest=manifest, named=named, now=now)
    version_id = record_version(session, source=_source_of(changed), now=now)
    _report(session, outcome, version_id=version_id, now=now)
    return outcome


def _look_for_unlisted(
    session: Session,
    outcome: ImportOutcome,
    *,
    manifest: Manifest,
    named: set[tuple[str, datetime]],
    now: datetime,
) -> None:
    """Name what stands and is not in a full file; end it only if asked to."""
    standing = session.execute(
        select(KeyArea.code, KeyArea.since, KeyArea.id)
        .where(or_(KeyArea.until.is_(None), KeyArea.until > now))
        .order_by(KeyArea.code, KeyArea.since)
    )
    missing = [one for one in standing if (one.code, one.since) not in named]
    codes = list(dict.fromkeys(one.code for one in missing))
    outcome.findings[ENDED if manifest.is_missing_ended else UNLISTED] = codes
    if not manifest.is_missing_ended or not missing:
        return
    outcome.updated_count += len(missing)
    begun = [one.id for one in missing if one.since < now]
    announced = [one.id for one in missing if one.since >= now]
    session.execute(update(KeyArea).where(KeyArea.id.in_(begun)).values(until=now, imported_at=now))
    session.execute(delete(KeyArea).where(KeyArea.id.in_(announced)))


def _source_of(changed: Iterable[Mapping[str, Any]]) -> str:
    """Return the source that all changed rows name, if it is one."""
    sources = {area["source"] for area in changed if area["source"]}
    return str(sources.pop()) if len(sources) == 1 else ""


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
    since = instant_in(row, "since", latest=latest)
    until = instant_in(row, "until", latest=latest) if row.cells.get("until") else None
    if until is not None and until < since:
        raise RowRefusedError("period_backwards")
    aliases = aliases_of(
        normalize("NFKC", text_in(row, "aliases", max_length=200, is_required=False))
    )
    return {
        "code": code,
        "name": _name_in(row, code),
        "aliases": ALIAS_MARK.join(aliases),
        "level": _level_in(row),
        "since": since,
        "until": until,
        "source": text_in(row, "source", max_length=_MAX_SOURCE, is_required=False),
    }


def _level_in(row: ImportRow) -> str:
    text = text_in(row, "level", max_length=50, is_required=False).casefold()
    if not text:
        return Level.MEDIUM.value
    if text not in set(Level):
        raise RowRefusedError("area_level_unknown", value=shown(text), known=", ".join(Level))
    return text


def _code_in(row: ImportRow) -> str:
    # No code begins with a zero and none is long: a spreadsheet's number lost nothing.
    code = normalize("NFKC", text_in(row, "code", max_length=50))
    if not is_area_code(code):
        raise RowRefusedError(
            "area_code_wrong",
            value=shown(code),
            digits=CODE_LENGTH,
            street_digits=STREET_CODE_LENGTH,
        )
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


def _report(
    session: Session, outcome: ImportOutcome, *, version_id: int | None, now: datetime
) -> None:
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
        ended=len(outcome.findings.get(ENDED, ())),
        version=version_id,
    )
