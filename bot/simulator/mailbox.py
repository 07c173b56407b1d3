"""What arrives on people's phones, and what they write themselves: one list per person."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from bot.simulator.fields import values_for
from bot.simulator.followers import find_follower, spend_consent, spend_window
from bot.simulator.ledger import Desk, packed, unpacked
from bot.simulator.refusals import RefusalError

FIRST_MSGID: Final = 1_000_000_000
"""So that ids look like the platform's, and differ from row ids."""
DUPLICATE_SECONDS: Final = 600
TEXT_BYTES: Final = 2048


class Channel(StrEnum):
    """How an entry came into a chat; the first three count as delivered by the API."""

    TEMPLATE = "template"
    SUBSCRIBE = "subscribe"
    CUSTOM = "custom"
    REPLY = "reply"
    PERSON = "person"
    SYSTEM = "system"


DELIVERED: Final = (Channel.TEMPLATE, Channel.SUBSCRIBE, Channel.CUSTOM)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One bubble or card.

    Attributes:
        id: grows with time within the ledger.
        openid: whose chat it is in.
        channel: how it came there.
        body: its content; the keys depend on the channel.
        client_msg_id: the sender's own id, empty if none.
        at: seconds since the epoch.
        is_reported: the sender was told of its outcome.
    """

    id: int
    openid: str
    channel: Channel
    body: Mapping[str, Any]
    client_msg_id: str
    at: float
    is_reported: bool

    @property
    def msgid(self) -> int:
        """The id that the API returned for it."""
        return FIRST_MSGID + self.id


def add_entry(
    desk: Desk,
    now: float,
    *,
    openid: str,
    channel: Channel,
    body: Mapping[str, Any],
    client_msg_id: str = "",
) -> int:
    """Put something into a person's chat and return its msgid."""
    row = desk.execute(
        "INSERT INTO entry (openid, channel, body, client_msg_id, at) VALUES (?, ?, ?, ?, ?)"
        " RETURNING id",
        (openid, channel, packed(body), client_msg_id, now),
    ).fetchone()
    return FIRST_MSGID + int(row["id"])


def list_entries(desk: Desk, *, openid: str = "", after: int = 0) -> list[Entry]:
    """Return entries, oldest first.

    Args:
        desk: the open ledger.
        openid: of whom; empty: of everybody.
        after: only entries with a greater id.
    """
    rows = desk.execute(
        "SELECT * FROM entry WHERE id > ? AND (? = '' OR openid = ?) ORDER BY id",
        (after, openid, openid),
    )
    return [_entry(row) for row in rows]


def list_delivered(desk: Desk, *, openid: str = "") -> list[Entry]:
    """Return what the API delivered, oldest first."""
    return [entry for entry in list_entries(desk, openid=openid) if entry.channel in DELIVERED]


def claim_reports(desk: Desk, *, openid: str) -> list[Entry]:
    """Return the notices of a person whose outcome nobody has reported yet, and mark them."""
    rows = desk.execute(
        "UPDATE entry SET is_reported = 1 WHERE openid = ? AND is_reported = 0"
        " AND channel IN (?, ?) RETURNING *",
        (openid, Channel.TEMPLATE, Channel.SUBSCRIBE),
    )
    return sorted((_entry(row) for row in rows), key=lambda entry: entry.id)


def register_template(
    desk: Desk,
    *,
    template_id: str,
    channel: Channel = Channel.TEMPLATE,
    title: str = "",
    fields: Mapping[str, str] | None = None,
    choices: Mapping[str, Sequence[str]] | None = None,
) -> None:
    """Make a template known.

    Args:
        desk: the open ledger.
        template_id: its id; one that exists is replaced.
        channel: TEMPLATE or SUBSCRIBE.
        title: the heading of the card.
        fields: field name to label, in order; none: any field whose name says its kind.
        choices: values of `const` fields.
    """
    desk.execute(
        "INSERT OR REPLACE INTO template VALUES (?, ?, ?, ?, ?)",
        (template_id, channel, title, packed(fields or {}), packed(choices or {})),
    )


