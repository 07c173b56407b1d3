"""Use cases of registrations: submit, and what a person and a workplace find of them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from sqlalchemy import and_, func, or_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from core.audit.service import record
from core.cases.opening import follow_report
from core.clock import day_of
from core.errors import ConflictError, NotFoundError
from core.keyareas.service import hold_list
from core.people.model import Person
from core.people.rules import Purpose
from core.people.service import give_consent, register_person
from core.registration.cards import (
    OwnRegistration,
    Receipt,
    RegistrationCard,
    card_of,
    own_of,
)
from core.registration.drafts import drop_draft_of
from core.registration.gate import check_open, get_door
from core.registration.model import Registration
from core.registration.rules import (
    STANDING_STATES,
    Group,
    RegistrationInput,
    RegistrationState,
    check_entry,
)
from core.registration.screening import identity_of
from core.registration.storing import (
    Sent,
    flags_for,
    new_values_of,
    record_taken,
    replace_answers,
)
from core.registration.telling import tell_received
from core.workplaces.model import Workplace

_STANDING: Final = frozenset(state.value for state in STANDING_STATES)


class RegistrationNotFoundError(NotFoundError):
    """The person has no such registration."""

    code = "registration_not_found"


class RegistrationTakenError(ConflictError):
    """The document is registered with this workplace already, with another name or phone."""

    code = "registration_taken"


class RegistrationExistsError(ConflictError):
    """The person is registered with this workplace already, with another document."""

    code = "registration_exists"


class RegistrationEndedError(ConflictError):
    """The person ended the registration; only they can begin anew."""

    code = "registration_ended"


def submit_registration(
    session: Session,
    *,
    workplace_id: int,
    entry: RegistrationInput,
    openid: str | None,
    code_id: int | None,
    actor: str = "",
    now: datetime,
) -> Receipt:
    """Store what somebody reports to a workplace, once.

    A document is registered with a workplace once: sending it again, from this phone or another,
    finds what is there. What was returned, rejected or ended is replaced, and stands before the
    owner anew. What an owner entered for somebody becomes theirs when they send it themselves.
    Whoever calls has asked the person for consent, in the wording in force.

    Args:
        session: the session of the request.
        workplace_id: with which one.
        entry: what is reported.
        openid: of the person whom it is about; None: somebody enters it for them.
        code_id: the code that was scanned; None: entered by somebody who may.
        actor: who enters it for somebody, as `staff:3`; empty: the person themselves.
        now: aware instant.

    Raises:
        RegistrationClosedError: it takes no registrations now.
        RegistrationTakenError: the document is there with another name or phone; that it was
            tried is on record, for the caller to commit.
        RegistrationExistsError: the person is there with another document.
        RegistrationEndedError: the person ended it, and somebody else enters it.
        WorkplaceNotFoundError: there is no such workplace.
        InvalidInputError: the fields do not agree, see `check_entry`.
    """
    check_entry(entry, today=day_of(now))
    hold_list(session)
    door = get_door(session, workplace_id=workplace_id, code_id=code_id, now=now)
    check_open(door)
    person = None if openid is None else register_person(session, openid=openid, now=now)
    if person is None and not actor:
        raise ValueError("somebody enters it")
    sent = Sent(
        door=door,
        entry=entry,
        identity=identity_of(name=entry.name, number=entry.document.number, phone=entry.phone),
        person=person,
        code_id=code_id,
        actor=actor or f"person:{person.id if person else 0}",
        now=now,
    )
    existing = _find_existing(session, sent)
    added = None if existing else _add(session, sent)
    if added is not None:
        return _receipt(added, sent, is_new=True)
    # Another request may have been quicker by an instant: what it stored is there by now.
    existing = existing or _find_existing(session, sent)
    if existing is None:
        raise RuntimeError("neither stored nor there")
    return _again(session, sent, existing)


def _find_existing(session: Session, sent: Sent) -> Registration | None:
    """Return what the workplace has of this document or this person, held until the end."""
    of_document = Registration.document_hash.in_(sent.identity.documents)
    of_person = and_(
        Registration.person_id == (sent.person_id or 0),
        Registration.state != RegistrationState.ENDED.value,
    )
    rows = session.scalars(
        select(Registration)
        .where(Registration.workplace_id == sent.door.workplace_id, or_(of_document, of_person))
        .order_by(Registration.id)
        .with_for_update()
    ).all()
    named = [row for row in rows if row.document_hash in sent.identity.documents]
    if len(rows) > len(named):
        raise RegistrationExistsError
    return named[0] if named else None


def _add(session: Session, sent: Sent) -> Registration | None:
    """Store a new registration; None where another request stored it meanwhile."""
    flags = flags_for(session, sent, own_id=None)
    values = new_values_of(sent, flags)
    make = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    added_id = session.scalar(
        make(Registration).values(values).on_conflict_do_nothing().returning(Registration.id)
    )
    if added_id is None:
        return None
    # Not part of the session: reading it again would cost a statement and three decryptions.
    added = Registration(id=added_id, **values)
    _settle(session, sent, added, action="registration_submitted")
    follow_report(session, stored=added, face=sent.door.face, actor=sent.actor, now=sent.now)
    return added


def _again(session: Session, sent: Sent, found: Registration) -> Receipt:
    """Return the receipt of a document that the workplace has already, replacing what may be."""
    is_theirs = sent.has_sent(found)
    if not is_theirs and not sent.identity.agrees_with(found):
        record_taken(session, sent)
        raise RegistrationTakenError
    if found.state in _STANDING:
        if found.person_id is None and sent.person is not None:
            found.person_id = sent.person.id
            session.flush()
            _settle(session, sent, found, action="registration_taken_over")
        return _receipt(found, sent, is_new=False)
    is_over = found.state == RegistrationState.ENDED.value
    if is_over and found.person_id is not None and sent.person is None:
        raise RegistrationEndedError
    if is_theirs or found.person_id is None or is_over:
        found.person_id, found.code_id = sent.person_id, sent.code_id
        found.entered_by, found.submitted_at = sent.actor, sent.now
        replace_answers(session, sent, found)
        _settle(session, sent, found, action="registration_submitted")
        return _receipt(found, sent, is_new=True)
    return _receipt(found, sent, is_new=False)


def _settle(session: Session, sent: Sent, stored: Registration, *, action: str) -> None:
    """Do what goes with a stored registration: consent, the record, the draft, the notice."""
    record(
        session,
        now=sent.now,
        actor=sent.actor,
        action=action,
        subject=f"registration:{stored.id}",
        workplace_id=stored.workplace_id,
        version=stored.version,
    )
    if sent.person is None:
        return
    give_consent(session, person_id=sent.person.id, purpose=Purpose.RETURN_TO_WORK, now=sent.now)
    drop_draft_of(session, person_id=sent.person.id, workplace_id=stored.workplace_id)
    tell_received(
        session,
        person=sent.person,
        registration=stored,
        workplace_name=sent.door.workplace_name,
        now=sent.now,
    )


def _receipt(stored: Registration, sent: Sent, *, is_new: bool) -> Receipt:
    card = card_of(stored, workplace_name=sent.door.workplace_name)
    return Receipt(card=card, is_new=is_new, is_own=sent.has_sent(stored))


# ---- the person's own ------------------------------------------------------------------------


def find_registration(
    session: Session, *, openid: str, workplace_id: int
) -> RegistrationCard | None:
    """Return the person's registration with a workplace; None also where they ended it."""
    row = session.execute(
        _own_rows(openid).where(
            Registration.workplace_id == workplace_id,
            Registration.state != RegistrationState.ENDED.value,
        )
    ).first()
    return None if row is None else card_of(row[0], workplace_name=row[1])


