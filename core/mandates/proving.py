"""An owner proves who they are; another owner takes over what a former one left."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, TypeAlias

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from core.audit.service import record
from core.codes.rules import RetiredReason, subject_of
from core.codes.service import retire_code
from core.mandates.elsewhere import (
    PROVED_ELSEWHERE,
    Waiting,
    ask_from_elsewhere,
    is_waiting,
)
from core.mandates.model import Mandate
from core.mandates.rules import EndReason, MandateKind, MandateState
from core.mandates.service import (
    MandateCard,
    NoMandateError,
    card_of,
    end,
    lock_company,
    newest_owner_change,
    newest_owner_change_query,
    tell,
)
from core.people.documents import Document
from core.people.model import Person
from core.people.rules import Purpose
from core.people.service import give_consent, register_person
from core.registry.model import Company
from core.registry.rules import CompanyState
from core.registry.service import (
    CompanyCard,
    OwnerKey,
    get_company,
    match_owner,
    owner_key_of,
)

OWNER_CHANGED: Final = "owner_changed"
IMPORTER: Final = "operator:import"
OBJECTED: Final = EndReason.OBJECTED
Bound: TypeAlias = Mandate | Literal[EndReason.OBJECTED]
_STANDING: Final = (MandateState.OFFERED.value, MandateState.ACTIVE.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedCompany:
    """A company of the owner for which nobody can act, and what the register says of it."""

    company: CompanyCard
    state: CompanyState


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What became of somebody's proof; all empty: the pair of name and document matched nothing.

    Attributes:
        mandates: for these companies they act now.
        takeovers: these had another owner; what is there must be confirmed first.
        waiting: for these another account of theirs acts, which may object for a while.
        objected: for these it has objected lately; the staff must look.
        refused: these are not in business.
    """

    mandates: tuple[MandateCard, ...] = ()
    takeovers: tuple[CompanyCard, ...] = ()
    waiting: tuple[Waiting, ...] = ()
    objected: tuple[CompanyCard, ...] = ()
    refused: tuple[RefusedCompany, ...] = ()

    @property
    def is_matched(self) -> bool:
        """Whether the register knows the pair."""
        found = (self.mandates, self.takeovers, self.waiting, self.objected, self.refused)
        return any(found)


def prove_ownership(
    session: Session, *, openid: str, name: str, document: Document, now: datetime
) -> Proof:
    """Bind a person to every company in business of which they are the registered owner.

    Doing it again changes nothing. From another WeChat account it begins a wait in which the
    former account may object (`core/mandates/elsewhere.py`): whoever lost their phone is not
    locked out. A pair that matches nothing is no exception, see `match_owner`.

    Args:
        session: the session of the request.
        openid: who asks.
        name: normalised, as `name_of` returns it.
        document: as `document_of` returns it.
        now: aware instant.
    """
    person = register_person(session, openid=openid, now=now)
    matched = match_owner(
        session, name=name, document=document, actor=f"person:{person.id}", now=now
    )
    if matched.is_matched:
        give_consent(session, person_id=person.id, purpose=Purpose.RETURN_TO_WORK, now=now)
    owner = owner_key_of(name=name, number=document.number)
    # Always in this order, so that two who prove themselves at once wait for one another.
    bound = {
        company.id: bind_owner(session, person, company, name=name, owner=owner, now=now)
        for company in sorted(matched.companies, key=lambda one: one.id)
        if company.is_in_business
    }
    return _proof_of(session, matched.companies, bound)


def _proof_of(
    session: Session, companies: Sequence[CompanyCard], bound: dict[int, Bound | None]
) -> Proof:
    found = [(company, bound.get(company.id)) for company in companies]
    mandates = [(company, one) for company, one in found if isinstance(one, Mandate)]
    active = [one for _, one in mandates if one.state == MandateState.ACTIVE.value]
    offered = [pair for pair in mandates if pair[1].state == MandateState.OFFERED.value]
    return Proof(
        mandates=tuple(card_of(session, mandate=mandate) for mandate in active),
        takeovers=tuple(company for company, one in offered if one.waits_until is None),
        waiting=tuple(
            Waiting(company=company, until=one.waits_until)
            for company, one in offered
            if one.waits_until is not None
        ),
        objected=tuple(company for company, one in found if one is OBJECTED),
        refused=tuple(
            RefusedCompany(company=company, state=company.state)
            for company in companies
            if not company.is_in_business
        ),
    )


