"""A district with return to work in full swing, and staff in front of the console."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from bot.console import COOKIE
from bot.demo.names import company_code, resident_number
from bot.services import services_of
from core.codes.rules import subject_of
from core.codes.service import issue_code
from core.db import Database, lookup_hash
from core.files.rules import FilePurpose
from core.files.service import keep_file
from core.files.store import FileStore
from core.mandates.claims import ClaimInput, LicenceFile, submit_claim
from core.mandates.model import Mandate
from core.people.documents import document_of
from core.people.service import register_person
from core.people.staff.model import StaffSession
from core.people.staff.rules import Role
from core.people.staff.secrets import new_token, token_hash_of
from core.people.staff.service import NewStaff, add_account
from core.places.model import Community, Street
from core.places.service import mark_changed
from core.registration.rules import HealthCode, Home, RegistrationInput
from core.registration.service import submit_registration
from core.registry.model import OWNER_ID_COLUMN, OWNER_NAME_COLUMN, Company
from core.resumption.filing.rules import FilingDraft
from core.resumption.filing.service import save_draft, submit_filing

PDF = b"%PDF-1.4\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n"
STREETS = ("田林街道", "凌云路街道")
# Community 1 and 2 are in the first street, 3 in the second; so is company 1, and 2.
COMMUNITIES = {"A1": 1, "A2": 1, "B1": 2}
COMPANIES = ("甲子贸易有限公司", "乙丑科技有限公司")
CLAIMED = ("丙寅餐饮有限公司", "丁卯物流有限公司")
# Who works for which company and lives in which community; 0: outside of the district.
PEOPLE = {"赵一": (1, 1), "钱二": (1, 2), "孙三": (2, 2), "李四": (2, 3), "周五": (2, 0)}
AREAS: dict[Role, dict[str, Any]] = {
    Role.STREET_OFFICER: {"street": STREETS[0]},
    Role.NEIGHBOURHOOD_OFFICER: {"community_codes": ["A2"]},
}
PHONE = "+861380000"
_random = Random(11)
CODES = [company_code(_random) for _ in range(8)]
NUMBERS = [
    resident_number(_random, born_on=date(1985, 5, day), is_female=False) for day in range(1, 29)
]


@dataclass(kw_only=True)
class District:
    """What is in the database; ids by the place in the constants above."""

    database: Database
    files: FileStore
    now: datetime
    companies: list[int] = field(default_factory=list)
    filings: list[int] = field(default_factory=list)
    plans: list[int] = field(default_factory=list)
    claims: list[int] = field(default_factory=list)
    registrations: dict[str, int] = field(default_factory=dict)

    def fill(self) -> None:
        """Add two streets, with a company, a filing, a claim and people each."""
        with self.database.transaction() as session:
            self._add_places(session)
            for place in range(len(COMPANIES)):
                self.add_company(session, place)
            for place in range(len(CLAIMED)):
                self._add_claim(session, place)
            for name in PEOPLE:
                self._register(session, name)

    def _add_places(self, session: Session) -> None:
        for number, name in enumerate(STREETS, start=1):
            session.add(Street(id=number, code=f"31010400{number}", name=name))
        session.flush()
        for number, (code, street_id) in enumerate(COMMUNITIES.items(), start=1):
            session.add(
                Community(
                    id=number,
                    code=code,
                    name=f"名{code}",
                    street_id=street_id,
                    changed_at=self.now,
                )
            )
        session.flush()
        mark_changed(session)

    def add_company(self, session: Session, place: int, **changes: Any) -> int:
        """Add a company with an owner, a plan and a filing that waits; return the filing's id."""
        values: dict[str, Any] = {
            "uscc": CODES[place] if place < len(CODES) else company_code(_random),
            "name": COMPANIES[place] if place < len(COMPANIES) else f"第{place:05}号有限公司",
            "kind": "enterprise",
            "owner_name": "王建国",
            "owner_name_hash": lookup_hash("王建国", column=OWNER_NAME_COLUMN),
            "owner_id_kind": "resident_id",
            "owner_id": NUMBERS[-1],
            "owner_id_hash": lookup_hash(NUMBERS[-1], column=OWNER_ID_COLUMN),
            "address": "天钥桥路1号",
            "street_id": place % 2 + 1,
            "industry": "贸易",
            "state": "active",
            "changed_at": self.now - timedelta(days=90),
            "first_seen_at": self.now - timedelta(days=90),
            "last_seen_at": self.now,
        }
        company = Company(**values | changes)
        session.add(company)
        session.flush()
        person = register_person(session, openid=f"o-owner-{place}", now=self.now)
        session.add(
            Mandate(
                company_id=company.id,
                person_id=person.id,
                kind="owner",
                state="active",
                name="王建国",
                offered_at=self.now,
                confirmed_at=self.now,
            )
        )
        issue_code(session, subject=subject_of(company.id), actor="person:1", now=self.now)
        self.companies.append(company.id)
        self.filings.append(self._file(session, company.id, place))
        return self.filings[-1]

    def _file(self, session: Session, company_id: int, place: int) -> int:
        at = self.now - timedelta(hours=30 - min(place, 29))
        plan_id = keep_file(
            session,
            files=self.files,
            content=PDF,
            name="防控方案.pdf",
            purpose=FilePurpose.PREVENTION_PLAN,
            actor="person:1",
            now=at,
        )
        self.plans.append(plan_id)
        draft = FilingDraft(head_count=25 + place, returning_count=3, plan_id=plan_id)
        save_draft(session, company_id=company_id, draft=draft, actor="person:1", now=at)
        return submit_filing(session, company_id=company_id, actor="person:1", now=at).id

    def _add_claim(self, session: Session, place: int) -> None:
        claim = ClaimInput(
            uscc=CODES[4 + place],
            name=CLAIMED[place],
            owner_name="陈静",
            document=document_of(NUMBERS[20 + place], today=date(2020, 3, 28)),
            address="漕溪北路8号",
            street_id=place + 1,
            industry="餐饮",
        )
        card = submit_claim(
            session,
            openid=f"o-claim-{place}",
            claim=claim,
            licence=LicenceFile(name="执照.pdf", content=PDF),
            files=self.files,
            now=self.now - timedelta(hours=5),
        )
        self.claims.append(card.id)

    def _register(self, session: Session, name: str) -> None:
        company, community = PEOPLE[name]
        place = list(PEOPLE).index(name)
        home = Home(
            community_id=community or None,
            text=f"名{list(COMMUNITIES)[community - 1]}" if community else "浦东新区某小区",
        )
        entry = RegistrationInput(
            name=name,
            document=document_of(NUMBERS[place], today=date(2020, 3, 28)),
            phone=f"{PHONE}{place:04}",
            home=home,
            health_code=HealthCode.YELLOW if place == 1 else HealthCode.GREEN,
        )
        receipt = submit_registration(
            session,
            workplace_id=self.companies[company - 1],
            entry=entry,
            openid=f"o-{place}",
            code_id=None,
            now=self.now,
        )
        self.registrations[name] = receipt.card.id


