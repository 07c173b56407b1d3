"""Encrypting anew what an older key of the ring sealed."""

from __future__ import annotations

from typing import Final

from sqlalchemy import LargeBinary, select, type_coerce
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import flag_modified

from core.db import keyring
from core.mandates.model import CompanyClaim, Mandate

_SEALED: Final = ((Mandate, ("name", "phone")), (CompanyClaim, ("owner_name", "owner_id")))


def reseal_mandates(session: Session) -> int:
    """Encrypt mandates and claims anew with the newest key; return how many rows had an older one.

    Invitations cannot be hashed anew, as only their hashes are kept: one that was made under a key
    that is gone cannot be confirmed any more.
    """
    return sum(_reseal(session, table, names) for table, names in _SEALED)


def _reseal(session: Session, table: type[Mandate | CompanyClaim], names: tuple[str, ...]) -> int:
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
