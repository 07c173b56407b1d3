"""A company with a code, the people who scan it, and what must be in the database afterwards."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from random import Random
from typing import Any, Final

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from bot.demo.names import company_code, person_name, resident_number
from bot.h5_cookies import new_session
from core.audit.model import AuditEntry
from core.codes.rules import subject_of
from core.codes.service import issue_code
from core.files.model import StoredFile
from core.notices.model import Notice
from core.people.documents import DocumentKind
from core.people.model import Consent, Person
from core.places.model import Community, Street
from core.registration.model import Registration
from core.registry.model import Company
from core.registry.service import owner_key_of
from core.resumption.filing.model import Filing
from core.workplaces.rules import Admission
from core.workplaces.service import set_admission

OWNER: Final = "王伟"
_BORN_FROM: Final = date(1965, 1, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A company whose filing is under review, and its code.

    Attributes:
        token: of the code.
    """

    company_id: int
    token: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Guest:
    """Somebody who scans the code.

    Attributes:
        cookie: of their browser, in which they are signed in.
        is_follower: follows the account: is told that the registration arrived.
        fields: what they fill in.
    """

    openid: str
    cookie: str
    is_follower: bool
    fields: Mapping[str, str]


def open_company(session: Session, *, name: str, head_count: int, now: datetime) -> Place:
    """Add a company that takes registrations."""
    random = Random(name)
    street_id = session.scalars(select(Street.id).order_by(Street.id).limit(1)).one()
    owner_id = resident_number(random, born_on=date(1975, 5, 5), is_female=False)
    key = owner_key_of(name=OWNER, number=owner_id)
    company = Company(
        uscc=company_code(random),
        name=name,
        kind="enterprise",
        owner_name=OWNER,
        owner_name_hash=key.name_hashes[0],
        owner_id_kind=DocumentKind.RESIDENT_ID.value,
        owner_id=owner_id,
        owner_id_hash=key.id_hashes[0],
        address="宜山路1号",
        street_id=street_id,
        industry="制造",
        state="active",
        changed_at=now,
        first_seen_at=now,
        last_seen_at=now,
    )
    session.add(company)
    session.flush()
    _file(session, company.id, head_count=head_count, now=now)
    card = issue_code(session, subject=subject_of(company.id), actor="person:1", now=now)
    return Place(company_id=company.id, token=card.token)


def _file(session: Session, company_id: int, *, head_count: int, now: datetime) -> None:
    plan = StoredFile(
        key=f"plan-{company_id}",
        purpose="prevention_plan",
        media_type="application/pdf",
        size_bytes=1,
        name="plan.pdf",
        created_by="person:1",
        created_at=now,
    )
    session.add(plan)
    session.flush()
    session.add(
        Filing(
            company_id=company_id,
            number=f"XH{company_id:08}",
            state="submitted",
            head_count=head_count,
            returning_count=0,
            plan_id=plan.id,
            signed_at=now,
            submitted_at=now,
            created_at=now,
            changed_at=now,
        )
    )
    set_admission(session, workplace_id=company_id, admission=Admission.OPEN, head_count=head_count)
    session.flush()


def invite(session: Session, *, count: int, tag: str, now: datetime) -> list[Guest]:
    """Return people who will scan a code; every second one follows the account already."""
    random = Random(tag)
    homes = session.scalars(select(Community.name).order_by(Community.id)).all()
    guests = [_guest(random, number, homes, tag=tag, now=now) for number in range(count)]
    followers: list[dict[str, Any]] = [
        {"openid": guest.openid, "created_at": now, "came_by": "", "is_following": True}
        for guest in guests
        if guest.is_follower
    ]
    session.execute(insert(Person), followers)
    return guests


def _guest(random: Random, number: int, homes: Sequence[str], *, tag: str, now: datetime) -> Guest:
    openid = f"o-{tag}-{number:05}"
    born_on = _BORN_FROM + timedelta(days=number)
    fields = {
        "name": person_name(random),
        "document_kind": DocumentKind.RESIDENT_ID.value,
        "document": resident_number(random, born_on=born_on, is_female=number % 2 == 0),
        "phone": f"1{random.randrange(30, 40)}{random.randrange(10**8):08}",
        "home": random.choice(homes),
        "away": "no",
        "health_code": "green",
        "symptoms": "none",
        "temperature": "36.5",
        "consent": "yes",
    }
    cookie = new_session(openid=openid, now=now).sealed()
    return Guest(openid=openid, cookie=cookie, is_follower=number % 2 == 0, fields=fields)


def faults_of(
    session: Session, place: Place, guests: Sequence[Guest], receipts: Mapping[str, set[int]]
) -> list[str]:
    """Return what is wrong with what the database has; empty: nothing was lost, nothing doubled.

    Args:
        session: may be a reading one.
        place: where they registered.
        guests: all who were invited.
        receipts: ids of the registrations whose receipt each person was sent to, by openid.
    """
    return [*_row_faults(session, place, receipts), *_trace_faults(session, place, guests)]


def _row_faults(session: Session, place: Place, receipts: Mapping[str, set[int]]) -> Iterator[str]:
    rows = session.execute(
        select(Registration.id, Registration.number, Person.openid)
        .outerjoin(Person, Person.id == Registration.person_id)
        .where(Registration.workplace_id == place.company_id)
    ).all()
    stored: dict[str, set[int]] = {}
    for registration_id, _, openid in rows:
        stored.setdefault(openid, set()).add(registration_id)
    if len({number for _, number, _ in rows}) != len(rows):
        yield "a receipt number was given twice"
    if doubles := sum(len(ids) > 1 for ids in stored.values()):
        yield f"{doubles} people are registered twice"
    if lost := sum(stored.get(openid) != ids for openid, ids in receipts.items()):
        yield f"{lost} receipts are not of the person's one registration"


def _trace_faults(session: Session, place: Place, guests: Sequence[Guest]) -> Iterator[str]:
    rows = session.execute(
        select(Registration.id, Registration.person_id, Person.openid)
        .join(Person, Person.id == Registration.person_id)
        .where(Registration.workplace_id == place.company_id)
    ).all()
    recorded = Counter(
        session.scalars(
            select(AuditEntry.subject).where(AuditEntry.action == "registration_submitted")
        )
    )
    if any(recorded[f"registration:{row.id}"] != 1 for row in rows):
        yield "a registration is not on record once"
    agreed = Counter(session.scalars(select(Consent.person_id)))
    if any(agreed[row.person_id] != 1 for row in rows):
        yield "a consent is not kept once"
    told = Counter(
        session.scalars(select(Notice.openid).where(Notice.kind == "registration_received"))
    )
    registered = {row.openid for row in rows}
    if any(
        told[guest.openid] != int(guest.is_follower and guest.openid in registered)
        for guest in guests
    ):
        yield "a notice is not queued once for each follower"
