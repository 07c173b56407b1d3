"""Construction sites of the demo district: who builds, a few weeks of reports, who works there.

Sites, people and the reports of today go through the use cases that pages call; the weeks before
are written at once, flagged by the same rules. The first site has nobody who reports for it yet:
whoever tries the story is invited there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from random import Random
from typing import Any, Final

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from bot.demo.names import birth_date, company_name, person_name, resident_number
from bot.demo.risk import checked
from bot.demo.words import words
from core.clock import SHANGHAI, day_of
from core.importing import ImportRow
from core.people.documents import document_of
from core.people.staff.model import StaffAccount
from core.people.staff.rules import Role
from core.people.staff.service import NewStaff, add_account, disable_account
from core.registration.entering import EntryFor, enter_many
from core.registration.rules import HealthCode, Home, RegistrationInput, Travel
from core.sites.importing import import_sites
from core.sites.members import confirm_member, invite_member
from core.sites.model import Site, SiteReport
from core.sites.reporting import ReportInput, Sending, submit_report
from core.sites.rules import Figures, ReportFacts, ReportState, ReportWay, expected_of, flags_of

SEED: Final = 20200401
BORN_AT: Final = date(2020, 4, 1)
SUPERVISOR: Final = "demo-supervisor"
PERSON_PREFIX: Final = "demo-site-"
ACTOR: Final = "operator:demo"
# Nobody hashes to it, and the account is shut besides.
_NO_PASSWORD: Final = "!"  # noqa: S105
_PROJECTS: Final = (
    "商品住宅",
    "办公楼",
    "中学扩建",
    "医院门诊楼",
    "地铁站点",
    "道路改造",
    "旧区改造",
)
_REGIONS: Final = (
    "江苏盐城",
    "安徽六安",
    "河南信阳",
    "浙江绍兴",
    "江西上饶",
    "四川达州",
    "湖北黄冈",
)
_ELSEWHERE: Final = ("江苏盐城", "安徽六安", "河南信阳", "浙江绍兴", "江西上饶")
# Of the list in words/key_areas.json.
_KEY_STAY: Final = "湖北武汉"
# At this site two managers came from a key area.
_KEY_SITE: Final = 2
_SMALLEST: Final = 12
_LARGEST: Final = 110
# Of those with a number, so many report late or not at all by the time of loading.
_SILENT: Final = 9


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoSite:
    """A site of the demo district.

    Attributes:
        place: from 0, in the register.
        head_count: people there at the beginning of the history.
    """

    place: int
    number: str
    name: str
    project: str
    street: str
    address: str
    longitude: float
    latitude: float
    contractor: str
    head_count: int

    def row(self, line: int) -> ImportRow:
        """Return the row that an operator's file would have."""
        return ImportRow(
            line,
            {
                "number": self.number,
                "name": self.name,
                "project": self.project,
                "street": self.street,
                "address": self.address,
                "longitude": str(self.longitude),
                "latitude": str(self.latitude),
                "contractor": self.contractor,
                "head_count": str(round(self.head_count * 1.4)),
                "since": "2020-02-10",
            },
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SitesReport:
    """What was loaded: sites, their reports, the people registered with them."""

    sites: int = 0
    reports: int = 0
    people: int = 0


def make_sites(*, count: int) -> list[DemoSite]:
    """Return sites, the same every time; fewer are the first of more."""
    random = Random(SEED)
    streets: Mapping[str, Any] = words("district")
    names = [*streets]
    made = []
    for place in range(count):
        street = names[place % len(names)]
        west, south, east, north = streets[street]["box"]
        road = random.choice(streets[street]["roads"])
        project = random.choice(_PROJECTS)
        made.append(
            DemoSite(
                place=place,
                number=f"XHGD{place + 1:04}",
                name=f"{road}{project}项目{place + 1}标",
                project=project,
                street=street,
                address=f"{road}{random.randint(1, 1800)}号",
                longitude=round(random.uniform(west, east), 6),
                latitude=round(random.uniform(south, north), 6),
                contractor=_contractor(random),
                head_count=random.randint(_SMALLEST, _LARGEST),
            )
        )
    return made


def _contractor(random: Random) -> str:
    return f"{company_name(random)[:4]}建设工程有限公司"


def load_sites(session: Session, *, count: int, days: int, now: datetime) -> SitesReport:
    """Load the sites that are not there yet, with their history; return what was loaded.

    Args:
        session: with the streets and the list of key areas.
        count: how many sites there shall be.
        days: of reports before today.
        now: aware instant; today's reports came before it.
    """
    known = set(session.scalars(select(Site.number)))
    sites = [one for one in make_sites(count=count) if one.number not in known]
    if not sites:
        return SitesReport()
    begun = now - timedelta(days=days)
    checked(import_sites(session, (one.row(at) for at, one in enumerate(sites, 2)), now=begun))
    ids = dict(session.execute(select(Site.number, Site.id)).all())
    _watch(session, [ids[one.number] for one in sites], now=now)
    actors = _bind(session, sites, ids, now=begun)
    people, reports = 0, 0
    for one in sites:
        random = Random(f"{SEED}:{one.number}")
        site_id, actor = ids[one.number], actors.get(one.number, ACTOR)
        history = _history(random, one, days=days)
        reports += _write_history(session, site_id, history, actor=actor, now=now)
        people += _people(session, random, one, site_id, history[-1].head_count, now=now)
        reports += _report_today(session, random, one, site_id, history[-1], now=now, actor=actor)
    return SitesReport(sites=len(sites), reports=reports, people=people)


def _watch(session: Session, site_ids: Sequence[int], *, now: datetime) -> None:
    """Let an account that nobody can sign in with watch the sites."""
    found = select(StaffAccount.id).where(StaffAccount.name == SUPERVISOR)
    supervisor_id = session.scalar(found)
    if supervisor_id is None:
        staff = NewStaff(name=SUPERVISOR, role=Role.SITE_SUPERVISOR, display_name="演示监管员")
        account = add_account(session, staff=staff, password_hash=_NO_PASSWORD, now=now)
        disable_account(session, name=SUPERVISOR, now=now)
        supervisor_id = account.id
    for site in session.scalars(select(Site).where(Site.id.in_(site_ids))):
        site.supervisor_id = supervisor_id
    session.flush()


def _bind(
    session: Session, sites: Sequence[DemoSite], ids: Mapping[str, int], *, now: datetime
) -> dict[str, str]:
    """Let somebody report for each site but the first; return by number who, for the record."""
    actors = {}
    for one in sites:
        if one.place == 0:
            continue
        name = person_name(Random(f"{SEED}:{one.number}:filler"))
        offered = invite_member(
            session,
            site_id=ids[one.number],
            name=name,
            phone=f"+861990001{one.place % 10_000:04}",
            actor=ACTOR,
            now=now,
        )
        bound = confirm_member(
            session,
            openid=f"{PERSON_PREFIX}{one.place}",
            token=offered.token,
            name=name,
            now=now,
        )
        actors[one.number] = bound.actor
    return actors


# ---- reports ------------------------------------------------------------------------------------


def _history(random: Random, site: DemoSite, *, days: int) -> list[Figures]:
    """Return what a site reported day by day; every eleventh once miscounts or doubles."""
    found = [Figures(head_count=site.head_count)]
    odd_day = random.randrange(1, max(days, 2)) if site.place % 11 == 5 else None
    is_still = site.place % 13 == 7  # nobody comes or leaves there
    for day in range(1, days):
        joined = 0 if is_still else random.choice((0, 0, 0, 1, 2, 4))
        left = 0 if is_still else random.choice((0, 0, 0, 1, 1, 3))
        figures = Figures(head_count=0, joined_count=joined, left_count=left)
        head = max(expected_of(found[-1], figures), 5)
        if day == odd_day:
            head = head + random.choice((2, 45))
        found.append(Figures(head_count=head, joined_count=joined, left_count=left))
    return found


def _write_history(
    session: Session, site_id: int, history: Sequence[Figures], *, actor: str, now: datetime
) -> int:
    first = day_of(now) - timedelta(days=len(history))
    rows = []
    for place, figures in enumerate(history):
        day = first + timedelta(days=place)
        at = datetime.combine(day, time(8, 10 + site_id % 45), SHANGHAI)
        before = history[:place][::-1]
        facts = ReportFacts(figures=figures, before=before[0] if before else None, last_days=before)
        rows.append(
            {
                "site_id": site_id,
                "day": day,
                "state": ReportState.STANDING.value,
                "way": (ReportWay.PAGE, ReportWay.CHAT)[place % 2].value,
                "request_key": f"demo-{day}",
                "head_count": figures.head_count,
                "joined_count": figures.joined_count,
                "left_count": figures.left_count,
                "is_unchanged": place > 0 and figures == Figures(head_count=figures.head_count),
                "flags": [flag.value for flag in flags_of(facts)],
                "note": "",
                "reported_by": actor,
                "reported_at": at,
                "received_at": at,
            }
        )
    session.execute(insert(SiteReport), rows)
    return len(rows)


def _report_today(
    session: Session,
    random: Random,
    site: DemoSite,
    site_id: int,
    last: Figures,
    *,
    actor: str,
    now: datetime,
) -> int:
    """Report for today, unless it is one of those that have not yet; return how many reports."""
    if site.place == 0 or site.place % _SILENT == 4:
        return 0
    joined = 2 if site.place == _KEY_SITE else random.choice((0, 0, 1))
    # Every sixteenth is late; who loads it earlier finds reports of just now.
    made_at = time(10, 20) if site.place % 16 == 11 else time(8, random.randint(0, 59))
    today = Figures(head_count=last.head_count + joined, joined_count=joined)
    submit_report(
        session,
        site_id=site_id,
        day=day_of(now),
        report=ReportInput(figures=today),
        sending=Sending(
            way=ReportWay.PAGE,
            actor=actor,
            request_key="demo-today",
            reported_at=datetime.combine(day_of(now), made_at, SHANGHAI),
            point=(site.longitude, site.latitude),
        ),
        now=now,
    )
    return 1


# ---- people -------------------------------------------------------------------------------------


def _people(
    session: Session, random: Random, site: DemoSite, site_id: int, count: int, *, now: datetime
) -> int:
    """Register who works at a site; at one of them two newcomers come from a key area."""
    came = now - timedelta(days=1)
    entries = [
        _worker(random, site, place=place, day=day_of(came), stays=_stays(random))
        for place in range(count)
    ]
    if site.place == _KEY_SITE:
        entries += [
            _worker(random, site, place=count + one, day=day_of(came), stays=(_KEY_STAY,))
            for one in range(2)
        ]
    people = [EntryFor(workplace_id=site_id, entry=entry) for entry in entries]
    enter_many(session, people=people, actor=ACTOR, now=came)
    return len(people)


def _stays(random: Random) -> tuple[str, ...]:
    return (random.choice(_ELSEWHERE),) if random.random() < 0.15 else ()


def _worker(
    random: Random, site: DemoSite, *, place: int, day: date, stays: tuple[str, ...]
) -> RegistrationInput:
    born_on = birth_date(random, today=BORN_AT, youngest=19, oldest=58)
    number = resident_number(random, born_on=born_on, is_female=random.random() < 0.1)
    is_green = place % 67 != 66
    return RegistrationInput(
        name=person_name(random),
        document=document_of(number, today=day),
        phone="",
        home=Home(community_id=None, text=site.name),
        stays=stays,
        returned_on=day - timedelta(days=random.randint(0, 9)) if stays else None,
        travel=random.choice((Travel.TRAIN, Travel.COACH)) if stays else Travel.NOT_AWAY,
        health_code=HealthCode.GREEN if is_green else HealthCode.NONE,
        home_region=random.choice(_REGIONS),
    )
