"""Community risk in the demo district: its people, what the feeds brought, the nights since.

Files go through the use cases of an operator's imports, and every day is computed and scored as a
night does it. A second loading tells the story further, up to yesterday.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.demo.companies import SEED
from bot.demo.epidemic import Epidemic
from bot.demo.places import DemoCommunity
from bot.demo.residents import count_residents, resident_id, resident_rows
from bot.demo.rulings import are_loaded, load_rulings
from bot.demo.scenes import OUTBREAK, make_scenes
from bot.imports import note_register
from core.clock import day_of, start_of
from core.db import Database
from core.files.store import FileStore
from core.importing import ImportOutcome, Manifest
from core.residents.importing import import_residents
from core.residents.model import Resident
from core.residents.service import id_hashes
from core.risk.events.importing import import_events
from core.risk.events.model import EpidemicEvent
from core.risk.events.rules import EventKind
from core.risk.indicators.computing import compute_indicators
from core.risk.scoring import DayScores, score_day

# What is longer ago counts in no indicator of the first day that is scored.
WINDOW_DAYS: Final = 14
# A night runs, and files come, so long after midnight.
_NIGHT: Final = timedelta(hours=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Extent:
    """How much of the story is told.

    Attributes:
        days: that are scored.
        one_in: every how manieth resident is in the register.
        flags_a_day: companions that the tracks of phones name in a day, about.
    """

    days: int
    one_in: int
    flags_a_day: int = 0

    @property
    def first(self) -> int:
        """The first day of the story."""
        return 2 - self.days - WINDOW_DAYS


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskReport:
    """What was loaded of it; `last` tells the colours of the newest day."""

    residents: int
    events: int
    days: int
    last: DayScores


def load_risk(
    database: Database,
    communities: Sequence[DemoCommunity],
    *,
    extent: Extent,
    zero: date,
    files: FileStore,
    now: datetime,
    step: Callable[[], None],
) -> RiskReport:
    """Load residents and events, and let the nights of the last days pass.

    Args:
        database: with the communities, and nobody's real register.
        communities: of the district.
        extent: how much.
        zero: the date of the story's day 0.
        files: where evidence of objections would go.
        now: aware instant; yesterday is the newest day with scores.
        step: called after each part: the register, what is not scored, every day, rulings.
    """
    yesterday = day_of(now) - timedelta(days=1)
    counts = count_residents(communities, one_in=extent.one_in)
    epidemic = Epidemic(
        communities,
        counts,
        seed=SEED,
        first=extent.first,
        last=(yesterday - zero).days,
        flags_a_day=extent.flags_a_day,
    )
    with database.transaction() as session:
        rows = resident_rows(counts, seed=SEED, year=zero.year)
        # A larger story brings many new people at once.
        manifest = Manifest(is_size_accepted=True)
        at = _after(zero, extent.first)
        outcome = import_residents(session, rows, now=at, manifest=manifest)
        residents = checked(outcome)
        note_register(session, outcome, now=now)
    step()
    scored = range(epidemic.days().stop - extent.days, epidemic.days().stop)
    history = range(extent.first, scored.start)
    with database.transaction() as session:
        events = load_events(session, epidemic, history, zero=zero, now=now)
    step()
    last = None
    for number in scored:
        day, at = zero + timedelta(days=number), min(now, _after(zero, number))
        with database.transaction() as session:
            events += load_events(session, epidemic, range(number, number + 1), zero=zero, now=at)
            compute_indicators(session, day=day, now=at)
            last = score_day(session, day=day, now=at)
        step()
    if last is None:
        raise ValueError("a story without a day")
    with database.transaction() as session:
        if not are_loaded(session):
            load_rulings(session, epidemic.scenes, files=files, now=now)
            last = score_day(session, day=yesterday, now=now)
    step()
    return RiskReport(residents=residents, events=events, days=extent.days, last=last)


def count_steps(extent: Extent) -> int:
    """Return how many steps a loading has."""
    return extent.days + 3


def find_zero(session: Session, communities: Sequence[DemoCommunity]) -> date | None:
    """Return the date of the story's day 0, or None before it was told for the first time."""
    scene = make_scenes(communities, seed=SEED)[OUTBREAK]
    began = min(scene.confirmed)
    reported_on = session.scalar(
        select(EpidemicEvent.reported_on)
        .join(Resident, Resident.id == EpidemicEvent.resident_id)
        .where(
            Resident.id_hash.in_(id_hashes(resident_id(scene.code, 0))),
            EpidemicEvent.kind == EventKind.CONFIRMED.value,
        )
    )
    return None if reported_on is None else reported_on - timedelta(days=began)


def checked(outcome: ImportOutcome) -> int:
    """Return how many rows were taken.

    Raises:
        RuntimeError: one was refused, a bug in what was made up.
    """
    if outcome.rejections:
        raise RuntimeError(f"the demo district is wrong: {outcome.rejections[0]}")
    return outcome.created_count + outcome.updated_count + outcome.unchanged_count


def _after(zero: date, number: int) -> datetime:
    """Return when the files of a day of the story come: before the dawn of the next."""
    return start_of(zero + timedelta(days=number + 1)) + _NIGHT


def load_events(
    session: Session, epidemic: Epidemic, days: range, *, zero: date, now: datetime
) -> int:
    """Import the file of some days and return how many rows it had.

    Feeds with nothing to tell say so: a day without their word would be held back.
    """
    until = zero + timedelta(days=days.stop - 1)
    file = epidemic.file_for(days, zero=zero)
    manifest = Manifest(watermark=until, is_size_accepted=True)
    count = checked(import_events(session, file.rows, now=now, manifest=manifest))
    for feed in file.silent:
        empty = replace(manifest, feed=feed.value)
        import_events(session, (), now=now, manifest=empty)
    return count
