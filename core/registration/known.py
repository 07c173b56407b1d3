"""What is known of somebody who registers, so that it is shown and not asked again."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.mandates.model import Mandate
from core.mandates.rules import MandateKind, MandateState
from core.people.documents import Document, DocumentKind
from core.people.model import Person
from core.registration.answers import read_answers
from core.registration.model import Registration
from core.registration.rules import Home


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is known of a person.

    Attributes:
        home: the community that they bound, or where they said they live.
    """

    name: str = field(default="", repr=False)
    document: Document | None = None
    phone: str = field(default="", repr=False)
    home: Home | None = field(default=None, repr=False)


NOBODY = Known()


def find_known(session: Session, *, openid: str) -> Known:
    """Return what a person told before, to whichever workplace; the newest counts.

    Returns:
        What is known; every field may be empty. The text of a home that is a community's is left
        empty: its name is in the register of places.
    """
    row = session.execute(
        select(Person.community_id, Registration)
        .outerjoin(Registration, Registration.person_id == Person.id)
        .where(Person.openid == openid)
        .order_by(Registration.changed_at.desc(), Registration.id.desc())
        .limit(1)
    ).first()
    if row is None:
        return NOBODY
    bound_id, newest = row
    if newest is None:
        return Known(home=_home_of(bound_id, ""))
    answers = read_answers(newest.answers)
    # What somebody said about this very question goes before what they bound for another.
    return Known(
        name=newest.name,
        document=Document(kind=DocumentKind(newest.document_kind), number=newest.document),
        phone=newest.phone,
        home=_home_of(newest.community_id, answers.home if answers else "")
        or _home_of(bound_id, ""),
    )


def list_departments(session: Session, *, workplace_id: int) -> list[str]:
    """Return the departments for which the owner named somebody, in the order of their names."""
    rows = session.scalars(
        select(Mandate.department)
        .distinct()
        .where(
            Mandate.company_id == workplace_id,
            Mandate.kind == MandateKind.MANAGER.value,
            Mandate.state == MandateState.ACTIVE.value,
        )
        .order_by(Mandate.department)
    )
    return list(rows)


def _home_of(community_id: int | None, text: str) -> Home | None:
    if community_id is None and not text:
        return None
    return Home(community_id=community_id, text=text)
