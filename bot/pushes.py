"""Reading what the platform pushes (XML or JSON) into a Turn, and writing what it is answered.

Everything here works on bytes from outside. `PushError` is the only exception that leaves it.
"""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

import orjson
from lxml import etree

from handlers.turn import Turn, TurnKind

MAX_FIELDS = 200
MAX_DEPTH = 5
MAX_KEY_CHARACTERS = 150
MAX_TIME_DIGITS = 10  # seconds since 1970, until 2286
SCENE_PREFIX = "qrscene_"
LISTED_EVENTS = "subscribe_msg_"

_BLANK: Final = b"\xef\xbb\xbf \t\r\n"  # with the byte-order mark
_BEFORE: Final = bytes(code for code in range(0x21)) + b"\xef\xbb\xbf"
_OPENING: Final = b"<xml>"
_CLOSING: Final = b"</xml>"
# Name, then CDATA up to the first end mark, or text without any mark-up; blanks around.
_ELEMENT: Final = re.compile(
    rb"[ \t\n]*<([A-Za-z_][A-Za-z0-9_]*)>"
    rb"(?:<!\[CDATA\[([^\]\r]*(?:\](?!\]>)[^\]\r]*)*)\]\]>|([^<>&\]\r]*))"
    rb"</\1>[ \t\n]*"
)
_of_thread: Final = threading.local()
_ILLEGAL: Final = bytes(code for code in range(0x20) if code not in b"\t\n\r")
_ILLEGAL_TEXT: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_SENDER: Final = re.compile(r"[!-~]{1,64}")
_KINDS: Final = {
    "text": TurnKind.TEXT,
    "image": TurnKind.IMAGE,
    "voice": TurnKind.VOICE,
    "video": TurnKind.VIDEO,
    "shortvideo": TurnKind.VIDEO,
    "location": TurnKind.LOCATION,
    "link": TurnKind.LINK,
    "event": TurnKind.EVENT,
}
_COORDINATES: Final = (("Location_Y", "Location_X"), ("Longitude", "Latitude"))


class PushError(ValueError):
    """The body is not a push; `reason` is a constant fit for a log line."""

    def __init__(self, reason: str) -> None:
        """Keep the reason."""
        super().__init__(reason)
        self.reason = reason


def fields_of(body: bytes) -> dict[str, str]:
    """Return the fields of a push, nested ones under dotted names.

    Control characters, which real pushes carry inside CDATA, are dropped first. The items of a
    `List` are numbered from 0, whether there is one or several.

    Raises:
        PushError: neither XML nor a JSON object, a document type, too deep, too many fields.
    """
    text = body.translate(None, _ILLEGAL).lstrip(_BLANK)
    if text.startswith(b"{"):
        return _fields_of_json(text)
    if text.startswith(b"<"):
        return _fields_of_xml(text)
    raise PushError("neither xml nor json")


def is_json(body: bytes) -> bool:
    """Return whether a push is written in JSON; its answer is written alike."""
    return body.lstrip(_BEFORE)[:1] == b"{"


def _fields_of_canonical_xml(text: bytes) -> dict[str, str] | None:
    """Return the fields of a flat push as the platform writes it, None for any other XML.

    Plain elements with CDATA or a bare word, nothing else: what this reads, the parser would read
    alike. It takes a third of the parser's time, and nearly every push is of this kind.
    """
    end = len(text.rstrip()) - len(_CLOSING)
    if not text.startswith(_OPENING) or text[end : end + len(_CLOSING)] != _CLOSING:
        return None
    # U+FFFE and U+FFFF are for the parser to refuse and `_parse_again` to drop.
    if b"\xef\xbf" in text:
        return None
    fields: dict[str, str] = {}
    place, room = len(_OPENING), MAX_FIELDS
    while place < end and room:
        # From where the last one ended: what is not understood ends the attempt at once.
        element = _ELEMENT.match(text, place, end)
        if element is None:
            return None
        name, quoted, bare = element.groups(b"")
        fields.setdefault(name.decode(), (quoted or bare).decode())
        place, room = element.end(), room - 1
    return None if "List" in fields or place < end else fields


