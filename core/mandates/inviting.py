"""An owner names a filler or a manager; both confirm: the one by a link, the other by name."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from core.audit.service import record
from core.codes.rules import subject_of
from core.errors import ConflictError
from core.mandates.model import INVITATION_COLUMN, Mandate
from core.mandates.rules import (
    MAX_PEOPLE,
    Act,
    EndReason,
    MandateKind,
    MandateState,
    check_may,
)
from core.mandates.service import (
    MandateCard,
    card_of,
    end,
    find_owner_person,
    lock_company,
    lock_for,
    newest_owner_change,
)
from core.notices.service import queue_notice
from core.people.inviting import (
    Invitation,
    InvitationNameError,
    InvitationNotFoundError,
    InvitationOverError,
    new_token,
    token_hashes_of,
)
from core.people.model import Person
from core.people.names import name_key
from core.people.rules import Purpose
from core.people.service import give_consent, register_person
from core.registry.service import CompanyCard, get_company

CONFIRMED: Final = "mandate_confirmed"


class TooManyPeopleError(ConflictError):
    """More people act for the company or are invited to than one list holds; fact: `max`."""

    code = "too_many_people"


class OwnInvitationError(ConflictError):
    """The owner opened an invitation that is meant for somebody else."""

    code = "own_invitation"


@dataclass(frozen=True, slots=True, kw_only=True)
class InvitationCard:
    """What somebody who opened an invitation may see of it: of the owner one character."""

    company: CompanyCard
    kind: MandateKind
    department: str
    ends_at: datetime


def offer_mandate(
    session: Session,
    *,
    by: MandateCard,
    kind: MandateKind,
    name: str,
    phone: str,
    department: str = "",
    now: datetime,
) -> Invitation:
    """Invite somebody to act for a company; naming the same person again replaces the invitation.

    Args:
        session: the session of the request.
        by: the owner's.
        kind: filler or manager.
        name: normalised, as `name_of` returns it.
        phone: E.164, as `phone_of` returns it.
        department: of a manager; empty for a filler.
        now: aware instant.

    Raises:
        ActForbiddenError: `by` may not name others.
        NoMandateError, OwnerChangedError: `by` ended meanwhile.
        TooManyPeopleError: the list is full.
        ValueError: an owner, or a manager without a department: a bug in the caller.
    """
    check_may(by, Act.NAME_OTHERS)
    if kind is MandateKind.OWNER or (kind is MandateKind.MANAGER) is not bool(department):
        raise ValueError("owners are proved; a manager, and nobody else, has a department")
    newest = lock_for(session, by=by)
    _make_room(session, by, kind=kind, name=name, phone=phone, now=now)
    token = new_token(column=INVITATION_COLUMN, now=now)
    mandate = Mandate(
        company_id=by.company.id,
        kind=kind.value,
        state=MandateState.OFFERED.value,
        department=department,
        name=name,
        phone=phone,
        owner_change_id=newest,
        invitation_hash=token.digest,
        invitation_ends_at=token.ends_at,
        offered_at=now,
    )
    session.add(mandate)
    session.flush()
    _record(session, mandate, action="mandate_offered", actor=f"person:{by.person_id}", now=now)
    return Invitation(id=mandate.id, token=token.text, ends_at=token.ends_at)


def _make_room(
    session: Session, by: MandateCard, *, kind: MandateKind, name: str, phone: str, now: datetime
) -> None:
    """End invitations that this one replaces or that ended by themselves, and count the rest."""
    standing = session.scalars(
        select(Mandate).where(
            Mandate.company_id == by.company.id,
            Mandate.state.in_([MandateState.OFFERED.value, MandateState.ACTIVE.value]),
        )
    ).all()
    same = (kind.value, name_key(name), phone)
    replaced = [
        one
        for one in standing
        if one.invitation_ends_at is not None
        and one.state == MandateState.OFFERED.value
        and ((one.kind, name_key(one.name), one.phone) == same or one.invitation_ends_at <= now)
    ]
    end(
        session,
        mandates=replaced,
        reason=EndReason.REPLACED,
        actor=f"person:{by.person_id}",
        now=now,
    )
    if len(standing) - len(replaced) >= MAX_PEOPLE:
        raise TooManyPeopleError(max=MAX_PEOPLE)


def get_invitation(session: Session, *, token: str, now: datetime) -> InvitationCard:
    """Return an invitation that can be confirmed.

    Raises:
        InvitationNotFoundError: there is none with this token.
        InvitationOverError: it was used, taken back, or is too old.
    """
    mandate = _invited(session, token)
    _check_open(session, mandate, now=now)
    return InvitationCard(
        company=get_company(session, company_id=mandate.company_id),
        kind=MandateKind(mandate.kind),
        department=mandate.department,
        ends_at=mandate.invitation_ends_at or now,
    )


def find_confirmed(session: Session, *, openid: str, token: str) -> int | None:
    """Return the company for which the person confirmed this very invitation before."""
    hashes = token_hashes_of(token, column=INVITATION_COLUMN)
    return session.scalar(
        select(Mandate.company_id)
        .join(Person, Person.id == Mandate.person_id)
        .where(
            Mandate.invitation_hash.in_(hashes),
            Mandate.state == MandateState.ACTIVE.value,
            Person.openid == openid,
        )
    )


def confirm_mandate(
    session: Session, *, openid: str, token: str, name: str, now: datetime
) -> MandateCard:
    """Return the mandate that a person confirms by the name under which they were invited.

    The same person again gets the same mandate; what they were for the company before ends.

    Args:
        session: the session of the request.
        openid: who opened the invitation.
        token: of the invitation.
        name: normalised, as `name_of` returns it; spelling differences do not matter.
        now: aware instant.

    Raises:
        InvitationNotFoundError: there is none with this token.
        InvitationOverError: it was used by somebody else, taken back, or is too old.
        InvitationNameError: the owner invited somebody of another name.
        OwnInvitationError: the person is the owner.
    """
    lock_company(session, company_id=_invited(session, token).company_id)
    mandate = _invited(session, token)  # anew: what was read before the lock may have changed
    person = register_person(session, openid=openid, now=now)
    if mandate.state == MandateState.ACTIVE.value and mandate.person_id == person.id:
        return card_of(session, mandate=mandate)
    _check_open(session, mandate, now=now)
    if name_key(name) != name_key(mandate.name):
        raise InvitationNameError
    _leave_former(session, mandate, person, now=now)
    mandate.state, mandate.confirmed_at = MandateState.ACTIVE.value, now
    mandate.person_id = person.id
    session.flush()
    give_consent(session, person_id=person.id, purpose=Purpose.RETURN_TO_WORK, now=now)
    _record(session, mandate, action="mandate_confirmed", actor=f"person:{person.id}", now=now)
    card = card_of(session, mandate=mandate)
    _tell_owner(session, card, now=now)
    return card


def _invited(session: Session, token: str) -> Mandate:
    hashes = token_hashes_of(token, column=INVITATION_COLUMN)
    invited = select(Mandate).where(Mandate.invitation_hash.in_(hashes))
    mandate = session.scalar(invited.execution_options(populate_existing=True))
    if mandate is None:
        raise InvitationNotFoundError
    return mandate


def _check_open(session: Session, mandate: Mandate, *, now: datetime) -> None:
    is_offered = mandate.state == MandateState.OFFERED.value
    ends_at = mandate.invitation_ends_at
    if not is_offered or ends_at is None or ends_at <= now:
        raise InvitationOverError
    if mandate.owner_change_id < newest_owner_change(session, company_id=mandate.company_id):
        raise InvitationOverError


def _leave_former(session: Session, mandate: Mandate, person: Person, *, now: datetime) -> None:
    """End what a person was for a company before: one acts for it as one thing."""
    former = session.scalars(
        select(Mandate).where(
            Mandate.company_id == mandate.company_id,
            Mandate.person_id == person.id,
            Mandate.state.in_([MandateState.OFFERED.value, MandateState.ACTIVE.value]),
            # Whoever waits to be the owner may be something else meanwhile.
            or_(Mandate.waits_until.is_(None), Mandate.state == MandateState.ACTIVE.value),
        )
    ).all()
    if any(one.kind == MandateKind.OWNER.value for one in former):
        raise OwnInvitationError
    end(session, mandates=former, reason=EndReason.REPLACED, actor=f"person:{person.id}", now=now)


def _tell_owner(session: Session, card: MandateCard, *, now: datetime) -> None:
    owner = find_owner_person(session, company_id=card.company.id)
    if owner is not None:
        queue_notice(
            session,
            now=now,
            kind=CONFIRMED,
            openid=owner.openid,
            key=f"{CONFIRMED}:{card.id}",
            values={"company": card.company.name, "role": card.kind.value},
            link=f"/h5/company/{card.company.id}/people",
        )


def _record(session: Session, mandate: Mandate, *, action: str, actor: str, now: datetime) -> None:
    record(
        session,
        now=now,
        actor=actor,
        action=action,
        subject=subject_of(mandate.company_id),
        mandate_id=mandate.id,
        kind=mandate.kind,
    )
