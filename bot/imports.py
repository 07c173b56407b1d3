"""Importing files: which kinds there are, what their columns are, and what follows an import."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Final, Protocol, TypeAlias

from sqlalchemy.orm import Session

from bot.feeds.tables import FileRefusedError, count_lines, read_table
from bot.texts import Texts
from core.clock import day_of
from core.db import Database
from core.importing import ImportOutcome, ImportRow, Rejection, shown
from core.papers.importing import PAPER_COLUMNS, import_papers
from core.places.importing import (
    COMMUNITY_COLUMNS,
    COMMUNITY_OPTIONAL_COLUMNS,
    import_communities,
)
from core.registry.importing import (
    COMPANY_COLUMNS,
    COMPANY_OPTIONAL_COLUMNS,
    NOT_SEEN,
    OWNER_CHANGED,
    import_companies,
    name_missing,
)
from core.risk.importing import INDICATOR_COLUMNS, import_indicators
from core.risk.notifying import queue_colour_notices
from core.risk.service import list_days_to_score, score_day

PROGRESS_ROWS: Final = 1000
MAX_SHOWN_CODES: Final = 20

# What an operator reads before the codes of a finding.
_FINDINGS: Final[Mapping[str, str]] = {
    OWNER_CHANGED: "another legal person",
    NOT_SEEN: "not in this file, left as they are",
}

# Called with the rows that are done and those that there are.
Progress: TypeAlias = Callable[[int, int], None]


class _UseCase(Protocol):
    def __call__(
        self, session: Session, rows: Iterable[ImportRow], *, now: datetime
    ) -> ImportOutcome: ...


class _Follow(Protocol):
    def __call__(
        self, database: Database, outcome: ImportOutcome, *, now: datetime
    ) -> tuple[date, ...]: ...


class _Missing(Protocol):
    def __call__(self, session: Session, outcome: ImportOutcome, *, now: datetime) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportKind:
    """A kind of file.

    Attributes:
        required: columns that it must have.
        optional: columns that it may have.
        use_case: stores its rows.
        follow: what must be worked out anew afterwards; returns the days that were.
        missing: finds what a full file does not name; None where no file is ever full.
    """

    required: tuple[str, ...]
    optional: tuple[str, ...] = ()
    use_case: _UseCase
    follow: _Follow | None = None
    missing: _Missing | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportReport:
    """What became of a file.

    Attributes:
        kind: of the file.
        is_applied: whether anything was kept; False when the file was refused as a whole.
        created_count: rows that are new.
        updated_count: rows that changed something.
        unchanged_count: rows that were known.
        rejections: rows that were refused, by line; line and reason code.
        scored_days: days that were scored again.
        field_counts: rows that changed each field, where the kind tells them apart.
        findings: codes of things to look at, by what there is to see.
    """

    kind: str
    is_applied: bool
    created_count: int = 0
    updated_count: int = 0
    unchanged_count: int = 0
    rejections: tuple[Rejection, ...] = ()
    scored_days: tuple[date, ...] = ()
    field_counts: Mapping[str, int] = field(default_factory=dict)
    findings: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @property
    def is_failed(self) -> bool:
        """Whether nothing of the file was kept."""
        return not self.is_applied

    def lines(self) -> list[str]:
        """Return the refused rows for an operator, one line each."""
        return [f"{one.line}: {_reason_of(one)}" for one in self.rejections]

    def summary(self) -> str:
        """Return the counts for an operator, in one line."""
        counts = (
            f"{self.kind}: {self.created_count} created, {self.updated_count} updated, "
            f"{self.unchanged_count} unchanged, {len(self.rejections)} rejected"
        )
        if not self.is_applied:
            return f"{counts}; nothing was kept"
        if not self.scored_days:
            return counts
        return f"{counts}; scored again: {self.scored_days[0]} to {self.scored_days[-1]}"

    def notes(self) -> list[str]:
        """Return what changed by field, and what somebody should look at, one line each."""
        changed = ", ".join(f"{name} {count}" for name, count in sorted(self.field_counts.items()))
        lines = [f"changed: {changed}"] if changed else []
        for finding, codes in self.findings.items():
            if codes:
                more = ", …" if len(codes) > MAX_SHOWN_CODES else ""
                named = ", ".join(codes[:MAX_SHOWN_CODES])
                lines.append(f"{_FINDINGS[finding]} ({len(codes)}): {named}{more}")
        return lines


@cache
def _texts() -> Texts:
    return Texts(constants={})


def _reason_of(rejection: Rejection) -> str:
    return _texts().text_of(f"imports/{rejection.code}.txt", rejection.facts)


class _RefusedWholeError(Exception):
    """Rolls back an import that was to be all or nothing."""


def score_what_changed(
    database: Database, outcome: ImportOutcome, *, now: datetime
) -> tuple[date, ...]:
    """Score the days whose values changed, and those that carry their values on.

    Each day is a transaction of its own, so that nobody waits long for a lock. Subscribers hear
    of the newest day alone: what is older has been told, or is history.
    """
    with database.reading() as session:
        days = list_days_to_score(session, changed=outcome.days)
    for day in days:
        with database.transaction() as session:
            score_day(session, day=day, now=now)
            if day >= day_of(now) - timedelta(days=1):
                queue_colour_notices(session, now=now)
    return tuple(days)


KINDS: Final[Mapping[str, ImportKind]] = {
    "communities": ImportKind(
        required=COMMUNITY_COLUMNS,
        optional=COMMUNITY_OPTIONAL_COLUMNS,
        use_case=import_communities,
    ),
    "indicators": ImportKind(
        required=INDICATOR_COLUMNS, use_case=import_indicators, follow=score_what_changed
    ),
    "companies": ImportKind(
        required=COMPANY_COLUMNS,
        optional=COMPANY_OPTIONAL_COLUMNS,
        use_case=import_companies,
        missing=name_missing,
    ),
    "papers": ImportKind(required=PAPER_COLUMNS, use_case=import_papers),
}


def run_import(
    database: Database,
    kind: str,
    path: Path,
    *,
    all_or_nothing: bool,
    is_full: bool = False,
    now: datetime,
    progress: Progress | None = None,
) -> ImportReport:
    """Import a file in one transaction and return what became of it.

    A file that turns out broken half-way leaves nothing behind.

    Args:
        database: where to.
        kind: one of `KINDS`; another one is reported like a file that cannot be used.
        path: a CSV file or a spreadsheet.
        all_or_nothing: keep nothing if a single row is refused.
        is_full: the file names everything that there is; what it does not name is reported.
        now: aware instant.
        progress: told of the rows that were read.
    """
    what = KINDS.get(kind)
    if what is None:
        known = ", ".join(KINDS)
        unknown = Rejection(0, "kind_unknown", {"value": shown(kind), "known": known})
        return ImportReport(kind=kind, is_applied=False, rejections=(unknown,))
    if is_full and what.missing is None:
        never_full = Rejection(0, "kind_never_full", {"value": kind})
        return ImportReport(kind=kind, is_applied=False, rejections=(never_full,))
    refused: list[Rejection] = []
    outcome = ImportOutcome()
    try:
        with database.transaction() as session:
            rows = read_table(path, required=what.required, optional=what.optional, refused=refused)
            outcome = what.use_case(session, _counted(rows, path, progress), now=now)
            refused += outcome.rejections
            if all_or_nothing:
                _check_nothing_refused(refused)
            if is_full and what.missing is not None:
                what.missing(session, outcome, now=now)
    except FileRefusedError as error:
        return ImportReport(
            kind=kind, is_applied=False, rejections=_by_line([*refused, error.rejection])
        )
    except _RefusedWholeError:
        return ImportReport(kind=kind, is_applied=False, rejections=_by_line(refused))
    return ImportReport(
        kind=kind,
        is_applied=True,
        created_count=outcome.created_count,
        updated_count=outcome.updated_count,
        unchanged_count=outcome.unchanged_count,
        rejections=_by_line(refused),
        scored_days=what.follow(database, outcome, now=now) if what.follow else (),
        field_counts=outcome.field_counts,
        findings=outcome.findings,
    )


def _check_nothing_refused(refused: Collection[Rejection]) -> None:
    if refused:
        raise _RefusedWholeError


def _by_line(rejections: Iterable[Rejection]) -> tuple[Rejection, ...]:
    return tuple(sorted(rejections, key=_line_of))


def _line_of(rejection: Rejection) -> int:
    return rejection.line


def _counted(
    rows: Iterable[ImportRow], path: Path, progress: Progress | None
) -> Iterator[ImportRow]:
    total = count_lines(path) if progress else 0
    count = 0
    for count, row in enumerate(rows, start=1):
        if progress and count % PROGRESS_ROWS == 0:
            progress(count, max(count, total))
        yield row
    if progress:
        progress(count, count)
