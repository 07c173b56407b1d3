"""Whom to call about a case: people who answer for the workplace, never the person themselves."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.mandates.model import Mandate
from core.mandates.rules import MandateState
from core.people.names import mask_name
from core.workplaces.model import Workplace
from core.workplaces.service import answering_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """Somebody who answers for a workplace.

    Attributes:
        organisation: for whom they do; empty: the workplace itself.
        phone: E.164, in full: whoever looks after a case has to call.
    """

    organisation: str
    name_masked: str
    phone: str = field(repr=False)


def list_holder_contacts(session: Session, *, workplace_id: int) -> list[Contact]:
    """Return who acts for the company that answers for a workplace and has a phone, by age."""
    rows = session.execute(
        select(Mandate.name, Mandate.phone)
        .join(Workplace, answering_id() == Mandate.company_id)
        .where(Workplace.id == workplace_id, Mandate.state == MandateState.ACTIVE.value)
        .order_by(Mandate.id)
    )
    return [
        Contact(organisation="", name_masked=mask_name(row.name), phone=row.phone)
        for row in rows
        if row.phone
    ]