def bind_owner(
    session: Session,
    person: Person,
    company: CompanyCard,
    *,
    name: str,
    owner: OwnerKey,
    now: datetime,
) -> Bound | None:
    """Return the mandate of a person as the owner of a company, a new one if they had none.

    Returns:
        Active; or offered, if another owner left something to take over, or another account of
        theirs may object; `OBJECTED` if that has; None if the register named another owner
        meanwhile.
    """
    if not _lock_if_owned(session, company.id, owner):
        return None
    newest = newest_owner_change(session, company_id=company.id)
    actor = f"person:{person.id}"
    standing = _hand_over(session, company, newest=newest, actor=actor, now=now)
    owners = [one for one in standing if one.kind == MandateKind.OWNER.value]
    former = next((one for one in owners if not is_waiting(one)), None)
    if former is not None and former.person_id == person.id:
        return former
    if former is not None and former.state == MandateState.ACTIVE.value:
        waiting = ask_from_elsewhere(
            session, person=person, company=company, former=former, name=name, now=now
        )
        return waiting or OBJECTED
    if former is not None:
        end(session, mandates=[former], reason=EndReason.PROVED_ELSEWHERE, actor=actor, now=now)
        tell(session, mandates=[former], kind=PROVED_ELSEWHERE, company=company, now=now)
    lesser = [
        one
        for one in standing
        if one is not former and (one.person_id == person.id or is_waiting(one))
    ]
    end(session, mandates=lesser, reason=EndReason.REPLACED, actor=actor, now=now)
    return _appoint(session, person, company, name=name, newest=newest, now=now)


def _appoint(
    session: Session,
    person: Person,
    company: CompanyCard,
    *,
    name: str,
    newest: int,
    now: datetime,
) -> Mandate:
    is_takeover = _has_former_owner(session, company_id=company.id, newest=newest)
    state = MandateState.OFFERED if is_takeover else MandateState.ACTIVE
    mandate = Mandate(
        company_id=company.id,
        person_id=person.id,
        kind=MandateKind.OWNER.value,
        state=state.value,
        department="",
        name=name,
        owner_change_id=newest,
        offered_at=now,
        confirmed_at=None if is_takeover else now,
    )
    session.add(mandate)
    session.flush()
    actor = f"person:{person.id}"
    _record(session, company.id, action="owner_bound", actor=actor, now=now, state=state.value)
    if is_takeover:
        # It may have been made after the former owner's mandate was ended for another reason.
        _retire(session, company.id, actor=actor, now=now)
    return mandate


def _lock_if_owned(session: Session, company_id: int, owner: OwnerKey) -> bool:
    """Lock a company and return whether the register still names this owner."""
    statement = select(Company.id).where(
        Company.id == company_id,
        Company.owner_id_hash.in_(owner.id_hashes),
        Company.owner_name_hash.in_(owner.name_hashes),
    )
    return session.scalar(statement.with_for_update()) is not None


def _has_former_owner(session: Session, *, company_id: int, newest: int) -> bool:
    """Return whether the last owner who confirmed anything is one of before the last change."""
    last = select(func.max(Mandate.owner_change_id)).where(
        Mandate.company_id == company_id,
        Mandate.kind == MandateKind.OWNER.value,
        Mandate.confirmed_at.is_not(None),
    )
    known = session.scalar(last)
    return known is not None and known < newest


# ---- taking over ----------------------------------------------------------------------------


def find_takeover(session: Session, *, openid: str, company_id: int) -> CompanyCard | None:
    """Return the company, if the person is its new owner and must confirm what they take over."""
    companies = list_takeovers(session, openid=openid)
    return next((company for company in companies if company.id == company_id), None)


