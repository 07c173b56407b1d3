"""What a live feed hands over: settled as a file's rows are, with how far it has been read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from functools import partial
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.arrivals.importing.arrivals import take_arrivals
from core.arrivals.importing.cells import CLOCK_TOLERANCE
from core.arrivals.importing.settling import STATION_SUBJECT
from core.arrivals.importing.tickets import take_tickets
from core.arrivals.importing.trains import take_trains
from core.arrivals.model import TicketFeed
from core.audit.service import record
from core.db import upsert
from core.importing import ImportOutcome, ImportRow, Rejection

ACTOR: Final = "system:ticketing"
MAX_WATERMARK: Final = 200


class FeedFault(StrEnum):
    """What is wrong with a feed, as the newest attempt to read it found.

    With the last two it was read. `WENT_BACK`: the source is complete up to an earlier instant
    than before, as one that was restored from a copy; what it told before stays. `ALL_REFUSED`:
    nothing of what it told could be taken, so it is not complete up to any later instant.
    """

    TIMEOUT = "timeout"
    UNREACHABLE = "unreachable"
    BUSY = "busy"
    BROKEN = "broken"
    REFUSED = "refused"
    STATUS = "status"
    TOO_LARGE = "too_large"
    NOT_JSON = "not_json"
    WRONG_SHAPE = "wrong_shape"
    WATERMARK_GONE = "watermark_gone"
    WATERMARK_STUCK = "watermark_stuck"
    WENT_BACK = "went_back"
    ALL_REFUSED = "all_refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """What a feed hands over at once.

    Attributes:
        watermark: where it is to be read on, at most 200 characters.
        complete_at: up to when it is complete with this; None: more of it waits.
        trains: rows as `import_trains` takes them, in the order of their telling.
        tickets: rows as `import_tickets` takes them.
        arrivals: rows as `import_arrivals` takes them.
        skipped_count: items beside them of a kind or form that nobody here understands.
    """

    watermark: str
    complete_at: datetime | None = None
    trains: Sequence[ImportRow] = ()
    tickets: Sequence[ImportRow] = ()
    arrivals: Sequence[ImportRow] = ()
    skipped_count: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What became of a delivery.

    Attributes:
        changed_count: rows that told something new.
        unchanged_count: rows that were known.
        rejections: rows that cannot be; `line` is their place in the delivery.
        days: local days of the trains that changed.
        fault: what is wrong with it though it was read; None: nothing.
    """

    changed_count: int
    unchanged_count: int
    rejections: tuple[Rejection, ...]
    days: frozenset[date]
    fault: FeedFault | None


def find_watermark(session: Session, *, source: str) -> str:
    """Return where a source is to be read on; empty: from its beginning.

    Args:
        session: may be a reading one.
        source: name of the feed.
    """
    return session.scalar(select(TicketFeed.watermark).where(TicketFeed.source == source)) or ""


def take_delivery(session: Session, *, source: str, delivery: Delivery, now: datetime) -> Taken:
    """Store what a feed hands over, and note how far it has been read, in one transaction.

    A delivery that comes again changes nothing; of rows that tell different things of the same
    train, the later one counts.

    Args:
        session: of a transaction.
        source: name of the feed, at most 32 characters.
        delivery: as it came.
        now: aware instant.
    """
    feed = _feed_of(session, source)
    outcomes = [
        take(session, rows, now=now)
        for take, told, columns in (
            (partial(take_trains, source=source), delivery.trains, ("number",)),
            (take_tickets, delivery.tickets, ("number", "day", "at")),
            (take_arrivals, delivery.arrivals, ("number",)),
        )
        for rows in _rounds(told, *columns)
    ]
    complete_at = delivery.complete_at and _not_to_come(delivery.complete_at, now=now)
    fault = _fault_of(delivery, outcomes)
    if fault is None and complete_at and feed.complete_at and complete_at < feed.complete_at:
        fault = FeedFault.WENT_BACK
    feed.watermark = delivery.watermark
    if complete_at and fault is not FeedFault.ALL_REFUSED:
        feed.complete_at = complete_at
    feed.polled_at = feed.succeeded_at = now
    feed.failed_count, feed.last_error = 0, fault.value if fault else ""
    session.flush()
    taken = Taken(
        changed_count=sum(one.created_count + one.updated_count for one in outcomes),
        unchanged_count=sum(one.unchanged_count for one in outcomes),
        rejections=tuple(refused for one in outcomes for refused in one.rejections),
        days=frozenset(day for one in outcomes for day in one.days),
        fault=fault,
    )
    if taken.changed_count:
        _note(session, taken, now=now)
    return taken


def note_failure(session: Session, *, source: str, fault: FeedFault, now: datetime) -> int:
    """Note that a source could not be read; return how many attempts failed since the last.

    Args:
        session: of a transaction.
        source: name of the feed.
        fault: why.
        now: aware instant.
    """
    feed = _feed_of(session, source)
    feed.polled_at = now
    feed.failed_count += 1
    feed.last_error = fault.value
    session.flush()
    return feed.failed_count


def _feed_of(session: Session, source: str) -> TicketFeed:
    """Return the row of a source, locked; the first time it is made."""
    row = {"source": source, "watermark": "", "failed_count": 0, "last_error": ""}
    session.execute(upsert(session, TicketFeed, keys=("source",), update=()), [row])
    statement = select(TicketFeed).where(TicketFeed.source == source).with_for_update()
    return session.scalars(statement.execution_options(populate_existing=True)).one()


def _rounds(rows: Sequence[ImportRow], *columns: str) -> list[list[ImportRow]]:
    """Return rows in as few parts as name nothing twice; what is told later is in a later part."""
    rounds: list[list[ImportRow]] = []
    times: Counter[tuple[str, ...]] = Counter()
    for row in rows:
        key = tuple(row.cells.get(column, "") for column in columns)
        if times[key] == len(rounds):
            rounds.append([])
        rounds[times[key]].append(row)
        times[key] += 1
    return rounds


def _fault_of(delivery: Delivery, outcomes: Iterable[ImportOutcome]) -> FeedFault | None:
    """Return that nothing of a delivery could be taken, though it told something."""
    refused = delivery.skipped_count
    for one in outcomes:
        if one.created_count + one.updated_count + one.unchanged_count:
            return None
        refused += len(one.rejections)
    return FeedFault.ALL_REFUSED if refused else None


def _not_to_come(at: datetime, *, now: datetime) -> datetime:
    # A clock that is ahead would make a feed that stops look fresh.
    return now if at > now + CLOCK_TOLERANCE else at


def _note(session: Session, taken: Taken, *, now: datetime) -> None:
    record(
        session,
        now=now,
        actor=ACTOR,
        action="tickets_polled",
        subject=STATION_SUBJECT,
        changed=taken.changed_count,
        unchanged=taken.unchanged_count,
        rejected=len(taken.rejections),
    )
