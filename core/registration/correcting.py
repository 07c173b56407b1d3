"""What a person does with their own registration: correct it, end it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core.audit.service import record
from core.clock import day_of
from core.keyareas.service import hold_list
from core.people.model import Person
from core.registration.answers import Answers, answers_of, read_answers
from core.registration.cards import RegistrationCard, card_of
from core.registration.drafts import drop_draft_of
from core.registration.gate import get_door
from core.registration.leaving import end_one
from core.registration.model import Registration
from core.registration.rules import (
    STANDING_STATES,
    RegistrationInput,
    RegistrationState,
    check_entry,
)
from core.registration.screening import identity_of
from core.registration.service import (
    RegistrationEndedError,
    RegistrationNotFoundError,
    RegistrationTakenError,
)
from core.registration.storing import Sent, record_taken, replace_answers
from core.workplaces.model import Workplace


def correct_registration(
    session: Session,
    *,
    openid: str,
    registration_id: int,
    entry: RegistrationInput,
    now: datetime,
) -> RegistrationCard:
    """Replace what a person reported; it stands before the owner anew, approved or not.

    Sending what stands already changes nothing.

    Raises:
        RegistrationNotFoundError: there is none, or it is somebody else's.
        RegistrationEndedError: it ended.
        RegistrationTakenError: the document is registered with this workplace by another; that it
            was tried is on record, for the caller to commit.
        InvalidInputError: the fields do not agree, see `check_entry`.
    """
    check_entry(entry, today=day_of(now))
    hold_list(session)
    stored, person = _get_held(session, openid=openid, registration_id=registration_id)
    if stored.state == RegistrationState.ENDED.value:
        raise RegistrationEndedError
    sent = Sent(
        door=get_door(session, workplace_id=stored.workplace_id, now=now),
        entry=entry,
        identity=identity_of(name=entry.name, number=entry.document.number, phone=entry.phone),
        person=person,
        code_id=stored.code_id,
        actor=f"person:{person.id}",
        now=now,
    )
    is_standing = stored.state in {state.value for state in STANDING_STATES}
    if not (is_standing and _says_the_same(stored, entry)):
        was = stored.state
        _check_free(session, sent, own_id=stored.id)
        try:
            with session.begin_nested():
                replace_answers(session, sent, stored)
        except IntegrityError:
            # Somebody else registered the document in this instant.
            record_taken(session, sent)
            raise RegistrationTakenError from None
        record(
            session,
            now=now,
            actor=sent.actor,
            action="registration_corrected",
            subject=f"registration:{stored.id}",
            workplace_id=stored.workplace_id,
            version=stored.version,
            was=was,
        )
    drop_draft_of(session, person_id=person.id, workplace_id=stored.workplace_id)
    return card_of(stored, workplace_name=sent.door.workplace_name)


def end_registration(
    session: Session, *, openid: str, registration_id: int, now: datetime
) -> RegistrationCard:
    """End a person's relation to a workplace and drop what they reported; twice is once.

    Who it was about is kept, as the record of who could come to work; the consent ends with the
    last of their registrations.

    Raises:
        RegistrationNotFoundError: there is none, or it is somebody else's.
    """
    stored, person = _get_held(session, openid=openid, registration_id=registration_id)
    if stored.state != RegistrationState.ENDED.value:
        end_one(session, stored, actor=f"person:{person.id}", now=now)
    name = session.scalars(select(Workplace.name).where(Workplace.id == stored.workplace_id)).one()
    return card_of(stored, workplace_name=name)


def end_registrations_of(session: Session, *, openid: str, now: datetime) -> int:
    """End all registrations of a person; return how many. Comes before `forget_person`."""
    rows = session.execute(
        _held_rows(openid).where(Registration.state != RegistrationState.ENDED.value)
    ).all()
    for stored, person in rows:
        end_one(session, stored, actor=f"person:{person.id}", now=now)
    return len(rows)


def _held_rows(openid: str) -> Any:
    """Return the statement that finds a person's registrations and holds them to the end."""
    return (
        select(Registration, Person)
        .join(Person, Person.id == Registration.person_id)
        .where(Person.openid == openid)
        .order_by(Registration.id)
        .with_for_update(of=Registration)
    )


def _get_held(
    session: Session, *, openid: str, registration_id: int
) -> tuple[Registration, Person]:
    row = session.execute(
        _held_rows(openid).where(Registration.id == registration_id)
    ).one_or_none()
    if row is None:
        raise RegistrationNotFoundError
    stored, person = row
    return stored, person


def _check_free(session: Session, sent: Sent, *, own_id: int) -> None:
    taken = select(Registration.id).where(
        Registration.workplace_id == sent.door.workplace_id,
        Registration.document_hash.in_(sent.identity.documents),
        Registration.id != own_id,
    )
    if session.execute(taken.limit(1)).first() is not None:
        record_taken(session, sent)
        raise RegistrationTakenError


def _says_the_same(stored: Registration, entry: RegistrationInput) -> bool:
    """Return whether an entry says what is stored, on whatever day."""
    kept = read_answers(stored.answers)
    if kept is None:
        return False
    said: Answers = answers_of(entry, day=kept.answered_on)
    return said == kept and (
        stored.name,
        stored.document_kind,
        stored.document,
        stored.phone,
        stored.community_id,
        stored.department,
    ) == (
        entry.name,
        entry.document.kind.value,
        entry.document.number,
        entry.phone,
        entry.home.community_id,
        entry.department,
    )
