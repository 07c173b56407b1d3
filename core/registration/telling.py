"""Notices about registrations: to the person that it arrived, to who decides that people wait."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.mandates.model import Mandate
from core.mandates.rules import MAY, Act, MandateKind, MandateState
from core.notices.service import NoticeDraft, queue_notice, queue_notices
from core.people.model import MessageConsent, Person
from core.registration.model import Registration
from core.workplaces.model import Workplace
from core.workplaces.service import answering_id

REGISTRATION_RECEIVED: Final = "registration_received"
REGISTRATION_APPROVED: Final = "registration_approved"
OWNER_RECHECK: Final = "owner_recheck"
# What comes of a registration; somebody who does not follow is asked for one of each at once.
RESULT_KINDS: Final = (REGISTRATION_APPROVED, "registration_returned", "registration_rejected")
_DECIDING: Final = tuple(kind.value for kind in MandateKind if Act.DECIDE in MAY[kind])


class ToldBy(StrEnum):
    """How a person hears what becomes of their registration, besides the receipt."""

    ACCOUNT = "account"  # they follow it
    ONE_MESSAGE = "one_message"  # they agreed to a subscription message
    NOTHING = "nothing"


def tell_received(
    session: Session,
    *,
    person: Person,
    registration: Registration,
    workplace_name: str,
    now: datetime,
) -> None:
    """Queue for a person that their registration arrived, if a message can reach them.

    Who neither follows the account nor agreed to messages sees the receipt, and is spared an
    attempt that the platform would refuse.
    """
    if not person.is_following and not _accepts(session, person_id=person.id):
        return
    queue_notice(
        session,
        now=now,
        kind=REGISTRATION_RECEIVED,
        openid=person.openid,
        key=f"received:{registration.id}:{registration.version}",
        values={"company": workplace_name, "number": registration.number},
        link=f"/h5/registration/{registration.id}",
    )


def tell_approved(
    session: Session,
    *,
    registration: Registration,
    workplace_name: str,
    key: str,
    now: datetime,
) -> None:
    """Queue for the person of a registration that they may come; nobody's needs no telling.

    Args:
        session: the session of the decision.
        registration: was approved.
        workplace_name: of its workplace.
        key: identity of the decision.
        now: aware instant.
    """
    person = registration.person_id and session.get(Person, registration.person_id)
    if not person:
        return
    queue_notice(
        session,
        now=now,
        kind=REGISTRATION_APPROVED,
        openid=person.openid,
        key=f"{key}:{registration.id}",
        values={"company": workplace_name, "number": registration.number},
        link=f"/h5/registration/{registration.id}",
    )


def told_by_of(session: Session, *, openid: str, template_ids: Collection[str]) -> ToldBy:
    """Return how a person hears what becomes of their registration.

    Args:
        session: may be a reading one.
        openid: the person.
        template_ids: of the subscription messages that tell of it.
    """
    person = session.scalar(select(Person).where(Person.openid == openid))
    if person is not None and person.is_following:
        return ToldBy.ACCOUNT
    if person is None or not _accepts(session, person_id=person.id, template_ids=template_ids):
        return ToldBy.NOTHING
    return ToldBy.ONE_MESSAGE


def _accepts(
    session: Session, *, person_id: int, template_ids: Collection[str] | None = None
) -> bool:
    consent = select(MessageConsent.id).where(
        MessageConsent.person_id == person_id, MessageConsent.remaining > 0
    )
    if template_ids is not None:
        consent = consent.where(MessageConsent.template_id.in_(template_ids))
    return session.execute(consent.limit(1)).first() is not None


def tell_recheck(session: Session, *, counts: Mapping[tuple[int, str], int], now: datetime) -> None:
    """Queue for those who decide that the new list of key areas concerns people they know of.

    Args:
        session: the session of the import.
        counts: how many, by workplace and department.
        now: aware instant of the import.
    """
    drafts = []
    for decider in list_deciders(session, workplace_ids={place for place, _ in counts}):
        count = sum(count for place, count in counts.items() if decider.decides(*place))
        if count:
            drafts.append(
                NoticeDraft(
                    kind=OWNER_RECHECK,
                    openid=decider.openid,
                    key=f"recheck:{now.timestamp():.6f}:{decider.workplace_id}:{decider.openid}",
                    values={"company": decider.workplace_name, "count": count},
                    link=sheet_path(decider.workplace_id),
                )
            )
    queue_notices(session, now=now, drafts=drafts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decider:
    """Somebody who decides about registrations.

    Attributes:
        department: the one that they decide about; None: all of the workplace.
    """

    openid: str
    workplace_id: int
    workplace_name: str
    department: str | None

    def decides(self, workplace_id: int, department: str) -> bool:
        """Return whether registrations of a department of a workplace are theirs to decide."""
        return self.workplace_id == workplace_id and self.department in {None, department}


def list_deciders(session: Session, *, workplace_ids: Collection[int]) -> list[Decider]:
    """Return who decides about registrations with some workplaces, by the age of their mandate.

    One statement for all of them: whether a mandate still holds under the register's newest owner
    is checked where something is decided, not where it is only told that there is.
    """
    rows = session.execute(
        select(Mandate.kind, Mandate.department, Workplace.id, Workplace.name, Person.openid)
        .join(Person, Person.id == Mandate.person_id)
        .join(Workplace, answering_id() == Mandate.company_id)
        .where(
            Mandate.state == MandateState.ACTIVE.value,
            Mandate.kind.in_(_DECIDING),
            Workplace.id.in_(workplace_ids),
        )
        .order_by(Mandate.id, Workplace.id)
    )
    return [
        Decider(
            openid=openid,
            workplace_id=workplace_id,
            workplace_name=name,
            department=department if kind == MandateKind.MANAGER.value else None,
        )
        for kind, department, workplace_id, name, openid in rows
    ]


def sheet_path(workplace_id: int) -> str:
    """Return the address of the page on which a workplace's registrations are decided."""
    return f"/h5/company/{workplace_id}/sheet"
