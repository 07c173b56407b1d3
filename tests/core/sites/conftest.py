"""A street with two sites, each with a contractor and somebody who reports for it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from random import Random
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.demo.names import resident_number
from core.audit.model import AuditEntry
from core.clock import day_of
from core.keyareas.model import KeyArea
from core.notices.model import Notice
from core.people.documents import document_of
from core.people.service import register_person
from core.places.model import Street
from core.registration.model import Registration
from core.registration.rules import HealthCode, Home, RegistrationInput
from core.sites.members import confirm_member, invite_member
from core.sites.model import Site, SiteContract
from core.sites.reporting import ReportInput, ReportReceipt, Sending, submit_report
from core.sites.rules import Figures, ReportWay

_random = Random(41)
NUMBERS = [
    resident_number(_random, born_on=date(1980, 3, day), is_female=False) for day in range(1, 31)
]
POINT = (121.43, 31.18)


def entry_of(person: int = 0, **changes: Any) -> RegistrationInput:
    """Return what is told of worker n, who is well and was in the city all the time."""
    values: dict[str, Any] = {
        "name": f"张{'一二三四五六七八九十'[person % 10]}",
        "document": document_of(NUMBERS[person], today=date(2020, 3, 28)),
        "phone": "",
        "home": Home(community_id=None, text="工地宿舍"),
        "health_code": HealthCode.GREEN,
        "home_region": "江苏盐城",
    }
    return RegistrationInput(**values | changes)


@dataclass(kw_only=True)
class Sites:
    """What a test does and sees; site n is the n-th that was added."""

    session: Session
    now: datetime
    ids: list[int] = field(default_factory=list)
    keys: int = 0

    @property
    def today(self) -> date:
        return day_of(self.now)

    def add(self, *, street_id: int = 1, state: str = "active", contractor: str = "总包甲") -> int:
        """Add a site, and a contract if somebody builds, and return its id."""
        number = len(self.ids) + 1
        site = Site(
            face="site",
            number=f"GD{number:03}",
            name=f"第{number}工地",
            project="住宅楼",
            address=f"虹梅路{number}号",
            street_id=street_id,
            state=state,
            admission="open",
            head_count=200,
            longitude=POINT[0],
            latitude=POINT[1],
            changed_at=self.now,
            first_seen_at=self.now,
            last_seen_at=self.now,
        )
        self.session.add(site)
        self.session.flush()
        if contractor:
            self.session.add(
                SiteContract(site_id=site.id, contractor=contractor, since=date(2020, 3, 1))
            )
            self.session.flush()
        self.ids.append(site.id)
        return site.id

    def bind(self, openid: str, *, site: int = 0, name: str = "赵强") -> None:
        """Let somebody report for a site."""
        offered = invite_member(
            self.session,
            site_id=self.ids[site],
            name=name,
            phone="+8613800000001",
            actor="staff:1",
            now=self.now,
        )
        confirm_member(self.session, openid=openid, token=offered.token, name=name, now=self.now)

    def follow(self, openid: str) -> None:
        """Let somebody follow the account."""
        register_person(self.session, openid=openid, now=self.now).is_following = True
        self.session.flush()

    def report(
        self,
        heads: int,
        came: int = 0,
        went: int = 0,
        *,
        site: int = 0,
        day: date | None = None,
        made_at: datetime | None = None,
        key: str = "",
        point: tuple[float, float] | None = None,
        actor: str = "person:7",
        **more: Any,
    ) -> ReportReceipt:
        """Report for a site, today and now unless said otherwise."""
        self.keys += 1
        figures = Figures(head_count=heads, joined_count=came, left_count=went)
        return submit_report(
            self.session,
            site_id=self.ids[site],
            day=day or self.today,
            report=ReportInput(figures=figures, **more),
            sending=Sending(
                way=ReportWay.PAGE,
                actor=actor,
                request_key=key or f"k{self.keys}",
                reported_at=made_at or self.now,
                point=point,
            ),
            now=self.now,
        )

    def sending(self, key: str) -> Sending:
        """Return how a report comes by chat."""
        return Sending(way=ReportWay.CHAT, actor="person:7", request_key=key, reported_at=self.now)

    def later(self, **span: float) -> datetime:
        """Let time pass, and return the new instant."""
        self.now += timedelta(**span)
        return self.now

    def add_key_area(self, code: str, name: str) -> None:
        """Make a place a key area from some weeks ago on."""
        since = self.now - timedelta(days=30)
        self.session.add(KeyArea(code=code, name=name, since=since, imported_at=self.now))
        self.session.flush()

    def registrations(self, site: int = 0) -> list[Registration]:
        """Return the people of a site, as the database has them."""
        self.session.flush()
        self.session.expire_all()
        rows = self.session.scalars(
            select(Registration)
            .where(Registration.workplace_id == self.ids[site])
            .order_by(Registration.id)
        )
        return list(rows)

    def notices(self) -> list[Notice]:
        """Return the reminders that were queued, in order."""
        kind = Notice.kind == "site_report_due"
        return list(self.session.scalars(select(Notice).where(kind).order_by(Notice.id)))

    def recorded(self, action: str) -> list[AuditEntry]:
        """Return what is on record of an action, in order."""
        self.session.flush()
        rows = self.session.scalars(
            select(AuditEntry).where(AuditEntry.action == action).order_by(AuditEntry.id)
        )
        return list(rows)


def make_sites(session: Session, now: datetime) -> Sites:
    """Return two streets with a site in each."""
    session.add(Street(id=1, code="310104011", name="田林街道"))
    session.add(Street(id=2, code="310104012", name="虹梅路街道"))
    session.flush()
    found = Sites(session=session, now=now)
    found.add()
    found.add(street_id=2)
    return found


@pytest.fixture
def sites(session: Session, now: datetime) -> Sites:
    """Two sites on either database."""
    return make_sites(session, now)


@pytest.fixture
def lite(sqlite_database: Any, now: datetime) -> Any:
    """Two sites, where only the rules matter."""
    with Session(sqlite_database.engine, expire_on_commit=False) as session:
        yield make_sites(session, now)
        session.rollback()
