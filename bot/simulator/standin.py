"""A stand-in for api.weixin.qq.com and open.weixin.qq.com: the platform's rules over real HTTP."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from flask import Flask
from werkzeug.serving import WSGIRequestHandler, make_server

from bot.simulator.api import Credentials, create_api
from bot.simulator.control import create_control
from bot.simulator.ledger import Ledger
from bot.simulator.pages import TEMPLATES, create_pages

LEDGER: Final = "wechat_ledger"
"""Where the ledger is found: `app.extensions[LEDGER]`."""


def create_standin(
    database_path: Path,
    *,
    appid: str,
    secret: str,
    mini_appid: str = "",
    mini_secret: str = "",
    clock: Callable[[], float] = time.time,
) -> Flask:
    """Return the stand-in as an application of its own.

    Args:
        database_path: its SQLite file; several processes may serve the same one.
        appid: of the official account.
        secret: of the official account.
        mini_appid: of the mini program; empty: the account's.
        mini_secret: of the mini program.
        clock: seconds since the epoch.
    """
    app = Flask(__name__, static_folder=str(TEMPLATES / "static"))
    ledger = Ledger(database_path, clock=clock)
    app.extensions[LEDGER] = ledger
    credentials = Credentials(
        appid=appid, secret=secret, mini_appid=mini_appid, mini_secret=mini_secret
    )
    app.register_blueprint(create_api(ledger, credentials))
    app.register_blueprint(create_control(ledger))
    app.register_blueprint(create_pages(ledger, appid=appid))
    return app


class _QuietHandler(WSGIRequestHandler):
    """Says nothing: tests look at call counts instead."""

    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002 - its name there
        """Write nothing."""


@contextmanager
def serving(app: Flask, *, port: int = 0) -> Iterator[str]:
    """Serve an application on loopback in threads of this process, and give its URL.

    Args:
        app: any WSGI application of Flask's.
        port: 0 takes a free one.
    """
    server = make_server("127.0.0.1", port, app, threaded=True, request_handler=_QuietHandler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
