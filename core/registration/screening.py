"""What of a registration needs a look: looked up in two statements, decided by the rules."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, and_, exists, func, select
from sqlalchemy.orm import Session

from core.clock import day_of
from core.db import keyring
from core.keyareas.model import KeyAreaList
from core.keyareas.screening import find_hits
from core.people.names import name_key
from core.registration.model import (
    DOCUMENT_COLUMN,
    NAME_COLUMN,
    PHONE_COLUMN,
    Registration,
)
from core.registration.rules import (
    COUNTED_STATES,
    Facts,
    Flag,
    RegistrationInput,
    RegistrationState,
    flags_of,
    stay_window_of,
)

# Stands where no phone is known, and is nobody's.
NO_PHONE: Final = b""
_COUNTED: Final = tuple(state.value for state in COUNTED_STATES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What a person is found by, of which nothing can be read: keyed hashes, the newest first."""

    names: tuple[bytes, ...] = field(repr=False)
    documents: tuple[bytes, ...] = field(repr=False)
    phones: tuple[bytes, ...] = field(repr=False)

    def agrees_with(self, registration: Registration) -> bool:
        """Return whether a registration has this name and this phone, where both have one."""
        has_both = bool(self.phones) and registration.phone_hash != NO_PHONE
        is_same_phone = registration.phone_hash in self.phones
        return registration.name_hash in self.names and (is_same_phone or not has_both)

    @property
    def phone_hash(self) -> bytes:
        """What is stored of the phone."""
        return self.phones[0] if self.phones else NO_PHONE


def identity_of(*, name: str, number: str, phone: str) -> Identity:
    """Return what somebody is found by.

    Args:
        name: as `name_of` returns it; its spellings are one.
        number: normalised, as a `Document` has it.
        phone: E.164; empty: none.
    """
    ring = keyring()
    return Identity(
        names=tuple(ring.lookup_hashes(name_key(name), column=NAME_COLUMN)),
        documents=tuple(ring.lookup_hashes(number, column=DOCUMENT_COLUMN)),
        phones=tuple(ring.lookup_hashes(phone, column=PHONE_COLUMN)) if phone else (),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Screened:
    """What a screening found.

    Attributes:
        flags: in the order of `Flag`.
        list_id: the version of the list of key areas that was asked; None: there is none.
    """

    flags: tuple[Flag, ...]
    list_id: int | None


def screen(
    session: Session,
    *,
    workplace_id: int,
    entry: RegistrationInput,
    identity: Identity,
    head_count: int | None,
    own_id: int | None = None,
    now: datetime,
) -> Screened:
    """Return what of a report to a workplace needs a look.

    Two who come in at the same instant do not see each other: the head count may be passed by as
    many as are stored at once before the first of them is flagged.

    Args:
        session: the session of the submission.
        workplace_id: with which workplace.
        entry: what is reported.
        identity: of the person, from `identity_of`.
        head_count: as declared; None: nothing was.
        own_id: the registration itself, where it is stored already.
        now: aware instant.
    """
    seen = _seen_elsewhere(session, workplace_id=workplace_id, identity=identity, own_id=own_id)
    since, until = stay_window_of(entry.returned_on, day=day_of(now))
    facts = Facts(
        health_code=entry.health_code,
        temperature=entry.temperature,
        symptoms=entry.symptoms,
        has_key_area=bool(find_hits(session, places=entry.stays, since=since, until=until)),
        is_document_shared=seen.document,
        is_phone_shared=seen.phone,
        is_above_head_count=head_count is not None and seen.others >= head_count,
        is_duplicate=seen.twin,
    )
    return Screened(flags=flags_of(facts), list_id=seen.list_id)


def _seen_elsewhere(
    session: Session, *, workplace_id: int, identity: Identity, own_id: int | None
) -> Row[*tuple[Any, ...]]:
    """Return whether others share a document or phone, how many are counted, and the list."""
    is_other = Registration.id != (own_id or 0)
    return session.execute(
        select(
            _is_there(
                is_other,
                Registration.document_hash.in_(identity.documents),
                Registration.name_hash.not_in(identity.names),
            ).label("document"),
            _is_there(
                is_other,
                Registration.phone_hash.in_(identity.phones),
                Registration.name_hash.not_in(identity.names),
            ).label("phone"),
            _is_there(
                is_other,
                Registration.workplace_id == workplace_id,
                Registration.phone_hash.in_(identity.phones),
                Registration.name_hash.in_(identity.names),
                Registration.document_hash.not_in(identity.documents),
                Registration.state != RegistrationState.ENDED.value,
            ).label("twin"),
            select(func.count())
            .where(
                is_other,
                Registration.workplace_id == workplace_id,
                Registration.state.in_(_COUNTED),
            )
            .scalar_subquery()
            .label("others"),
            select(func.max(KeyAreaList.id)).scalar_subquery().label("list_id"),
        )
    ).one()


def _is_there(*conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    return exists(select(Registration.id).where(and_(*conditions)))
