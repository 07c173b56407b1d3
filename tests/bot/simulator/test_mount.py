from __future__ import annotations

from datetime import datetime
from pathlib import Path
from types import SimpleNamespace

import pytest
from flask import Flask

from bot.settings import Settings
from bot.simulator.api import published_menu
from bot.simulator.ledger import Ledger
from bot.simulator.mount import PREFIX, mount, places_of
from core.db import Database
from core.places.model import Community, Street
from handlers.access import Access, mark_of


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
