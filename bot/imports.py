"""Importing files: which kinds there are, what their columns are, and what follows an import."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from operator import attrgetter
from pathlib import Path
from typing import Final, Protocol, TypeAlias

from sqlalchemy.orm import Session

from bot.feeds.tables import count_lines, read_table
from bot.import_report import RESCORED, UNPLACED_AGAIN, ImportReport
from core.arrivals.importing import arrivals, counts, tickets, trains
from core.cases.opening import follow_rescreening
from core.clock import day_of
from core.db import Database
from core.importing import (
    FileRefusedError,
    ImportOutcome,
    ImportRow,
    Manifest,
    Rejection,
    shown,
)
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
from core.registration.rescreening import rescreen
from core.registry.importing import (
    COMPANY_COLUMNS,
    COMPANY_OPTIONAL_COLUMNS,
    import_companies,
    name_missing,
)
from core.residents.importing import (
    ENDED,
    RESIDENT_COLUMNS,
    RESIDENT_OPTIONAL_COLUMNS,
    import_residents,
)
from core.risk.events.homes import unplace_ended
from core.risk.events.importing import (
    EVENT_COLUMNS,
    EVENT_OPTIONAL_COLUMNS,
    import_events,
)
from core.risk.events.rules import Feed
from core.risk.events.service import record_delivery
from core.risk.importing import INDICATOR_COLUMNS, import_indicators
from core.risk.notifying import queue_colour_notices
from core.risk.realtime import rescore_now
from core.risk.recovering import recover_held_days
from core.risk.scoring import list_days_to_score, list_scored, score_days
from core.sites.importing import SITE_COLUMNS, SITE_OPTIONAL_COLUMNS, import_sites

PROGRESS_ROWS: Final = 1000

# Called with the rows that are done and those that there are.
Progress: TypeAlias = Callable[[int, int], None]


class _UseCase(Protocol):
    def __call__(
        self, session: Session, rows: Iterable[ImportRow], *, now: datetime
    ) -> ImportOutcome: ...


class _ManifestUseCase(Protocol):
    def __call__(
        self,
        session: Session,
        rows: Iterable[ImportRow],
        *,
        now: datetime,
        manifest: Manifest | None = None,
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
        with_manifest: the same, for a kind whose sender may say more of a file than how many
            rows it has.
        follow: what must be worked out anew afterwards; returns the days that were.
        missing: finds what a full file does not name, where the use case does not itself.
        may_be_full: whether a file may name everything that there is.
        may_end: whether what a full file does not name may end.
        is_whole_to_end: whether a file with a refused row is then refused: nobody knows whether
            the row names what would end.
        has_feed: whether files come from sources that are complete up to some day.
    """

    required: tuple[str, ...]
    optional: tuple[str, ...] = ()
    use_case: _UseCase
    with_manifest: _ManifestUseCase | None = None
    follow: _Follow | None = None
    missing: _Missing | None = None
    may_be_full: bool = False
    may_end: bool = False
    is_whole_to_end: bool = False
    has_feed: bool = False


def score_what_changed(
    session: Session, outcome: ImportOutcome, *, now: datetime
) -> tuple[date, ...]:
    """Score the days whose values changed, and those that carry their values on.

    Values and scores are kept together or not at all: a day whose values had come without their
    scores would look done to the next import. Subscribers are told once, of what the card shows
    when all days are scored; what is older has been told, or is history.
    """
    days = list_days_to_score(session, changed=outcome.days)
    results = score_days(session, days=days, now=now)
    if days:
        queue_colour_notices(session, now=now)
    return tuple(one.day for one in results)


def screen_stays_again(
    session: Session, outcome: ImportOutcome, *, now: datetime
) -> tuple[date, ...]:
    """Screen the stays that people reported against the changed list; open and close cases."""
    if outcome.created_count or outcome.updated_count:
        found = rescreen(session, now=now)
        flagged = {**found.standing, **found.newly}
        follow_rescreening(session, flagged=flagged, cleared=found.cleared, now=now)
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


def rescore_what_matters_today(
    session: Session, outcome: ImportOutcome, *, now: datetime
) -> tuple[date, ...]:
    """Move the colours of today and of held days at once; others wait for an operator's word."""
    # Also after a file without a row: it may say that a feed is complete.
    recovered = recover_held_days(session, now=now)
    if outcome.communities:
        changed = rescore_now(session, community_ids=outcome.communities, now=now)
        outcome.tallies[RESCORED] = len(changed)
    if outcome.days:
        until = day_of(now) - timedelta(days=1)
        scored = list_scored(session, first=min(outcome.days), until=until)
        waiting = [day for day in scored if day not in recovered]
        outcome.unscored_days = (waiting[0], waiting[-1]) if waiting else None
    if recovered:
        queue_colour_notices(session, now=now)
    return tuple(recovered)


def note_register(session: Session, outcome: ImportOutcome, *, now: datetime) -> tuple[date, ...]:
    """Note that the register came, complete up to that day; look after those whom it ended."""
    if outcome.tallies[ENDED]:
        outcome.tallies[UNPLACED_AGAIN] = unplace_ended(session, today=day_of(now))
    rejected_count = len(outcome.rejections)
    record_delivery(
        session,
        feed=Feed.RESIDENTS,
        watermark=day_of(now),
        row_count=outcome.created_count
        + outcome.updated_count
        + outcome.unchanged_count
        + rejected_count,
        rejected_count=rejected_count,
        now=now,
    )
    return ()


