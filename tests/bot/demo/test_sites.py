"""Sites of the demo district: the same every time, with weeks of reports and a known case."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from shutil import copyfile

import pytest
from sqlalchemy import func, select

from bot.demo.key_areas import make_key_areas
from bot.demo.sites import load_sites, make_sites
from core.cases.model import Case
from core.clock import SHANGHAI, day_of
from core.db import Database, Keyring, install_keyring
from core.keyareas.importing import import_key_areas
from core.people.staff.rules import Area
from core.registration.model import Registration
from core.sites.model import SiteReport
from core.sites.overview import SiteBoard, SiteQuery, find_board
from core.sites.service import list_memberships
from tests.conftest import DATA_KEY

NOW = datetime(2020, 3, 28, 11, 0, tzinfo=SHANGHAI)
COUNT, DAYS = 8, 9


@pytest.fixture(scope="module")
def loaded(_sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    path = tmp_path_factory.mktemp("sites") / "sites.db"
    copyfile(_sqlite_template, path)
    install_keyring(Keyring([DATA_KEY]))
    database = Database(f"sqlite:///{path}")
    with database.transaction() as session:
        import_key_areas(session, make_key_areas(today=day_of(NOW)), now=NOW)
        load_sites(session, count=COUNT, days=DAYS, now=NOW)
    yield database
    database.dispose()


def board_of(database: Database) -> SiteBoard:
    with database.reading() as session:
        return find_board(session, query=SiteQuery(area=Area()), now=NOW)


def test_fewer_sites_are_the_first_of_more() -> None:
    assert make_sites(count=3) == make_sites(count=30)[:3]


def test_sites_have_weeks_of_reports_and_some_have_not_reported_today(loaded: Database) -> None:
    board = board_of(loaded)
    with loaded.reading() as session:
        reports = session.scalar(select(func.count(SiteReport.id)))
    missing = {one.number for one in board.total.missing}
    assert (board.total.site_count, missing) == (COUNT, {"XHGD0001", "XHGD0005"})
    assert reports == COUNT * DAYS + COUNT - len(missing)


def test_people_are_registered_and_the_two_from_a_key_area_have_open_cases(
    loaded: Database,
) -> None:
    board = board_of(loaded)
    with loaded.reading() as session:
        people = session.scalar(select(func.count(Registration.id)))
        cases = session.scalars(select(Case.state)).all()
    assert board.total.registered_count == people
    assert list(cases) == ["open", "open"]
    assert board.lines[0].card.supervisor


def test_another_run_adds_only_what_is_lacking(loaded: Database) -> None:
    with loaded.transaction() as session:
        again = load_sites(session, count=COUNT, days=DAYS, now=NOW)
        more = load_sites(session, count=COUNT + 1, days=DAYS, now=NOW)
        own = list_memberships(session, openid="demo-site-1")
        session.rollback()
    assert (again.sites, more.sites) == (0, 1)
    assert [one.site.number for one in own] == ["XHGD0002"]
