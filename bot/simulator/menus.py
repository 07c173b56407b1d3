"""The limits of an account's menu."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from bot.simulator.refusals import RefusalError

KEY_BYTES: Final = 128
URL_BYTES: Final = 1024

NEEDS: Final[dict[str, str]] = {
    "click": "key",
    "view": "url",
    "scancode_push": "key",
    "scancode_waitmsg": "key",
    "pic_sysphoto": "key",
    "pic_photo_or_album": "key",
    "pic_weixin": "key",
    "location_select": "key",
    "media_id": "media_id",
    "article_id": "article_id",
    "article_view_limited": "article_id",
    "miniprogram": "pagepath",
}
"""Kinds of button, each with the field it cannot do without."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """Limits of one level of the menu, and the errcodes that refuse what breaks them."""

    most: int
    name_bytes: int
    bad_count: int
    bad_kind: int
    bad_name: int
    bad_key: int
    bad_url: int


TOP: Final = Level(
    most=3, name_bytes=16, bad_count=40016, bad_kind=40017, bad_name=40018, bad_key=40019,
    bad_url=40020,
)  # fmt: skip
SUB: Final = Level(
    most=5, name_bytes=60, bad_count=40023, bad_kind=40024, bad_name=40025, bad_key=40026,
    bad_url=40027,
)  # fmt: skip


def check_menu(menu: object) -> None:
    """Accept a menu that the platform would publish.

    Raises:
        RefusalError: the errcode of the first limit that it breaks.
    """
    buttons = menu.get("button") if isinstance(menu, Mapping) else None
    _check_buttons(buttons, TOP)


def _check_buttons(buttons: Any, level: Level) -> None:
    if not isinstance(buttons, list) or not 1 <= len(buttons) <= level.most:
        raise RefusalError(level.bad_count)
    for button in buttons:
        if not isinstance(button, Mapping):
            raise RefusalError(47001)
        _check_name(button, level)
        if "sub_button" not in button:
            _check_button(button, level)
        elif level is SUB:
            raise RefusalError(40022)
        elif button["sub_button"]:
            _check_buttons(button["sub_button"], SUB)
        else:
            _check_button(button, level)


def _check_name(button: Mapping[str, Any], level: Level) -> None:
    name = button.get("name")
    if not isinstance(name, str) or not 1 <= len(name.encode()) <= level.name_bytes:
        raise RefusalError(level.bad_name)


def _check_button(button: Mapping[str, Any], level: Level) -> None:
    kind = button.get("type")
    needed = NEEDS.get(kind) if isinstance(kind, str) else None
    if needed is None:
        raise RefusalError(level.bad_kind)
    if not isinstance(button.get(needed), str) or not button[needed]:
        raise RefusalError(level.bad_url if needed == "url" else level.bad_key)
    if len(str(button.get("key", "")).encode()) > KEY_BYTES:
        raise RefusalError(level.bad_key)
    if len(str(button.get("url", "")).encode()) > URL_BYTES:
        raise RefusalError(level.bad_url)
