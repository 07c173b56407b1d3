"""The whole application on a district with return to work in full swing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from bot.app import create_app
from bot.services import services_of
from bot.settings import Settings
from core.db import Database
from core.people.staff.rules import Role
from tests.console import District, district_of, enter

Enter = Callable[..., FlaskClient]


@pytest.fixture
def app(sqlite_database: Database, tmp_path: Path) -> Iterator[Flask]:
    """An application on an empty database."""
    app = create_app(
        Settings.from_env(
            database_url=sqlite_database.url.render_as_string(hide_password=False),
            instance_dir=tmp_path / "instance",
            log_level="error",
        )
    )
    yield app
    services_of(app).dispatcher.close()
    services_of(app).database.dispose()


@pytest.fixture
def district(app: Flask) -> District:
    """Two streets with a company, a filing, a claim and people each."""
    return district_of(app)


@pytest.fixture
def come_in(app: Flask, district: District) -> Enter:
    """A function that returns a browser in which somebody with a role is signed in."""

    def come_in(role: Role, **who: str) -> FlaskClient:
        return enter(app, role, **who)

    return come_in
