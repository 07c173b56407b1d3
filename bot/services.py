"""What the commands and pages of one application reach."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Flask

from bot.dispatch import Dispatcher
from bot.settings import Settings
from bot.store import Store
from bot.texts import Texts
from core.db import Database
from core.files.store import FileStore


@dataclass(frozen=True, slots=True)
class Services:
    """What the commands, pages and tests reach through `app.extensions["huizhili"]`."""

    settings: Settings
    database: Database
    store: Store
    texts: Texts
    dispatcher: Dispatcher
    files: FileStore


def services_of(app: Flask) -> Services:
    """Return the services of an application."""
    found: Services = app.extensions["huizhili"]
    return found
