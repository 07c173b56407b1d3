"""The running console for tests in a browser: who signs in, and a look at a page."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from flask import Flask
from playwright.sync_api import Page

from bot.app import create_app
from bot.console import COOKIE
from bot.services import services_of
from bot.settings import Settings
from core.db import Database
from core.people.staff.rules import Role
from tests.console import District, district_of, token_for

WIDTHS = (320, 1280)


@dataclass(kw_only=True)
class Site:
    """The running product and what is in it."""

    app: Flask
    url: str
    district: District

    def sign_in(self, page: Page, role: Role, **who: str) -> None:
        """Sign somebody new in."""
        self.come_in(page, token_for(self.district.database, role, **who))

    def come_in(self, page: Page, token: str) -> None:
        """Make a browser that of somebody who is signed in."""
        cookie = {"name": COOKIE, "value": token, "url": f"{self.url}/console"}
        page.context.add_cookies([cookie])  # type: ignore[list-item]


@contextmanager
def open_site(database: Database, serve: Callable[[Any], str], folder: Path) -> Iterator[Site]:
    """Serve an application on a database that is filled with a district."""
    settings = Settings.from_env(
        database_url=database.url.render_as_string(hide_password=False),
        instance_dir=folder / "instance",
        log_level="error",
    )
    app = create_app(settings)
    district = district_of(app)
    yield Site(app=app, url=serve(app), district=district)
    services_of(app).dispatcher.close()
    services_of(app).database.dispose()


def look(page: Page) -> None:
    """Look at the page in both widths: nothing that axe finds, nothing that sticks out."""
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= width, page.url
        found = Axe().run(page)
        assert found.violations_count == 0, f"{page.url} {width}\n{found.generate_report()}"
