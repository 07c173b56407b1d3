"""The demo district: everything a page or a conversation needs, made up, the same every time.

One module a subject; what it makes goes through the same use cases as an operator's files. Days
are relative to the day of loading, so that the newest scores are those of yesterday.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any, Final, TypeAlias

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bot.demo.companies import SEED, DemoCompany, make_companies
from bot.demo.key_areas import make_key_areas
from bot.demo.names import COMPANY_OFFICE
from bot.demo.papers import make_papers
from bot.demo.places import DemoCommunity, make_communities
from bot.demo.resumption import is_loaded, load_resumption
from bot.demo.risk import Story, Values
from core.clock import day_of
from core.db import Database, upsert
from core.files.store import FileStore
from core.importing import ImportOutcome
from core.keyareas.importing import import_key_areas
from core.papers.importing import import_papers
from core.places.importing import import_communities
from core.places.model import Community
from core.registry.importing import import_companies
from core.registry.model import Company
from core.risk.model import IndicatorValue
from core.risk.rules import Colour
from core.risk.scoring import DayScores, score_day

# Called with the steps that are done and those that there are.
Progress: TypeAlias = Callable[[int, int], None]


class Size(StrEnum):
    """How much is made: `small` for a look, `district` with all companies and a longer history."""

    SMALL = "small"
    DISTRICT = "district"


DAYS: Final = {Size.SMALL: 14, Size.DISTRICT: 60}
COMPANIES: Final = {Size.SMALL: 400, Size.DISTRICT: 16_584}


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoReport:
    """What was loaded; `last` tells the colours of the newest day.

    Attributes:
        filings: of return to work; 0 where they were there before.
        registrations: of staff with those companies.
    """

    communities: int
    companies: int
    filings: int
    registrations: int
    papers: int
    key_areas: int
    days: int
    last: DayScores

    def __str__(self) -> str:
        """Return one line for an operator."""
        colours = ", ".join(f"{self.last.colours[colour]} {colour}" for colour in Colour)
        return (
            f"{self.communities} communities, {self.companies} companies, {self.papers} papers, "
            f"{self.key_areas} key areas, {self.filings} filings with "
            f"{self.registrations} registrations, {self.days} days of scores; "
            f"{self.last.day}: {colours}"
        )


def is_empty(session: Session) -> bool:
    """Return whether no community is registered yet."""
    return session.execute(select(Community.id).limit(1)).first() is None


class RealRegisterError(RuntimeError):
    """A register holds entries that are not the demo's: invented ones must not join them."""


def _check_own(session: Session, communities: Sequence[DemoCommunity]) -> None:
    ours = {(one.code, one.name) for one in communities}
    if not ours.issuperset(map(tuple, session.execute(select(Community.code, Community.name)))):
        raise RealRegisterError(
            "the register holds real communities; the demo needs its own database"
        )
    # A real code names an office that exists.
    office = func.substr(Company.uscc, 3, len(COMPANY_OFFICE))
    if session.execute(select(Company.id).where(office != COMPANY_OFFICE).limit(1)).first():
        raise RealRegisterError(
            "the register holds real companies; the demo needs its own database"
        )


def load(
    database: Database,
    *,
    files: FileStore,
    size: Size,
    now: datetime,
    progress: Progress | None = None,
) -> DemoReport:
    """Load the demo district; a second run changes nothing but the days that have passed.

    Args:
        database: where to; migrated.
        files: where the files of filings go.
        size: how much.
        now: aware instant; yesterday is the newest day with scores.
        progress: told of every step.
    """
    today, days = day_of(now), DAYS[size]
    done = _Steps(progress, total=5 + days)
    communities = make_communities(SEED)
    companies = make_companies(SEED, count=COMPANIES[size])
    with database.reading() as session:
        _check_own(session, communities)
    with database.transaction() as session:
        rows = (one.row(line) for line, one in enumerate(communities, start=2))
        _check(import_communities(session, rows, now=now))
        done.step()
        papers = _check(import_papers(session, make_papers(SEED, today=today), now=now))
        done.step()
        key_areas = _check(import_key_areas(session, make_key_areas(today=today), now=now))
        done.step()
        registered = _load_companies(session, companies, now=now)
        done.step()
    with database.transaction() as session:
        filings, registrations = 0, 0
        if not is_loaded(session):
            filings, registrations = load_resumption(session, companies, files=files, now=now)
        done.step()
    last = _load_risk(database, communities, days=days, now=now, done=done)
    return DemoReport(
        communities=len(communities),
        companies=registered,
        filings=filings,
        registrations=registrations,
        papers=papers,
        key_areas=key_areas,
        days=days,
        last=last,
    )


def _load_companies(session: Session, companies: Sequence[DemoCompany], *, now: datetime) -> int:
    rows = (one.row(line) for line, one in enumerate(companies, start=2))
    return _check(import_companies(session, rows, now=now))


def _load_risk(
    database: Database,
    communities: list[DemoCommunity],
    *,
    days: int,
    now: datetime,
    done: _Steps,
) -> DayScores:
    story = Story(communities, seed=SEED, days=days)
    yesterday = day_of(now) - timedelta(days=1)
    with database.reading() as session:
        ids = dict(session.execute(select(Community.code, Community.id)).all())
    for age in reversed(range(days)):
        day = yesterday - timedelta(days=age)
        with database.transaction() as session:
            _store_values(session, story.values_on(age), ids=ids, day=day)
            scores = score_day(session, day=day, now=now)
        done.step()
    return scores


def _store_values(
    session: Session, values: Iterable[tuple[str, Values]], *, ids: dict[str, int], day: date
) -> None:
    rows: list[dict[str, Any]] = [
        {"day": day, "community_id": ids[code], "indicator": indicator, "value": value}
        for code, of_community in values
        for indicator, value in of_community.items()
    ]
    statement = upsert(
        session, IndicatorValue, keys=("day", "community_id", "indicator"), update=("value",)
    )
    session.connection().execute(statement, rows)


def _check(outcome: ImportOutcome) -> int:
    """Return how many rows were taken.

    Raises:
        RuntimeError: one was refused, a bug in what was made up.
    """
    if outcome.rejections:
        raise RuntimeError(f"the demo district is wrong: {outcome.rejections[0]}")
    return outcome.created_count + outcome.updated_count + outcome.unchanged_count


class _Steps:
    def __init__(self, progress: Progress | None, *, total: int) -> None:
        self._progress = progress
        self._total = total
        self._done = 0

    def step(self) -> None:
        self._done += 1
        if self._progress is not None:
            self._progress(self._done, self._total)
