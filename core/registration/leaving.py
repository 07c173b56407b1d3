"""The end of a registration: by the person themselves, or by who answers for the workplace."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.audit.service import record
from core.db import keyring
from core.people.rules import Purpose
from core.people.service import withdraw_consent
from core.registration.drafts import drop_draft_of
from core.registration.model import DOCUMENT_COLUMN, Registration
from core.registration.rules import RegistrationState

# Hashes in one statement; both databases bound how many values one may have.
_CHUNK: Final = 5000


def end_one(session: Session, stored: Registration, *, actor: str, now: datetime) -> None:
    """End a registration that stands, and what rests on it.

    What was reported is dropped; the consent of a person ends with the last of theirs.

    Args:
        session: the session of the request.
        stored: held until the end of the transaction.
        actor: who ends it, as `person:7`.
        now: aware instant.
    """
    was = stored.state
    stored.end(now=now)
    record(
        session,
        now=now,
        actor=actor,
        action="registration_ended",
        subject=f"registration:{stored.id}",
        workplace_id=stored.workplace_id,
        version=stored.version,
        was=was,
    )
    if stored.person_id is None:
        return
    drop_draft_of(session, person_id=stored.person_id, workplace_id=stored.workplace_id)
    session.flush()
    others = select(Registration.id).where(
        Registration.person_id == stored.person_id,
        Registration.state != RegistrationState.ENDED.value,
    )
    if session.execute(others.limit(1)).first() is None:
        withdraw_consent(
            session, person_id=stored.person_id, purpose=Purpose.RETURN_TO_WORK, now=now
        )


def end_for(
    session: Session,
    *,
    workplace_id: int,
    registration_ids: Collection[int],
    actor: str,
    now: datetime,
) -> list[int]:
    """End registrations of people who left a workplace; return which, by id.

    What is another workplace's, or over already, is left alone.

    Args:
        session: the session of the request.
        workplace_id: for which the caller may act.
        registration_ids: of those who left.
        actor: who says so, as `person:7`.
        now: aware instant.
    """
    rows = session.scalars(
        select(Registration)
        .where(
            Registration.workplace_id == workplace_id,
            Registration.id.in_(registration_ids),
            Registration.state != RegistrationState.ENDED.value,
        )
        .order_by(Registration.id)
        .with_for_update()
    ).all()
    for stored in rows:
        end_one(session, stored, actor=actor, now=now)
    session.flush()
    return [stored.id for stored in rows]


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A registration that stands, as a list of people meets it.

    Attributes:
        name_hash: by which the name is told from another.
    """

    id: int
    name_hash: bytes = field(repr=False)


def find_standing(
    session: Session, *, workplace_id: int, numbers: Sequence[str]
) -> Mapping[str, Standing]:
    """Return the registrations with a workplace that stand, by the number of the document.

    Args:
        session: may be a reading one.
        workplace_id: with which one.
        numbers: normalised, as a `Document` has them; those that are not there are left out.
    """
    ring = keyring()
    of_hash = {
        found: number
        for number in numbers
        for found in ring.lookup_hashes(number, column=DOCUMENT_COLUMN)
    }
    hashes = list(of_hash)
    known: dict[str, Standing] = {}
    for start in range(0, len(hashes), _CHUNK):
        rows = session.execute(
            select(Registration.id, Registration.name_hash, Registration.document_hash).where(
                Registration.document_hash.in_(hashes[start : start + _CHUNK]),
                Registration.workplace_id == workplace_id,
                Registration.state != RegistrationState.ENDED.value,
            )
        )
        for identity, name_hash, document in rows:
            known[of_hash[document]] = Standing(id=identity, name_hash=name_hash)
    return known
