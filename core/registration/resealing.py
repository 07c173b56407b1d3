"""Sealing registrations anew after a data key was changed."""

from __future__ import annotations

from typing import Final

from sqlalchemy import LargeBinary, select, type_coerce
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import flag_modified

from core.db import keyring
from core.registration.model import Registration, RegistrationDraft
from core.registration.screening import identity_of

BATCH: Final = 500
_SEALED: Final = ("name", "document", "phone", "answers")


def reseal_registrations(session: Session) -> int:
    """Encrypt and hash anew what an older key of the ring sealed; return how many registrations.

    Drafts are sealed anew too. Afterwards the older keys are not needed for either any more.
    """
    old = _list_old(session)
    for start in range(0, len(old), BATCH):
        rows = session.scalars(
            select(Registration).where(Registration.id.in_(old[start : start + BATCH]))
        ).all()
        for stored in rows:
            _seal(stored)
        session.flush()
        for stored in rows:
            # A whole district does not fit into memory.
            session.expunge(stored)
    for draft in session.scalars(select(RegistrationDraft)):
        flag_modified(draft, "typed")
    session.flush()
    return len(old)


def _list_old(session: Session) -> list[int]:
    ring = keyring()
    sealed = session.execute(
        select(
            Registration.id,
            *(type_coerce(getattr(Registration, name), LargeBinary) for name in _SEALED),
        ).execution_options(yield_per=BATCH)
    )
    return [
        identity
        for identity, *values in sealed
        if not all(ring.is_current(value) for value in values)
    ]


def _seal(stored: Registration) -> None:
    identity = identity_of(name=stored.name, number=stored.document, phone=stored.phone)
    stored.name_hash = identity.names[0]
    stored.document_hash = identity.documents[0]
    stored.phone_hash = identity.phone_hash
    for name in _SEALED:
        # The text is the same; its cipher is not.
        flag_modified(stored, name)
