"""Somebody with a phone in front of a page inside WeChat, for tests of pages."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from html import unescape

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from bot.h5 import COOKIE, COOKIE_PATH
from bot.h5_cookies import new_session

WECHAT = (
    "Mozilla/5.0 (Linux; Android 10) AppleWebKit/537.36 Chrome/78.0 Mobile Safari/537.36 "
    "MMWEBID/1 MicroMessenger/7.0.12.1620(0x27000C35) NetType/WIFI"
)
CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/120.0 Safari/537.36"
_CSRF = re.compile(r'name="csrf" value="([0-9a-f]{64})"')


def enter(client: FlaskClient, openid: str, *, now: datetime | None = None) -> FlaskClient:
    """Make a browser the WeChat of somebody who is signed in, and return it.

    Args:
        client: a browser of the application.
        openid: who signs in.
        now: when; the present by default.
    """
    client.environ_base["HTTP_USER_AGENT"] = WECHAT
    session = new_session(openid=openid, now=now or datetime.now(UTC))
    client.set_cookie(COOKIE, session.sealed(), path=COOKIE_PATH)
    return client


def csrf_of(text: str) -> str:
    """Return what the forms of a page carry."""
    found = _CSRF.search(text)
    assert found is not None, "the page has no form"
    return found[1]


def submit(client: FlaskClient, path: str, *, to: str = "", **fields: object) -> TestResponse:
    """Open a page and send its form.

    Args:
        client: a browser.
        path: of the page with the form.
        to: where the form goes; to the page itself if empty.
        **fields: what is filled in; a list is a repeated field, a pair of content and name a file.
    """
    csrf = csrf_of(client.get(path).text)
    return client.post(to or path, data={"csrf": csrf, **fields})


def text_of(response: TestResponse) -> str:
    """Return what a page says, without markup and with single blanks."""
    plain = re.sub(
        r"<[^>]+>", " ", re.sub(r"(?s)<(style|script|svg)\b.*?</\1>", " ", response.text)
    )
    return " ".join(unescape(plain).split())