def send_template(desk: Desk, now: float, call: Mapping[str, Any]) -> int:
    """Deliver a template message and return its msgid.

    The same openid and client_msg_id within ten minutes is delivered once and has one msgid.

    Raises:
        RefusalError: 40003, 40037, 43004, 47003.
    """
    openid, card = _card(desk, call, Channel.TEMPLATE)
    person = find_follower(desk, openid)
    if person is None:
        raise RefusalError(40003)
    if not person.is_following:
        raise RefusalError(43004)
    client_msg_id = str(call.get("client_msg_id") or "")
    row = desk.execute(
        "SELECT id FROM entry WHERE openid = ? AND client_msg_id = ? AND client_msg_id <> ''"
        " AND at > ?",
        (openid, client_msg_id, now - DUPLICATE_SECONDS),
    ).fetchone()
    if row is not None:
        return FIRST_MSGID + int(row["id"])
    return add_entry(
        desk, now, openid=openid, channel=Channel.TEMPLATE, body=card, client_msg_id=client_msg_id
    )


def send_subscribe(desk: Desk, now: float, call: Mapping[str, Any]) -> int:
    """Deliver a subscription notice, use up one consent, and return its msgid.

    Raises:
        RefusalError: 40003, 40037, 43101, 47003.
    """
    openid, card = _card(desk, call, Channel.SUBSCRIBE)
    if find_follower(desk, openid) is None:
        raise RefusalError(40003)
    spend_consent(desk, openid=openid, template_id=card["template_id"])
    return add_entry(desk, now, openid=openid, channel=Channel.SUBSCRIBE, body=card)


def send_custom(desk: Desk, now: float, call: Mapping[str, Any]) -> int:
    """Deliver a customer-service message and return its msgid.

    Raises:
        RefusalError: 40003, 40008, 44004, 45002, 45008, 45015, 45047.
    """
    openid = str(call.get("touser") or "")
    person = find_follower(desk, openid)
    if person is None:
        raise RefusalError(40003)
    body = _custom_body(call)
    if not person.is_following:
        raise RefusalError(45015)
    spend_window(desk, now, openid=openid)
    return add_entry(desk, now, openid=openid, channel=Channel.CUSTOM, body=body)


def _card(desk: Desk, call: Mapping[str, Any], channel: Channel) -> tuple[str, dict[str, Any]]:
    template_id = str(call.get("template_id") or "")
    row = desk.execute(
        "SELECT * FROM template WHERE template_id = ? AND channel = ?", (template_id, channel)
    ).fetchone()
    if row is None:
        raise RefusalError(40037)
    labels = unpacked(row["fields"])
    values = values_for(call.get("data"), names=tuple(labels), choices=unpacked(row["choices"]))
    return str(call.get("touser") or ""), {
        "template_id": template_id,
        "title": row["title"],
        "rows": [
            {"name": name, "label": labels.get(name, ""), "value": value}
            for name, value in values.items()
        ],
        "url": str(call.get("url") or ""),
        "page": str(call.get("page") or ""),
        "miniprogram": call.get("miniprogram"),
    }


def _custom_body(call: Mapping[str, Any]) -> dict[str, Any]:
    kind = call.get("msgtype")
    content = call.get(str(kind))
    if not isinstance(content, Mapping):
        raise RefusalError(40008)
    if kind == "text":
        return {"kind": "text", "text": _checked_text(content.get("content"))}
    if kind == "news":
        articles = content.get("articles")
        if not isinstance(articles, list) or not articles:
            raise RefusalError(44004)
        if len(articles) > 1:
            raise RefusalError(45008)
        return {"kind": "news", "articles": articles}
    if kind == "msgmenu":
        _checked_text(content.get("head_content"))
    return {"kind": str(kind), "content": dict(content)}


def _checked_text(text: object) -> str:
    if not isinstance(text, str) or not text:
        raise RefusalError(44004)
    if len(text.encode()) > TEXT_BYTES:
        raise RefusalError(45002)
    return text


def _entry(row: sqlite3.Row) -> Entry:
    return Entry(
        id=row["id"],
        openid=row["openid"],
        channel=Channel(row["channel"]),
        body=unpacked(row["body"]),
        client_msg_id=row["client_msg_id"],
        at=row["at"],
        is_reported=bool(row["is_reported"]),
    )
