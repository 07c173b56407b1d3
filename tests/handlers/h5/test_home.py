from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from bot.app import create_app
from bot.services import services_of
from bot.settings import Settings
from core.db import Database
from handlers.h5.home import CARDS
from handlers.h5.routes import ROUTES
from tests.h5 import enter, submit, text_of


@pytest.fixture
def app(sqlite_database: Database, tmp_path: Path) -> Iterator[Flask]:
    address = sqlite_database.url.render_as_string(hide_password=False)
    settings = Settings.from_env(database_url=address, instance_dir=tmp_path, log_level="error")
    app = create_app(settings)
    yield app
    services_of(app).dispatcher.close()
    services_of(app).database.dispose()


def test_every_card_leads_to_a_page() -> None:
    assert {card.path for card in CARDS} <= {route.path for route in ROUTES}
    assert len({card.name for card in CARDS}) == len(CARDS)


def test_home_has_words_for_every_card_and_says_what_the_chat_knows(app: Flask) -> None:
    home = enter(app.test_client(), "oTESTabcdefghijklmnopqrstuvw").get("/h5/")
    assert home.status_code == 200
    assert all(f'class="cell" href="{card.path}"' in home.text for card in CARDS)
    assert "小区风险等级" in text_of(home)
    assert "oTEST" not in home.text


def test_somebody_who_signed_out_sees_it_and_somebody_who_is_in_goes_home(app: Flask) -> None:
    client = enter(app.test_client(), "oTESTabcdefghijklmnopqrstuvw")
    assert client.get("/h5/signed-out").location == "/h5/"
    out = submit(client, "/h5/", to="/h5/sign-out")
    assert "您已退出登录" in text_of(client.get(out.location))
