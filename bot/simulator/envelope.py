"""The platform's side of the envelope: signatures, AES, XML and JSON.

Written from the platform's documentation and sharing nothing with `bot/wechat.py`, so that an
error there cannot hide behind the same error here.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import secrets
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from lxml import etree

BLOCK: Final = 32
"""The platform pads to 32 bytes, twice the block of the cipher."""
RANDOM_BYTES: Final = 16
LENGTH_BYTES: Final = 4

NUMBERS: Final = frozenset(
    {"CreateTime", "MsgId", "MsgID", "Location_X", "Location_Y", "Scale", "TimeStamp", "MenuId"}
)
"""Fields that the platform writes without CDATA, or as numbers in JSON."""


class BodyFormat(StrEnum):
    """How the account's console is set."""

    XML = "xml"
    JSON = "json"


class BadEnvelopeError(Exception):
    """A reply that the platform cannot read."""


def aes_key_of(encoded: str) -> bytes:
    """Return the 32 bytes of an EncodingAESKey of 43 characters."""
    return base64.b64decode(encoded + "=")


def signature_of(*parts: str) -> str:
    """Return the hexadecimal SHA-1 of the parts, sorted and joined."""
    return hashlib.sha1("".join(sorted(parts)).encode()).hexdigest()  # noqa: S324 - the platform's


def encrypted(plain: bytes, *, key: bytes, appid: str, salt: bytes | None = None) -> str:
    """Return the base64 `Encrypt` of a message.

    Args:
        plain: the message.
        key: 32 bytes.
        appid: what the message ends with.
        salt: the 16 leading bytes; random if not given.
    """
    salt = secrets.token_bytes(RANDOM_BYTES) if salt is None else salt
    packed = salt + len(plain).to_bytes(LENGTH_BYTES, "big") + plain + appid.encode()
    fill = BLOCK - len(packed) % BLOCK
    encryptor = Cipher(algorithms.AES(key), modes.CBC(key[:16])).encryptor()
    return base64.b64encode(encryptor.update(packed + bytes([fill]) * fill)).decode()


def decrypted(encrypt: str, *, key: bytes, appid: str) -> bytes:
    """Return the message of an `Encrypt`.

    Raises:
        BadEnvelopeError: not base64, not whole blocks, bad padding, length or appid.
    """
    try:
        data = base64.b64decode(encrypt, validate=True)
        decryptor = Cipher(algorithms.AES(key), modes.CBC(key[:16])).decryptor()
        packed = decryptor.update(data) + decryptor.finalize()
    except ValueError as error:
        raise BadEnvelopeError("not encrypted") from error
    fill = packed[-1] if packed else 0
    if not 1 <= fill <= BLOCK or packed[-fill:] != bytes([fill]) * fill:
        raise BadEnvelopeError("bad padding")
    rest = packed[RANDOM_BYTES:-fill]
    length = int.from_bytes(rest[:LENGTH_BYTES], "big")
    plain, owner = rest[LENGTH_BYTES:][:length], rest[LENGTH_BYTES:][length:]
    if len(plain) != length or owner != appid.encode():
        raise BadEnvelopeError("bad length or appid")
    return plain


def written(fields: Mapping[str, Any], body_format: BodyFormat) -> str:
    """Return a message as the platform writes it."""
    if body_format is BodyFormat.JSON:
        return json.dumps(fields, ensure_ascii=False)
    return "<xml>" + "".join(_element(name, value) for name, value in fields.items()) + "</xml>"


def _element(name: str, value: Any) -> str:
    if isinstance(value, list):
        return "".join(_element(name, item) for item in value)
    if isinstance(value, Mapping):
        inner = "".join(_element(key, item) for key, item in value.items())
    elif name in NUMBERS:
        inner = str(value)
    else:
        inner = "<![CDATA[" + str(value).replace("]]>", "]]]]><![CDATA[>") + "]]>"
    return f"<{name}>{inner}</{name}>"


def read(body: str) -> dict[str, Any]:
    """Return the fields of a reply in XML or JSON.

    Raises:
        BadEnvelopeError: it is neither, as the platform sees it: blanks before the first tag count
            as malformed too.
    """
    if body.startswith("{"):
        try:
            fields = json.loads(body)
        except ValueError as error:
            raise BadEnvelopeError("bad JSON") from error
        return dict(fields)
    if not re.match(r"(?:<\?xml[^>]*\?>\s*)?<xml>", body):
        raise BadEnvelopeError("neither XML nor JSON")
    parser = etree.XMLParser(resolve_entities=False, no_network=True, strip_cdata=True)
    try:
        root = etree.fromstring(body.encode(), parser)
    except etree.XMLSyntaxError as error:
        raise BadEnvelopeError("bad XML") from error
    return {child.tag: _value(child) for child in root}


def _value(element: Any) -> Any:
    children = list(element)
    if not children:
        return element.text or ""
    if all(child.tag == "item" for child in children):
        return [_value(child) for child in children]
    return {child.tag: _value(child) for child in children}