def list_takeovers(session: Session, *, openid: str) -> list[CompanyCard]:
    """Return the companies that a person must confirm to take over, by name."""
    rows = session.execute(
        select(Mandate.company_id, Mandate.owner_change_id)
        .join(Person, Person.id == Mandate.person_id)
        .join(Company, Company.id == Mandate.company_id)
        .where(
            Person.openid == openid,
            Mandate.kind == MandateKind.OWNER.value,
            Mandate.state == MandateState.OFFERED.value,
            Mandate.waits_until.is_(None),
            Mandate.owner_change_id >= newest_owner_change_query(),
        )
        .order_by(Company.name, Company.id)
    )
    return [get_company(session, company_id=company_id) for company_id, _ in rows]


def confirm_takeover(
    session: Session, *, openid: str, company_id: int, now: datetime
) -> MandateCard:
    """Return the mandate of the new owner, who has seen what they take over; twice is once.

    Raises:
        NoMandateError: they are not the owner, or the register names yet another one.
    """
    lock_company(session, company_id=company_id)
    mandate = session.scalar(
        select(Mandate)
        .join(Person, Person.id == Mandate.person_id)
        .where(
            Mandate.company_id == company_id,
            Person.openid == openid,
            Mandate.kind == MandateKind.OWNER.value,
            Mandate.state.in_(_STANDING),
            or_(Mandate.waits_until.is_(None), Mandate.state == MandateState.ACTIVE.value),
        )
    )
    newest = newest_owner_change(session, company_id=company_id)
    if mandate is None or mandate.owner_change_id < newest:
        raise NoMandateError
    if mandate.state == MandateState.OFFERED.value:
        mandate.state, mandate.confirmed_at = MandateState.ACTIVE.value, now
        session.flush()
        actor = f"person:{mandate.person_id}"
        _record(session, company_id, action="company_taken_over", actor=actor, now=now)
    return card_of(session, mandate=mandate)


def hand_over_changed_owners(session: Session, *, now: datetime) -> int:
    """End what was given under former owners, retire the codes, tell those concerned.

    Filings, registrations and decisions stay as they are; nobody can decide until the new owner
    has proved who they are. Running this again changes nothing.

    Returns:
        How many companies had another owner.
    """
    statement = (
        select(Mandate.company_id)
        .join(Company, Company.id == Mandate.company_id)
        .where(Mandate.state.in_(_STANDING), Mandate.owner_change_id < newest_owner_change_query())
        .distinct()
        .order_by(Mandate.company_id)
    )
    companies = session.scalars(statement).all()
    for company_id in companies:
        lock_company(session, company_id=company_id)
        company = get_company(session, company_id=company_id)
        newest = newest_owner_change(session, company_id=company_id)
        _hand_over(session, company, newest=newest, actor=IMPORTER, now=now)
    return len(companies)


def _hand_over(
    session: Session, company: CompanyCard, *, newest: int, actor: str, now: datetime
) -> list[Mandate]:
    """End what an earlier owner gave, and return the mandates and invitations that stand."""
    rows = session.scalars(
        select(Mandate)
        .where(Mandate.company_id == company.id, Mandate.state.in_(_STANDING))
        .order_by(Mandate.id)
    ).all()
    stale = [one for one in rows if one.owner_change_id < newest]
    if stale:
        end(session, mandates=stale, reason=EndReason.OWNER_CHANGED, actor=actor, now=now)
        tell(session, mandates=stale, kind=OWNER_CHANGED, company=company, now=now)
        _retire(session, company.id, actor=actor, now=now)
        _record(session, company.id, action="company_handed_over", actor=actor, now=now)
    return [one for one in rows if one not in stale]


def _retire(session: Session, company_id: int, *, actor: str, now: datetime) -> None:
    subject, reason = subject_of(company_id), RetiredReason.OWNER_CHANGED
    retire_code(session, subject=subject, reason=reason, actor=actor, now=now)


def _record(
    session: Session, company_id: int, *, action: str, actor: str, now: datetime, **facts: str
) -> None:
    subject = subject_of(company_id)
    record(session, now=now, actor=actor, action=action, subject=subject, **facts)
