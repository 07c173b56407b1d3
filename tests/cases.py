"""A site and a shop, a key area, and people who come from there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from random import Random
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.demo.names import company_code, resident_number
from core.cases.model import Case
from core.cases.rules import Certificate
from core.cases.service import CaseAct, CaseScope
from core.clock import day_of
from core.keyareas.model import KeyArea
from core.people.documents import document_of
from core.people.staff.model import StaffAccount
from core.people.staff.rules import Area
from core.registration.cards import Receipt
from core.registration.model import Registration
from core.registration.rules import HealthCode, Home, RegistrationInput, Travel
from core.registration.service import submit_registration
from core.shops.model import Shop
from core.sites.model import Site, SiteContract, SiteMember
from tests.console import District

_random = Random(31)
NUMBERS = [
    resident_number(_random, born_on=date(1980, 3, day), is_female=False) for day in range(1, 13)
]
PHONE = "+8613917000001"
SITE, SHOP = "东安路综合楼项目", "老王面馆"
DISTRICT = CaseScope(area=Area())


def add_site(session: Session, *, street_id: int, now: datetime, **changes: Any) -> int:
    """Add a site that takes people, and return its id."""
    values: dict[str, Any] = {
        "name": SITE,
        "address": "东安路88号",
        "street_id": street_id,
        "state": "active",
        "admission": "open",
        "number": f"GD{street_id:03}",
        "project": "综合楼",
        "changed_at": now,
        "first_seen_at": now,
        "last_seen_at": now,
    }
    site = Site(**values | changes)
    session.add(site)
    session.flush()
    return site.id


def add_shop(session: Session, *, street_id: int, now: datetime, **changes: Any) -> int:
    """Add a shop that takes people, and return its id."""
    values: dict[str, Any] = {
        "name": SHOP,
        "address": "天钥桥路9号",
        "street_id": street_id,
        "state": "active",
        "admission": "open",
        "licence": company_code(_random),
        "kind": "food",
        "changed_at": now,
        "first_seen_at": now,
        "last_seen_at": now,
    }
    shop = Shop(**values | changes)
    session.add(shop)
    session.flush()
    return shop.id


def add_key_area(
    session: Session, *, now: datetime, code: str = "330300", name: str = "温州市"
) -> KeyArea:
    """Make a place a key area since a month."""
    area = KeyArea(code=code, name=name, since=now - timedelta(days=30), imported_at=now)
    session.add(area)
    session.flush()
    return area


def arrive(
    session: Session, *, workplace_id: int, person: int = 0, now: datetime, **changes: Any
) -> Receipt:
    """Register person n, who came back from the key area two days ago."""
    values: dict[str, Any] = {
        "name": f"张{'一二三四五六七八九十'[person % 10]}",
        "document": document_of(NUMBERS[person], today=date(2020, 3, 28)),
        "phone": f"+86138000002{person:02}",
        "home": Home(community_id=None, text="浦东新区某小区"),
        "health_code": HealthCode.GREEN,
        "stays": ("浙江温州",),
        "travel": Travel.TRAIN,
        "returned_on": day_of(now) - timedelta(days=2),
    }
    return submit_registration(
        session,
        workplace_id=workplace_id,
        entry=RegistrationInput(**values | changes),
        openid=f"o-worker-{person}",
        code_id=None,
        now=now,
    )


@dataclass(kw_only=True)
class Desk:
    """What a test does and sees of cases."""

    session: Session
    now: datetime
    site_id: int
    shop_id: int
    staff_id: int

    def arrive(self, person: int = 0, *, workplace_id: int | None = None, **changes: Any) -> Case:
        """Register somebody from the key area, and return their case."""
        place = workplace_id or self.site_id
        receipt = arrive(self.session, workplace_id=place, person=person, now=self.now, **changes)
        return self.case_of(receipt.card.id)

    def case_of(self, registration_id: int) -> Case:
        """Return the only case of a registration, as the database has it."""
        self.session.flush()
        self.session.expire_all()
        return self.session.scalars(
            select(Case).where(Case.registration_id == registration_id)
        ).one()

    def stored(self, case: Case) -> Registration:
        """Return the registration of a case as the database has it."""
        self.session.flush()
        self.session.expire_all()
        return self.session.get_one(Registration, case.registration_id)

    def act(
        self, case: Case, *, version: int | None = None, staff_id: int | None = None
    ) -> CaseAct:
        """Return that the officer acts on a case as it is."""
        return CaseAct(
            case_id=case.id,
            version=version or case.version,
            scope=DISTRICT,
            staff_id=staff_id or self.staff_id,
            now=self.now,
        )

    def later(self, **span: float) -> datetime:
        """Let time pass, and return the new instant."""
        self.now += timedelta(**span)
        return self.now

    def certificate(self, **changes: Any) -> Certificate:
        """Return a certificate of fourteen days that end today, begun on the day of return."""
        today = day_of(self.now)
        values: dict[str, Any] = {
            "number": "XH-2020-0117",
            "issuer": "田林街道社区卫生服务中心",
            "isolated_from": today - timedelta(days=14),
            "isolated_until": today,
            "issued_on": today,
        }
        return Certificate(**values | changes)


# ---- in a district of the console ----------------------------------------------------------------


def fill_cases(district: District) -> list[int]:
    """Add two people at a site of the first street, one of them late, and one at a shop."""
    now, found = district.now, []
    with district.database.transaction() as session:
        add_key_area(session, now=now)
        site_id = add_site(session, street_id=1, now=now)
        shop_id = add_shop(session, street_id=2, now=now)
        _add_contractor(session, site_id, now=now)
        for person, place in enumerate((site_id, site_id, shop_id)):
            at = now - timedelta(hours=26 if person == 1 else person + 1)
            receipt = arrive(session, workplace_id=place, person=person, now=at)
            wanted = select(Case.id).where(Case.registration_id == receipt.card.id)
            found.append(session.scalars(wanted).one())
    return found


def _add_contractor(session: Session, site_id: int, *, now: datetime) -> None:
    contract = SiteContract(site_id=site_id, contractor="上海一建", since=day_of(now))
    session.add(contract)
    session.flush()
    session.add(
        SiteMember(
            contract_id=contract.id,
            person_id=1,
            state="active",
            name="赵工",
            phone=PHONE,
            invited_by="staff:1",
            offered_at=now,
            confirmed_at=now,
        )
    )


def watch_site(district: District, name: str) -> None:
    """Let somebody of the staff watch the site."""
    with district.database.transaction() as session:
        staff_id = session.scalar(select(StaffAccount.id).where(StaffAccount.name == name))
        session.scalars(select(Site)).one().supervisor_id = staff_id


def come_back_earlier(district: District, case_id: int) -> None:
    """Let somebody have come back a fortnight ago: there is time for a certificate."""
    today = day_of(district.now)
    with district.database.transaction() as session:
        stored = session.get_one(Registration, session.get_one(Case, case_id).registration_id)
        was = (today - timedelta(days=2)).isoformat()
        stored.answers = stored.answers.replace(was, (today - timedelta(days=14)).isoformat())
