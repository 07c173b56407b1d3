"""Following, binding, consenting, being forgotten."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.audit.model import AuditEntry
from core.people.model import Consent, MessageConsent, Person
from core.people.rules import Purpose
from core.people.service import (
    bind_community,
    find_own_community_id,
    find_person,
    forget_person,
    give_consent,
    mark_following,
    mark_left,
    register_person,
    unbind_community,
    withdraw_consent,
)
from core.places.model import Community, Street


@pytest.fixture
def community_id(session: Session, now: datetime) -> int:
    street = Street(code="310104011", name="田林街道")
    session.add(street)
    session.flush()
    community = Community(code="T12", name="田林十二村", street_id=street.id, changed_at=now)
    session.add(community)
    session.flush()
    return community.id


def _count(session: Session, table: type) -> int:
    return session.scalar(select(func.count()).select_from(table)) or 0


def test_registering_twice_gives_one_person(session: Session, now: datetime) -> None:
    first = register_person(session, openid="o1", now=now)
    second = register_person(session, openid="o1", now=now + timedelta(days=1))

    assert first is second
    assert second.created_at == now


def test_somebody_who_never_did_anything_is_unknown(session: Session) -> None:
    assert find_person(session, openid="o1") is None
    assert find_own_community_id(session, openid="o1") is None


def test_following_again_keeps_how_they_first_came_until_they_left(
    session: Session, now: datetime
) -> None:
    mark_following(session, openid="o1", came_by="community:T12", now=now)
    person = mark_following(session, openid="o1", came_by="street:1", now=now)
    assert person.came_by == "community:T12"

    mark_left(session, openid="o1", now=now)
    assert not person.is_following
    assert person.unfollowed_at == now

    mark_following(session, openid="o1", came_by="street:1", now=now)
    assert person.is_following
    assert person.came_by == "street:1"


def test_a_long_scene_is_cut_not_refused(session: Session, now: datetime) -> None:
    assert len(mark_following(session, openid="o1", came_by="x" * 300, now=now).came_by) == 64


def test_leaving_unknown_is_no_fault(session: Session, now: datetime) -> None:
    mark_left(session, openid="nobody", now=now)

    assert _count(session, Person) == 0


def test_binding_is_consent_and_audited_once(
    session: Session, now: datetime, community_id: int
) -> None:
    bind_community(session, openid="o1", community_id=community_id, now=now)
    bind_community(session, openid="o1", community_id=community_id, now=now)

    assert find_own_community_id(session, openid="o1") == community_id
    assert _count(session, Consent) == 1
    assert [one.action for one in session.scalars(select(AuditEntry))] == ["community_bound"]


def test_unbinding_ends_the_consent_and_binding_again_gives_a_new_one(
    session: Session, now: datetime, community_id: int
) -> None:
    bind_community(session, openid="o1", community_id=community_id, now=now)
    assert unbind_community(session, openid="o1", now=now)
    assert not unbind_community(session, openid="o1", now=now)
    bind_community(session, openid="o1", community_id=community_id, now=now)

    ended = session.scalars(select(Consent.withdrawn_at).order_by(Consent.id)).all()
    assert ended == [now, None]


def test_a_consent_names_the_wording_that_was_seen(session: Session, now: datetime) -> None:
    person = register_person(session, openid="o1", now=now)
    give_consent(session, person_id=person.id, purpose=Purpose.COLOUR_NOTICES, now=now)
    give_consent(session, person_id=person.id, purpose=Purpose.COLOUR_NOTICES, now=now)

    assert session.scalars(select(Consent.wording)).all() == ["colour-notices-1"]

    withdraw_consent(session, person_id=person.id, purpose=Purpose.OWN_COMMUNITY, now=now)
    assert session.scalars(select(Consent.withdrawn_at)).all() == [None]


def test_a_community_that_goes_leaves_its_people(
    session: Session, now: datetime, community_id: int
) -> None:
    person = bind_community(session, openid="o1", community_id=community_id, now=now)
    session.flush()
    session.delete(session.get(Community, community_id))
    session.flush()
    session.refresh(person)

    assert person.community_id is None


def test_a_forgotten_person_leaves_nothing_but_the_audit(
    session: Session, now: datetime, community_id: int
) -> None:
    person = bind_community(session, openid="o1", community_id=community_id, now=now)
    session.add(MessageConsent(person_id=person.id, template_id="t", remaining=1, changed_at=now))
    session.flush()

    forget_person(session, openid="o1", now=now)
    forget_person(session, openid="nobody", now=now)
    session.flush()

    assert [_count(session, table) for table in (Person, Consent, MessageConsent)] == [0, 0, 0]
    entries = session.scalars(select(AuditEntry).order_by(AuditEntry.id)).all()
    assert [one.action for one in entries] == ["community_bound", "forgotten"]
    assert "o1" not in "".join(f"{one.actor}{one.subject}{one.facts}" for one in entries)
