"""What somebody sent after their sign-in had ended: held for them, sealed, until they are back.

Signing in leads to the platform and back, which no form survives. Nobody but who sent it gets it
back, and it is gone after half an hour.
"""

from __future__ import annotations

import base64
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import orjson
import structlog

from bot.store import Store, StoreUnavailableError
from core.db import DataKeyError, keyring

log = structlog.get_logger()

HELD_SECONDS: Final = 1800
MAX_BYTES: Final = 64 * 1024
COLUMN: Final = "h5.held"
_KEY: Final = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldForm:
    """A form as it was sent.

    Attributes:
        openid: who sent it.
        path: where it was sent.
        page: on which it stood.
        fields: name and value of each, in order; without what says that the form is ours.
        had_files: whether files came with it, which are not held.
    """

    openid: str
    path: str
    page: str
    fields: tuple[tuple[str, str], ...]
    had_files: bool


def hold(store: Store, form: HeldForm) -> str:
    """Return the key under which a form is held; empty if it cannot be."""
    fields: Sequence[Sequence[str]] = form.fields
    told = orjson.dumps([form.openid, form.path, form.page, fields, form.had_files]).decode()
    if len(told.encode()) > MAX_BYTES:
        return ""
    key = secrets.token_hex(16)
    sealed = base64.b64encode(keyring().encrypt(told, column=COLUMN)).decode()
    try:
        store.put(_name_of(key), sealed, seconds=HELD_SECONDS)
    except StoreUnavailableError:
        log.warning("form not held")
        return ""
    return key


def find_held(store: Store, key: str, *, openid: str) -> HeldForm | None:
    """Return a form that this person sent; None if there is none of theirs any more."""
    if not _KEY.fullmatch(key):
        return None
    try:
        sealed = store.get(_name_of(key))
        told = keyring().decrypt(base64.b64decode(sealed), column=COLUMN) if sealed else "null"
    except (StoreUnavailableError, DataKeyError):
        return None
    found = orjson.loads(told)
    if found is None or found[0] != openid:
        return None
    sender, path, page, fields, had_files = found
    return HeldForm(
        openid=sender,
        path=path,
        page=page,
        fields=tuple((name, value) for name, value in fields),
        had_files=had_files,
    )


def _name_of(key: str) -> str:
    return f"h5:held:{key}"
