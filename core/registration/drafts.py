"""What somebody typed and did not send yet: kept encrypted for a week, word for word."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from core.db import upsert
from core.people.model import Person
from core.people.service import register_person
from core.registration.model import RegistrationDraft
from core.registration.rules import DRAFT_LIFETIME


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What was typed so far.

    Attributes:
        typed: by field, as it was typed; of a field with several values a line each.
    """

    workplace_id: int
    code_id: int | None
    typed: Mapping[str, str] = field(repr=False)
    changed_at: datetime


def save_draft(
    session: Session,
    *,
    openid: str,
    workplace_id: int,
    typed: Mapping[str, str],
    code_id: int | None,
    now: datetime,
) -> None:
    """Keep what a person typed for a workplace, in place of what was kept before."""
    person = register_person(session, openid=openid, now=now)
    statement = upsert(
        session,
        RegistrationDraft,
        keys=["person_id", "workplace_id"],
        update=["typed", "code_id", "changed_at"],
    )
    session.execute(
        statement.values(
            person_id=person.id,
            workplace_id=workplace_id,
            code_id=code_id,
            typed=json.dumps(dict(typed), ensure_ascii=False),
            changed_at=now,
        )
    )


def find_draft(session: Session, *, openid: str, workplace_id: int, now: datetime) -> Draft | None:
    """Return what a person typed for a workplace; None where nothing is kept, or it is too old."""
    row = session.scalar(
        select(RegistrationDraft)
        .join(Person, Person.id == RegistrationDraft.person_id)
        .where(
            Person.openid == openid,
            RegistrationDraft.workplace_id == workplace_id,
            RegistrationDraft.changed_at > now - DRAFT_LIFETIME,
        )
    )
    return None if row is None else _draft_of(row)


def find_newest_draft(session: Session, *, openid: str, now: datetime) -> Draft | None:
    """Return what a person typed last, for whichever workplace; None where nothing is kept."""
    row = session.scalars(
        select(RegistrationDraft)
        .join(Person, Person.id == RegistrationDraft.person_id)
        .where(Person.openid == openid, RegistrationDraft.changed_at > now - DRAFT_LIFETIME)
        .order_by(RegistrationDraft.changed_at.desc(), RegistrationDraft.id.desc())
        .limit(1)
    ).first()
    return None if row is None else _draft_of(row)


def drop_draft(session: Session, *, openid: str, workplace_id: int) -> None:
    """Forget what a person typed for a workplace."""
    of_person = select(Person.id).where(Person.openid == openid).scalar_subquery()
    session.execute(
        delete(RegistrationDraft).where(
            RegistrationDraft.person_id == of_person, RegistrationDraft.workplace_id == workplace_id
        )
    )


def drop_draft_of(session: Session, *, person_id: int, workplace_id: int) -> None:
    """Forget what a person typed for a workplace, where their row is known."""
    session.execute(
        delete(RegistrationDraft).where(
            RegistrationDraft.person_id == person_id, RegistrationDraft.workplace_id == workplace_id
        )
    )


def sweep_drafts(session: Session, *, now: datetime) -> int:
    """Delete the drafts that nobody touched for a week; return how many."""
    gone = session.scalars(
        delete(RegistrationDraft)
        .where(RegistrationDraft.changed_at <= now - DRAFT_LIFETIME)
        .returning(RegistrationDraft.id)
    )
    return len(gone.all())


def _draft_of(row: RegistrationDraft) -> Draft:
    return Draft(
        workplace_id=row.workplace_id,
        code_id=row.code_id,
        typed=json.loads(row.typed),
        changed_at=row.changed_at,
    )
