from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from bot.demo import (
    EXTENTS,
    SEED,
    SITES,
    STATION_DAYS,
    DemoReport,
    RealRegisterError,
    Size,
    is_empty,
    load,
)
from bot.demo.companies import make_companies
from bot.demo.names import unified_check
from bot.demo.risk import Extent
from bot.demo.scenes import QUIET
from core.clock import SHANGHAI
from core.db import Database, Keyring, install_keyring
from core.importing import ImportRow
from core.papers.model import Paper
from core.places.model import Community, Street
from core.registry.importing import import_companies
from core.registry.model import Company, CompanyChange
from core.risk.model import IndicatorValue, RiskScore
from core.risk.rules import Colour
from core.risk.service import count_colours, find_card
from tests.conftest import DATA_KEY
from tests.core.mandates.conftest import MemoryFiles

TODAY = date(2020, 3, 28)
YESTERDAY = date(2020, 3, 27)


NOW = datetime(2020, 3, 28, 8, 0, tzinfo=SHANGHAI)
SHORT = Extent(days=2, one_in=100)  # shows all that fourteen days do


@dataclass(frozen=True, kw_only=True)
class Demo:
    """A loaded district, for tests that only look; `told` is what the progress bar heard."""

    database: Database
    report: DemoReport
    told: list[tuple[int, int]]


@pytest.fixture(scope="module")
def demo(_sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    path = tmp_path_factory.mktemp("demo") / "demo.db"
    shutil.copyfile(_sqlite_template, path)
    install_keyring(Keyring([DATA_KEY]))  # earlier than the fixture that every single test has
    database = Database(f"sqlite:///{path}")
    with database.reading() as session:
        assert is_empty(session)
    told: list[tuple[int, int]] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(EXTENTS, Size.SMALL, SHORT)
        patch.setitem(STATION_DAYS, Size.SMALL, 2)
        patch.setitem(SITES, Size.SMALL, 3)
        report = load(
            database,
            files=MemoryFiles(),
            size=Size.SMALL,
            now=NOW,
            progress=lambda done, total: told.append((done, total)),
        )
    yield Demo(database=database, report=report, told=told)
    database.dispose()


def test_demo_fills_an_empty_district(demo: Demo) -> None:
    assert (demo.report.communities, demo.report.companies, demo.report.risk.days) == (957, 300, 2)
    with demo.database.reading() as session:
        assert not is_empty(session)
        streets = session.scalars(select(Street.code).order_by(Street.code)).all()
        assert (len(streets), streets[0], streets[-1]) == (13, "310104003", "310104103")
        assert len(session.scalars(select(Paper.street_id).distinct()).all()) == 14
        days = session.scalars(select(RiskScore.day).distinct().order_by(RiskScore.day)).all()
        assert days == [TODAY - timedelta(days=age) for age in (2, 1)]


def test_demo_has_every_colour_in_likely_numbers(demo: Demo) -> None:
    with demo.database.reading() as session:
        counts = count_colours(session, today=TODAY).counts
    assert 1 <= counts[Colour.RED] <= 8
    assert 8 <= counts[Colour.YELLOW] <= 40
    assert counts[Colour.GREY] == 0
    assert sum(counts.values()) == 957
    assert str(demo.report).endswith(f"{counts[Colour.BLUE]} blue, 0 grey")


def test_demo_knows_a_quiet_community(demo: Demo) -> None:
    with demo.database.reading() as session:
        ids = dict(session.execute(select(Community.name, Community.id)).all())
        card = find_card(session, community_id=ids[QUIET], today=TODAY)
    assert card is not None
    assert card.colour is Colour.BLUE
    assert card.reasons[0].contribution > 0


def test_demo_again_changes_nothing(demo: Demo, monkeypatch: pytest.MonkeyPatch) -> None:
    def everything() -> list[object]:
        with demo.database.reading() as session:
            newest = select(*IndicatorValue.__table__.c).where(IndicatorValue.day == YESTERDAY)
            scores = select(RiskScore.id, RiskScore.score, RiskScore.day)
            papers, places = select(Paper.id, Paper.url), select(Community.id, Community.name)
            companies = select(Company.id, Company.uscc, Company.owner_id, Company.changed_at)
            statements = (newest, scores, papers, places, companies, select(CompanyChange.id))
            return [sorted(map(tuple, session.execute(one))) for one in statements]

    # The story of a day depends on its length: the whole of it is told again.
    monkeypatch.setitem(EXTENTS, Size.SMALL, SHORT)
    monkeypatch.setitem(STATION_DAYS, Size.SMALL, 2)
    monkeypatch.setitem(SITES, Size.SMALL, 3)
    before = everything()
    again = load(demo.database, files=MemoryFiles(), size=Size.SMALL, now=NOW + timedelta(hours=1))
    assert again.risk.last.changed_count == 0
    assert everything() == before


def test_demo_tells_its_progress(demo: Demo) -> None:
    # Five registers, the station, sites, residents, what was before, two days, rulings.
    assert demo.told == [(step, 12) for step in range(1, 13)]


def test_district_has_everybody_and_a_longer_history() -> None:
    district = EXTENTS[Size.DISTRICT]
    assert (district.one_in, district.days) == (1, 28)


def test_demo_keeps_out_of_a_register_with_real_companies(
    database: Database, now: datetime
) -> None:
    body = "91310104MA1EXAMPL"  # an office that exists, a company that does not
    row = make_companies(SEED, count=1)[0].row(2)
    real = ImportRow(2, {**row.cells, "uscc": body + unified_check(body)})
    with database.transaction() as session:
        assert import_companies(session, [real], now=now).created_count == 1
    with pytest.raises(RealRegisterError, match="companies"):
        load(database, files=MemoryFiles(), size=Size.SMALL, now=now)
    with database.reading() as session:
        assert is_empty(session)
