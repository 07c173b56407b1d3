"""The platform's side of the callback: signs and sends pushes to a WSGI application.

Sealing is wechatpy's, so that the product's own envelope is checked against another's.
"""

from __future__ import annotations

import io
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from wechatpy.crypto import WeChatCrypto

from bot.envelope import signature_of

TOKEN, APPID, ACCOUNT = "a-token-of-the-tests", "wx0123456789abcdef", "gh_0123456789ab"
AES_KEY, OLD_AES_KEY = "0123456789" * 4 + "abc", "9876543210" * 4 + "xyz"
NONCE = "415670741"
OPENID = "oTESTabcdefghijklmnopqrstuvw"


@dataclass(frozen=True, slots=True)
class Answered:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()


def call(
    app: Any,
    query: Mapping[str, str] | str,
    body: bytes = b"",
    *,
    method: str = "POST",
    **more: Any,
) -> Answered:
    """Send one request to the callback, as a WSGI server hands it over."""
    found: dict[str, Any] = {}

    def start_response(status: str, headers: list[tuple[str, str]], *_: Any) -> None:
        found.update(status=int(status[:3]), headers=dict(headers))

    environ = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": "/wechat",
        "QUERY_STRING": query if isinstance(query, str) else urlencode(query),
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": io.BytesIO(body),
        **more,
    }
    return Answered(body=b"".join(app(environ, start_response)), **found)


def signed(*, at: float | None = None, token: str = TOKEN, nonce: str = NONCE) -> dict[str, str]:
    """Return the query of a call in plain mode; `at` in seconds since 1970, now by default."""
    timestamp = str(int(time.time() if at is None else at))
    signature = signature_of(token, timestamp, nonce)
    return {"signature": signature, "timestamp": timestamp, "nonce": nonce}


def sealed_query(sealed: str, **options: Any) -> dict[str, str]:
    """Return the query of a call in safe mode, whose signature covers `sealed`."""
    query = signed(**options)
    token = options.get("token", TOKEN)
    parts = (token, query["timestamp"], query["nonce"], sealed)
    return query | {"encrypt_type": "aes", "msg_signature": signature_of(*parts)}


def seal(message: str, *, key: str = AES_KEY, appid: str = APPID) -> str:
    """Return the message as the platform encrypts it."""
    crypto = WeChatCrypto(TOKEN, key, appid)
    envelope: str = crypto.encrypt_message(message, NONCE, "1")
    return envelope.partition("<Encrypt><![CDATA[")[2].partition("]]>")[0]


def unseal(envelope: str, *, key: str = AES_KEY) -> str:
    """Return what a reply in XML or JSON holds; raises unless every part of it is right."""
    crypto = WeChatCrypto(TOKEN, key, APPID)
    if envelope.startswith("{"):
        parts = json.loads(envelope)
        found = crypto.decrypt_message(
            parts, parts["MsgSignature"], str(parts["TimeStamp"]), parts["Nonce"]
        )
    else:
        inside = {
            name: envelope.partition(f"<{name}>")[2].partition(f"</{name}>")[0]
            for name in ("MsgSignature", "TimeStamp", "Nonce")
        }
        plain = {
            name: value.removeprefix("<![CDATA[").removesuffix("]]>")
            for name, value in inside.items()
        }
        found = crypto.decrypt_message(
            envelope, plain["MsgSignature"], plain["TimeStamp"], plain["Nonce"]
        )
    return found.decode() if isinstance(found, bytes) else str(found)


@dataclass(slots=True)
class Push:
    """One message or event, to be written in XML or JSON."""

    fields: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.fields = {
            "ToUserName": ACCOUNT,
            "FromUserName": OPENID,
            "CreateTime": int(time.time()),
            "MsgType": "text",
            **self.fields,
        }

    def xml(self) -> str:
        parts = "".join(_element(name, value) for name, value in self.fields.items())
        return f"<xml>{parts}</xml>"

    def json(self) -> str:
        return json.dumps(self.fields, ensure_ascii=False)


def text_push(content: str, message_id: int | str = "6054768590064713728", **more: Any) -> Push:
    """Return a text message."""
    return Push({"Content": content, "MsgId": message_id, **more})


def _element(name: str, value: Any) -> str:
    if isinstance(value, int):
        return f"<{name}>{value}</{name}>"
    return f"<{name}><![CDATA[{str(value).replace(']]>', ']]]]><![CDATA[>')}]]></{name}>"
