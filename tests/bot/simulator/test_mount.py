from __future__ import annotations

from datetime import datetime
from pathlib import Path
from types import SimpleNamespace

import pytest
from flask import Flask

from bot.demo.companies import SEED, make_companies
from bot.settings import Settings
from bot.simulator.api import published_menu
from bot.simulator.ledger import Ledger
from bot.simulator.mount import PREFIX, codes_of, mount, owners_of, places_of
from core.codes.service import rotate_code
from core.db import Database
from core.people.documents import DocumentKind, document_of
from core.places.model import Community, Street
from core.places.streets import official_codes
from core.registry.importing import import_companies
from handlers.access import Access, mark_of
from tests.core.registration.conftest import District


@pytest.fixture
def app(sqlite_database: Database) -> Flask:
    app = Flask(__name__)
    app.extensions["huizhili"] = SimpleNamespace(database=sqlite_database)
    return app


def test_every_view_is_for_developers(app: Flask, tmp_path: Path) -> None:
    mount(app, Settings(instance_dir=tmp_path))
    views = {name: view for name, view in app.view_functions.items() if name.startswith(PREFIX)}
    assert len(views) > 30
    assert {mark_of(view) for view in views.values()} == {Access.DEVELOPER}


def test_the_phone_has_the_accounts_menu_and_a_changed_one_stays(
    app: Flask, tmp_path: Path
) -> None:
    ledger = Ledger(tmp_path / "simulator.db")
    mount(app, Settings(instance_dir=tmp_path))
    with ledger.reading() as desk:
        assert published_menu(desk)
    with ledger.writing() as desk:
        desk.execute("""UPDATE menu SET body = '{"button": []}'""")
    again = Flask("again")
    again.extensions["huizhili"] = app.extensions["huizhili"]
    mount(again, Settings(instance_dir=tmp_path))
    with ledger.reading() as desk:
        assert published_menu(desk) == {"button": []}


def test_production_has_no_simulator(app: Flask) -> None:
    settings = SimpleNamespace(is_production=True)
    with pytest.raises(RuntimeError):
        mount(app, settings)  # type: ignore[arg-type]


def test_streets_come_before_communities_with_their_scenes(
    sqlite_database: Database, now: datetime
) -> None:
    with sqlite_database.transaction() as session:
        street = Street(code="s1", name="田林街道")
        session.add(street)
        session.add(
            Community(code="c1", name="田林十二村", street=street, longitude=121.4, changed_at=now)
        )
    places = places_of(sqlite_database)
    assert [(place.kind, place.name, place.street) for place in places] == [
        ("street", "田林街道", ""),
        ("community", "田林十二村", "田林街道"),
    ]
    assert all(place.scene.endswith(code) for place, code in zip(places, ["s1", "c1"], strict=True))


def test_the_codes_of_companies_can_be_scanned_while_they_live(
    sqlite_database: Database, now: datetime
) -> None:
    assert codes_of(sqlite_database, "https://x.example", now=now) == []
    with sqlite_database.transaction() as session:
        session.add(Street(id=1, code="310104011", name="田林街道"))
        session.flush()
        district = District(session=session, now=now)
        district.add_company()
        district.add_company()
        card = rotate_code(session, subject="company:2", actor="person:1", now=now)
    codes = codes_of(sqlite_database, "https://x.example", now=now)
    assert [code.name for code in codes] == ["上海第2有限公司", "上海第1有限公司"]
    assert codes[0].scene == f"https://x.example/h5/c/{card.token}"
    assert codes_of(sqlite_database, "https://x.example", now=card.expires_at) == []


def test_the_owners_of_the_demo_district_can_be_played_where_it_is_loaded(
    sqlite_database: Database, now: datetime
) -> None:
    assert owners_of(sqlite_database) == []
    companies = make_companies(SEED, count=40)
    with sqlite_database.transaction() as session:
        for number, (name, code) in enumerate(official_codes().items(), start=1):
            session.add(Street(id=number, code=code, name=name))
        session.flush()
        import_companies(session, (one.row(line) for line, one in enumerate(companies, 2)), now=now)
    fresh, filed = owners_of(sqlite_database)
    assert (fresh.company, fresh.has_filed) == (companies[0].name, False)
    assert filed.has_filed
    for owner in (fresh, filed):
        assert document_of(owner.number, today=now.date()).kind is DocumentKind.RESIDENT_ID
