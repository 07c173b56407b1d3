"""The same owner from another WeChat account: the former account is told, and may object.

Name and number are known to more people than the owner. So a second account waits for a day; the
first one may say at once that it is the owner, or that it is not. Whoever lost their phone is not
locked out, whoever found the papers of somebody does not act for their company unnoticed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from core.audit.service import record
from core.codes.rules import subject_of
from core.mandates.model import Mandate
from core.mandates.rules import Act, EndReason, MandateKind, MandateState, check_may
from core.mandates.service import (
    MandateCard,
    end,
    lock_company,
    lock_for,
    newest_owner_change,
    tell,
)
from core.people.model import Person
from core.registry.service import CompanyCard, find_company_by_uscc, get_company

WAIT: Final = timedelta(hours=24)
# After an objection nobody else proves by name and number alone; the staff look first.
OBJECTION_HOLDS: Final = timedelta(days=30)
ASKED_ELSEWHERE: Final = "owner_asked_elsewhere"
PROVED_ELSEWHERE: Final = "owner_proved_elsewhere"
GRANTED_ELSEWHERE: Final = "owner_granted_elsewhere"
REFUSED_ELSEWHERE: Final = "owner_refused_elsewhere"
CLOCK: Final = "system:worker"


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """Somebody who proved to be the owner from another account, and waits.

    Attributes:
        until: from this instant on they act for the company, unless somebody objects.
    """

    company: CompanyCard
    until: datetime


def ask_from_elsewhere(
    session: Session,
    *,
    person: Person,
    company: CompanyCard,
    former: Mandate,
    name: str,
    now: datetime,
) -> Mandate | None:
    """Return the mandate by which a person waits to take the place of their other account.

    Args:
        session: the session of the request; the company is locked.
        person: who proved to be the owner.
        company: the company.
        former: of the other account, active.
        name: of the owner, normalised.
        now: aware instant.

    Returns:
        Offered, and active if they waited long enough; None if the other account objected
        lately: then the staff must look.
    """
    waiting = next(
        (one for one in _list_waiting(session, company.id) if one.person_id == person.id), None
    )
    if waiting is not None:
        if _is_due(waiting, now):
            _let_in(session, waiting, company=company, actor=f"person:{person.id}", now=now)
        return waiting
    if _was_objected(session, company.id, now=now):
        return None
    waiting = Mandate(
        company_id=company.id,
        person_id=person.id,
        kind=MandateKind.OWNER.value,
        state=MandateState.OFFERED.value,
        department="",
        name=name,
        owner_change_id=former.owner_change_id,
        offered_at=now,
        waits_until=now + WAIT,
    )
    session.add(waiting)
    session.flush()
    _record(session, waiting, "owner_asked_elsewhere", actor=f"person:{person.id}", now=now)
    tell(session, mandates=[former], kind=ASKED_ELSEWHERE, company=company, now=now, of=waiting.id)
    return waiting


def is_waiting(mandate: Mandate) -> bool:
    """Return whether a mandate waits for the owner's other account."""
    return mandate.waits_until is not None and mandate.state == MandateState.OFFERED.value


def list_waiting(session: Session, *, openid: str) -> list[Waiting]:
    """Return for which companies a person waits to act as the owner, by id."""
    rows = session.scalars(
        select(Mandate)
        .join(Person, Person.id == Mandate.person_id)
        .where(Person.openid == openid, *_waits())
        .order_by(Mandate.company_id)
    ).all()
    return [
        Waiting(company=get_company(session, company_id=one.company_id), until=one.waits_until)
        for one in rows
        if one.waits_until is not None
    ]


def find_asked(session: Session, *, by: MandateCard) -> datetime | None:
    """Return until when the owner may answer for another account; None if none asks."""
    if by.kind is not MandateKind.OWNER:
        return None
    waiting = _list_waiting(session, by.company.id)
    return min((one.waits_until for one in waiting if one.waits_until), default=None)


def object_to_elsewhere(session: Session, *, by: MandateCard, now: datetime) -> int:
    """End what other accounts of the same owner wait for, and return how many did.

    Raises:
        ActForbiddenError: `by` is not the owner's.
        NoMandateError, OwnerChangedError: `by` ended meanwhile.
    """
    check_may(by, Act.NAME_OTHERS)
    lock_for(session, by=by)
    waiting = _list_waiting(session, by.company.id)
    actor = f"person:{by.person_id}"
    end(session, mandates=waiting, reason=EndReason.OBJECTED, actor=actor, now=now)
    tell(session, mandates=waiting, kind=REFUSED_ELSEWHERE, company=by.company, now=now)
    return len(waiting)


