"""The account's menu: its wording is a template, its limits are the platform's."""

from __future__ import annotations

import json
from typing import Any

from bot.settings import Settings
from bot.texts import TEMPLATES

MAX_TOP = 3
MAX_SUB = 5
MAX_TOP_NAME_BYTES = 16
MAX_SUB_NAME_BYTES = 60
MAX_KEY_BYTES = 128


def menu_of(settings: Settings) -> dict[str, Any]:
    """Return the menu as the platform takes it.

    Raises:
        ValueError: the template breaks a limit of the platform, a bug in the template.
    """
    text = (TEMPLATES / "menu.json").read_text(encoding="utf-8")
    menu: dict[str, Any] = json.loads(text.replace("{public_url}", settings.resolved_public_url))
    check_menu(menu)
    return menu


def check_menu(menu: dict[str, Any]) -> None:
    """Check a menu against the platform's limits.

    Raises:
        ValueError: names the button that breaks one.
    """
    buttons = menu["button"]
    if not 1 <= len(buttons) <= MAX_TOP:
        raise ValueError("a menu has one to three buttons")
    for button in buttons:
        _check_button(button, MAX_TOP_NAME_BYTES)
        subs = button.get("sub_button", [])
        if len(subs) > MAX_SUB:
            raise ValueError(f"more than five below {button['name']}")
        for sub in subs:
            _check_button(sub, MAX_SUB_NAME_BYTES)


def _check_button(button: dict[str, Any], name_bytes: int) -> None:
    if len(button["name"].encode()) > name_bytes:
        raise ValueError(f"the name is too long: {button['name']}")
    if len(button.get("key", "").encode()) > MAX_KEY_BYTES:
        raise ValueError(f"the key is too long: {button['key']}")
