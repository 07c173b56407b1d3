"""A company whose filing is under review, its code, and people who register with it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from random import Random
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.demo.names import company_code, resident_number
from core.audit.model import AuditEntry
from core.clock import day_of
from core.codes.rules import subject_of
from core.codes.service import issue_code
from core.db import Database
from core.files.model import StoredFile
from core.keyareas.model import KeyArea
from core.mandates.model import Mandate
from core.notices.model import Notice
from core.people.documents import document_of
from core.people.model import Person
from core.people.service import register_person
from core.places.model import Community, Street
from core.places.service import mark_changed
from core.registration.cards import Receipt
from core.registration.model import Registration
from core.registration.rules import HealthCode, Home, RegistrationInput
from core.registration.service import submit_registration
from core.registry.model import Company
from core.resumption.filing.model import Filing
from core.resumption.filing.rules import ADMISSION_OF, FilingState
from core.workplaces.service import set_admission

_random = Random(23)
NUMBERS = [
    resident_number(_random, born_on=date(1985, 5, day), is_female=False) for day in range(1, 21)
]
HEAD_COUNT = 3


def entry_of(person: int = 0, **changes: Any) -> RegistrationInput:
    """Return what somebody healthy reports who stayed in Shanghai; person n has document n."""
    values: dict[str, Any] = {
        "name": f"张{'一二三四五六七八九十'[person % 10]}",
        "document": document_of(NUMBERS[person], today=date(2020, 3, 28)),
        "phone": f"+86138000001{person:02}",
        "home": Home(community_id=None, text="浦东新区某小区"),
        "health_code": HealthCode.GREEN,
    }
    return RegistrationInput(**values | changes)


@dataclass(kw_only=True)
class District:
    """What a test does and sees; company n is the n-th that was added."""

    session: Session
    now: datetime
    companies: list[int] = field(default_factory=list)
    codes: list[int] = field(default_factory=list)

    def add_company(self, *, state: str = "active", filing: str = "submitted") -> int:
        """Add a company with a filing and a code, and return its id."""
        number = len(self.companies) + 1
        company = Company(
            uscc=company_code(_random),
            name=f"上海第{number}有限公司",
            kind="enterprise",
            owner_name="王伟",
            owner_name_hash=b"n",
            owner_id_kind="resident_id",
            owner_id="310104198001010000",
            owner_id_hash=b"i",
            address="天钥桥路1号",
            street_id=1,
            industry="贸易",
            state=state,
            changed_at=self.now,
            first_seen_at=self.now,
            last_seen_at=self.now,
        )
        self.session.add(company)
        self.session.flush()
        if filing:
            self._add_filing(company.id, state=filing)
        code = issue_code(
            self.session, subject=subject_of(company.id), actor="person:1", now=self.now
        )
        self.companies.append(company.id)
        self.codes.append(code.id)
        return company.id

    def _add_filing(self, company_id: int, *, state: str) -> None:
        plan = StoredFile(
            key=f"plan-{company_id}",
            purpose="prevention_plan",
            media_type="application/pdf",
            size_bytes=1,
            name="plan.pdf",
            created_by="person:1",
            created_at=self.now,
        )
        self.session.add(plan)
        self.session.flush()
        self.session.add(
            Filing(
                company_id=company_id,
                number=f"XH{company_id:08}",
                state=state,
                head_count=HEAD_COUNT,
                returning_count=0,
                plan_id=plan.id,
                signed_at=self.now,
                submitted_at=self.now,
                created_at=self.now,
                changed_at=self.now,
            )
        )
        set_admission(
            self.session,
            workplace_id=company_id,
            admission=ADMISSION_OF[FilingState(state)],
            head_count=HEAD_COUNT,
        )
        self.session.flush()

    def add_mandate(self, openid: str, *, kind: str = "owner", department: str = "") -> None:
        """Let somebody act for the first company."""
        person = register_person(self.session, openid=openid, now=self.now)
        self.session.add(
            Mandate(
                company_id=self.companies[0],
                person_id=person.id,
                kind=kind,
                state="active",
                department=department,
                name="王伟",
                offered_at=self.now,
                confirmed_at=self.now,
            )
        )
        self.session.flush()

    def add_key_area(self, code: str, name: str, *, days_ago: int = 30) -> None:
        """Make a place a key area from some days ago on."""
        self.session.add(
            KeyArea(
                code=code,
                name=name,
                since=self.now - timedelta(days=days_ago),
                imported_at=self.now,
            )
        )
        self.session.flush()

    def submit(
        self,
        person: int = 0,
        *,
        company: int = 0,
        openid: str | None = "",
        actor: str = "",
        **changes: Any,
    ) -> Receipt:
        """Register person n as themselves, or as somebody else; None: entered for them."""
        return submit_registration(
            self.session,
            workplace_id=self.companies[company],
            entry=entry_of(person, **changes),
            openid=f"o-{person}" if openid == "" else openid,
            code_id=None if openid is None else self.codes[company],
            actor="person:999" if openid is None and not actor else actor,
            now=self.now,
        )

    def later(self, **span: float) -> datetime:
        """Let time pass, and return the new instant."""
        self.now += timedelta(**span)
        return self.now

    @property
    def today(self) -> date:
        return day_of(self.now)

    def stored(self, registration_id: int) -> Registration:
        """Return the row as the database has it."""
        self.session.flush()
        self.session.expire_all()
        return self.session.get_one(Registration, registration_id)

    def set_state(self, registration_id: int, state: str, reason: str = "") -> None:
        """Decide as the owner does."""
        row = self.session.get_one(Registration, registration_id)
        row.state, row.reason, row.decided_at = state, reason, self.now
        self.session.flush()

    def follow(self, openid: str) -> Person:
        """Let somebody follow the account."""
        person = register_person(self.session, openid=openid, now=self.now)
        person.is_following = True
        self.session.flush()
        return person

    def notices(self, kind: str) -> list[Notice]:
        """Return the queued notices of a kind, in order."""
        rows = self.session.scalars(select(Notice).where(Notice.kind == kind).order_by(Notice.id))
        return list(rows)

    def recorded(self) -> list[str]:
        """Return the actions about registrations on record, in order."""
        self.session.flush()
        rows = self.session.scalars(
            select(AuditEntry.action)
            .where(AuditEntry.subject.startswith("registration:"))
            .order_by(AuditEntry.id)
        )
        return list(rows)


def add_places(session: Session, now: datetime) -> None:
    """Add a street with two communities."""
    session.add(Street(id=1, code="310104011", name="田林街道"))
    session.flush()
    for number, name in ((1, "田林十二村"), (2, "田林十三村")):
        session.add(Community(id=number, code=f"T{number}", name=name, street_id=1, changed_at=now))
    session.flush()
    mark_changed(session)


@pytest.fixture
def make_district() -> Callable[[Session, datetime], District]:
    """A function that fills an empty database with a street and two companies."""

    def make(session: Session, now: datetime) -> District:
        add_places(session, now)
        district = District(session=session, now=now)
        district.add_company()
        district.add_company(filing="approved")
        return district

    return make


@pytest.fixture
def district(
    session: Session, now: datetime, make_district: Callable[[Session, datetime], District]
) -> District:
    """Two companies that take registrations."""
    return make_district(session, now)


def at_once(works: list[Callable[[], None]]) -> list[BaseException]:
    """Do several things in threads that begin together; return how some of them failed."""
    barrier = threading.Barrier(len(works))
    failures: list[BaseException] = []

    def run(work: Callable[[], None]) -> None:
        try:
            barrier.wait(timeout=20)
            work()
        except BaseException as failure:  # noqa: BLE001  told to the test
            failures.append(failure)

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    return failures


@pytest.fixture
def stored_district(
    database: Database, now: datetime, make_district: Callable[[Session, datetime], District]
) -> District:
    """Two companies that are committed."""
    with database.transaction() as session:
        return make_district(session, now)