def grant_to_elsewhere(session: Session, *, by: MandateCard, now: datetime) -> int:
    """Let the account that asked first act in place of the owner's present one, at once.

    Returns:
        How many were let in: none if nobody waits any more.

    Raises:
        ActForbiddenError: `by` is not the owner's.
        NoMandateError, OwnerChangedError: `by` ended meanwhile.
    """
    check_may(by, Act.NAME_OTHERS)
    lock_for(session, by=by)
    waiting = _list_waiting(session, by.company.id)[:1]
    for one in waiting:
        _let_in(session, one, company=by.company, actor=f"person:{by.person_id}", now=now)
    return len(waiting)


def settle_waiting(session: Session, *, now: datetime) -> int:
    """Let those act who waited long enough and to whom nobody objected; return how many."""
    due = session.execute(
        select(Mandate.id, Mandate.company_id)
        .where(*_waits(), Mandate.waits_until <= now)
        .order_by(Mandate.waits_until, Mandate.id)
    ).all()
    count = 0
    for mandate_id, company_id in due:
        lock_company(session, company_id=company_id)
        waiting = session.get_one(Mandate, mandate_id, populate_existing=True)
        newest = newest_owner_change(session, company_id=company_id)
        # Another one was quicker, or the register names somebody else by now.
        if waiting.state != MandateState.OFFERED.value or waiting.owner_change_id < newest:
            continue
        company = get_company(session, company_id=company_id)
        _let_in(session, waiting, company=company, actor=CLOCK, now=now)
        count += 1
    return count


def release_owner(session: Session, *, uscc: str, actor: str, now: datetime) -> int:
    """End the mandate of whoever acts as a company's owner, after the staff looked.

    Whoever proves to be the owner next is bound at once.

    Returns:
        How many acted: none or one.
    """
    company = find_company_by_uscc(session, uscc=uscc)
    if company is None:
        return 0
    lock_company(session, company_id=company.id)
    active = _list_active_owners(session, company.id)
    end(session, mandates=active, reason=EndReason.RELEASED, actor=actor, now=now)
    tell(session, mandates=active, kind=PROVED_ELSEWHERE, company=company, now=now)
    return len(active)


def _let_in(
    session: Session, waiting: Mandate, *, company: CompanyCard, actor: str, now: datetime
) -> None:
    """Make the waiting account the owner's; what the others were is over."""
    former = _list_active_owners(session, company.id)
    end(session, mandates=former, reason=EndReason.PROVED_ELSEWHERE, actor=actor, now=now)
    tell(session, mandates=former, kind=PROVED_ELSEWHERE, company=company, now=now)
    lesser = session.scalars(
        select(Mandate).where(
            Mandate.company_id == company.id,
            Mandate.state.in_((MandateState.ACTIVE.value, MandateState.OFFERED.value)),
            Mandate.person_id == waiting.person_id,
            Mandate.id != waiting.id,
        )
    ).all()
    others = [one for one in _list_waiting(session, company.id) if one is not waiting]
    end(
        session,
        mandates=list(dict.fromkeys([*lesser, *others])),
        reason=EndReason.REPLACED,
        actor=actor,
        now=now,
    )
    waiting.state, waiting.confirmed_at = MandateState.ACTIVE.value, now
    session.flush()
    _record(session, waiting, "owner_granted_elsewhere", actor=actor, now=now)
    tell(session, mandates=[waiting], kind=GRANTED_ELSEWHERE, company=company, now=now)


def _is_due(mandate: Mandate, now: datetime) -> bool:
    return mandate.waits_until is not None and mandate.waits_until <= now


def _was_objected(session: Session, company_id: int, *, now: datetime) -> bool:
    objected = select(Mandate.id).where(
        Mandate.company_id == company_id,
        Mandate.ended_reason == EndReason.OBJECTED.value,
        Mandate.ended_at > now - OBJECTION_HOLDS,
    )
    return session.execute(objected.limit(1)).first() is not None


def _list_waiting(session: Session, company_id: int) -> list[Mandate]:
    waiting = select(Mandate).where(Mandate.company_id == company_id, *_waits())
    return list(session.scalars(waiting.order_by(Mandate.waits_until, Mandate.id)))


def _list_active_owners(session: Session, company_id: int) -> list[Mandate]:
    active = select(Mandate).where(
        Mandate.company_id == company_id,
        Mandate.kind == MandateKind.OWNER.value,
        Mandate.state == MandateState.ACTIVE.value,
    )
    return list(session.scalars(active))


def _waits() -> tuple[ColumnElement[bool], ...]:
    return (Mandate.waits_until.is_not(None), Mandate.state == MandateState.OFFERED.value)


def _record(session: Session, mandate: Mandate, action: str, *, actor: str, now: datetime) -> None:
    record(
        session,
        now=now,
        actor=actor,
        action=action,
        subject=subject_of(mandate.company_id),
        mandate_id=mandate.id,
    )
