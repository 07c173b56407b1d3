"""A site in either street of a district of the console, with who reports and who works there."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta

from sqlalchemy import select

from core.clock import day_of, start_of
from core.people.staff.model import StaffAccount
from core.sites.members import invite_member
from core.sites.model import Site, SiteContract
from core.sites.reporting import ReportInput, Sending, submit_report
from core.sites.rules import Figures, ReportWay
from tests.cases import add_key_area, add_site, arrive
from tests.console import District

NAMES = ("田林综合楼项目", "凌云路学校项目")
FORMER, PRESENT = "上海旧建", "上海新建"
POINT = (121.43, 31.18)


@dataclass(kw_only=True)
class SiteDistrict:
    """Site n stands in street n + 1; at the first somebody from a key area works."""

    district: District
    ids: list[int] = field(default_factory=list)
    members: list[int] = field(default_factory=list)

    def fill(self) -> None:
        """Add both sites, each with a contractor, an invitation and a worker."""
        now = self.district.now
        with self.district.database.transaction() as session:
            add_key_area(session, now=now, code="420100", name="武汉市")
            for place, name in enumerate(NAMES):
                site_id = add_site(
                    session,
                    street_id=place + 1,
                    now=now,
                    name=name,
                    number=f"XH{place}",
                    longitude=POINT[0],
                    latitude=POINT[1] + place / 100,
                    head_count=200,
                )
                self.ids.append(site_id)
                since = date(2020, 1, 1)
                session.add(
                    SiteContract(
                        site_id=site_id, contractor=FORMER, since=since, until=date(2020, 3, 1)
                    )
                )
                contract = SiteContract(site_id=site_id, contractor=PRESENT, since=date(2020, 3, 1))
                session.add(contract)
                session.flush()
                invited = invite_member(
                    session,
                    site_id=site_id,
                    name="赵工",
                    phone="+8613917000001",
                    actor="staff:1",
                    now=now,
                )
                self.members.append(invited.id)
                stays = ("湖北武汉",) if place == 0 else ("江苏苏州",)
                arrive(session, workplace_id=site_id, person=5 + place, now=now, stays=stays)

    def report(
        self, heads: int, came: int = 0, went: int = 0, *, days_ago: int = 0, minutes: int = 0
    ) -> None:
        """Report for the first site, some minutes into a day: before the hour, whenever it runs."""
        now = self.district.now
        day = day_of(now) - timedelta(days=days_ago)
        made_at = start_of(day) + timedelta(minutes=minutes)
        figures = Figures(head_count=heads, joined_count=came, left_count=went)
        with self.district.database.transaction() as session:
            submit_report(
                session,
                site_id=self.ids[0],
                day=day,
                report=ReportInput(figures=figures),
                sending=Sending(
                    way=ReportWay.PAGE,
                    actor="person:7",
                    request_key=f"{day}-{minutes}",
                    reported_at=made_at,
                    point=None,
                ),
                now=max(made_at, now - timedelta(days=days_ago)),
            )

    def watch(self, name: str, *, site: int = 0) -> None:
        """Let somebody of the staff watch a site."""
        with self.district.database.transaction() as session:
            staff_id = session.scalar(select(StaffAccount.id).where(StaffAccount.name == name))
            session.get_one(Site, self.ids[site]).supervisor_id = staff_id


def sites_of(district: District) -> SiteDistrict:
    """Return a district with its sites."""
    found = SiteDistrict(district=district)
    found.fill()
    return found
