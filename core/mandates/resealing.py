"""Encrypting anew what an older key of the ring sealed."""

from __future__ import annotations

from typing import Final

from sqlalchemy.orm import Session

from core.mandates.model import CompanyClaim, Mandate
from core.sealing import reseal_rows

_SEALED: Final = ((Mandate, ("name", "phone")), (CompanyClaim, ("owner_name", "owner_id")))


def reseal_mandates(session: Session) -> int:
    """Encrypt mandates and claims anew with the newest key; return how many rows had an older one.

    Invitations cannot be hashed anew, as only their hashes are kept: one that was made under a key
    that is gone cannot be confirmed any more.
    """
    return sum(reseal_rows(session, table, names=names) for table, names in _SEALED)
