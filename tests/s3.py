"""A small S3-compatible store over real HTTP, that can be down, slow or closed to us."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import format_datetime
from hashlib import md5
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

KEY_ID, SECRET = "test-key", "test-secret"
BUCKET = "plans"
PAGE = 2  # keys of a listing's page: few, so that there are several


class S3Server:
    """One bucket. `status` answers everything with an error, `delay` waits before each answer."""

    def __init__(self) -> None:
        self.objects: dict[str, tuple[bytes, datetime]] = {}
        self.asked: list[str] = []
        self.status = 0
        self.failures = -1  # how many answers are errors; -1: all, as long as there is a status
        self.delay = 0.0
        self._server = ThreadingHTTPServer(
            ("127.0.0.1", 0), type("Handler", (_Handler,), {"store": self})
        )
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def environment(self) -> dict[str, str]:
        """What an operator sets to use this store."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": KEY_ID,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_REGION": "cn-east-1",
        }

    def age(self, key: str, *, at: datetime) -> None:
        """Let an object have been written at another time."""
        self.objects[key] = (self.objects[key][0], at)

    def is_failing(self) -> bool:
        """Return whether the next answer is an error."""
        if not self.status or self.failures == 0:
            return False
        self.failures -= self.failures > 0
        return True

    def stop(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    store: ClassVar[S3Server]
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        return

    def _begin(self) -> tuple[str, bytes] | None:
        """Return the key and the body of a request that may go on."""
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = unquote(urlsplit(self.path).path).removeprefix("/")
        self.store.asked.append(f"{self.command} {path}")
        time.sleep(self.store.delay)
        signed = f"AWS4-HMAC-SHA256 Credential={KEY_ID}/"
        if self.store.is_failing():
            self._answer(self.store.status)
        elif not self.headers.get("Authorization", "").startswith(signed):
            self._answer(403)
        else:
            bucket, _, key = path.partition("/")
            if bucket == BUCKET:
                return key, body
            self._answer(404)
        return None

    def _answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        with suppress(ConnectionError):  # whoever asked may have given up
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name.replace("_", "-"), value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

    def do_PUT(self) -> None:
        if begun := self._begin():
            key, body = begun
            self.store.objects[key] = (body, datetime.now(UTC))
            self._answer(200, ETag=_etag(body))

    def do_GET(self) -> None:
        if begun := self._begin():
            key = begun[0]
            if not key:
                self._answer(200, _listing(self.store, urlsplit(self.path).query))
            elif key in self.store.objects:
                body, at = self.store.objects[key]
                when = format_datetime(at.astimezone(UTC), usegmt=True)
                self._answer(200, body, ETag=_etag(body), Last_Modified=when)
            else:
                self._answer(404, b"<Error><Code>NoSuchKey</Code></Error>")

    do_HEAD = do_GET  # noqa: N815  as the server calls it

    def do_DELETE(self) -> None:
        if begun := self._begin():
            self.store.objects.pop(begun[0], None)
            self._answer(204)


def _etag(body: bytes) -> str:
    return f'"{md5(body).hexdigest()}"'


def _listing(store: S3Server, query: str) -> bytes:
    asked = {name: values[0] for name, values in parse_qs(query).items()}
    prefix, after = asked.get("prefix", ""), asked.get("continuation-token", "")
    keys = sorted(key for key in store.objects if key.startswith(prefix) and key > after)
    shown, has_more = keys[:PAGE], len(keys) > PAGE
    contents = "".join(
        f"<Contents><Key>{escape(key)}</Key>"
        f"<LastModified>{store.objects[key][1].astimezone(UTC):%Y-%m-%dT%H:%M:%S.000Z}"
        f"</LastModified><ETag>{_etag(store.objects[key][0])}</ETag>"
        f"<Size>{len(store.objects[key][0])}</Size></Contents>"
        for key in shown
    )
    following = f"<NextContinuationToken>{shown[-1]}</NextContinuationToken>" if has_more else ""
    return (
        f"<ListBucketResult><Name>{BUCKET}</Name><KeyCount>{len(shown)}</KeyCount>"
        f"<IsTruncated>{str(has_more).lower()}</IsTruncated>{following}{contents}"
        "</ListBucketResult>"
    ).encode()
