"""Exports to a spreadsheet: ask for a reason, write, put on record, hand out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from flask import render_template

from core.cases.exporting import (
    COLUMNS as CASE_COLUMNS,
)
from core.cases.exporting import count_case_rows, iterate_case_rows
from core.clock import day_of
from core.errors import DomainError
from core.exports.rules import (
    MAX_REASON,
    MAX_ROWS,
    MAY_UNMASK,
    MIN_REASON,
    ExportKind,
    ExportReasonError,
    ExportTooLargeError,
    Masking,
    SheetFormat,
    check_masking,
    export_reason_of,
)
from core.exports.service import list_exports, new_number, record_export
from core.exports.writing import MEDIA_TYPE, Cell, Layout, write_csv, write_sheet
from core.people.staff.rules import Role
from core.registration.exporting import (
    COLUMNS as REGISTRATION_COLUMNS,
)
from core.registration.exporting import iterate_registration_rows
from core.registration.listing import count_rows
from core.resumption.filing.exporting import (
    COLUMNS as FILING_COLUMNS,
)
from core.resumption.filing.exporting import (
    count_filing_rows,
    iterate_filing_rows,
)
from core.sites.exporting import COLUMNS as SITE_COLUMNS
from core.sites.exporting import iterate_site_rows
from core.sites.overview import find_board
from handlers.access import Access, access
from handlers.console import cases, filings, registrations, reviewing, sites
from handlers.console.audit import AUDITED_BY
from handlers.console.visit import Visit
from handlers.forms import choice_field
from handlers.page import Answer, Download, Page

MADE_BY: Final[Mapping[ExportKind, Sequence[Role]]] = {
    ExportKind.FILINGS: reviewing.SEEN_BY,
    ExportKind.REGISTRATIONS: registrations.SEEN_BY,
    ExportKind.CASES: cases.SEEN_BY,
    ExportKind.SITES: sites.SEEN_BY,
}
SEEN_BY: Final = tuple(dict.fromkeys(role for roles in MADE_BY.values() for role in roles))
# A file of a hundred thousand rows takes a process some twenty seconds.
EXPORT_LIMIT: Final = (20, 3600)
UNPROCESSABLE: Final = 422
TOO_MANY: Final = 429
CSV_TYPE: Final = "text/csv; charset=utf-8"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Source:
    """What an export reads.

    Attributes:
        kept: the fields of an address that ask for the same.
        count: rows there are now.
    """

    kind: ExportKind
    kept: Mapping[str, str]
    count: int


@access(Access.STAFF, *SEEN_BY)
def exports(visit: Visit) -> Answer:
    """Ask what an export is for; posted, write it and hand it out."""
    fields = visit.form if visit.is_post else visit.query
    kinds = _kinds_for(visit)
    kind = choice_field(fields, "kind", ExportKind)
    source = _source_of(visit, kind if kind in kinds else kinds[0], fields)
    if not visit.is_post:
        return _page(visit, source)
    masking = choice_field(visit.form, "masking", Masking) or Masking.MASKED
    try:
        reason = export_reason_of(visit.form.get("reason", ""))
        check_masking(masking, role=visit.staff.role, area=visit.staff.area)
        _check_size(source)
    except (ExportReasonError, ExportTooLargeError) as error:
        name = "reason" if isinstance(error, ExportReasonError) else "kind"
        return _page(visit, source, faults={name: error}, status=UNPROCESSABLE)
    if not visit.is_within(f"console-export:{visit.staff.staff_id}", *EXPORT_LIMIT):
        return _page(visit, source, is_too_often=True, status=TOO_MANY)
    return _download(visit, source, masking=masking, reason=reason)


def _kinds_for(visit: Visit) -> list[ExportKind]:
    """Return what somebody may export: what they may see."""
    return [kind for kind, roles in MADE_BY.items() if visit.staff.role in roles]


def _check_size(source: _Source) -> None:
    """Check that a file is not longer than a file may be, before any of it is written.

    Raises:
        ExportTooLargeError: it is.
    """
    if source.count > MAX_ROWS:
        raise ExportTooLargeError(max_count=MAX_ROWS)


def _source_of(visit: Visit, kind: ExportKind, fields: Mapping[str, str]) -> _Source:
    session = visit.reading()
    if kind is ExportKind.FILINGS:
        filing_query = filings.query_of(visit, fields)
        count = count_filing_rows(session, query=filing_query)
        return _Source(kind=kind, kept=filings.kept_of(filing_query), count=count)
    if kind is ExportKind.CASES:
        case_query = cases.query_of(visit, fields)
        count = count_case_rows(session, query=case_query, now=visit.now)
        return _Source(kind=kind, kept=cases.kept_of(case_query), count=count)
    if kind is ExportKind.SITES:
        site_query = sites.query_of(visit, fields)
        count = len(find_board(session, query=site_query, now=visit.now).lines)
        return _Source(kind=kind, kept=sites.kept_of(site_query), count=count)
    query = registrations.query_of(visit, fields)
    count = count_rows(session, query=query)
    return _Source(kind=kind, kept=registrations.kept_of(query), count=count)


def _download(visit: Visit, source: _Source, *, masking: Masking, reason: str) -> Download:
    """Write the file, put it on record, and hand it out once that is committed."""
    number = new_number(now=visit.now)
    words = _words_for(visit, source, masking=masking, number=number)
    columns, rows = _rows_of(visit, source, masking=masking, words=words)
    layout = Layout(
        title=words[f"title.{source.kind}"],
        watermark=words["watermark"],
        heads=tuple(words[f"{source.kind}.{column}"] for column in columns),
    )
    is_csv = choice_field(visit.form, "format", SheetFormat) is SheetFormat.CSV
    sheet = write_csv(layout, rows) if is_csv else write_sheet(layout, rows)
    record_export(
        visit.writing(),
        number=number,
        kind=source.kind,
        masking=masking,
        reason=reason,
        row_count=sheet.row_count,
        chosen=urlencode(source.kept),
        actor=f"staff:{visit.staff.staff_id}",
        now=visit.now,
    )
    return Download(
        content=sheet.parts(),
        media_type=CSV_TYPE if is_csv else MEDIA_TYPE,
        filename=f"{layout.title}-{number}.{'csv' if is_csv else 'xlsx'}",
    )


def _rows_of(
    visit: Visit, source: _Source, *, masking: Masking, words: Mapping[str, str]
) -> tuple[Sequence[str], Iterable[Sequence[Cell]]]:
    session = visit.reading()
    if source.kind is ExportKind.FILINGS:
        filing_query = filings.query_of(visit, source.kept)
        return FILING_COLUMNS, iterate_filing_rows(
            session, query=filing_query, masking=masking, words=words
        )
    if source.kind is ExportKind.CASES:
        case_query = cases.query_of(visit, source.kept)
        return CASE_COLUMNS, iterate_case_rows(
            session, query=case_query, masking=masking, words=words, now=visit.now
        )
    if source.kind is ExportKind.SITES:
        site_query = sites.query_of(visit, source.kept)
        board = find_board(session, query=site_query, now=visit.now)
        return SITE_COLUMNS, iterate_site_rows(board, words=words)
    query = registrations.query_of(visit, source.kept)
    return REGISTRATION_COLUMNS, iterate_registration_rows(
        session, query=query, masking=masking, words=words
    )


def _words_for(
    visit: Visit, source: _Source, *, masking: Masking, number: str
) -> Mapping[str, str]:
    """Return the words of a sheet from their template, one `name: text` a line."""
    written = render_template(
        "console/exports/sheet.txt",
        kind=source.kind.value,
        masking=masking.value,
        number=number,
        who=" ".join(visit.staff.display_name.split()),
        login=visit.staff.name,
        at=visit.now,
    )
    lines = (line.partition(": ") for line in written.splitlines())
    return {name: text for name, mark, text in lines if mark}


def _page(
    visit: Visit,
    source: _Source,
    *,
    faults: Mapping[str, DomainError] | None = None,
    is_too_often: bool = False,
    status: int = 200,
) -> Page:
    may_audit = visit.staff.role in AUDITED_BY
    actor = "" if may_audit else f"staff:{visit.staff.staff_id}"
    values = {
        "kinds": _kinds_for(visit),
        "source": source,
        "masking": choice_field(visit.form, "masking", Masking) or Masking.MASKED,
        "format": choice_field(visit.form, "format", SheetFormat) or SheetFormat.XLSX,
        "reason": visit.form.get("reason", ""),
        "may_unmask": visit.staff.role in MAY_UNMASK,
        "min_reason": MIN_REASON,
        "max_reason": MAX_REASON,
        "is_too_often": is_too_often,
        "exports": list_exports(visit.reading(), actor=actor),
        "sees_all": may_audit,
        "day": day_of(visit.now),
    }
    return Page(template="exports/exports", values=values, faults=faults or {}, status=status)