def list_registrations_of(session: Session, *, openid: str) -> list[RegistrationCard]:
    """Return all registrations of a person, those that ended last, else the newest first."""
    cards = [
        card_of(registration, workplace_name=name)
        for registration, name in session.execute(_own_rows(openid))
    ]
    return sorted(cards, key=lambda card: (card.is_over, -card.changed_at.timestamp(), card.id))


def get_own_registration(session: Session, *, openid: str, registration_id: int) -> OwnRegistration:
    """Return all that is kept of a person's own registration.

    Raises:
        RegistrationNotFoundError: there is none, or it is somebody else's.
    """
    row = session.execute(_own_rows(openid).where(Registration.id == registration_id)).first()
    if row is None:
        raise RegistrationNotFoundError
    return own_of(row[0], workplace_name=row[1])


def _own_rows(openid: str) -> Any:
    return (
        select(Registration, Workplace.name)
        .join(Workplace, Workplace.id == Registration.workplace_id)
        .join(Person, Person.id == Registration.person_id)
        .where(Person.openid == openid)
        .order_by(Registration.id)
    )


# ---- counts and look-ups for others ------------------------------------------------------------


def count_registrations(
    session: Session, *, workplace_id: int
) -> Mapping[tuple[RegistrationState, Group], int]:
    """Return how many registrations of a workplace are in each state and group."""
    rows = session.execute(
        select(Registration.state, Registration.flag_group, func.count())
        .where(Registration.workplace_id == workplace_id)
        .group_by(Registration.state, Registration.flag_group)
    )
    return {(RegistrationState(state), Group(group)): count for state, group, count in rows}


def list_people_who_used(session: Session, *, code_id: int) -> list[str]:
    """Return the openids of those who registered by a code and did not end it, by age."""
    rows = session.scalars(
        select(Person.openid)
        .join(Registration, Registration.person_id == Person.id)
        .where(
            Registration.code_id == code_id,
            Registration.state != RegistrationState.ENDED.value,
        )
        .order_by(Registration.id)
    )
    return list(rows)
