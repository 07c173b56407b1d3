"""Many people at once: the same as one after the other, in few statements."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import event, select
from sqlalchemy.orm import Session

from core.registration.entering import EntryFor, enter_many
from core.registration.gate import RegistrationClosedError
from core.registration.model import Registration
from core.registration.rules import Flag, HealthCode, RegistrationInput, Travel
from core.registration.service import RegistrationTakenError
from tests.core.registration.conftest import District, entry_of

ACTOR = "staff:3"


def _people(district: District) -> list[RegistrationInput]:
    """Return people of whom each has something that needs a look, or nothing."""
    return [
        entry_of(0),
        entry_of(1, phone=entry_of(0).phone),
        entry_of(2, name=entry_of(0).name, phone=entry_of(0).phone),
        entry_of(
            3,
            stays=("湖北武汉",),
            travel=Travel.TRAIN,
            returned_on=district.today - timedelta(days=2),
        ),
        entry_of(4, health_code=HealthCode.NONE, phone=""),
        entry_of(5, phone=""),
    ]


def _flags(session: Session, workplace_id: int) -> list[tuple[str, list[str], str]]:
    rows = session.scalars(
        select(Registration)
        .where(Registration.workplace_id == workplace_id)
        .order_by(Registration.id)
    )
    return [(row.document, row.flags, row.state) for row in rows]


def test_many_at_once_are_flagged_like_one_after_the_other(district: District) -> None:
    """The second company differs in nothing but the way in which people come."""
    district.add_key_area("420000", "湖北省")
    first, second = district.companies
    district.submit(7, openid=None, actor=ACTOR, phone=entry_of(5).phone)
    session, people = district.session, _people(district)
    with session.begin_nested() as attempt:
        for person in range(len(people)):
            changes = {
                name: getattr(people[person], name)
                for name in ("name", "phone", "stays", "travel", "returned_on", "health_code")
            }
            district.submit(person, company=1, openid=None, actor=ACTOR, **changes)
        expected = _flags(session, second)
        attempt.rollback()
    entered = enter_many(
        session,
        people=[EntryFor(workplace_id=second, entry=one) for one in people],
        actor=ACTOR,
        now=district.now,
    )
    assert _flags(session, second) == expected
    assert {flag for _, flags, _ in expected for flag in flags} >= {
        Flag.PHONE_OTHER_NAME,
        Flag.DUPLICATE,
        Flag.KEY_AREA,
        Flag.ABOVE_HEAD_COUNT,
        Flag.NO_HEALTH_CODE,
    }
    assert len([one for one in entered if one.fault is None]) == len(people)
    assert first != second


def test_who_is_there_already_is_settled_one_by_one(district: District) -> None:
    (company, _), session = district.companies, district.session
    standing = district.submit(0, openid=None, actor=ACTOR).card.id
    people = [
        EntryFor(workplace_id=company, entry=one)
        for one in (entry_of(0), entry_of(1), entry_of(0, name="王五"))
    ]
    same, new, other = enter_many(session, people=people, actor=ACTOR, now=district.now)
    assert same.registration_id == standing
    assert new.registration_id not in {None, standing}
    assert isinstance(other.fault, RegistrationTakenError)


def test_statements_do_not_grow_with_the_people(district: District) -> None:
    session, company = district.session, district.companies[0]

    def count(first: int, last: int) -> int:
        seen: list[str] = []

        def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
            seen.append(statement)

        session.flush()
        engine = session.get_bind()
        event.listen(engine, "before_cursor_execute", note)
        people = [EntryFor(workplace_id=company, entry=entry_of(n)) for n in range(first, last)]
        enter_many(session, people=people, actor=ACTOR, now=district.now)
        event.remove(engine, "before_cursor_execute", note)
        return len(seen)

    assert count(2, 20) <= count(0, 2)


def test_closed_workplace_takes_nobody(district: District) -> None:
    company = district.add_company(filing="rejected")
    person = EntryFor(workplace_id=company, entry=entry_of(0))
    with pytest.raises(RegistrationClosedError):
        enter_many(district.session, people=[person], actor=ACTOR, now=district.now)