def _fields_of_xml(text: bytes) -> dict[str, str]:
    try:
        fields = _fields_of_canonical_xml(text)
    except UnicodeDecodeError:
        raise PushError("bad xml") from None
    if fields is not None:
        return fields
    return _fields_of_parsed_xml(text)


def _fields_of_parsed_xml(text: bytes) -> dict[str, str]:
    if b"<!" in text[: max(text.find(b"<xml"), 0)]:
        raise PushError("document type")
    try:
        root = etree.fromstring(text, _parser())
    except (etree.XMLSyntaxError, ValueError):
        root = _parse_again(text)
    if root.tag != "xml" or root.getroottree().docinfo.doctype:
        raise PushError("not a push")
    fields: dict[str, str] = {}
    _flatten_xml(root, "", fields, 0)
    return fields


def _parser() -> Any:
    # One for each thread: building one takes as long as parsing a message, sharing one a lock.
    parser = getattr(_of_thread, "parser", None)
    if parser is None:
        parser = _of_thread.parser = etree.XMLParser(
            resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True
        )
    return parser


def _parse_again(text: bytes) -> Any:
    # Only what XML 1.0 forbids beyond the C0 controls is removed; anything else stays an error.
    try:
        cleaned = _ILLEGAL_TEXT.sub("", text.decode())
        if cleaned.encode() == text:
            raise PushError("bad xml")
        return etree.fromstring(cleaned.encode(), _parser())
    except (UnicodeError, etree.XMLSyntaxError, ValueError):
        raise PushError("bad xml") from None


def _flatten_xml(element: Any, prefix: str, fields: dict[str, str], depth: int) -> None:
    if depth > MAX_DEPTH or len(element) > MAX_FIELDS or len(fields) > MAX_FIELDS:
        raise PushError("too deep or too many fields")
    listed = 0
    for child in element:
        tag = child.tag
        if not isinstance(tag, str):  # a processing instruction or an entity reference
            raise PushError("not plain elements")
        name = f"{prefix}{tag}"
        if tag == "List":
            name, listed = f"{name}.{listed}", listed + 1
        if len(child):
            _flatten_xml(child, name + ".", fields, depth + 1)
        else:
            fields.setdefault(name, child.text or "")


def _fields_of_json(text: bytes) -> dict[str, str]:
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        raise PushError("bad json") from None
    fields: dict[str, str] = {}
    _flatten_json(value, "", fields, 0)
    return fields


def _flatten_json(
    value: Mapping[str, Any], prefix: str, fields: dict[str, str], depth: int
) -> None:
    if depth > MAX_DEPTH or len(value) > MAX_FIELDS or len(fields) > MAX_FIELDS:
        raise PushError("too deep or too many fields")
    for key, item in value.items():
        name = f"{prefix}{key}"
        if key == "List":
            items = item if isinstance(item, list) else [item]
            nested = {f"{name}.{place}": entry for place, entry in enumerate(items[:MAX_FIELDS])}
        else:
            nested = {name: item}
        for path, entry in nested.items():
            if isinstance(entry, dict):
                _flatten_json(entry, path + ".", fields, depth + 1)
            elif entry is not None and not isinstance(entry, list):
                fields[path] = _ILLEGAL_TEXT.sub("", str(entry))


