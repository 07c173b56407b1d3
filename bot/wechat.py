"""GET and POST /wechat: limits, signature, decryption, parsing; the answer, rendered and sealed.

It stands before Flask as a WSGI layer: the platform's calls need no session, no routing and no
template context, and are the one path that must stay quick on a Monday morning. No input makes it
raise: a bad signature is 403, a bad body 400, each with one log line that holds no body.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final, Protocol
from urllib.parse import unquote_plus

import orjson
import structlog

from bot import telemetry
from bot.dispatch import Answer, AnswerKind
from bot.envelope import EnvelopeError, ForeignAppError, Sealer, is_signed, signature_of
from bot.pushes import (
    PushError,
    cdata,
    clean,
    fields_of,
    is_json,
    json_reply,
    turn_of,
    xml_reply,
)
from handlers.turn import Turn

log = structlog.get_logger()

PATH = "/wechat"
MAX_BODY_BYTES = 64 * 1024
MAX_QUERY_CHARACTERS = 2048
MAX_CANDIDATES = 256  # more than fit into one message of a person
# Possessive, so that no body, however made, is looked at more than once.
_ENCRYPT: Final = re.compile(
    rb"<Encrypt>\s*+(?:<!\[CDATA\[)?+([A-Za-z0-9+/=]++)(?:\]\]>)?+\s*+</Encrypt>"
)
_STATUS: Final = {
    200: "200 OK",
    400: "400 Bad Request",
    403: "403 Forbidden",
    405: "405 Method Not Allowed",
}
_PLAIN: Final = ("Content-Type", "text/plain; charset=utf-8")
_XML: Final = ("Content-Type", "application/xml; charset=utf-8")
_JSON: Final = ("Content-Type", "application/json; charset=utf-8")

StartResponse = Callable[[str, list[tuple[str, str]]], Any]
WsgiApp = Callable[[dict[str, Any], Any], Iterable[bytes]]


class Responder(Protocol):
    """Whatever answers turns: the dispatcher, or an echo in a benchmark."""

    def answer(self, turn: Turn) -> Answer:
        """Return what the platform is told, within its five seconds."""


class _RefusedError(Exception):
    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


class Callback:
    """The callback of one account."""

    def __init__(
        self,
        *,
        token: str,
        sealer: Sealer | None,
        account: str,
        max_age_seconds: int,
        needs_encryption: bool,
        responder: Responder,
    ) -> None:
        """Describe the account.

        Args:
            token: the secret that both sides sign with.
            sealer: opens and seals; None where no AES key is configured.
            account: `gh_…`, empty: any.
            max_age_seconds: how far the signed time may be from now; 0: any.
            needs_encryption: refuse plain bodies, whose signature does not cover them.
            responder: answers the turns.
        """
        self._token = token
        self._sealer = sealer
        self._account = account
        self._max_age_seconds = max_age_seconds
        self._needs_encryption = needs_encryption
        self._responder = responder

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> list[bytes]:
        """Answer one request."""
        try:
            kind, body = self._respond(environ)
            status = 200
        except _RefusedError as refused:
            log.warning("callback refused", reason=refused.reason, status=refused.status)
            telemetry.callback_refused(refused.reason)
            kind, body, status = _PLAIN, b"", refused.status
        except Exception:
            # The last net: a fault of ours must not show the person a broken account.
            log.exception("callback failed")
            kind, body, status = _PLAIN, b"success", 200
        start_response(_STATUS[status], [kind, ("Content-Length", str(len(body)))])
        return [body]

    def _respond(self, environ: dict[str, Any]) -> tuple[tuple[str, str], bytes]:
        query = _query_of(environ.get("QUERY_STRING", ""))
        method = environ.get("REQUEST_METHOD", "")
        if method == "POST":
            return self._receive(query, _body_of(environ))
        if method != "GET":
            raise _RefusedError(405, "method")
        self._check_fresh(query)
        self._check_plain_signature(query)
        return _PLAIN, query.get("echostr", "").encode()

    def _receive(self, query: Mapping[str, str], body: bytes) -> tuple[tuple[str, str], bytes]:
        now = datetime.now(UTC)
        self._check_fresh(query)
        is_sealed = query.get("encrypt_type", "raw") == "aes"
        position = 0
        if is_sealed:
            message, position = self._open(query, body)
        else:
            if self._needs_encryption:
                raise _RefusedError(403, "not encrypted")
            self._check_plain_signature(query)
            message = body
        try:
            fields = fields_of(message)
            turn = turn_of(fields, now=now)
        except PushError as error:
            raise _RefusedError(400, error.reason) from None
        if self._account and turn.account != self._account:
            raise _RefusedError(403, "another account")
        answer = self._responder.answer(turn)
        # The platform takes an empty text for a fault of the account; None hands the person over.
        text = None if answer.kind is AnswerKind.HANDOVER else clean(answer.text)
        if answer.kind is AnswerKind.SILENCE or text == "":
            return _PLAIN, b"success"
        speaks_json = is_json(message)
        created = int(now.timestamp())
        plain = (json_reply if speaks_json else xml_reply)(turn, text=text, created=created)
        if not is_sealed:
            return (_JSON if speaks_json else _XML), plain.encode()
        return self._seal(plain, query.get("nonce", ""), position, in_json=is_json(body))

    def _open(self, query: Mapping[str, str], body: bytes) -> tuple[bytes, int]:
        if self._sealer is None:
            raise _RefusedError(403, "no aes key")
        signature = query.get("msg_signature", "")
        timestamp, nonce = query.get("timestamp", ""), query.get("nonce", "")
        if not (nonce.isascii() and nonce.isprintable()):
            raise _RefusedError(403, "nonce")  # the reply must carry it
        for sealed in _sealed_of(body):
            if is_signed(signature, self._token, timestamp, nonce, sealed.decode()):
                try:
                    return self._sealer.open(sealed)
                except ForeignAppError as error:
                    raise _RefusedError(403, error.reason) from None
                except EnvelopeError as error:
                    raise _RefusedError(400, error.reason) from None
        raise _RefusedError(403, "signature")

    def _seal(
        self, plain: str, nonce: str, position: int, *, in_json: bool
    ) -> tuple[tuple[str, str], bytes]:
        if self._sealer is None:
            raise RuntimeError("an encrypted message was opened without a key")
        sealed = self._sealer.seal(plain.encode(), position=position)
        timestamp = str(int(time.time()))
        signature = signature_of(self._token, timestamp, nonce, sealed)
        if in_json:
            envelope = {
                "Encrypt": sealed,
                "MsgSignature": signature,
                "TimeStamp": int(timestamp),
                "Nonce": nonce,
            }
            return _JSON, orjson.dumps(envelope)
        return _XML, (
            f"<xml><Encrypt><![CDATA[{sealed}]]></Encrypt>"
            f"<MsgSignature><![CDATA[{signature}]]></MsgSignature>"
            f"<TimeStamp>{timestamp}</TimeStamp><Nonce>{cdata(nonce)}</Nonce></xml>"
        ).encode()

    def _check_plain_signature(self, query: Mapping[str, str]) -> None:
        timestamp, nonce = query.get("timestamp", ""), query.get("nonce", "")
        if not is_signed(query.get("signature", ""), self._token, timestamp, nonce):
            raise _RefusedError(403, "signature")

    def _check_fresh(self, query: Mapping[str, str]) -> None:
        timestamp = query.get("timestamp", "")
        if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12):  # noqa: PLR2004
            raise _RefusedError(403, "timestamp")
        if self._max_age_seconds and abs(time.time() - int(timestamp)) > self._max_age_seconds:
            raise _RefusedError(403, "stale")


def _query_of(text: str) -> dict[str, str]:
    if len(text) > MAX_QUERY_CHARACTERS or not text.isascii():
        raise _RefusedError(400, "query")
    query: dict[str, str] = {}
    for pair in text.split("&"):
        name, _, value = pair.partition("=")
        query[name] = unquote_plus(value) if "%" in value or "+" in value else value
    return query


def _body_of(environ: dict[str, Any]) -> bytes:
    try:
        length = int(environ.get("CONTENT_LENGTH") or 0)
    except ValueError:
        raise _RefusedError(400, "length") from None
    if not 0 < length <= MAX_BODY_BYTES:
        raise _RefusedError(400, "length")
    body: bytes = environ["wsgi.input"].read(length)
    return body


def _sealed_of(body: bytes) -> list[bytes]:
    """Return what may be the `Encrypt` field; nothing is parsed before its signature is checked.

    In compatible mode a person's own words stand in the clear beside it and may imitate it, so
    every candidate is tried.
    """
    start = body.lstrip(b"\xef\xbb\xbf \t\r\n")
    if start[:1] == b"{":
        try:
            sealed = orjson.loads(start).get("Encrypt")
        except orjson.JSONDecodeError:
            raise _RefusedError(400, "bad json") from None
        if not isinstance(sealed, str) or not sealed.isascii():
            raise _RefusedError(400, "no encrypted field")
        return [sealed.encode()]
    if b"<!" in start[: max(start.find(b"<xml"), 0)]:
        raise _RefusedError(400, "document type")
    found = _ENCRYPT.findall(body)[:MAX_CANDIDATES]
    if not found:
        raise _RefusedError(400, "no encrypted field")
    return found


class WechatFront:
    """WSGI layer that takes the callback's path and passes everything else on."""

    def __init__(self, app: WsgiApp, callback: Callback) -> None:
        """Stand before `app`."""
        self._app = app
        self._callback = callback

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Route one request."""
        if environ["PATH_INFO"] == PATH:
            return self._callback(environ, start_response)
        return self._app(environ, start_response)
