"""A company with an owner and a filler, reviewers, and a clock that moves."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.audit.model import AuditEntry
from core.db import lookup_hash
from core.files.model import StoredFile
from core.mandates.model import Mandate
from core.mandates.service import MandateCard, get_mandate
from core.notices.model import Notice
from core.people.service import register_person
from core.people.staff.rules import Role
from core.people.staff.service import NewStaff, add_account, get_account
from core.places.model import Street
from core.registry.model import OWNER_ID_COLUMN, OWNER_NAME_COLUMN, Company
from core.resumption.filing.deciding import decide_filing
from core.resumption.filing.model import Filing
from core.resumption.filing.rules import FilingDraft, FilingVerdict
from core.resumption.filing.service import FilingCard, save_draft, submit_filing

OWNER, FILLER = "o-owner", "o-filler"


@dataclass(kw_only=True)
class Desk:
    """What a test of filings works with."""

    session: Session
    now: datetime
    numbers: count[int] = field(default_factory=lambda: count(1))

    def later(self, **span: float) -> datetime:
        """Let time pass, and return the new instant."""
        self.now += timedelta(**span)
        return self.now

    def street(self, name: str = "田林街道") -> int:
        """Return a street's id, added if it is new."""
        found = self.session.scalar(select(Street).where(Street.name == name))
        if found is None:
            found = Street(code=f"3101040{next(self.numbers):02}", name=name)
            self.session.add(found)
            self.session.flush()
        return found.id

    def company(
        self, name: str = "徐汇测试有限公司", *, street: str = "田林街道", state: str = "active"
    ) -> int:
        """Return the id of a new company."""
        company = Company(
            uscc=f"91310104MA1FR{next(self.numbers):05}",
            name=name,
            kind="enterprise",
            owner_name="王伟",
            owner_name_hash=lookup_hash("王伟", column=OWNER_NAME_COLUMN),
            owner_id_kind="resident_id",
            owner_id="310104198001010010",
            owner_id_hash=lookup_hash("310104198001010010", column=OWNER_ID_COLUMN),
            address="田林路1号",
            street_id=self.street(street),
            industry="贸易",
            state=state,
            changed_at=self.now,
            first_seen_at=self.now,
            last_seen_at=self.now,
        )
        self.session.add(company)
        self.session.flush()
        return company.id

    def mandate(
        self, company_id: int, openid: str = OWNER, kind: str = "owner", name: str = "王伟"
    ) -> MandateCard:
        """Let a person act for a company."""
        person = register_person(self.session, openid=openid, now=self.now)
        self.session.add(
            Mandate(
                company_id=company_id,
                person_id=person.id,
                kind=kind,
                state="active",
                name=name,
                owner_change_id=0,
                offered_at=self.now,
                confirmed_at=self.now,
            )
        )
        self.session.flush()
        return get_mandate(self.session, openid=openid, company_id=company_id)

    def plan(self) -> int:
        """Return the id of a file that was handed in."""
        row = StoredFile(
            key=f"key{next(self.numbers)}",
            purpose="prevention_plan",
            media_type="application/pdf",
            size_bytes=9,
            name="方案.pdf",
            created_by="person:1",
            created_at=self.now,
        )
        self.session.add(row)
        self.session.flush()
        return row.id

    def draft(self, company_id: int, **typed: int) -> FilingCard:
        """Keep what was typed."""
        return save_draft(
            self.session,
            company_id=company_id,
            draft=FilingDraft(**typed),
            actor="person:1",
            now=self.now,
        )

    def submit(self, company_id: int, **typed: int) -> FilingCard:
        """Submit what was typed; what is not given is complete."""
        given = {"head_count": 25, "returning_count": 3} | typed
        given.setdefault("plan_id", self.plan())
        self.draft(company_id, **given)
        return submit_filing(self.session, company_id=company_id, actor="person:1", now=self.now)

    def staff(self, name: str = "li", *, street: str = "") -> int:
        """Return the id of a new reviewer: of the district, or of a street."""
        role = Role.STREET_OFFICER if street else Role.DISTRICT_REVIEWER
        if street:
            self.street(street)
        new = NewStaff(name=name, role=role, display_name=f"审核员{name}", street=street)
        add_account(self.session, staff=new, password_hash="x", now=self.now)
        self.session.flush()
        return get_account(self.session, name=name).id

    def decide(
        self,
        filing: FilingCard,
        verdict: FilingVerdict,
        *,
        staff_id: int,
        reason: str = "请补充消毒记录",
    ) -> FilingCard:
        """Decide a filing as it is now."""
        return decide_filing(
            self.session,
            filing_id=filing.id,
            revision=filing.revision,
            verdict=verdict,
            reason=reason,
            staff_id=staff_id,
            now=self.now,
        )

    def row(self, filing: FilingCard) -> Filing:
        """Return the row of a filing."""
        return self.session.get_one(Filing, filing.id)

    def told(self) -> list[tuple[str, str]]:
        """Return kind and openid of every notice, in order."""
        rows = self.session.execute(select(Notice.kind, Notice.openid).order_by(Notice.id))
        return [(kind, openid) for kind, openid in rows]

    def actions(self, subject: str = "") -> list[str]:
        """Return the actions of the audit rows, in order."""
        self.session.flush()
        entries = select(AuditEntry).order_by(AuditEntry.id)
        return [
            entry.action
            for entry in self.session.scalars(entries)
            if entry.subject.startswith(subject)
        ]


@pytest.fixture
def desk(session: Session, now: datetime) -> Desk:
    """An empty desk."""
    return Desk(session=session, now=now)
