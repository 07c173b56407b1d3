"""The pages inside WeChat on a real application, with a register of three owners' companies."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from bot.app import create_app
from bot.services import services_of
from bot.settings import Settings
from core.db import Database
from tests.core.mandates.conftest import LI, NUMBERS, OWNERS, WANG, District
from tests.h5 import enter, submit

PUBLIC_URL = "https://hzl.example.gov.cn"


@pytest.fixture
def api_url() -> str:
    """Where WeChat's API is; nobody answers there unless a module says otherwise."""
    return "http://127.0.0.1:9"


@pytest.fixture
def app(database: Database, tmp_path: Path, api_url: str) -> Iterator[Flask]:
    """The application on this test's database."""
    app = create_app(
        Settings.from_env(
            database_url=database.url.render_as_string(hide_password=False),
            instance_dir=tmp_path / "instance",
            public_url=PUBLIC_URL,
            wechat_api_url=api_url,
            log_level="error",
        )
    )
    yield app
    services_of(app).dispatcher.close()
    services_of(app).database.dispose()


@dataclass(kw_only=True)
class Site:
    """An application whose register has two companies of 王伟 and one of 李芳."""

    app: Flask
    database: Database
    ids: list[int] = field(default_factory=list)

    def register(self, *owners: int, **cells: str) -> None:
        """Import a file in which company n has the n-th of these owners."""
        with self.database.transaction() as session:
            district = District(session=session, now=datetime.now(UTC))
            district.register(*owners, **cells)
            self.ids = district.ids

    def client(self, openid: str) -> FlaskClient:
        """Return the browser of somebody who is signed in."""
        return enter(self.app.test_client(), openid)

    def owner(self, openid: str = "o-wang", owner: int = WANG) -> FlaskClient:
        """Return the browser of somebody who has proved to be an owner."""
        client = self.client(openid)
        sent = submit(client, "/h5/owner", name=OWNERS[owner], document=NUMBERS[owner])
        assert sent.status_code == 200
        return client

    def path(self, below: str = "", place: int = 0) -> str:
        """Return the address of a company's page, or of one below it."""
        return f"/h5/company/{self.ids[place]}{below}"


@pytest.fixture
def site(app: Flask, database: Database) -> Site:
    """An application with a register."""
    site = Site(app=app, database=database)
    site.register(WANG, WANG, LI)
    return site
