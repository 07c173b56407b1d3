"""An invented company in which many people registered, and its owner."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from itertools import islice
from random import Random
from typing import Any, Final

from sqlalchemy import insert, text
from sqlalchemy.orm import Session

from bot.demo.names import company_code, person_name, resident_number
from core.clock import day_of
from core.db import Database
from core.mandates.model import Mandate
from core.mandates.service import MandateCard, get_mandate
from core.people.documents import DocumentKind
from core.people.model import Person
from core.places.model import Street
from core.registration.answers import Answers
from core.registration.model import Registration
from core.registration.rules import Flag, HealthCode, Travel, group_of
from core.registration.screening import identity_of
from core.registry.model import Company
from core.registry.service import owner_key_of

OWNER: Final = "bench-owner"
_BATCH: Final = 1000
_DEPARTMENTS: Final = ("生产部", "物流部", "销售部", "行政部", "研发部")
_LOOK_SHARE: Final = 0.08
_CANNOT_SHARE: Final = 0.02


def fill(session: Session, *, count: int, now: datetime) -> MandateCard:
    """Add a company in which `count` people registered, and return its owner's mandate."""
    random = Random(2020)
    company_id = _add_company(session, random, now=now)
    _add_owner(session, company_id, now=now)
    rows = _rows(random, company_id, count=count, now=now)
    while batch := list(islice(rows, _BATCH)):
        people = [
            {
                "openid": f"bench-{row['number']}",
                "came_by": "",
                "created_at": now,
                "is_following": True,
            }
            for row in batch
        ]
        ids = session.scalars(
            insert(Person).returning(Person.id, sort_by_parameter_order=True), people
        ).all()
        for row, person_id in zip(batch, ids, strict=True):
            row["person_id"] = person_id
        session.execute(insert(Registration), batch)
    return get_mandate(session, openid=OWNER, company_id=company_id)


def tidy(database: Database) -> None:
    """Let the database reclaim old rows and learn about new ones, as it does by itself in use."""
    is_postgres = database.engine.dialect.name == "postgresql"
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE" if is_postgres else "ANALYZE"))


def _add_company(session: Session, random: Random, *, now: datetime) -> int:
    street = Street(code="310104011", name="田林街道")
    session.add(street)
    session.flush()
    owner_id = resident_number(random, born_on=date(1975, 5, 5), is_female=False)
    key = owner_key_of(name="王伟", number=owner_id)
    company = Company(
        uscc=company_code(random),
        name="上海万人制造有限公司",
        kind="enterprise",
        owner_name="王伟",
        owner_name_hash=key.name_hashes[0],
        owner_id_kind=DocumentKind.RESIDENT_ID.value,
        owner_id=owner_id,
        owner_id_hash=key.id_hashes[0],
        address="宜山路1号",
        street_id=street.id,
        industry="制造",
        state="active",
        changed_at=now,
        first_seen_at=now,
        last_seen_at=now,
    )
    session.add(company)
    session.flush()
    return company.id


def _add_owner(session: Session, company_id: int, *, now: datetime) -> None:
    person = Person(openid=OWNER, came_by="", created_at=now)
    session.add(person)
    session.flush()
    session.add(
        Mandate(
            company_id=company_id,
            person_id=person.id,
            kind="owner",
            state="active",
            name="王伟",
            offered_at=now,
            confirmed_at=now,
        )
    )
    session.flush()


def _rows(
    random: Random, company_id: int, *, count: int, now: datetime
) -> Iterator[dict[str, Any]]:
    answers = Answers(
        home="田林十二村",
        stays=(),
        returned_on=None,
        travel=Travel.NOT_AWAY,
        health_code=HealthCode.GREEN,
        temperature=None,
        symptoms=(),
        answered_on=day_of(now),
    ).text()
    for place in range(count):
        name = person_name(random)
        # Nobody else was born on that day: no two have the same number.
        born_on = date(1960, 1, 1) + timedelta(days=place)
        number = resident_number(random, born_on=born_on, is_female=False)
        phone = f"+86139{place:08}"
        identity = identity_of(name=name, number=number, phone=phone)
        flags = _flags(random)
        yield {
            "number": f"R{day_of(now):%y%m%d}-B{place:06}",
            "workplace_id": company_id,
            "entered_by": "person:1",
            "state": "submitted",
            "flag_group": group_of(flags).value,
            "flags": [flag.value for flag in flags],
            "version": 1,
            "department": random.choice(_DEPARTMENTS),
            "name": name,
            "name_hash": identity.names[0],
            "document_kind": DocumentKind.RESIDENT_ID.value,
            "document": number,
            "document_hash": identity.documents[0],
            "phone": phone,
            "phone_hash": identity.phones[0],
            "answers": answers,
            "consent": "bench",
            "reason": "",
            "submitted_at": now,
            "changed_at": now,
        }


def _flags(random: Random) -> tuple[Flag, ...]:
    chance = random.random()
    if chance < _CANNOT_SHARE:
        return (Flag.FEVER,)
    if chance < _CANNOT_SHARE + _LOOK_SHARE:
        return (random.choice((Flag.KEY_AREA, Flag.NO_HEALTH_CODE, Flag.ABOVE_HEAD_COUNT)),)
    return ()
