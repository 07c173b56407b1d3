"""What comes in and what goes out of a conversation, without any WeChat or Flask type."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final, Literal, TypeAlias


class TurnKind(StrEnum):
    """The kind of message or event that a person sent."""

    TEXT = "text"
    IMAGE = "image"
    VOICE = "voice"
    VIDEO = "video"
    LOCATION = "location"
    LINK = "link"
    EVENT = "event"
    UNKNOWN = "unknown"


class Rendered(str):
    """Text that was made safe before: links in it are meant."""

    __slots__ = ()


Json: TypeAlias = "str | int | float | bool | Sequence[Json] | Mapping[str, Json] | None"


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """A conversation with steps that waits for the person's next message.

    Attributes:
        name: the route that continues it.
        data: what it must remember; small, and free of personal data.
    """

    name: str
    data: Mapping[str, Json] = field(default_factory=dict)


class Keep(StrEnum):
    """The mark of a digression: whatever conversation was in progress goes on afterwards."""

    KEEP = "keep"


KEEP: Final = Keep.KEEP


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One message or event of one person.

    Attributes:
        key: identity of the message; a re-send has the same one.
        openid: the person, as this account knows them.
        account: the account's original id (`gh_…`).
        kind: what was sent.
        sent_at: the platform's time of the message, aware UTC.
        now: when it reached us, aware UTC; the only clock that handlers read.
        text: what was typed, free of control characters.
        menu_id: id of a tapped option, empty if none.
        event: name of the event in lower case.
        event_key: scene of a scanned code, or key of a menu button.
        longitude: degrees, GCJ-02, of a location.
        latitude: degrees, GCJ-02, of a location.
        label: the address that came with a location.
        fields: the remaining flat fields of the push.
        conversation: the conversation in progress.
        rest: the part of the last reply that did not fit.
    """

    key: str
    openid: str
    account: str
    kind: TurnKind
    sent_at: datetime
    now: datetime
    text: str = ""
    menu_id: str = ""
    event: str = ""
    event_key: str = ""
    longitude: float | None = None
    latitude: float | None = None
    label: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)
    conversation: Conversation | None = None
    rest: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What a person is answered.

    Attributes:
        template: `subject/reply`, a file below `templates/chat/`; empty: say nothing.
        values: what the template names.
        conversation: what goes on; None ends whatever was in progress, KEEP leaves it.
        handover: pass the person on to customer service.
        same: two replies of a template with an equal mark say the same: the text need not be
            made again. None: nobody can tell.
    """

    template: str
    values: Mapping[str, object] = field(default_factory=dict)
    conversation: Conversation | Literal[Keep.KEEP] | None = None
    handover: bool = False
    same: Hashable = None


SILENCE: Final = Reply(template="", conversation=KEEP)
