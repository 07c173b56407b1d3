"""A company with people who registered, its owner, a filler and a manager of one department."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import count
from random import Random

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.demo.names import company_code, resident_number
from core.audit.model import AuditEntry
from core.mandates.model import Mandate
from core.mandates.service import MandateCard, get_mandate
from core.notices.model import Notice
from core.people.service import register_person
from core.places.model import Street
from core.registration.answers import Answers
from core.registration.model import Registration
from core.registration.rules import Flag, HealthCode, Travel, group_of
from core.registration.screening import identity_of
from core.registry.model import Company, CompanyChange
from core.resumption.approval.cards import DecisionCard
from core.resumption.approval.preparing import Filtered, Picked, Selection, prepare_decision
from core.resumption.approval.rules import Verdict
from core.resumption.approval.service import apply_decision
from core.resumption.approval.sheet import SheetQuery

_random = Random(31)
_serial = count(1)
KEY_AREA = (Flag.KEY_AREA,)
FEVER = (Flag.FEVER,)


@dataclass(kw_only=True)
class Office:
    """What a test does and sees in a session of its own."""

    session: Session
    now: datetime
    company_id: int = 0
    owner: MandateCard = field(init=False)
    filler: MandateCard = field(init=False)
    manager: MandateCard = field(init=False)

    def __post_init__(self) -> None:
        self.company_id = self._add_company()
        self.owner = self.add_mandate("owner")
        self.filler = self.add_mandate("filler")
        self.manager = self.add_mandate("manager", department="生产部")

    def _add_company(self) -> int:
        street = self.session.scalar(select(Street))
        if street is None:
            street = Street(code="310104011", name="田林街道")
            self.session.add(street)
            self.session.flush()
        company = Company(
            uscc=company_code(_random),
            name="上海万人制造有限公司",
            kind="enterprise",
            owner_name="王伟",
            owner_name_hash=b"n",
            owner_id_kind="resident_id",
            owner_id="310104198001010000",
            owner_id_hash=b"i",
            address="宜山路1号",
            street_id=street.id,
            industry="制造",
            state="active",
            changed_at=self.now,
            first_seen_at=self.now,
            last_seen_at=self.now,
        )
        self.session.add(company)
        self.session.flush()
        return company.id

    def add_mandate(self, kind: str, *, department: str = "", openid: str = "") -> MandateCard:
        """Let somebody act for the company."""
        openid = openid or f"o-{kind}{department}-{self.company_id}"
        person = register_person(self.session, openid=openid, now=self.now)
        self.session.add(
            Mandate(
                company_id=self.company_id,
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
        return get_mandate(self.session, openid=openid, company_id=self.company_id)

    def change_owner(self) -> None:
        """Let the register name somebody else."""
        self.session.add(CompanyChange(company_id=self.company_id, at=self.now, field="owner"))
        self.session.flush()

    def add(
        self,
        flags: Sequence[Flag] = (),
        *,
        name: str = "张三",
        department: str = "",
        state: str = "submitted",
        has_wechat: bool = True,
    ) -> int:
        """Let somebody register, and return the id."""
        serial = next(_serial)
        number = resident_number(
            _random, born_on=date(1990, 1, 1) + timedelta(days=serial), is_female=False
        )
        phone = f"+86139{serial:08}"
        identity = identity_of(name=name, number=number, phone=phone)
        openid = f"o-staff-{serial}"
        person = register_person(self.session, openid=openid, now=self.now)
        answers = Answers(
            home="田林十二村",
            stays=(),
            returned_on=None,
            travel=Travel.NOT_AWAY,
            health_code=HealthCode.GREEN,
            temperature=None,
            symptoms=(),
            answered_on=date(2020, 3, 28),
        )
        row = Registration(
            number=f"R200328-{serial:05}-TESTS",
            workplace_id=self.company_id,
            person_id=person.id if has_wechat else None,
            entered_by=f"person:{person.id}",
            state=state,
            flag_group=group_of(flags).value,
            flags=[flag.value for flag in flags],
            department=department,
            name=name,
            name_hash=identity.names[0],
            document_kind="resident_id",
            document=number,
            document_hash=identity.documents[0],
            phone=phone,
            phone_hash=identity.phones[0],
            answers=answers.text(),
            consent="c",
            submitted_at=self.now,
            changed_at=self.now,
        )
        self.session.add(row)
        self.session.flush()
        return row.id

    def row(self, registration_id: int) -> Registration:
        """Return a registration as the database has it."""
        self.session.flush()
        self.session.expire_all()
        return self.session.get_one(Registration, registration_id)

    def states(self, *ids: int) -> list[str]:
        """Return the states of registrations."""
        return [self.row(one).state for one in ids]

    def correct(self, registration_id: int) -> None:
        """Let the person report again."""
        self.row(registration_id).send_again(now=self.now)
        self.session.flush()

    def end(self, registration_id: int) -> None:
        """Let the person end it."""
        self.row(registration_id).end(now=self.now)
        self.session.flush()

    def pick(self, *ids: int) -> Picked:
        """Choose rows as a page shows them at this moment."""
        return Picked(rows=tuple((one, self.row(one).version) for one in ids))

    def prepare(
        self,
        selection: Selection | None = None,
        verdict: Verdict = Verdict.APPROVE,
        *,
        mandate: MandateCard | None = None,
        reason: str = "材料不全",
        key: str = "",
    ) -> DecisionCard:
        """Freeze a list; everything that waits unless something is chosen."""
        return prepare_decision(
            self.session,
            mandate=mandate or self.owner,
            verdict=verdict,
            reason=reason,
            selection=selection or Filtered(query=SheetQuery()),
            request_key=key or f"key-{next(_serial)}",
            now=self.now,
        )

    def apply(self, card: DecisionCard, *, mandate: MandateCard | None = None) -> DecisionCard:
        """Confirm a list."""
        return apply_decision(
            self.session,
            mandate=mandate or self.owner,
            decision_id=card.id,
            digest=card.digest,
            now=self.now,
        )

    def decide(
        self,
        selection: Selection | None = None,
        verdict: Verdict = Verdict.APPROVE,
        *,
        mandate: MandateCard | None = None,
    ) -> DecisionCard:
        """Freeze a list and confirm it."""
        card = self.prepare(selection, verdict, mandate=mandate)
        return self.apply(card, mandate=mandate)

    def later(self, **span: float) -> datetime:
        """Let time pass, and return the new instant."""
        self.now += timedelta(**span)
        return self.now

    def told(self) -> list[tuple[str, str]]:
        """Return kind and key of every notice, in order."""
        rows = self.session.execute(select(Notice.kind, Notice.key).order_by(Notice.id))
        return [(kind, key) for kind, key in rows]

    def recorded(self) -> list[AuditEntry]:
        """Return the audit rows of decisions, in order."""
        self.session.flush()
        entries = select(AuditEntry).where(AuditEntry.subject.startswith("decision:"))
        return list(self.session.scalars(entries.order_by(AuditEntry.id)))


@pytest.fixture
def office(session: Session, now: datetime) -> Office:
    """A company in which nobody registered yet."""
    return Office(session=session, now=now)
