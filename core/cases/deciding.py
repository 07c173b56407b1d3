"""What the end of a case does to the registration that it was opened for."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.audit.service import record
from core.cases.model import Case
from core.registration.model import Registration
from core.registration.rules import Flag, RegistrationState
from core.registration.telling import tell_approved
from core.workplaces.model import Workplace


def let_in(
    session: Session, case: Case, stored: Registration, *, actor: str, now: datetime
) -> bool:
    """Approve a registration that waited for nothing but its case; return whether it did.

    The flag stays: it says where the person was, and the list may change again.

    Args:
        session: the session of the change.
        case: was just closed.
        stored: held.
        actor: who closed it.
        now: aware instant.
    """
    is_waiting = stored.state == RegistrationState.SUBMITTED.value
    if not is_waiting or not set(stored.flags) <= {Flag.KEY_AREA.value}:
        return False
    stored.state, stored.decided_at = RegistrationState.APPROVED.value, now
    stored.reason = ""
    stored.version += 1
    record(
        session,
        now=now,
        actor=actor,
        action="registration_let_in",
        subject=f"registration:{stored.id}",
        workplace_id=stored.workplace_id,
        version=stored.version,
        case_id=case.id,
    )
    name = session.scalars(select(Workplace.name).where(Workplace.id == stored.workplace_id)).one()
    key = f"case:{case.id}:{case.opened_count}"
    tell_approved(session, registration=stored, workplace_name=name, key=key, now=now)
    return True


def take_back(
    session: Session, case: Case, stored: Registration, *, actor: str, now: datetime
) -> None:
    """Let a registration wait again that closing a case had approved.

    What somebody else decided since, or the person ended, is left as it is.

    Args:
        session: the session of the change.
        case: was closed, and is about to be opened again.
        stored: held.
        actor: who opens it.
        now: aware instant.
    """
    is_of_case = stored.decided_at is not None and stored.decided_at == case.closed_at
    if stored.state != RegistrationState.APPROVED.value or not is_of_case:
        return
    stored.state, stored.decided_at = RegistrationState.SUBMITTED.value, None
    stored.version += 1
    record(
        session,
        now=now,
        actor=actor,
        action="registration_held_again",
        subject=f"registration:{stored.id}",
        workplace_id=stored.workplace_id,
        version=stored.version,
        case_id=case.id,
    )
