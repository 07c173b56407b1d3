"""Callbacks as the platform sends them: signed, encrypted, over HTTP, and again if need be."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import requests

from bot.simulator.envelope import (
    BadEnvelopeError,
    BodyFormat,
    decrypted,
    encrypted,
    read,
    signature_of,
    written,
)

ANSWER_SECONDS: Final = 5.0
RESENDS: Final = 3
TEXT_BYTES: Final = 2048
SILENT: Final = frozenset({"", "success"})


class Mode(StrEnum):
    """How the account's console is set."""

    PLAIN = "plain"
    COMPATIBLE = "compatible"
    SAFE = "safe"


class Trouble(StrEnum):
    """Why the person reads that the account's service is out of order."""

    NONE = ""
    NO_ANSWER = "no_answer"
    BAD_STATUS = "bad_status"
    MALFORMED = "malformed"
    NOT_ENCRYPTED = "not_encrypted"
    BAD_SIGNATURE = "bad_signature"
    WRONG_NAMES = "wrong_names"
    EMPTY_CONTENT = "empty_content"
    TOO_LONG = "too_long"


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """The account as its console has it.

    Attributes:
        callback_url: where the platform posts to.
        original_id: `gh_…`.
        appid: of the account.
        token: signs the callbacks.
        aes_key: 32 bytes.
    """

    callback_url: str
    original_id: str
    appid: str
    token: str
    aes_key: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One message, with all its deliveries, and what came back.

    Attributes:
        push: the message as text before encryption.
        status: HTTP status of the last delivery; 0 without an answer.
        reply: what came back, decrypted; empty for a silent answer.
        fields: the fields of the reply.
        attempts: deliveries, 1-4.
        milliseconds: of the last delivery.
        trouble: why the person saw no answer, if so.
    """

    push: str
    status: int
    reply: str
    fields: Mapping[str, Any]
    attempts: int
    milliseconds: float
    trouble: Trouble

    @property
    def text(self) -> str:
        """The text of the reply; empty if it is not a text."""
        return str(self.fields.get("Content", ""))


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    body: str
    milliseconds: float


class Platform:
    """The platform's sending side for one account.

    Attributes:
        account: whom it sends to.
        mode: plain, compatible or safe.
        body_format: XML or JSON.
    """

    def __init__(
        self,
        account: Account,
        *,
        mode: Mode = Mode.SAFE,
        body_format: BodyFormat = BodyFormat.XML,
        answer_seconds: float = ANSWER_SECONDS,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Set the account's console.

        Args:
            account: whom to send to.
            mode: plain, compatible or safe.
            body_format: XML or JSON.
            answer_seconds: patience before the connection is dropped.
            clock: seconds since the epoch.
        """
        self.account = account
        self.mode = mode
        self.body_format = body_format
        self._answer_seconds = answer_seconds
        self._clock = clock

    def verify(self) -> bool:
        """Do the handshake of the console: True if the callback gives `echostr` back."""
        echo = secrets.token_hex(10)
        answer = requests.get(
            self.account.callback_url,
            params=self._query() | {"echostr": echo},
            timeout=self._answer_seconds,
            allow_redirects=False,
        )
        return answer.status_code == requests.codes.ok and answer.text == echo

    def message(self, openid: str, push: Mapping[str, Any], *, msgid: int = 0) -> dict[str, Any]:
        """Return a push with the common fields.

        Args:
            openid: who sends it.
            push: of `pushes.py`.
            msgid: fixed id; 0 gives a new one. Events have none.
        """
        fields: dict[str, Any] = {
            "ToUserName": self.account.original_id,
            "FromUserName": openid,
            "CreateTime": int(self._clock()),
            **push,
        }
        if push["MsgType"] != "event":
            fields["MsgId"] = msgid or 2**62 + secrets.randbits(61)
        return fields

    def send(self, openid: str, push: Mapping[str, Any]) -> Exchange:
        """Deliver a message as often as the platform would, and read the reply."""
        return self.deliver(self.message(openid, push))

    def deliver(self, message: Mapping[str, Any]) -> Exchange:
        """Deliver a complete message: once, and again up to three times without a good answer."""
        push = written(message, self.body_format)
        attempts, answer = 0, _Answer(0, "", 0.0)
        while attempts <= RESENDS and answer.status != requests.codes.ok:
            attempts += 1
            answer = self.post(*self.sealed(message))
        reply, fields, trouble = self._understood(answer, message)
        return Exchange(
            push=push,
            status=answer.status,
            reply=reply,
            fields=fields,
            attempts=attempts,
            milliseconds=answer.milliseconds,
            trouble=trouble,
        )

    def sealed(self, message: Mapping[str, Any]) -> tuple[dict[str, str], bytes]:
        """Return query and body of one delivery; a re-send has a fresh timestamp and nonce."""
        query = self._query() | {"openid": str(message["FromUserName"])}
        if self.mode is Mode.PLAIN:
            return query, written(message, self.body_format).encode()
        cipher = encrypted(
            written(message, self.body_format).encode(),
            key=self.account.aes_key,
            appid=self.account.appid,
        )
        query["encrypt_type"] = "aes"
        query["msg_signature"] = signature_of(
            self.account.token, query["timestamp"], query["nonce"], cipher
        )
        shown = {"ToUserName": message["ToUserName"]} if self.mode is Mode.SAFE else dict(message)
        return query, written(shown | {"Encrypt": cipher}, self.body_format).encode()

    def post(self, query: Mapping[str, str], body: bytes) -> _Answer:
        """Post one delivery; status 0 if nothing came in time."""
        started = time.perf_counter()
        try:
            response = requests.post(
                self.account.callback_url,
                params=query,
                data=body,
                headers={"Content-Type": _CONTENT_TYPES[self.body_format]},
                timeout=self._answer_seconds,
                allow_redirects=False,
            )
        except requests.RequestException:
            return _Answer(0, "", (time.perf_counter() - started) * 1000)
        elapsed = (time.perf_counter() - started) * 1000
        return _Answer(response.status_code, response.content.decode("utf-8", "replace"), elapsed)

    def _query(self) -> dict[str, str]:
        timestamp, nonce = str(int(self._clock())), str(secrets.randbelow(10**9) + 10**9)
        return {
            "signature": signature_of(self.account.token, timestamp, nonce),
            "timestamp": timestamp,
            "nonce": nonce,
        }

    def _understood(
        self, answer: _Answer, message: Mapping[str, Any]
    ) -> tuple[str, dict[str, Any], Trouble]:
        """Return the plain reply, its fields, and what is wrong with it."""
        if answer.status == 0:
            return "", {}, Trouble.NO_ANSWER
        if answer.status != requests.codes.ok:
            return answer.body, {}, Trouble.BAD_STATUS
        if answer.body in SILENT:
            return "", {}, Trouble.NONE
        try:
            reply, trouble = self._opened(answer.body)
            fields = read(reply)
        except BadEnvelopeError:
            return answer.body, {}, Trouble.MALFORMED
        return reply, fields, trouble or _trouble_of(fields, message)

    def _opened(self, body: str) -> tuple[str, Trouble]:
        """Return the plain reply; in safe mode one in clear is an error."""
        outer = read(body)
        if "Encrypt" not in outer:
            is_error = self.mode is Mode.SAFE
            return body, Trouble.NOT_ENCRYPTED if is_error else Trouble.NONE
        signed = signature_of(
            self.account.token,
            str(outer.get("TimeStamp")),
            str(outer.get("Nonce")),
            str(outer["Encrypt"]),
        )
        plain = decrypted(str(outer["Encrypt"]), key=self.account.aes_key, appid=self.account.appid)
        is_signed = signed == outer.get("MsgSignature")
        return plain.decode(), Trouble.NONE if is_signed else Trouble.BAD_SIGNATURE


_CONTENT_TYPES: Final = {BodyFormat.XML: "text/xml", BodyFormat.JSON: "application/json"}


def _trouble_of(fields: Mapping[str, Any], message: Mapping[str, Any]) -> Trouble:
    names = (fields.get("ToUserName"), fields.get("FromUserName"))
    if names != (message["FromUserName"], message["ToUserName"]):
        return Trouble.WRONG_NAMES
    if fields.get("MsgType") != "text":
        return Trouble.NONE
    content = str(fields.get("Content", ""))
    if not content.strip():
        return Trouble.EMPTY_CONTENT
    return Trouble.TOO_LONG if len(content.encode()) > TEXT_BYTES else Trouble.NONE