def district_of(app: Flask) -> District:
    """Return the district of an application with an empty database, filled."""
    services = services_of(app)
    district = District(database=services.database, files=services.files, now=datetime.now(UTC))
    district.fill()
    return district


def token_for(
    database: Database,
    role: Role,
    *,
    name: str = "wang",
    display_name: str = "王静",
    area: Mapping[str, Any] | None = None,
) -> str:
    """Add somebody of the staff who is signed in with all that their role needs.

    Args:
        database: where to.
        role: what for.
        name: to sign in by.
        display_name: how pages call them.
        area: street or communities, as `NewStaff` has them; None: the role's of this module.
    """
    now, where = datetime.now(UTC), AREAS.get(role, {}) if area is None else area
    with database.transaction() as session:
        staff = NewStaff(name=name, role=role, display_name=display_name, **where)
        account = add_account(session, staff=staff, password_hash="x", now=now)
        account.must_change = False
        account.totp_secret, account.totp_enrolled_at = "A" * 32, now
        token = new_token()
        session.add(
            StaffSession(
                staff_id=account.id,
                token_hash=token_hash_of(token),
                is_verified=True,
                created_at=now,
                seen_at=now,
            )
        )
    return token


def enter(app: Flask, role: Role, **who: str) -> FlaskClient:
    """Return a browser in which somebody with a role is signed in."""
    client = app.test_client()
    token = token_for(services_of(app).database, role, **who)
    client.set_cookie(COOKIE, token, path="/console")
    return client
