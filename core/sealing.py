"""Encrypting anew what an older key of the ring sealed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import LargeBinary, select, type_coerce
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import flag_modified

from core.db import keyring


def reseal_rows(session: Session, table: Any, *, names: Sequence[str]) -> int:
    """Encrypt rows of a table anew with the newest key; return how many had an older one.

    Args:
        session: the session of the step.
        table: a mapped class with an `id`.
        names: its encrypted columns.
    """
    ring = keyring()
    columns = [type_coerce(getattr(table, name), LargeBinary) for name in names]
    rows = session.execute(select(table.id, *columns))
    old = [
        identity
        for identity, *values in rows
        if not all(ring.is_current(value) for value in values if value is not None)
    ]
    for identity in old:
        row = session.get_one(table, identity)
        for name in names:
            # An equal value is no change to the mapper, which would then store nothing.
            flag_modified(row, name)
    session.flush()
    return len(old)
