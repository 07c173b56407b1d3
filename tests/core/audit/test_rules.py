from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from core.audit.rules import ORIGIN, digest_of
from core.clock import SHANGHAI

ENTRY: dict[str, Any] = {
    "position": 1,
    "entry_id": 7,
    "at": datetime(2020, 3, 28, 0, 0, tzinfo=UTC),
    "actor": "staff:3",
    "action": "looked",
    "subject": "person:7",
    "facts": {"rows": 2, "why": "复核"},
}


def test_digest_is_the_same_for_the_same_instant_and_facts() -> None:
    same = ENTRY | {
        "at": datetime(2020, 3, 28, 8, 0, tzinfo=SHANGHAI),
        "facts": {"why": "复核", "rows": 2},
    }
    assert digest_of(ORIGIN, **ENTRY) == digest_of(ORIGIN, **same)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("position", 2),
        ("entry_id", 8),
        ("at", datetime(2020, 3, 28, 0, 0, 0, 1, tzinfo=UTC)),
        ("actor", "staff:4"),
        ("action", "changed"),
        ("subject", "person:8"),
        ("facts", {"rows": 3, "why": "复核"}),
    ],
)
def test_digest_tells_of_every_change(name: str, value: object) -> None:
    assert digest_of(ORIGIN, **ENTRY) != digest_of(ORIGIN, **(ENTRY | {name: value}))


def test_digest_tells_of_another_beginning() -> None:
    assert digest_of(ORIGIN, **ENTRY) != digest_of(bytes(31) + b"\1", **ENTRY)
