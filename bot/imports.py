"""Importing files: which kinds there are, what their columns are, and what follows an import."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache
from operator import attrgetter
from pathlib import Path
from typing import Final, Protocol, TypeAlias

from sqlalchemy.orm import Session

from bot.feeds.tables import FileRefusedError, count_lines, read_table
from bot.texts import Texts
from core.db import Database
from core.importing import ImportOutcome, ImportRow, Rejection, shown
from core.keyareas.importing import (
    KEY_AREA_COLUMNS,
    KEY_AREA_OPTIONAL_COLUMNS,
    import_key_areas,
)
from core.mandates.proving import hand_over_changed_owners
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
from core.resumption.registration.rescreening import rescreen
from core.risk.importing import INDICATOR_COLUMNS, import_indicators
from core.risk.notifying import queue_colour_notices
from core.risk.scoring import list_days_to_score, score_day

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
        self, session: Session, outcome: ImportOutcome, *, now: datetime
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


def score_what_changed(
    session: Session, outcome: ImportOutcome, *, now: datetime
) -> tuple[date, ...]:
    """Score the days whose values changed, and those that carry their values on.

    Values and scores are kept together or not at all: a day whose values had come without their
    scores would look done to the next import. Subscribers are told once, of what the card shows
    when all days are scored; what is older has been told, or is history.
    """
    days = list_days_to_score(session, changed=outcome.days)
    for day in days:
        score_day(session, day=day, now=now)
    if days:
        queue_colour_notices(session, now=now)
    return tuple(days)


def screen_stays_again(
    session: Session, outcome: ImportOutcome, *, now: datetime
) -> tuple[date, ...]:
    """Screen the stays that people reported against the changed list of key areas."""
    if outcome.created_count or outcome.updated_count:
        rescreen(session, now=now)
    return ()


def stop_former_owners(
    session: Session,
    outcome: ImportOutcome,  # noqa: ARG001  whatever an earlier import left undone is done too
    *,
    now: datetime,
) -> tuple[date, ...]:
    """End what was given under owners whom the register does not name any more."""
    hand_over_changed_owners(session, now=now)
    return ()


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
        follow=stop_former_owners,
        missing=name_missing,
    ),
    "papers": ImportKind(required=PAPER_COLUMNS, use_case=import_papers),
    "key-areas": ImportKind(
        required=KEY_AREA_COLUMNS,
        optional=KEY_AREA_OPTIONAL_COLUMNS,
        use_case=import_key_areas,
        follow=screen_stays_again,
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _File:
    """A file, and how it is to be taken."""

    path: Path
    all_or_nothing: bool
    is_full: bool
    progress: Progress | None


class _RefusedWholeError(Exception):
    """Rolls back an import that was to be all or nothing."""


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
        facts = {"value": shown(kind), "known": ", ".join(KINDS)}
        return _refused(kind, Rejection(0, "kind_unknown", facts))
    if is_full and what.missing is None:
        return _refused(kind, Rejection(0, "kind_never_full", {"value": kind}))
    file = _File(path=path, all_or_nothing=all_or_nothing, is_full=is_full, progress=progress)
    refused: list[Rejection] = []
    try:
        with database.transaction() as session:
            outcome = _store(session, what, file, refused, now=now)
            scored_days = what.follow(session, outcome, now=now) if what.follow else ()
    except FileRefusedError as error:
        return _refused(kind, *refused, error.rejection)
    except _RefusedWholeError:
        return _refused(kind, *refused)
    return _kept(kind, outcome, refused, scored_days)


def _store(
    session: Session, what: ImportKind, file: _File, refused: list[Rejection], *, now: datetime
) -> ImportOutcome:
    """Store the rows of a file; those that are refused are added to `refused`.

    Raises:
        FileRefusedError: the file cannot be read to its end.
        _RefusedWholeError: a row is refused where none may be.
    """
    rows = read_table(file.path, required=what.required, optional=what.optional, refused=refused)
    outcome = what.use_case(session, _counted(rows, file.path, file.progress), now=now)
    refused += outcome.rejections
    if file.all_or_nothing and refused:
        raise _RefusedWholeError
    if file.is_full and what.missing is not None:
        what.missing(session, outcome, now=now)
    return outcome


def _kept(
    kind: str, outcome: ImportOutcome, refused: list[Rejection], scored_days: tuple[date, ...]
) -> ImportReport:
    return ImportReport(
        kind=kind,
        is_applied=True,
        created_count=outcome.created_count,
        updated_count=outcome.updated_count,
        unchanged_count=outcome.unchanged_count,
        rejections=_by_line(refused),
        scored_days=scored_days,
        field_counts=outcome.field_counts,
        findings=outcome.findings,
    )


def _refused(kind: str, *rejections: Rejection) -> ImportReport:
    return ImportReport(kind=kind, is_applied=False, rejections=_by_line(rejections))


def _by_line(rejections: Iterable[Rejection]) -> tuple[Rejection, ...]:
    return tuple(sorted(rejections, key=attrgetter("line")))


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
