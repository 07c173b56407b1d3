"""The demo district: everything a page or a conversation needs, made up, the same every time.

One module a subject; what it makes goes through the same use cases as an operator's files. Days
are relative to the day of loading, so that the newest scores are those of yesterday.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, TypeAlias

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bot.demo.arrivals import ArrivalsReport, issue_forecasts, load_arrivals
from bot.demo.companies import SEED, DemoCompany, make_companies
from bot.demo.key_areas import make_key_areas
from bot.demo.names import COMPANY_OFFICE
from bot.demo.papers import make_papers
from bot.demo.places import DemoCommunity, make_communities
from bot.demo.resumption import is_loaded, load_resumption
from bot.demo.risk import Extent, RiskReport, checked, count_steps, find_zero, load_risk
from bot.demo.sites import SitesReport, load_sites
from core.clock import day_of
from core.db import Database
from core.files.store import FileStore
from core.keyareas.importing import import_key_areas
from core.papers.importing import import_papers
from core.places.importing import import_communities
from core.places.model import Community
from core.registry.importing import import_companies
from core.registry.model import Company
from core.risk.rules import Colour

# Called with the steps that are done and those that there are.
Progress: TypeAlias = Callable[[int, int], None]


class Size(StrEnum):
    """How much is made: `small` for a look, `district` with everybody and a longer history."""

    SMALL = "small"
    DISTRICT = "district"


EXTENTS: Final = {
    Size.SMALL: Extent(days=14, one_in=40),
    Size.DISTRICT: Extent(days=28, one_in=1, flags_a_day=70_000),
}
COMPANIES: Final = {Size.SMALL: 300, Size.DISTRICT: 16_584}
SITES: Final = {Size.SMALL: 12, Size.DISTRICT: 167}
# Days of reports of sites before today.
SITE_DAYS: Final = {Size.SMALL: 14, Size.DISTRICT: 30}
# Days of trains, tickets and counts before today.
STATION_DAYS: Final = {Size.SMALL: 15, Size.DISTRICT: 60}


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoReport:
    """What was loaded.

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
    arrivals: ArrivalsReport
    sites: SitesReport
    risk: RiskReport

    def __str__(self) -> str:
        """Return one line for an operator."""
        last = self.risk.last
        colours = ", ".join(f"{last.colours[colour]} {colour}" for colour in Colour)
        return (
            f"{self.communities} communities, {self.risk.residents} residents, "
            f"{self.companies} companies, {self.papers} papers, {self.key_areas} key areas, "
            f"{self.filings} filings with {self.registrations} registrations, "
            f"{self.arrivals.trains} trains, "
            f"{self.sites.sites} sites with {self.sites.reports} reports and "
            f"{self.sites.people} people, "
            f"{self.risk.events} rows of events, {self.risk.days} days of scores; "
            f"{last.day}: {colours}"
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

    A larger one after a smaller one adds what the smaller lacks.

    Args:
        database: where to; migrated.
        files: where the files of filings go.
        size: how much.
        now: aware instant; yesterday is the newest day with scores.
        progress: told of every step.
    """
    today, extent = day_of(now), EXTENTS[size]
    communities = make_communities(SEED)
    companies = make_companies(SEED, count=COMPANIES[size])
    with database.reading() as session:
        _check_own(session, communities)
        zero = find_zero(session, communities) or today - timedelta(days=1)
    done = _Steps(progress, total=7 + count_steps(extent))
    with database.transaction() as session:
        rows = (one.row(line) for line, one in enumerate(communities, start=2))
        checked(import_communities(session, rows, now=now))
        done.step()
        papers = checked(import_papers(session, make_papers(SEED, today=today), now=now))
        done.step()
        key_areas = checked(import_key_areas(session, make_key_areas(today=today), now=now))
        done.step()
        registered = _load_companies(session, companies, now=now)
        done.step()
    with database.transaction() as session:
        filings, registrations = 0, 0
        if not is_loaded(session):
            filings, registrations = load_resumption(session, companies, files=files, now=now)
        done.step()
    with database.transaction() as session:
        arrivals = load_arrivals(session, days=STATION_DAYS[size], now=now)
        issue_forecasts(session, days=STATION_DAYS[size], now=now)
        done.step()
    with database.transaction() as session:
        sites = load_sites(session, count=SITES[size], days=SITE_DAYS[size], now=now)
        done.step()
    risk = load_risk(
        database, communities, extent=extent, zero=zero, files=files, now=now, step=done.step
    )
    return DemoReport(
        communities=len(communities),
        companies=registered,
        filings=filings,
        registrations=registrations,
        papers=papers,
        key_areas=key_areas,
        arrivals=arrivals,
        sites=sites,
        risk=risk,
    )


def _load_companies(session: Session, companies: Sequence[DemoCompany], *, now: datetime) -> int:
    rows = (one.row(line) for line, one in enumerate(companies, start=2))
    return checked(import_companies(session, rows, now=now))


class _Steps:
    def __init__(self, progress: Progress | None, *, total: int) -> None:
        self._progress = progress
        self._total = total
        self._done = 0

    def step(self) -> None:
        self._done += 1
        if self._progress is not None:
            self._progress(self._done, self._total)
