"""Importing epidemic events of people, and what their feeds say of themselves.

Of an identifier a keyed hash is stored, and no report, log line or error has it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Final

from sqlalchemy.orm import Session

from core.audit.service import record
from core.bulk import Writer, opened
from core.clock import day_of
from core.importing import (
    FileRefusedError,
    ImportOutcome,
    ImportRow,
    Manifest,
    Rejection,
    RowRefusedError,
    code_in,
    day_in,
    shown,
    text_in,
)
from core.residents.importing import ACTOR, community_ids, person_in
from core.residents.staging import OLDER_KEYS, PersonKeys
from core.risk.events.rules import (
    FEED_OF,
    MAX_CLUSTER,
    MAX_ROUTE,
    Ending,
    EventKind,
    Feed,
    is_too_large,
    watermark_for,
)
from core.risk.events.service import record_delivery, usual_counts, watermarks
from core.risk.events.staging import PLANNED, STAGED, Done, apply, before_birth, duplicates

EVENT_COLUMNS: Final = ("person_id", "kind", "reported_on")
EVENT_OPTIONAL_COLUMNS: Final = (
    *("ended_on", "ending", "cluster", "route", "community_code", "feed"),
)

FEED_SUBJECT: Final = "register:events"
WITHDRAWN: Final = "withdrawn"
_STAGED_COLUMNS: Final = tuple(column.name for column in STAGED.columns)


@dataclass(slots=True)
class _Told:
    """What a file says of each feed.

    Attributes:
        counts: rows whose feed could be read.
        days: the local days of its rows that were taken.
        rejected: rows that were refused.
    """

    counts: Counter[Feed] = field(default_factory=Counter)
    days: defaultdict[Feed, set[date]] = field(default_factory=lambda: defaultdict(set))
    rejected: Counter[Feed] = field(default_factory=Counter)


def import_events(
    session: Session,
    rows: Iterable[ImportRow],
    *,
    now: datetime,
    manifest: Manifest | None = None,
) -> ImportOutcome:
    """Store the events of a file; a known one is changed where the file says something new.

    An ending that is known stays when the file has none, and an event that was withdrawn stays
    withdrawn. Every feed of the file is noted with the day up to which it is complete: the one
    that the sender states, or the newest of its rows that is over.

    Args:
        session: the session of the import.
        rows: with the columns `EVENT_COLUMNS`, perhaps `EVENT_OPTIONAL_COLUMNS`.
        now: aware instant; later days than its own are refused.
        manifest: what the sender says of the file.

    Returns:
        Counts and refused rows; `communities` of which something changed that matters today, and
        in `days` the first day of which anything changed. The writes are a fixed number of
        statements for any size.

    Raises:
        FileRefusedError: no row and no word of that, a feed that is not known, or one that is
            more than twice as large as usual.
    """
    manifest = manifest or Manifest()
    outcome, today = ImportOutcome(), day_of(now)
    feed = _feed_of(manifest, today=today)
    with opened(session, STAGED, PLANNED, OLDER_KEYS):
        reader = _Reader(session, feed=feed, today=today)
        told = reader.read(rows, outcome)
        _check_deliveries(session, told, manifest=manifest, feed=feed)
        refused_count = _refuse(session, told, outcome)
        done = apply(session, actor=ACTOR, today=today, now=now)
    _count(outcome, done, row_count=reader.taken_count - refused_count)
    _record_deliveries(session, told, manifest=manifest, feed=feed, now=now)
    _record(session, outcome, now=now)
    return outcome


def _refuse(session: Session, told: _Told, outcome: ImportOutcome) -> int:
    """Refuse the rows that other rows, or the register, speak against; return how many."""
    refused = [
        (feed, Rejection(line, "event_twice", {"first": first}))
        for line, feed, first in duplicates(session)
    ]
    refused += [
        (feed, Rejection(line, "before_birth", {"column": "reported_on"}))
        for line, feed in before_birth(session)
    ]
    for feed, rejection in refused:
        told.rejected[Feed(feed)] += 1
        outcome.rejections.append(rejection)
    return len(refused)


def _count(outcome: ImportOutcome, done: Done, *, row_count: int) -> None:
    outcome.created_count, outcome.updated_count = done.created_count, done.updated_count
    outcome.unchanged_count = row_count - done.created_count - done.updated_count
    outcome.communities |= done.community_ids
    outcome.tallies[WITHDRAWN] = done.withdrawn_count
    if done.first_day is not None:
        outcome.days.add(done.first_day)


def _record(session: Session, outcome: ImportOutcome, *, now: datetime) -> None:
    record(
        session,
        now=now,
        actor=ACTOR,
        action="events_imported",
        subject=FEED_SUBJECT,
        created=outcome.created_count,
        updated=outcome.updated_count,
        unchanged=outcome.unchanged_count,
        rejected=len(outcome.rejections),
    )


# ---- what the feeds say of themselves -------------------------------------------------------


def _feed_of(manifest: Manifest, *, today: date) -> Feed | None:
    """Return the feed that the sender names, if any.

    Raises:
        FileRefusedError: it is not known, or it states to be complete up to a day that is not
            over.
    """
    if manifest.watermark is not None and manifest.watermark >= today:
        latest = today - timedelta(days=1)
        raise FileRefusedError(0, "watermark_too_late", latest=str(latest))
    if not manifest.feed:
        return None
    try:
        return Feed(manifest.feed)
    except ValueError:
        raise FileRefusedError(
            0, "feed_unknown", value=shown(manifest.feed), known=", ".join(Feed)
        ) from None


def _check_deliveries(
    session: Session, told: _Told, *, manifest: Manifest, feed: Feed | None
) -> None:
    """Check that a file without rows is meant, and that no feed is unusually large.

    Raises:
        FileRefusedError: it is not, or one is.
    """
    if not told.counts and (feed is None or manifest.watermark is None):
        raise FileRefusedError(0, "feed_empty")
    if manifest.is_size_accepted:
        return
    usual = usual_counts(session)
    for one, count in told.counts.items():
        if is_too_large(count, usual=usual.get(one)):
            raise FileRefusedError(
                0, "feed_too_large", feed=one.value, count=count, usual=usual[one]
            )


def _record_deliveries(
    session: Session, told: _Told, *, manifest: Manifest, feed: Feed | None, now: datetime
) -> None:
    """Note what each feed of a file delivered.

    One whose rows are all of today, and which states nothing, is complete as far as it was.
    """
    known, today = watermarks(session), day_of(now)
    for one in {*told.counts, *([] if feed is None else [feed])}:
        mark = manifest.watermark or watermark_for(told.days[one], today=today) or known.get(one)
        if mark is not None:
            record_delivery(
                session,
                feed=one,
                watermark=mark,
                row_count=told.counts[one],
                rejected_count=told.rejected[one],
                digest=manifest.digest,
                now=now,
            )


# ---- reading a row --------------------------------------------------------------------------


class _Reader:
    """Reads rows into the staged table."""

    def __init__(self, session: Session, *, feed: Feed | None, today: date) -> None:
        self._communities = community_ids(session)
        self._keys = PersonKeys(session)
        self._writer = Writer(session, STAGED, _STAGED_COLUMNS)
        self._feed = feed
        self._today = today
        self._days: dict[str, date] = {}
        self.taken_count = 0

    def read(self, rows: Iterable[ImportRow], outcome: ImportOutcome) -> _Told:
        """Stage the rows; those that are refused are added to the outcome."""
        told = _Told()
        for row in rows:
            feed = self._feed
            try:
                kind = _kind_in(row)
                feed = self._feed_in(row, kind)
                values = self._values_of(row, kind, feed)
            except RowRefusedError as refused:
                outcome.rejections.append(refused.at(row.line))
                if feed is not None:
                    told.counts[feed] += 1
                    told.rejected[feed] += 1
                continue
            told.counts[feed] += 1
            told.days[feed].update(day for day in (values[2], values[4]) if day is not None)
            self._writer.add(row.line, *values)
            self.taken_count += 1
        self._writer.flush()
        self._keys.renew()
        return told

    def _values_of(self, row: ImportRow, kind: EventKind, feed: Feed) -> tuple[Any, ...]:
        """Return what is staged of a row, but for its line."""
        id_hash = self._keys.hash_of(person_in(row))
        reported_on = self._day_in(row, "reported_on")
        ended_on, ending = self._ending_in(row, reported_on=reported_on)
        return (
            id_hash,
            kind.value,
            reported_on,
            feed.value,
            ended_on,
            ending,
            text_in(row, "cluster", max_length=MAX_CLUSTER, is_required=False) or None,
            text_in(row, "route", max_length=MAX_ROUTE, is_required=False) or None,
            self._community_in(row),
        )

    def _feed_in(self, row: ImportRow, kind: EventKind) -> Feed:
        text = row.cells.get("feed", "")
        if not text:
            return self._feed or FEED_OF[kind]
        try:
            return Feed(text.lower())
        except ValueError:
            raise RowRefusedError(
                "feed_unknown", value=shown(text), known=", ".join(Feed)
            ) from None

    def _ending_in(self, row: ImportRow, *, reported_on: date) -> tuple[date | None, str | None]:
        text = row.cells.get("ending", "")
        if not row.cells.get("ended_on"):
            if text:
                raise RowRefusedError("cell_empty", column="ended_on")
            return None, None
        ended_on = self._day_in(row, "ended_on")
        if ended_on < reported_on:
            raise RowRefusedError("ended_before_reported")
        try:
            return ended_on, (Ending(text.lower()) if text else Ending.RELEASED).value
        except ValueError:
            raise RowRefusedError(
                "ending_unknown", value=shown(text), known=", ".join(Ending)
            ) from None

    def _day_in(self, row: ImportRow, column: str) -> date:
        # A file repeats a day thousands of times.
        cell = row.cells.get(column, "")
        day = self._days.get(cell)
        if day is None:
            day = self._days[cell] = day_in(row, column, latest=self._today)
        return day

    def _community_in(self, row: ImportRow) -> int | None:
        cell = row.cells.get("community_code", "")
        if not cell:
            return None
        community_id = self._communities.get(cell)
        if community_id is None or "community_code" in row.numbers:
            code = code_in(row, "community_code", max_length=32)
            raise RowRefusedError("community_unknown", value=shown(code))
        return community_id


def _kind_in(row: ImportRow) -> EventKind:
    text = text_in(row, "kind", max_length=32)
    try:
        return EventKind(text.lower())
    except ValueError:
        raise RowRefusedError(
            "event_kind_unknown", value=shown(text), known=", ".join(EventKind)
        ) from None
