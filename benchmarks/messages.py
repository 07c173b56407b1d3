"""Encrypted messages, made before the clock starts, and what their replies must say."""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import Final

from benchmarks.account import ACCOUNT, AES_KEY, APPID, PATH, TOKEN
from bot.envelope import Sealer, signature_of
from bot.pushes import fields_of
from bot.settings import aes_key_of

_NONCES: Final = count(100_000_000)
_MESSAGES: Final = count(23_000_000_000_000_000)
_SEALER: Final = Sealer(keys=[aes_key_of(AES_KEY)], appid=APPID)
_OK: Final = b"HTTP/1.1 200"
_AGES: Final = 60  # seconds; signed times differ, and none is too old

MASK_QUESTIONS: Final = (
    "坐地铁要戴口罩吗",
    "去超市需要戴口罩吗？",
    "去医院看病要不要戴口罩",
    "坐电梯用戴口罩吗",
    "挤公交车要戴口罩吗",
    "去菜场买菜要戴口罩伐",
    "我咳嗽要戴口罩吗",
    "坐飞机要戴口罩吗",
)
MASK_ANSWER: Final = "建议佩戴口罩。"


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request as it goes over the wire, and the first line that must come back.

    Attributes:
        request: head and body.
        openid: who writes; the reply must be addressed to them.
        first_line: of the reply's text; empty where the reply is not encrypted.
    """

    request: bytes
    openid: str
    first_line: str


Question = Callable[[int], tuple[str, str]]
"""Number of the message → its text and the first line of the reply."""


def hello(number: int) -> Exchange:  # noqa: ARG001
    """Return a plain request for the front page."""
    return Exchange(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", "", "")


def sealed(number: int, question: Question) -> Exchange:
    """Return a message as the platform pushes it in safe mode; no two are alike.

    Args:
        number: position in the round.
        question: what is asked, and what is answered.
    """
    text, first_line = question(number)
    openid = f"o{secrets.token_hex(14)[:27]}"
    timestamp, nonce = str(int(time.time()) - number % _AGES), str(next(_NONCES))
    plain = (
        f"<xml><ToUserName><![CDATA[{ACCOUNT}]]></ToUserName>"
        f"<FromUserName><![CDATA[{openid}]]></FromUserName>"
        f"<CreateTime>{timestamp}</CreateTime><MsgType><![CDATA[text]]></MsgType>"
        f"<Content><![CDATA[{text}]]></Content><MsgId>{next(_MESSAGES)}</MsgId></xml>"
    )
    inner = _SEALER.seal(plain.encode())
    body = (
        f"<xml><ToUserName><![CDATA[{ACCOUNT}]]></ToUserName>"
        f"<Encrypt><![CDATA[{inner}]]></Encrypt></xml>"
    ).encode()
    head = (
        f"POST {PATH}?signature={signature_of(TOKEN, timestamp, nonce)}&timestamp={timestamp}"
        f"&nonce={nonce}&openid={openid}&encrypt_type=aes"
        f"&msg_signature={signature_of(TOKEN, timestamp, nonce, inner)} HTTP/1.1\r\n"
        "Host: 127.0.0.1\r\nUser-Agent: Mozilla/4.0\r\nAccept: */*\r\nContent-Type: text/xml\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    ).encode()
    return Exchange(head + body, openid, first_line)


def is_ok(response: bytes) -> bool:
    """Return whether the status is 200 and the body is neither empty nor a bare `success`."""
    head, _, body = response.partition(b"\r\n\r\n")
    return head.startswith(_OK) and body not in {b"", b"success"}


def check(exchange: Exchange, response: bytes) -> None:
    """Open a reply and compare it with what was expected.

    Raises:
        RuntimeError: it says something else, or says it to somebody else.
    """
    body = response.partition(b"\r\n\r\n")[2]
    if not exchange.openid:
        if body != b"hello":
            raise RuntimeError(f"expected a hello, got {body[:80]!r}")
        return
    found = re.search(rb"<Encrypt>(?:<!\[CDATA\[)?([A-Za-z0-9+/=]+)", body)
    if found is None:
        raise RuntimeError(f"not an encrypted reply: {body[:80]!r}")
    fields = fields_of(_SEALER.open(found[1])[0])
    first_line = fields.get("Content", "").partition("\n")[0]
    if fields.get("ToUserName") != exchange.openid or first_line != exchange.first_line:
        raise RuntimeError(f"expected {exchange.first_line!r}, got {first_line!r}")