def turn_of(fields: dict[str, str], *, now: datetime) -> Turn:
    """Return the turn that a push describes.

    Args:
        fields: as `fields_of` returns them.
        now: when the push reached us, aware UTC.

    Raises:
        PushError: no sender, no kind, or an impossible time.
    """
    openid = fields.get("FromUserName", "")
    kind_name = fields.get("MsgType", "").strip().lower()
    if not _SENDER.fullmatch(openid) or not kind_name:
        raise PushError("no sender or no kind")
    created = fields.get("CreateTime", "").strip()
    if not (created.isascii() and created.isdigit() and len(created) <= MAX_TIME_DIGITS):
        raise PushError("impossible time")
    kind = _KINDS.get(kind_name, TurnKind.UNKNOWN)
    event = fields.get("Event", "").strip().lower() if kind is TurnKind.EVENT else ""
    event_key = fields.get("EventKey", "").strip() if event else ""
    longitude, latitude = (
        _coordinates(fields) if "Latitude" in fields or "Location_X" in fields else (None, None)
    )
    return Turn(
        key=_identity(fields, openid, created, event, event_key),
        openid=openid,
        account=fields.get("ToUserName", "").strip()[:64],
        kind=kind,
        sent_at=datetime.fromtimestamp(int(created), UTC),
        now=now,
        text=fields.get("Content", "").strip() if kind is TurnKind.TEXT else "",
        menu_id=fields.get("bizmsgmenuid", "").strip()[:64],
        event=event,
        event_key=event_key.removeprefix(SCENE_PREFIX) if event == "subscribe" else event_key,
        longitude=longitude,
        latitude=latitude,
        label=fields.get("Label", "").strip()[:200],
        fields=fields,
    )


def _identity(
    fields: Mapping[str, str], openid: str, created: str, event: str, event_key: str
) -> str:
    # Two different events of one person in one second differ in their name or key.
    message_id = fields.get("MsgId", "").strip()
    if message_id and not event:
        key = f"{openid}:{message_id}"
    elif event.startswith(LISTED_EVENTS):
        # Several may come in one second; what tells them apart is nested.
        key = f"{openid}:{created}:{event}:{sorted(fields.items())}"
    elif event:
        key = f"{openid}:{created}:{event}:{event_key}:{fields.get('MsgID', '')}"
    else:
        key = f"{openid}:{created}:{fields.get('MsgType', '')}:{fields.get('Content', '')}"
    if len(key) <= MAX_KEY_CHARACTERS and key.isascii() and " " not in key:
        return key
    return f"{openid}:{hashlib.blake2b(key.encode(), digest_size=16).hexdigest()}"


def _coordinates(fields: Mapping[str, str]) -> tuple[float | None, float | None]:
    for longitude_name, latitude_name in _COORDINATES:
        try:
            longitude, latitude = float(fields[longitude_name]), float(fields[latitude_name])
        except (KeyError, ValueError):
            continue
        if abs(longitude) <= 180 and abs(latitude) <= 90:  # noqa: PLR2004  degrees; also refuses nan
            return longitude, latitude
    return None, None


def clean(text: str) -> str:
    """Return the text without the characters that XML 1.0 cannot carry."""
    return _ILLEGAL_TEXT.sub("", text)


def cdata(text: str) -> str:
    """Return the text as XML character data, whatever it holds."""
    return "<![CDATA[" + text.replace("]]>", "]]]]><![CDATA[>") + "]]>"


def xml_reply(turn: Turn, *, text: str | None, created: int) -> str:
    """Return the XML of a passive reply; `text` None hands the person to customer service."""
    head = (
        f"<xml><ToUserName>{cdata(turn.openid)}</ToUserName>"
        f"<FromUserName>{cdata(turn.account)}</FromUserName>"
        f"<CreateTime>{created}</CreateTime>"
    )
    if text is None:
        return head + "<MsgType><![CDATA[transfer_customer_service]]></MsgType></xml>"
    return f"{head}<MsgType><![CDATA[text]]></MsgType><Content>{cdata(text)}</Content></xml>"


def json_reply(turn: Turn, *, text: str | None, created: int) -> str:
    """Return the JSON of a passive reply; `text` None hands the person to customer service."""
    reply: dict[str, Any] = {
        "ToUserName": turn.openid,
        "FromUserName": turn.account,
        "CreateTime": created,
        "MsgType": "transfer_customer_service" if text is None else "text",
    }
    if text is not None:
        reply["Content"] = text
    return orjson.dumps(reply).decode()
