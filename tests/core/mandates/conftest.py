"""A register with three owners' companies, and people who prove themselves to it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from random import Random

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.demo.names import company_code, resident_number
from core.audit.model import AuditEntry
from core.mandates.inviting import offer_mandate
from core.mandates.proving import Proof, prove_ownership
from core.mandates.rules import MandateKind
from core.mandates.service import MandateCard, get_mandate
from core.notices.model import Notice
from core.people.documents import document_of
from core.people.inviting import Invitation
from core.registry.importing import import_companies
from core.registry.service import find_company_by_uscc
from tests.core.importing_rows import loader_of

load = loader_of(import_companies)
_random = Random(5)
CODES = [company_code(_random) for _ in range(4)]
NUMBERS = [
    resident_number(_random, born_on=date(1980, 1, day), is_female=False) for day in range(1, 5)
]
OWNERS = ["王伟", "李芳", "阿依古丽·吐尔逊", "陈静"]
WANG, LI = (0, 1)
PHONE = "+8613800000001"


@dataclass(kw_only=True)
class District:
    """Companies by their place in `CODES`; owners by their place in `OWNERS`."""

    session: Session
    now: datetime
    ids: list[int] = field(default_factory=list)

    def register(self, *owners: int, **cells: str) -> None:
        """Import a file in which company n has the n-th of these owners."""
        rows = [
            {
                "uscc": CODES[place],
                "name": f"上海第{place + 1}有限公司",
                "legal_person_name": OWNERS[owner],
                "legal_person_id": NUMBERS[owner],
                "address": "天钥桥路1号",
                "street": "徐家汇街道",
                "industry": "贸易",
                "state": "存续",
                **cells,
            }
            for place, owner in enumerate(owners)
        ]
        assert load(self.session, self.now, *rows).rejections == []
        found = [find_company_by_uscc(self.session, uscc=code) for code in CODES]
        self.ids = [one.id for one in found if one is not None]

    def later(self, **span: float) -> datetime:
        """Let time pass, and return the new instant."""
        self.now += timedelta(**span)
        return self.now

    def prove(self, openid: str, owner: int = WANG) -> Proof:
        """Return what becomes of a proof with an owner's true name and document."""
        document = document_of(NUMBERS[owner], today=date(2020, 3, 28))
        return prove_ownership(
            self.session, openid=openid, name=OWNERS[owner], document=document, now=self.now
        )

    def owner(self, openid: str = "o-wang", place: int = 0) -> MandateCard:
        """Return the mandate of an owner for a company."""
        kinds = {MandateKind.OWNER}
        return get_mandate(self.session, openid=openid, company_id=self.ids[place], kinds=kinds)

    def invite(
        self, by: MandateCard, name: str = "张敏", department: str = "", phone: str = PHONE
    ) -> Invitation:
        """Return an invitation for a filler, or for a manager where a department is named."""
        return offer_mandate(
            self.session,
            by=by,
            kind=MandateKind.MANAGER if department else MandateKind.FILLER,
            name=name,
            phone=phone,
            department=department,
            now=self.now,
        )

    def told(self) -> list[tuple[str, str]]:
        """Return kind and openid of every notice, in order."""
        rows = self.session.execute(select(Notice.kind, Notice.openid).order_by(Notice.id))
        return [(kind, openid) for kind, openid in rows]

    def recorded(self, *actions: str) -> list[AuditEntry]:
        """Return the audit rows of these actions, in order."""
        self.session.flush()
        entries = select(AuditEntry).where(AuditEntry.action.in_(actions))
        return list(self.session.scalars(entries.order_by(AuditEntry.id)))


class MemoryFiles:
    """Keeps files in memory."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    def put(self, key: str, content: bytes) -> None:
        self.kept[key] = content

    def get(self, key: str) -> bytes:
        return self.kept[key]

    def delete(self, key: str) -> None:
        self.kept.pop(key, None)


PDF = b"%PDF-1.4\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n"


@pytest.fixture
def files() -> MemoryFiles:
    """A store of files of this test's own."""
    return MemoryFiles()


@pytest.fixture
def district(session: Session, now: datetime) -> District:
    """Two companies of 王伟 and one of 李芳."""
    district = District(session=session, now=now)
    district.register(WANG, WANG, LI)
    return district
