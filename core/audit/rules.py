"""What the digest of a link covers."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

# What stands before the first link.
ORIGIN: Final = bytes(32)


def digest_of(
    previous: bytes,
    *,
    position: int,
    entry_id: int,
    at: datetime,
    actor: str,
    action: str,
    subject: str,
    facts: Mapping[str, Any],
) -> bytes:
    """Return the SHA-256 of an entry at its place in the chain.

    Args:
        previous: digest of the link before, `ORIGIN` before the first.
        position: place in the chain, from 1.
        entry_id: of the row.
        at: aware instant; its zone does not matter.
        actor: as recorded.
        action: as recorded.
        subject: as recorded.
        facts: as recorded; the order of its keys does not matter.
    """
    written = json.dumps(
        [position, entry_id, at.astimezone(UTC).isoformat(), actor, action, subject, facts],
        ensure_ascii=False,
        sort_keys=True,
        separators=(",", ":"),
    )
    return hashlib.sha256(previous + written.encode()).digest()
