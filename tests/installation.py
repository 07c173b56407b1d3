"""A whole installation: web server and worker as processes of their own, and WeChat in a box."""

from __future__ import annotations

import base64
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import requests
from click.testing import Result
from flask import Flask
from sqlalchemy import func, select

from bot.app import create_app
from bot.services import services_of
from bot.settings import Settings
from bot.simulator import pushes
from bot.simulator.envelope import aes_key_of
from bot.simulator.followers import put_follower
from bot.simulator.ledger import Ledger
from bot.simulator.mailbox import Entry, list_delivered
from bot.simulator.phone import ORIGINAL_ID
from bot.simulator.wire import Account, Mode
from bot.simulator.wire import Platform as Wire
from core.db import Database
from core.notices.model import Notice
from core.notices.rules import NoticeState
from tests.conftest import DATA_KEY
from tests.servers import Process, free_port, wait_until

PATIENCE_SECONDS: Final = 40.0


# A worker as in production, but for its nights: a test says when they come.
WORKER: Final = """
from bot.settings import Settings
from bot.worker import open_worker
open_worker(Settings.from_env()).run()
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """A running installation, and the platform around it."""

    app: Flask
    url: str
    database: Database
    ledger: Ledger
    wire: Wire
    folder: Path
    logs: tuple[Path, ...]

    def run(self, *arguments: str, code: int = 0) -> str:
        """Run a command of the operator and return what it printed."""
        result: Result = self.app.test_cli_runner().invoke(args=[*arguments])
        assert result.exit_code == code, f"{result.output}{result.exception!r}"
        return result.output

    def write(self, name: str, text: str) -> str:
        """Write a file of the operator and return its path."""
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        return str(path)

    def follow(self, *openids: str) -> None:
        """Let people follow the account, as the platform tells."""
        with self.ledger.writing() as desk:
            for one in openids:
                put_follower(desk, self.ledger.now(desk), openid=one, is_following=True)
        for one in openids:
            assert "欢迎关注" in self.wire.send(one, pushes.subscribe()).text

    def say(self, openid: str, text: str) -> str:
        """Let somebody write to the account and return what they are answered."""
        exchange = self.wire.send(openid, pushes.text(text))
        assert not exchange.trouble, exchange.trouble
        return exchange.text

    def delivered(self) -> list[Entry]:
        """Return what reached somebody's phone, in order."""
        with self.ledger.reading() as desk:
            return list_delivered(desk)

    def open_count(self) -> int:
        """Return how many notices still wait."""
        done = (NoticeState.SENT, NoticeState.DELIVERED, NoticeState.DEAD)
        with self.database.reading() as session:
            count = session.scalar(
                select(func.count()).select_from(Notice).where(Notice.state.not_in(done))
            )
        return int(count or 0)


@contextmanager
def installed(database: Database, redis_url: str, folder: Path) -> Iterator[Installation]:
    """Start the web server and the worker of an installation, and stop them afterwards."""
    env = _environment(database, redis_url, folder)
    settings = Settings.from_env(**{name.lower(): value for name, value in env.items()})
    app = create_app(settings)
    web = Process(
        [
            *(sys.executable, "-m", "granian", "--interface", "wsgi", "--no-ws"),
            *("--host", "127.0.0.1", "--port", env["PORT"], "--blocking-threads", "8", "wsgi:app"),
        ],
        log=folder / "web.log",
        env=env,
    )
    worker = Process(
        [sys.executable, "-c", WORKER],
        log=folder / "worker.log",
        env=env,
    )
    url = f"http://127.0.0.1:{settings.port}"
    assert wait_until(lambda: _answers(url), process=web, seconds=30), web.output()
    account = Account(
        callback_url=f"{url}/wechat",
        original_id=ORIGINAL_ID,
        appid=settings.wechat_appid,
        token=settings.wechat_token.get_secret_value(),
        aes_key=aes_key_of(settings.wechat_aes_key[0].get_secret_value()),
    )
    yield Installation(
        app=app,
        url=url,
        database=database,
        ledger=Ledger(settings.instance_dir / "simulator.db"),
        wire=Wire(account, mode=Mode.SAFE),
        folder=folder,
        logs=(web.log, worker.log),
    )
    for process in (worker, web):
        process.stop()
    services_of(app).dispatcher.close()
    services_of(app).database.dispose()


def _environment(database: Database, redis_url: str, folder: Path) -> dict[str, str]:
    return {
        "APP_ENV": "development",
        "DATABASE_URL": database.url.render_as_string(hide_password=False),
        "REDIS_URL": redis_url,
        "DATA_KEYS": base64.b64encode(DATA_KEY).decode(),
        "INSTANCE_DIR": str(folder / "instance"),
        "PORT": str(free_port()),
        "LOG_LEVEL": "info",
    }


def _answers(url: str) -> bool:
    with suppress(requests.RequestException):
        return requests.get(f"{url}/readyz", timeout=2).status_code == 200
    return False


def wait_for(is_done: Callable[[], bool], *, seconds: float = PATIENCE_SECONDS) -> None:
    """Wait until something is so; it must be in time."""
    deadline = time.monotonic() + seconds
    while not is_done() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert is_done()
