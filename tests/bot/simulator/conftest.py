"""The stand-in over real HTTP, and a small client for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from bot.simulator.standin import create_standin, serving

APPID = "wxtest0000000000"
SECRET = "a-secret"
NOON = 1_585_368_000.0  # 28 March 2020, 12:00 in Asia/Shanghai
OPENID = "oSIM0000000000000000000000aa"


class Caller:
    """Calls the API with a token, and turns the handle."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.session = requests.Session()
        self.token = ""

    def control(self, path: str, /, **order: Any) -> Any:
        return self.session.post(f"{self.url}/_control/{path}", json=order).json()

    def look(self, path: str, **query: Any) -> Any:
        return self.session.get(f"{self.url}/_control/{path}", params=query).json()

    def advance(self, seconds: float) -> None:
        """Let time pass; whoever calls next has seen to a fresh token."""
        self.control("clock", seconds=seconds)
        self.token = ""

    def raw(self, method: str, path: str, **options: Any) -> requests.Response:
        if not self.token:
            self.token = self.stable()["access_token"]
        options.setdefault("params", {}).setdefault("access_token", self.token)
        return self.session.request(method, self.url + path, timeout=5, **options)

    def get(self, path: str, **query: Any) -> Any:
        return self.raw("GET", path, params=query).json()

    def post(self, path: str, body: Any) -> Any:
        return self.raw("POST", path, json=body).json()

    def plain(self, **changes: str) -> Any:
        query = {"grant_type": "client_credential", "appid": APPID, "secret": SECRET} | changes
        return self.session.get(f"{self.url}/cgi-bin/token", params=query).json()

    def stable(self, **changes: Any) -> Any:
        body = {"grant_type": "client_credential", "appid": APPID, "secret": SECRET} | changes
        return self.session.post(f"{self.url}/cgi-bin/stable_token", json=body).json()

    def code(self, path: str, body: Any) -> int:
        return int(self.post(path, body)["errcode"])


@pytest.fixture
def make_caller(tmp_path: Path) -> Iterator[Callable[[], Caller]]:
    """A function that serves the same ledger once more, as another process would."""
    servers: list[Any] = []

    def make() -> Caller:
        app = create_standin(
            tmp_path / "standin.db", appid=APPID, secret=SECRET, clock=lambda: NOON
        )
        server = serving(app)
        servers.append(server)
        return Caller(server.__enter__())

    yield make
    for server in servers:
        server.__exit__(None, None, None)


@pytest.fixture
def caller(make_caller: Callable[[], Caller]) -> Caller:
    """The stand-in with one follower and one template."""
    caller = make_caller()
    caller.control("followers", openid=OPENID, name="A")
    caller.control("templates", template_id="T", title="t", fields={"thing1": "a", "time2": "b"})
    return caller