KINDS: Final[Mapping[str, ImportKind]] = {
    "communities": ImportKind(
        required=COMMUNITY_COLUMNS,
        optional=COMMUNITY_OPTIONAL_COLUMNS,
        use_case=import_communities,
    ),
    "residents": ImportKind(
        required=RESIDENT_COLUMNS,
        optional=RESIDENT_OPTIONAL_COLUMNS,
        use_case=import_residents,
        with_manifest=import_residents,
        follow=note_register,
        may_be_full=True,
        may_end=True,
    ),
    "risk-events": ImportKind(
        required=EVENT_COLUMNS,
        optional=EVENT_OPTIONAL_COLUMNS,
        use_case=import_events,
        with_manifest=import_events,
        follow=rescore_what_matters_today,
        has_feed=True,
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
        may_be_full=True,
    ),
    "sites": ImportKind(
        required=SITE_COLUMNS, optional=SITE_OPTIONAL_COLUMNS, use_case=import_sites
    ),
    "papers": ImportKind(required=PAPER_COLUMNS, use_case=import_papers),
    "key-areas": ImportKind(
        required=KEY_AREA_COLUMNS,
        optional=KEY_AREA_OPTIONAL_COLUMNS,
        use_case=import_key_areas,
        with_manifest=import_key_areas,
        follow=screen_stays_again,
        may_be_full=True,
        may_end=True,
        is_whole_to_end=True,
    ),
    "trains": ImportKind(
        required=trains.TRAIN_COLUMNS,
        optional=trains.TRAIN_OPTIONAL_COLUMNS,
        use_case=trains.import_trains,
    ),
    "tickets": ImportKind(required=tickets.TICKET_COLUMNS, use_case=tickets.import_tickets),
    "arrivals": ImportKind(
        required=arrivals.ARRIVAL_COLUMNS,
        optional=arrivals.ARRIVAL_OPTIONAL_COLUMNS,
        use_case=arrivals.import_arrivals,
    ),
    "counts": ImportKind(
        required=counts.COUNT_COLUMNS,
        optional=counts.COUNT_OPTIONAL_COLUMNS,
        use_case=counts.import_counts,
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _File:
    """A file, and how it is to be taken."""

    path: Path
    all_or_nothing: bool
    is_full: bool
    manifest: Manifest
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
    manifest: Manifest | None = None,
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
        manifest: what the sender says of the file.
        now: aware instant.
        progress: told of the rows that were read.
    """
    manifest = manifest or Manifest()
    what = KINDS.get(kind)
    if what is None:
        facts = {"value": shown(kind), "known": ", ".join(KINDS)}
        return _refused(kind, Rejection(0, "kind_unknown", facts))
    if fault := _fault_of(kind, what, manifest, is_full=is_full):
        return _refused(kind, fault)
    file = _File(
        path=path,
        all_or_nothing=all_or_nothing,
        is_full=is_full,
        manifest=manifest,
        progress=progress,
    )
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


def _fault_of(
    kind: str, what: ImportKind, manifest: Manifest, *, is_full: bool
) -> Rejection | None:
    """Return why a kind of file cannot be what is said of it, or None if it can."""
    if is_full and not what.may_be_full:
        return Rejection(0, "kind_never_full", {"value": kind})
    if manifest.is_missing_ended and not what.may_end:
        return Rejection(0, "kind_never_ends", {"value": kind})
    if (manifest.feed or manifest.watermark) and not what.has_feed:
        return Rejection(0, "kind_has_no_feed", {"value": kind})
    return None


def _store(
    session: Session, what: ImportKind, file: _File, refused: list[Rejection], *, now: datetime
) -> ImportOutcome:
    """Store the rows of a file; those that are refused are added to `refused`.

    Raises:
        FileRefusedError: the file cannot be read to its end, or has not the rows that were sent.
        _RefusedWholeError: a row is refused where none may be.
    """
    rows = _Counted(
        read_table(file.path, required=what.required, optional=what.optional, refused=refused),
        file,
    )
    if what.with_manifest is None:
        outcome = what.use_case(session, rows, now=now)
    else:
        manifest = replace(file.manifest, is_full=file.is_full, digest=_digest_of(file.path))
        outcome = what.with_manifest(session, rows, now=now, manifest=manifest)
    count, sent = rows.count + len(refused), file.manifest.row_count
    if sent is not None and count != sent:
        raise FileRefusedError(0, "rows_differ", count=count, sent=sent)
    refused += outcome.rejections
    is_whole = file.all_or_nothing or (what.is_whole_to_end and file.manifest.is_missing_ended)
    if is_whole and refused:
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
        tallies=outcome.tallies,
        unscored_days=outcome.unscored_days,
    )


def _refused(kind: str, *rejections: Rejection) -> ImportReport:
    return ImportReport(kind=kind, is_applied=False, rejections=_by_line(rejections))


def _by_line(rejections: Iterable[Rejection]) -> tuple[Rejection, ...]:
    return tuple(sorted(rejections, key=attrgetter("line")))


class _Counted:
    """The rows of a file, counted as they are read."""

    def __init__(self, rows: Iterable[ImportRow], file: _File) -> None:
        self._rows = rows
        self._progress = file.progress
        self._total = count_lines(file.path) if file.progress else 0
        self.count = 0

    def __iter__(self) -> Iterator[ImportRow]:
        for row in self._rows:
            self.count += 1
            if self._progress and self.count % PROGRESS_ROWS == 0:
                self._progress(self.count, max(self.count, self._total))
            yield row
        if self._progress:
            self._progress(self.count, self.count)


def _digest_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
