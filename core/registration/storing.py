"""A submission on its way into the table: new, or in place of what was reported before."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy.orm import Session

from core.audit.service import record
from core.cases.opening import follow_report
from core.clock import day_of
from core.codes.rules import subject_of
from core.people.model import Person
from core.people.rules import WORDING_OF, Purpose
from core.registration.answers import answers_of
from core.registration.gate import Door
from core.registration.model import Registration
from core.registration.rules import (
    Group,
    RegistrationInput,
    RegistrationState,
    first_state_of,
    group_of,
)
from core.registration.screening import Identity, Screened, screen

CONSENT: Final = WORDING_OF[Purpose.RETURN_TO_WORK].value
# Without characters that are taken for others when they are read out.
_ALPHABET: Final = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A submission on its way.

    Attributes:
        code_id: the code that was scanned; None: entered without one.
        actor: who sent it.
        person: whom it is about, if they sent it themselves.
    """

    door: Door
    entry: RegistrationInput
    identity: Identity
    person: Person | None
    code_id: int | None
    actor: str
    now: datetime

    @property
    def person_id(self) -> int | None:
        """Whose it is, if they sent it themselves."""
        return None if self.person is None else self.person.id

    def has_sent(self, registration: Registration) -> bool:
        """Return whether the same person sent a registration."""
        return self.person_id is not None and registration.person_id == self.person_id


def record_taken(session: Session, sent: Sent) -> None:
    """Put on record that somebody sent a document that the workplace has of another person.

    Whoever tries numbers to learn who works where must leave a trace. The caller commits it,
    though nothing else is stored.
    """
    record(
        session,
        now=sent.now,
        actor=sent.actor,
        action="registration_refused",
        subject=subject_of(sent.door.workplace_id, face=sent.door.face),
        reason="document_taken",
    )


def number_of(day: date) -> str:
    """Return a new number of a registration: the day, and 50 random bits that nobody guesses."""
    drawn = "".join(secrets.choice(_ALPHABET) for _ in range(10))
    return f"R{day:%y%m%d}-{drawn[:5]}-{drawn[5:]}"


def fields_of(entry: RegistrationInput, identity: Identity, *, day: date) -> dict[str, Any]:
    """Return the columns that a report made on a local day fills."""
    return {
        "department": entry.department,
        "name": entry.name,
        "name_hash": identity.names[0],
        "document_kind": entry.document.kind.value,
        "document": entry.document.number,
        "document_hash": identity.documents[0],
        "phone": entry.phone,
        "phone_hash": identity.phone_hash,
        "community_id": entry.home.community_id,
        "answers": answers_of(entry, day=day).text(),
    }


def flags_for(session: Session, sent: Sent, *, own_id: int | None) -> dict[str, Any]:
    """Return the columns of the flags; `own_id` is the row, where it is stored already."""
    screened = screen(
        session,
        workplace_id=sent.door.workplace_id,
        entry=sent.entry,
        identity=sent.identity,
        head_count=sent.door.head_count,
        own_id=own_id,
        now=sent.now,
    )
    return columns_of(screened)


def columns_of(screened: Screened) -> dict[str, Any]:
    """Return the columns of what a screening found."""
    return {
        "flags": [flag.value for flag in screened.flags],
        "flag_group": group_of(screened.flags).value,
        "key_area_list_id": screened.list_id,
    }


def standing_of(sent: Sent, group: Group) -> dict[str, Any]:
    """Return the columns of how a registration stands once it is in."""
    state = first_state_of(sent.door.face, group)
    decided_at = sent.now if state is RegistrationState.APPROVED else None
    return {"state": state.value, "decided_at": decided_at}


def new_values_of(sent: Sent, flags: Mapping[str, Any]) -> dict[str, Any]:
    """Return all columns of a new registration, with the columns of its flags."""
    return {
        **fields_of(sent.entry, sent.identity, day=day_of(sent.now)),
        "number": number_of(day_of(sent.now)),
        "workplace_id": sent.door.workplace_id,
        "code_id": sent.code_id,
        "person_id": sent.person_id,
        "entered_by": sent.actor,
        **standing_of(sent, Group(flags["flag_group"])),
        "version": 1,
        "consent": CONSENT,
        "reason": "",
        "submitted_at": sent.now,
        "changed_at": sent.now,
        **flags,
    }


def replace_answers(session: Session, sent: Sent, stored: Registration) -> None:
    """Put what was sent in place of what is stored, before the owner anew."""
    flags = flags_for(session, sent, own_id=stored.id)
    fields = fields_of(sent.entry, sent.identity, day=day_of(sent.now))
    for name, value in (fields | flags).items():
        setattr(stored, name, value)
    stored.consent = CONSENT
    stored.send_again(now=sent.now)
    for name, value in standing_of(sent, Group(stored.flag_group)).items():
        setattr(stored, name, value)
    session.flush()
    follow_report(session, stored=stored, face=sent.door.face, actor=sent.actor, now=sent.now)
