"""Use cases of mandates: who acts for which company, ending a mandate, whom to tell."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import Session

from core.audit.service import record
from core.codes.rules import RetiredReason, subject_of
from core.codes.service import retire_code
from core.errors import ForbiddenError, NotFoundError
from core.mandates.model import Mandate
from core.mandates.rules import Act, EndReason, MandateKind, MandateState, check_may
from core.notices.service import NoticeDraft, queue_notices
from core.people.model import Person
from core.people.names import mask_name
from core.people.phones import mask_phone
from core.people.service import find_person
from core.registry.model import Company, CompanyChange
from core.registry.rules import Field
from core.registry.service import CompanyCard, get_company

MANDATE_ENDED: Final = "mandate_ended"
_ORDER: Final = [*MandateKind]


class NoMandateError(ForbiddenError):
    """The person does not act for this company."""

    code = "no_mandate"


class OwnerChangedError(ForbiddenError):
    """The register names another owner since; whoever acted for the former one does no more."""

    code = "mandate_owner_changed"


class TakeOverPendingError(ForbiddenError):
    """The person is the new owner, and did not confirm yet what they take over."""

    code = "take_over_pending"


class OwnerWaitsError(ForbiddenError):
    """The person proved to be the owner; their other account may object for a while yet."""

    code = "owner_waits"


class MandateNotFoundError(NotFoundError):
    """The company has no such mandate."""

    code = "mandate_not_found"


@dataclass(frozen=True, slots=True, kw_only=True)
class MandateCard:
    """That a person acts for a company at this moment.

    Attributes:
        department: the one that a manager acts for; empty for the others.
    """

    id: int
    company: CompanyCard
    kind: MandateKind
    department: str
    person_id: int
    confirmed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Deputy:
    """Somebody who acts for a company, or is invited to, as the owner may see them.

    Attributes:
        phone_masked: as the owner gave it; empty for an owner.
        ends_at: when the invitation ends, if it is not confirmed yet.
    """

    mandate_id: int
    kind: MandateKind
    department: str
    name_masked: str
    phone_masked: str
    state: MandateState
    ends_at: datetime | None

    def is_expired(self, now: datetime) -> bool:
        """Return whether the invitation ended without being confirmed."""
        return self.ends_at is not None and self.ends_at <= now


def list_mandates(session: Session, *, openid: str) -> list[MandateCard]:
    """Return the mandates of a person that hold now, by name of the company.

    What was given under a former owner does not hold, whether or not anybody ended it yet.
    """
    # With the companies, which the cards then find in the session.
    rows = session.execute(
        select(Mandate, Company)
        .join(Person, Person.id == Mandate.person_id)
        .join(Company, Company.id == Mandate.company_id)
        .where(*_holds(), Person.openid == openid)
        .order_by(Company.name, Mandate.id)
    ).all()
    return [card_of(session, mandate=mandate) for mandate, _ in rows]


def get_mandate(
    session: Session,
    *,
    openid: str,
    company_id: int,
    kinds: Collection[MandateKind] = frozenset(),
) -> MandateCard:
    """Return the mandate by which a person acts for a company.

    Args:
        session: may be a reading one.
        openid: who wants to act.
        company_id: for which company.
        kinds: as what they must; empty: as anything.

    Raises:
        NoMandateError: they do not act for it, or as something else.
        OwnerChangedError: they did, until the register named another owner.
        TakeOverPendingError: they are the new owner and must confirm first.
        OwnerWaitsError: they are the owner with another account, which may object yet.
    """
    theirs = session.scalars(
        select(Mandate)
        .join(Person, Person.id == Mandate.person_id)
        .where(
            Mandate.company_id == company_id,
            Person.openid == openid,
            Mandate.kind.in_([kind.value for kind in kinds or MandateKind]),
        )
        .order_by(Mandate.id.desc())
    ).all()
    if not theirs:
        raise NoMandateError
    by_state = {mandate.state: mandate for mandate in reversed(theirs)}
    mandate = by_state.get(MandateState.ACTIVE) or by_state.get(MandateState.OFFERED)
    if mandate is None:
        is_changed = theirs[0].ended_reason == EndReason.OWNER_CHANGED.value
        raise OwnerChangedError if is_changed else NoMandateError
    if mandate.owner_change_id < newest_owner_change(session, company_id=company_id):
        raise OwnerChangedError
    if mandate.state == MandateState.OFFERED.value:
        raise TakeOverPendingError if mandate.waits_until is None else OwnerWaitsError
    return card_of(session, mandate=mandate)


def list_deputies(session: Session, *, by: MandateCard) -> list[Deputy]:
    """Return who acts for a company and who is invited to: owner, fillers, managers, by age.

    Raises:
        ActForbiddenError: `by` may not name others.
    """
    check_may(by, Act.NAME_OTHERS)
    rows = session.scalars(
        select(Mandate).where(
            Mandate.company_id == by.company.id,
            Mandate.state.in_([MandateState.OFFERED.value, MandateState.ACTIVE.value]),
            # Another account of the owner is nobody whom the owner named.
            or_(Mandate.waits_until.is_(None), Mandate.state == MandateState.ACTIVE.value),
        )
    )
    found = [_deputy_of(mandate) for mandate in rows]
    return sorted(found, key=lambda one: (_ORDER.index(one.kind), one.mandate_id))


def end_mandate(session: Session, *, by: MandateCard, mandate_id: int, now: datetime) -> None:
    """End the mandate of a filler or manager, or take back their invitation; twice is once.

    Args:
        session: the session of the request.
        by: of the owner, or the mandate itself: everybody may stop acting for a company.
        mandate_id: of the same company; not that of an owner, which the register ends.
        now: aware instant.

    Raises:
        MandateNotFoundError: the company has no such filler or manager.
        ActForbiddenError: `by` is neither the owner's nor the mandate itself.
        NoMandateError, OwnerChangedError: `by` ended meanwhile.
    """
    if by.id != mandate_id:
        check_may(by, Act.NAME_OTHERS)
    lock_for(session, by=by)
    mandate = session.get(Mandate, mandate_id, populate_existing=True)
    is_theirs = mandate is not None and mandate.company_id == by.company.id
    if mandate is None or not is_theirs or mandate.kind == MandateKind.OWNER.value:
        raise MandateNotFoundError
    if mandate.state == MandateState.ENDED.value:
        return
    reason = EndReason.LEFT if by.id == mandate_id else EndReason.WITHDRAWN
    end(session, mandates=[mandate], reason=reason, actor=f"person:{by.person_id}", now=now)
    if reason is EndReason.WITHDRAWN:
        tell(session, mandates=[mandate], kind=MANDATE_ENDED, company=by.company, now=now)


def end_mandates_of(session: Session, *, openid: str, now: datetime) -> int:
    """End all that a person does for companies, forget their name and phone; return how many.

    Comes before `forget_person`: an active mandate is somebody's.
    """
    person = find_person(session, openid=openid)
    if person is None:
        return 0
    theirs = list(session.scalars(select(Mandate).where(Mandate.person_id == person.id)))
    standing = [one for one in theirs if one.state != MandateState.ENDED.value]
    end(
        session, mandates=standing, reason=EndReason.FORGOTTEN, actor=f"person:{person.id}", now=now
    )
    for mandate in theirs:
        mandate.name, mandate.phone = "", None
    for mandate in standing:
        if mandate.kind == MandateKind.OWNER.value:
            # Nobody stands behind the code any more who could retire it.
            retire_code(
                session,
                subject=subject_of(mandate.company_id),
                reason=RetiredReason.RETIRED,
                actor=f"person:{person.id}",
                now=now,
            )
    session.flush()
    return len(standing)


def find_owner_person(session: Session, *, company_id: int) -> Person | None:
    """Return the owner of a company who has proved it, as long as the register names them."""
    statement = select(Person).join(Mandate, Mandate.person_id == Person.id)
    return session.scalar(
        statement.join(Company, Company.id == Mandate.company_id).where(
            *_holds(), Mandate.company_id == company_id, Mandate.kind == MandateKind.OWNER.value
        )
    )


def list_people_to_tell(session: Session, *, company_id: int) -> list[str]:
    """Return the openids of the owner and the fillers of a company, the owner first."""
    kinds = (MandateKind.OWNER.value, MandateKind.FILLER.value)
    rows = session.execute(
        select(Mandate.kind, Mandate.id, Person.openid)
        .join(Person, Person.id == Mandate.person_id)
        .join(Company, Company.id == Mandate.company_id)
        .where(*_holds(), Mandate.company_id == company_id, Mandate.kind.in_(kinds))
    ).all()
    ordered = sorted(rows, key=lambda row: (kinds.index(row.kind), row.id))
    return [row.openid for row in ordered]


# ---- what the other use cases of mandates share ---------------------------------------------


def lock_company(session: Session, *, company_id: int) -> None:
    """Let nobody else change who acts for a company until the transaction ends."""
    # Weak enough that people go on registering, whose rows name the company.
    held = select(Company.id).where(Company.id == company_id).with_for_update(key_share=True)
    session.execute(held)


def lock_for(session: Session, *, by: MandateCard) -> int:
    """Lock a company for an act of `by`, and return the newest change of its owner.

    Raises:
        NoMandateError: the mandate ended since it was read.
        OwnerChangedError: the register names another owner since.
    """
    lock_company(session, company_id=by.company.id)
    mandate = session.get(Mandate, by.id, populate_existing=True)
    if mandate is None or mandate.state != MandateState.ACTIVE.value:
        raise NoMandateError
    newest = newest_owner_change(session, company_id=by.company.id)
    if mandate.owner_change_id < newest:
        raise OwnerChangedError
    return newest


def newest_owner_change(session: Session, *, company_id: int) -> int:
    """Return the id of the register's newest change of a company's owner; 0 without one.

    Ids, not instants: a change is recorded with the instant at which its import began, and an
    owner may prove themselves while it runs.
    """
    return session.scalar(_newest_change(CompanyChange.company_id == company_id)) or 0


def end(
    session: Session,
    *,
    mandates: Iterable[Mandate],
    reason: EndReason,
    actor: str,
    now: datetime,
) -> None:
    """End mandates that are not over, each with its audit row; their invitations are void."""
    for mandate in mandates:
        mandate.state = MandateState.ENDED.value
        mandate.ended_at, mandate.ended_reason = now, reason.value
        record(
            session,
            now=now,
            actor=actor,
            action="mandate_ended",
            subject=subject_of(mandate.company_id),
            mandate_id=mandate.id,
            kind=mandate.kind,
            reason=reason.value,
        )
    # A unique index allows one owner: the former is gone before the next comes.
    session.flush()


def tell(
    session: Session,
    *,
    mandates: Sequence[Mandate],
    kind: str,
    company: CompanyCard,
    now: datetime,
    of: int = 0,
) -> None:
    """Queue a notice for everybody whose mandates these are; an invitation is nobody's yet.

    It leads to the page on which they see what is left, and prove themselves anew.

    Args:
        session: the session of the change.
        mandates: whose people are told.
        kind: of the notice; each hears of a mandate once.
        company: the company.
        now: aware instant.
        of: the mandate that it is about, where that is not their own.
    """
    wanted = {one.person_id: one for one in mandates if one.person_id is not None}
    people = session.execute(
        select(Person.id, Person.openid).where(Person.id.in_(wanted)).order_by(Person.id)
    )
    drafts = [
        NoticeDraft(
            kind=kind,
            openid=openid,
            key=f"{kind}:{of or wanted[person_id].id}",
            values={"company": company.name, "role": wanted[person_id].kind},
            link="/h5/owner",
        )
        for person_id, openid in people
    ]
    queue_notices(session, now=now, drafts=drafts)


def card_of(session: Session, *, mandate: Mandate) -> MandateCard:
    """Return what others may know of an active mandate.

    Raises:
        ValueError: it is not active, a bug in the caller.
    """
    if mandate.person_id is None or mandate.confirmed_at is None:
        raise ValueError("only an active mandate has a card")
    return MandateCard(
        id=mandate.id,
        company=get_company(session, company_id=mandate.company_id),
        kind=MandateKind(mandate.kind),
        department=mandate.department,
        person_id=mandate.person_id,
        confirmed_at=mandate.confirmed_at,
    )


def _deputy_of(mandate: Mandate) -> Deputy:
    return Deputy(
        mandate_id=mandate.id,
        kind=MandateKind(mandate.kind),
        department=mandate.department,
        name_masked=mask_name(mandate.name),
        phone_masked=mask_phone(mandate.phone) if mandate.phone else "",
        state=MandateState(mandate.state),
        ends_at=mandate.invitation_ends_at if mandate.confirmed_at is None else None,
    )


def newest_owner_change_query() -> ColumnElement[int]:
    """Return `newest_owner_change` as an expression for the company of the statement around it."""
    newest = _newest_change(CompanyChange.company_id == Company.id).correlate(Company)
    return func.coalesce(newest.scalar_subquery(), 0)


def _newest_change(of_company: ColumnElement[bool]) -> Select[int | None]:
    return select(func.max(CompanyChange.id)).where(
        of_company, CompanyChange.field == Field.OWNER.value
    )


def _holds() -> tuple[ColumnElement[bool], ...]:
    """Return the conditions of a mandate that holds; its company is part of the statement."""
    return (
        Mandate.state == MandateState.ACTIVE.value,
        Mandate.owner_change_id >= newest_owner_change_query(),
    )
