"""Importing papers: one row per issue, known by its link."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.clock import day_of
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
from core.papers.model import Paper
from core.papers.rules import MAX_URL_LENGTH, is_paper_url
from core.places.model import Street
from core.places.streets import likely_street

PAPER_COLUMNS: Final = ("street", "title", "published_on", "url")

# An issue may be entered before the morning on which it comes out.
MAX_DAYS_AHEAD: Final = 31
_FIELDS: Final = ("street_id", "title", "published_on")


def import_papers(session: Session, rows: Iterable[ImportRow], *, now: datetime) -> ImportOutcome:
    """Store the papers of a file; a link that is known gets the file's title, day and street.

    Args:
        session: the session of the import.
        rows: with the columns `PAPER_COLUMNS`; an empty street is the district's own paper.
        now: aware instant.

    Returns:
        Counts and refused rows.
    """
    streets = dict(session.execute(select(Street.name, Street.id)).all())
    table = Paper.__table__.c
    known = {
        url: tuple(values)
        for url, *values in session.execute(select(table.url, *(table[name] for name in _FIELDS)))
    }
    outcome = ImportOutcome()
    seen: dict[str, int] = {}
    changed = []
    for row in rows:
        try:
            paper = _paper_of(row, streets, now=now)
            check_first(paper["url"], line=row.line, seen=seen)
        except RowRefusedError as refused:
            outcome.rejections.append(refused.at(row.line))
            continue
        stored = known.get(paper["url"])
        if stored == tuple(paper[name] for name in _FIELDS):
            outcome.unchanged_count += 1
            continue
        if stored is None:
            outcome.created_count += 1
        else:
            outcome.updated_count += 1
        changed.append(paper)
    if changed:
        statement = upsert(session, Paper, keys=("url",), update=(*_FIELDS, "changed_at"))
        session.execute(statement, [{**paper, "changed_at": now} for paper in changed])
    return outcome


def _paper_of(row: ImportRow, streets: Mapping[str, int], *, now: datetime) -> dict[str, Any]:
    url = text_in(row, "url", max_length=MAX_URL_LENGTH)
    if not is_paper_url(url):
        raise RowRefusedError("not_a_link", value=shown(url))
    latest = day_of(now) + timedelta(days=MAX_DAYS_AHEAD)
    return {
        "street_id": _street_in(row, streets),
        "title": text_in(row, "title", max_length=100),
        "published_on": day_in(row, "published_on", latest=latest),
        "url": url,
    }


def _street_in(row: ImportRow, streets: Mapping[str, int]) -> int | None:
    name = text_in(row, "street", max_length=50, is_required=False)
    if not name or name in streets:
        return streets.get(name)
    likely = likely_street(name, streets)
    if likely:
        raise RowRefusedError("street_unknown_like", value=name, likely=likely)
    raise RowRefusedError("street_unknown", value=name)
