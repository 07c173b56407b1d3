"""Use cases of people: follow, leave, bind a community, give and withdraw consent."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from core.audit.service import record
from core.db import upsert
from core.people.model import Consent, MessageConsent, Person
from core.people.rules import WORDING_OF, Purpose


def find_person(session: Session, *, openid: str) -> Person | None:
    """Return the person, or None when they never did anything that had to be remembered."""
    return session.scalar(select(Person).where(Person.openid == openid))


def find_own_community_id(session: Session, *, openid: str) -> int | None:
    """Return the community that the person bound to."""
    return session.scalar(select(Person.community_id).where(Person.openid == openid))


def register_person(session: Session, *, openid: str, now: datetime) -> Person:
    """Return the person, added if they are new; two at once give one row."""
    statement = upsert(session, Person, keys=["openid"], update=[])
    session.execute(statement.values(openid=openid, came_by="", created_at=now))
    return session.scalars(select(Person).where(Person.openid == openid)).one()


def register_writer(session: Session, *, openid: str, now: datetime) -> Person:
    """Return the person who wrote to the account: only followers can, whatever was known."""
    person = register_person(session, openid=openid, now=now)
    if not person.is_following:
        person.is_following = True
        person.followed_at = person.followed_at or now
    return person


def mark_following(session: Session, *, openid: str, came_by: str, now: datetime) -> Person:
    """Record that a person follows the account.

    Args:
        session: the session of the message.
        openid: the person.
        came_by: scene of the code they scanned; empty without one.
        now: aware instant.
    """
    person = register_person(session, openid=openid, now=now)
    if not person.is_following:
        person.is_following = True
        person.followed_at = now
        person.came_by = came_by[:64]
        _record(session, person, now=now, action="followed")
    return person


def mark_left(session: Session, *, openid: str, now: datetime) -> None:
    """Record that a person no longer follows the account; nothing else of theirs changes."""
    person = find_person(session, openid=openid)
    if person is not None and person.is_following is not False:
        person.is_following = False
        person.unfollowed_at = now
        _record(session, person, now=now, action="left")


def bind_community(session: Session, *, openid: str, community_id: int, now: datetime) -> Person:
    """Make a community the person's own; asking for it is the consent, which is recorded."""
    person = register_person(session, openid=openid, now=now)
    if person.community_id != community_id:
        person.community_id = community_id
        give_consent(session, person_id=person.id, purpose=Purpose.OWN_COMMUNITY, now=now)
        _record(session, person, now=now, action="community_bound", community_id=community_id)
    return person


def unbind_community(session: Session, *, openid: str, now: datetime) -> bool:
    """Forget the person's own community and return whether there was one."""
    person = find_person(session, openid=openid)
    if person is None or person.community_id is None:
        return False
    person.community_id = None
    withdraw_consent(session, person_id=person.id, purpose=Purpose.OWN_COMMUNITY, now=now)
    _record(session, person, now=now, action="community_unbound")
    return True


def give_consent(session: Session, *, person_id: int, purpose: Purpose, now: datetime) -> None:
    """Record a consent with the wording in force; a standing one is left as it is."""
    standing = session.scalar(
        select(Consent.id).where(
            Consent.person_id == person_id,
            Consent.purpose == purpose.value,
            Consent.withdrawn_at.is_(None),
        )
    )
    if standing is None:
        session.add(
            Consent(
                person_id=person_id,
                purpose=purpose.value,
                wording=WORDING_OF[purpose].value,
                given_at=now,
            )
        )
        session.flush()


def withdraw_consent(session: Session, *, person_id: int, purpose: Purpose, now: datetime) -> None:
    """End a consent; the row stays as the record that it was given."""
    session.execute(
        update(Consent)
        .where(
            Consent.person_id == person_id,
            Consent.purpose == purpose.value,
            Consent.withdrawn_at.is_(None),
        )
        .values(withdrawn_at=now)
    )


def forget_person(session: Session, *, openid: str, now: datetime) -> None:
    """Delete what a person bound and agreed to, after they withdrew their authorisation."""
    person = find_person(session, openid=openid)
    if person is None:
        return
    session.execute(delete(MessageConsent).where(MessageConsent.person_id == person.id))
    session.execute(delete(Consent).where(Consent.person_id == person.id))
    _record(session, person, now=now, action="forgotten")
    session.delete(person)


def _record(session: Session, person: Person, *, now: datetime, action: str, **facts: int) -> None:
    """Add an entry of the audit log about what a person did with their own data."""
    themselves = f"person:{person.id}"
    record(session, now=now, actor=themselves, action=action, subject=themselves, **facts)
