from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bot.demo.companies import DemoCompany, make_companies
from bot.import_report import ImportReport
from bot.imports import KINDS, run_import
from core.cases.model import Case
from core.codes.rules import subject_of
from core.codes.service import find_live_code, issue_code
from core.db import Base, Database
from core.importing import Manifest
from core.keyareas.service import list_rows_at
from core.mandates.proving import prove_ownership
from core.mandates.service import list_mandates
from core.nightly import run_night
from core.notices.model import Notice
from core.people.documents import DocumentKind, document_of
from core.people.model import Person
from core.places.model import Community, Street
from core.registration.model import Registration
from core.registration.rules import Flag, Travel
from core.registration.service import submit_registration
from core.registry.importing import COMPANY_COLUMNS
from core.registry.model import Company
from core.registry.rules import CompanyState
from core.residents.model import Resident
from core.risk.events.model import EpidemicEvent, FeedDelivery
from core.risk.events.rules import Feed
from core.risk.events.service import feed_states
from core.risk.model import Publication
from core.risk.rules import Colour
from core.risk.scoring import score_day
from core.risk.service import find_card, subscribe
from core.risk.versions import get_version
from tests.cases import add_site
from tests.core.registration.conftest import District as RegistrationDistrict
from tests.core.registration.conftest import entry_of
from tests.servers import ROOT

COMMUNITIES = """code,name,street,longitude,latitude,aliases
T1,田林十二村,田林街道,121.42,31.17,十二村
T2,田林十三村,田林街道,121.43,31.17,
"""
CODES = [one.code for one in get_version().indicators]


def load(
    database: Database,
    kind: str,
    text: str,
    *,
    tmp_path: Path,
    now: datetime,
    all_or_nothing: bool = False,
    is_full: bool = False,
    **said: Any,
) -> ImportReport:
    path = tmp_path / "file.csv"
    path.write_text(text, "utf-8")
    return run_import(
        database,
        kind,
        path,
        all_or_nothing=all_or_nothing,
        is_full=is_full,
        manifest=Manifest(**said),
        now=now,
    )


def values(day: str, confirmed: int, *, code: str = "T1") -> str:
    rows = [f"{day},{code},{one},{confirmed if one == 'confirmed' else 0}" for one in CODES]
    return "\n".join(rows) + "\n"


INDICATOR_HEADER = "day,community_code,indicator,value\n"


def count(database: Database, table: type[Base]) -> int:
    with database.reading() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def test_good_rows_are_kept_and_bad_ones_named(
    database: Database, tmp_path: Path, now: datetime
) -> None:
    text = COMMUNITIES + "T3,x,田林,121.4,31.1,\nT4,y\n"
    report = load(database, "communities", text, tmp_path=tmp_path, now=now)
    assert not report.is_failed
    assert (report.created_count, [one.line for one in report.rejections]) == (2, [4, 5])
    assert report.lines() == [
        "4: 没有“田林”这个街道或镇，是否为“田林街道”",
        "5: 这一行有 2 个单元格，应为 6 个",
    ]
    assert report.summary() == "communities: 2 created, 0 updated, 0 unchanged, 2 rejected"
    assert count(database, Community) == 2


def test_all_or_nothing_keeps_nothing_when_a_row_is_refused(
    database: Database, tmp_path: Path, now: datetime
) -> None:
    for bad in ("T3,x,田林,121.4,31.1,\n", "T4,y\n"):
        report = load(
            database,
            "communities",
            COMMUNITIES + bad,
            tmp_path=tmp_path,
            now=now,
            all_or_nothing=True,
        )
        assert report.is_failed
        assert report.summary().endswith(
            "0 created, 0 updated, 0 unchanged, 1 rejected; nothing was kept"
        )
        assert count(database, Community) == 0
    report = load(
        database, "communities", COMMUNITIES, tmp_path=tmp_path, now=now, all_or_nothing=True
    )
    assert (report.is_failed, count(database, Community)) == (False, 2)


def test_file_that_breaks_half_way_leaves_nothing_behind(
    database: Database, tmp_path: Path, now: datetime
) -> None:
    text = COMMUNITIES + 'T3,"田林十四'
    report = load(database, "communities", text, tmp_path=tmp_path, now=now)
    assert report.is_failed
    assert [(one.line, one.code) for one in report.rejections] == [(4, "csv_broken")]
    assert count(database, Community) == 0


def test_imported_values_are_scored_at_once(
    database: Database, tmp_path: Path, now: datetime
) -> None:
    load(database, "communities", COMMUNITIES, tmp_path=tmp_path, now=now)
    text = INDICATOR_HEADER + values("2020-03-26", 1) + values("2020-03-27", 3)
    report = load(database, "indicators", text, tmp_path=tmp_path, now=now)
    assert report.scored_days == (date(2020, 3, 26), date(2020, 3, 27))
    assert report.summary().endswith("scored again: 2020-03-26 to 2020-03-27")
    with database.reading() as session:
        card = find_card(session, community_id=1, today=date(2020, 3, 28))
        assert card is not None
        assert (card.colour, card.score, card.day) == (Colour.YELLOW, 20.0, date(2020, 3, 27))


def test_late_values_reach_the_days_that_carry_them(
    database: Database, tmp_path: Path, now: datetime
) -> None:
    load(database, "communities", COMMUNITIES, tmp_path=tmp_path, now=now)
    newest = values("2020-03-27", 3).replace("2020-03-27,T1,fever,0\n", "")
    load(database, "indicators", INDICATOR_HEADER + newest, tmp_path=tmp_path, now=now)
    late = INDICATOR_HEADER + "2020-03-25,T1,fever,3\n"
    report = load(database, "indicators", late, tmp_path=tmp_path, now=now)
    assert report.scored_days == (date(2020, 3, 25), date(2020, 3, 27))
    with database.reading() as session:
        card = find_card(session, community_id=1, today=date(2020, 3, 28))
        assert card is not None
        assert (card.score, card.coverage) == (25.0, 1.0)


def test_known_values_are_not_scored_again(
    database: Database, tmp_path: Path, now: datetime
) -> None:
    load(database, "communities", COMMUNITIES, tmp_path=tmp_path, now=now)
    text = INDICATOR_HEADER + values("2020-03-27", 1)
    load(database, "indicators", text, tmp_path=tmp_path, now=now)
    report = load(database, "indicators", text, tmp_path=tmp_path, now=now)
    assert (report.unchanged_count, report.scored_days) == (13, ())


WORST = values("{day}", 3).replace(",0\n", ",9\n")
BEST = values("{day}", 0)


@pytest.fixture
def subscriber(database: Database, tmp_path: Path, now: datetime) -> None:
    """Somebody who saw a blue card four days ago and subscribed."""
    load(database, "communities", COMMUNITIES, tmp_path=tmp_path, now=now)
    text = INDICATOR_HEADER + BEST.format(day="2020-03-24")
    load(database, "indicators", text, tmp_path=tmp_path, now=now)
    with database.transaction() as session:
        person = Person(openid="o-1", created_at=now)
        session.add(person)
        session.flush()
        subscribe(session, person_id=person.id, community_id=1, now=now)


def told(database: Database) -> list[tuple[object, object]]:
    """Return the days and colours that the subscriber was told of."""
    with database.reading() as session:
        notices = session.scalars(select(Notice).order_by(Notice.id))
        return [(one.values["day"], one.values["colour"]) for one in notices]


def test_subscribers_hear_at_once_of_what_the_card_shows_and_not_of_history(
    database: Database, subscriber: None, tmp_path: Path, now: datetime
) -> None:
    expected: list[tuple[object, object]] = []
    newest = ""
    for day, rows, news in (
        ("2020-03-25", WORST, "red"),  # the card still shows a day that is three days old
        ("2020-03-25", BEST, "blue"),  # and its correction
        ("2020-03-26", WORST, "red"),
        ("2020-03-25", WORST, ""),
        ("2020-03-27", BEST, "yellow"),  # a colour falls by one step a day
        ("2020-03-26", BEST, "blue"),  # and there was a step the day before
        ("2020-03-27", BEST, ""),
        ("2020-03-27", WORST, "red"),
    ):
        text = INDICATOR_HEADER + rows.format(day=day)
        load(database, "indicators", text, tmp_path=tmp_path, now=now)
        newest = max(newest, day)
        expected += [(newest, news)] if news else []
        assert told(database) == expected


def test_subscribers_hear_of_the_newest_day_of_a_file_alone(
    database: Database, subscriber: None, tmp_path: Path, now: datetime
) -> None:
    days = {"2020-03-25": BEST, "2020-03-26": WORST, "2020-03-27": WORST}
    text = "".join(rows.format(day=day) for day, rows in days.items())
    load(database, "indicators", INDICATOR_HEADER + text, tmp_path=tmp_path, now=now)
    assert told(database) == [("2020-03-27", "red")]


@pytest.mark.parametrize(
    "step", ["core.risk.scoring.score_day", "bot.imports.queue_colour_notices"]
)
def test_import_that_dies_while_it_scores_is_made_good_by_the_next(
    database: Database,
    subscriber: None,
    tmp_path: Path,
    now: datetime,
    monkeypatch: pytest.MonkeyPatch,
    step: str,
) -> None:
    text = INDICATOR_HEADER + WORST.format(day="2020-03-26") + WORST.format(day="2020-03-27")

    def die(session: Session, *, now: datetime, day: date = date.max) -> object:
        if day > date(2020, 3, 26):
            raise KeyboardInterrupt
        return score_day(session, day=day, now=now)

    with monkeypatch.context() as patch:
        patch.setattr(step, die)
        with pytest.raises(KeyboardInterrupt):
            load(database, "indicators", text, tmp_path=tmp_path, now=now)
    assert told(database) == []

    report = load(database, "indicators", text, tmp_path=tmp_path, now=now)

    assert report.scored_days == (date(2020, 3, 26), date(2020, 3, 27))
    assert told(database) == [("2020-03-27", "red")]
    with database.reading() as session:
        card = find_card(session, community_id=1, today=date(2020, 3, 28))
        assert card is not None
        assert (card.colour, card.day) == (Colour.RED, date(2020, 3, 27))


def test_kind_that_is_not_known_is_reported_with_those_that_are(
    sqlite_database: Database, tmp_path: Path, now: datetime
) -> None:
    report = load(sqlite_database, "weather", COMMUNITIES, tmp_path=tmp_path, now=now)
    assert report.is_failed
    assert all(kind in report.lines()[0] for kind in KINDS)


def test_progress_ends_with_the_number_of_rows(
    sqlite_database: Database, tmp_path: Path, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.imports.PROGRESS_ROWS", 1)
    path = tmp_path / "file.csv"
    path.write_text(COMMUNITIES, "utf-8")
    told: list[tuple[int, int]] = []
    run_import(
        sqlite_database,
        "communities",
        path,
        all_or_nothing=False,
        now=now,
        progress=lambda done, total: told.append((done, total)),
    )
    assert told == [(1, 3), (2, 3), (2, 2)]


COMPANIES = make_companies(1, count=30)
COMPANY_HEADER = ",".join([*COMPANY_COLUMNS, "id_kind"]) + "\n"


def company_file(*companies: DemoCompany) -> str:
    columns = COMPANY_HEADER.strip().split(",")
    rows = [",".join(one.row(0).cells[name] for name in columns) for one in companies]
    return COMPANY_HEADER + "\n".join(rows) + "\n"


def test_register_of_companies_is_imported_and_shows_what_changed(
    database: Database, tmp_path: Path, now: datetime
) -> None:
    text = company_file(*COMPANIES)
    first = load(database, "companies", text, tmp_path=tmp_path, now=now)
    assert first.summary() == "companies: 30 created, 0 updated, 0 unchanged, 0 rejected"
    assert first.notes() == []
    moved = replace(COMPANIES[1], address="喜泰路1号")
    sold = replace(COMPANIES[2], owner=COMPANIES[0].owner, address="喜泰路2号")
    text = company_file(COMPANIES[0], moved, sold)
    later = now + timedelta(days=1)
    second = load(database, "companies", text, tmp_path=tmp_path, now=later)
    assert second.summary() == "companies: 0 created, 2 updated, 1 unchanged, 0 rejected"
    assert second.notes() == [
        "changed: address 2, owner 1",
        f"another legal person (1): {sold.uscc}",
    ]


def test_former_owner_is_stopped_and_told_after_the_import_and_nobody_else(
    database: Database, tmp_path: Path, now: datetime
) -> None:
    two = [one for one in COMPANIES if one.owner.kind is DocumentKind.RESIDENT_ID][:2]
    kept, sold = (replace(one, state=CompanyState.ACTIVE) for one in two)
    load(database, "companies", company_file(kept, sold), tmp_path=tmp_path, now=now)
    for openid, owner in (("o-kept", kept.owner), ("o-sold", sold.owner)):
        with database.transaction() as session:
            document = document_of(owner.number, today=now.date())
            prove_ownership(session, openid=openid, name=owner.name, document=document, now=now)
            (mandate,) = list_mandates(session, openid=openid)
            subject = subject_of(mandate.company.id)
            issue_code(session, subject=subject, actor="person:1", now=now)
    text = company_file(kept, replace(sold, owner=kept.owner))
    later = now + timedelta(days=1)
    for _ in range(2):
        load(database, "companies", text, tmp_path=tmp_path, now=later)
    with database.reading() as session:
        assert list_mandates(session, openid="o-sold") == []
        assert len(list_mandates(session, openid="o-kept")) == 1
        told = session.execute(select(Notice.kind, Notice.openid)).all()
        assert [tuple(one) for one in told] == [("owner_changed", "o-sold")]
        assert find_live_code(session, subject=subject, now=later) is None


def test_full_file_reports_the_companies_that_it_lacks(
    database: Database, tmp_path: Path, now: datetime
) -> None:
    active = [replace(one, state=CompanyState.ACTIVE) for one in COMPANIES]
    load(database, "companies", company_file(*active), tmp_path=tmp_path, now=now)
    later = now + timedelta(days=1)
    report = load(
        database,
        "companies",
        company_file(*active[:5]),
        tmp_path=tmp_path,
        now=later,
        is_full=True,
    )
    lacking = sorted(one.uscc for one in active[5:])
    assert report.findings == {"not_seen": lacking}
    assert report.notes() == [
        f"not in this file, left as they are (25): {', '.join(lacking[:20])}, …"
    ]
    assert count(database, Company) == 30


def test_kind_that_is_never_full_is_refused_as_a_full_file(
    sqlite_database: Database, tmp_path: Path, now: datetime
) -> None:
    report = load(
        sqlite_database, "communities", COMMUNITIES, tmp_path=tmp_path, now=now, is_full=True
    )
    assert report.is_failed
    assert report.lines() == ["0: “communities”没有“全量文件”的说法，请去掉 --full"]
    assert count(sqlite_database, Community) == 0


def test_report_of_refused_companies_quotes_no_person(
    sqlite_database: Database, tmp_path: Path, now: datetime
) -> None:
    columns = COMPANY_HEADER.strip().split(",")
    good = dict(COMPANIES[0].row(0).cells)
    number, name = good["legal_person_id"], good["legal_person_name"]
    bad = [
        {"legal_person_id": number[:-1]},
        {"legal_person_id": number[:-1] + ("0" if number[-1] != "0" else "1")},
        {"legal_person_id": "9" * 40},
        {"legal_person_name": f"={name}"},
        {"legal_person_name": name * 60},
        {"uscc": good["uscc"][:-1]},
        {"state": "清算中"},
    ]
    lines = [",".join((good | one)[column] for column in columns) for one in bad]
    text = COMPANY_HEADER + "\n".join(lines) + "\n"
    report = load(sqlite_database, "companies", text, tmp_path=tmp_path, now=now)
    assert len(report.lines()) == len(bad)
    assert not any(number[:10] in line or name in line for line in report.lines())
    assert report.lines()[0] == "2: “legal_person_id”的位数不对，应为 18 位"


def test_state_that_cannot_follow_is_named_in_words(
    sqlite_database: Database, tmp_path: Path, now: datetime
) -> None:
    gone, back = (
        company_file(replace(COMPANIES[0], state=state))
        for state in (CompanyState.DEREGISTERED, CompanyState.MOVED)
    )
    load(sqlite_database, "companies", gone, tmp_path=tmp_path, now=now)
    report = load(sqlite_database, "companies", back, tmp_path=tmp_path, now=now)
    assert report.lines() == ["2: 登记状态不能从“注销”变为“迁出”"]


def test_every_reason_for_refusing_a_row_has_a_text_and_every_text_a_reason() -> None:
    sources = [
        ROOT / "core/importing.py",
        *(ROOT / "core").rglob("importing.py"),
        *(ROOT / "core").rglob("importing/*.py"),
        *(ROOT / "core").rglob("cells.py"),
        ROOT / "core/tables.py",
        *(ROOT / "core/sites").glob("*.py"),
        ROOT / "bot/imports.py",
        *(ROOT / "bot/feeds").glob("*.py"),
    ]
    used = {
        code
        for source in sources
        for code in re.findall(r'"([a-z]+(?:_[a-z]+)+)"', source.read_text("utf-8"))
    }
    texts = {path.stem for path in (ROOT / "templates/imports").glob("*.txt")}
    raised = {
        code
        for source in sources
        for code in re.findall(
            r'(?:RowRefusedError|Rejection|FileRefusedError)\(\s*(?:[\w.]+,\s*)?"(\w+)"',
            source.read_text("utf-8"),
        )
    }
    assert raised <= texts <= used


KEY_AREAS = """code,name,aliases,since,until,source
420100,武汉市,江城,2020-01-23,,通告
421100,武汉市,,2020-01-23,,通告
"""


def test_key_areas_are_imported_and_faults_are_named(
    database: Database, tmp_path: Path, now: datetime
) -> None:
    report = load(database, "key-areas", KEY_AREAS, tmp_path=tmp_path, now=now)
    assert (report.created_count, len(report.rejections)) == (1, 1)
    assert report.lines() == ["3: 代码 421100 是“黄冈市”，与名称不符：武汉市"]
    again = load(database, "key-areas", KEY_AREAS, tmp_path=tmp_path, now=now)
    assert (again.created_count, again.unchanged_count) == (0, 1)


def test_full_list_of_key_areas_ends_nothing_as_long_as_a_row_is_refused(
    database: Database, tmp_path: Path, now: datetime
) -> None:
    head, wuhan, slip = KEY_AREAS.strip().split("\n")
    huanggang = slip.replace("武汉市", "黄冈市")
    load(database, "key-areas", f"{head}\n{wuhan}\n{huanggang}\n", tmp_path=tmp_path, now=now)
    later = now + timedelta(hours=1)
    ending = {"tmp_path": tmp_path, "now": later, "is_full": True, "is_missing_ended": True}
    report = load(database, "key-areas", f"{head}\n{wuhan}\n{slip}\n", **ending)
    assert (report.is_applied, len(report.rejections)) == (False, 1)
    broken = load(database, "key-areas", f"{head}\n{wuhan}\n421100,黄冈市\n", **ending)
    assert not broken.is_applied, "nobody knows what the short row names"
    report = load(database, "key-areas", f"{head}\n{wuhan}\n", **ending)
    assert report.notes() == ["not in this file, no key areas any more from now on (1): 421100"]
    with database.reading() as session:
        assert [row.code for row in list_rows_at(session, at=later)] == ["420100"]


def test_changed_key_areas_screen_the_reported_stays_again(
    database: Database, tmp_path: Path, now: datetime
) -> None:
    with database.transaction() as session:
        district = RegistrationDistrict(session=session, now=now)
        session.add(Street(id=1, code="310104014", name="徐家汇街道"))
        session.flush()
        company_id = district.add_company()
        entry = entry_of(stays=("湖北武汉",), returned_on=date(2020, 3, 25), travel=Travel.TRAIN)
        site_id = add_site(session, street_id=1, now=now)
        for place in (company_id, site_id):
            submit_registration(
                session, workplace_id=place, entry=entry, openid="o", code_id=None, now=now
            )
    load(database, "key-areas", KEY_AREAS, tmp_path=tmp_path, now=now + timedelta(hours=1))
    with database.reading() as session:
        registrations = session.scalars(select(Registration)).all()
        assert all(Flag.KEY_AREA.value in one.flags for one in registrations)
        # A company's owner is told; of who is at a site, a case is opened.
        assert session.scalars(select(Case.workplace_id)).all() == [site_id]


RESIDENTS = """person_id,community_code,community,birth_year
310104197505051230,T1,,1975
310104197606061231,T2,,1976
310104197707071232,,某某路12弄3号502室,1977
"""
EVENTS = """person_id,kind,reported_on,ended_on,community_code
310104197505051230,confirmed,2020-03-27,,
310104197606061231,close,2020-03-27,,
"""


def test_residents_are_imported_and_whom_nobody_can_place_is_told_by_line(
    database: Database, tmp_path: Path, now: datetime
) -> None:
    load(database, "communities", COMMUNITIES, tmp_path=tmp_path, now=now)
    report = load(database, "residents", RESIDENTS, tmp_path=tmp_path, now=now, row_count=3)
    assert report.summary() == "residents: 3 created, 0 updated, 0 unchanged, 0 rejected"
    assert report.notes() == ["without a known community, on the work-list, lines (1): 4"]
    few = "\n".join(RESIDENTS.split("\n")[:2]) + "\n"
    later = now + timedelta(days=1)
    report = load(database, "residents", few, tmp_path=tmp_path, now=later, is_full=True)
    assert report.notes() == ["not in this file, left as they are: 2"]
    load(database, "risk-events", EVENTS, tmp_path=tmp_path, now=later)
    report = load(database, "residents", few, tmp_path=tmp_path, now=later, is_missing_ended=True)
    # Of one of them an event matters still: somebody has to look for them.
    assert report.notes() == [
        "not in this file, residence ended today: 2",
        "of these with an event that matters still, on the work-list: 1",
    ]
    with database.reading() as session:
        states = {one.feed: one for one in feed_states(session, day=later.date())}
        register = states[Feed.RESIDENTS]
        assert (register.row_count, register.is_complete) == (1, True)


@pytest.mark.parametrize(
    ("kind", "text", "said", "told"),
    [
        (
            "residents",
            RESIDENTS,
            {"row_count": 4},
            "文件里有 3 条记录，说明是 4 条，文件可能不完整",
        ),
        (
            "risk-events",
            EVENTS + "310104197707071232,close\n",
            {"row_count": 2},
            "文件里有 3 条记录，说明是 2 条，文件可能不完整",
        ),
        (
            "risk-events",
            EVENTS[:51],
            {},
            "文件里没有记录。如果确实没有新增，请用 --feed 和 --watermark 说明哪个来源、截至哪一天",
        ),
        (
            "residents",
            RESIDENTS,
            {"feed": "cases"},
            "“residents”不分数据来源，请去掉 --feed 和 --watermark",
        ),
        (
            "communities",
            COMMUNITIES,
            {"is_missing_ended": True},
            "“communities”里没有会结束的登记，请去掉 --end-missing",
        ),
        (
            "risk-events",
            EVENTS,
            {"feed": "radio"},
            f"不认识的数据来源“radio”，可用的有：{', '.join(Feed)}",
        ),
    ],
    ids=["cut off", "cut off in a row", "empty", "no feed", "never ends", "feed unknown"],
)
def test_file_that_is_not_what_it_is_said_to_be_leaves_nothing(
    sqlite_database: Database,
    tmp_path: Path,
    now: datetime,
    kind: str,
    text: str,
    said: dict[str, Any],
    told: str,
) -> None:
    report = load(sqlite_database, kind, text, tmp_path=tmp_path, now=now, **said)
    assert report.is_failed
    assert report.lines()[0] == f"0: {told}"
    assert [count(sqlite_database, one) for one in (Resident, EpidemicEvent, FeedDelivery)] == [
        0,
        0,
        0,
    ]


def test_report_of_refused_people_quotes_no_identifier(
    sqlite_database: Database, tmp_path: Path, now: datetime
) -> None:
    load(sqlite_database, "communities", COMMUNITIES, tmp_path=tmp_path, now=now)
    person = "310104197505051230"
    residents = f"{RESIDENTS}{person},T1,,1975\n{person},T1,,75\n{person * 4},T1,,1975\n"
    events = f"{EVENTS}{person},confirmed,2020-03-27,,\n{person},cough,2020-03-27,,\n"
    events += f"{person},fever,1974-03-27,,\n{person},fever,2020-03-29,,\n"
    for kind, text, lines in (("residents", residents, 3), ("risk-events", events, 4)):
        report = load(sqlite_database, kind, text, tmp_path=tmp_path, now=now)
        assert len(report.lines()) == lines
        assert not any(person[:10] in line for line in (*report.lines(), *report.notes()))


def test_events_move_the_colours_of_today_and_name_the_days_that_wait(
    database: Database, tmp_path: Path, now: datetime
) -> None:
    load(database, "communities", COMMUNITIES, tmp_path=tmp_path, now=now)
    load(database, "residents", RESIDENTS, tmp_path=tmp_path, now=now)
    for day in ("2020-03-25", "2020-03-26", "2020-03-27"):
        text = INDICATOR_HEADER + BEST.format(day=day)
        load(database, "indicators", text, tmp_path=tmp_path, now=now)
    asked: list[set[int]] = []

    def rescore(_session: Session, *, community_ids: set[int], now: datetime) -> list[int]:
        asked.append(community_ids)
        return [1]

    late = EVENTS.replace("03-27", "03-26")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bot.imports.rescore_now", rescore)
        report = load(database, "risk-events", late, tmp_path=tmp_path, now=now)
        again = load(database, "risk-events", late, tmp_path=tmp_path, now=now)
    assert asked == [{1, 2}]
    rescored, waiting = report.notes()
    assert rescored == "communities whose colour of today was worked out again, until the night: 1"
    assert waiting.endswith("flask risk backfill --from 2020-03-26 --to 2020-03-27")
    assert (again.unchanged_count, again.notes()) == (2, [])


def test_late_cases_let_the_held_night_go_out_and_leave_nothing_to_the_operator(
    database: Database, tmp_path: Path, now: datetime
) -> None:
    load(database, "communities", COMMUNITIES, tmp_path=tmp_path, now=now)
    load(database, "residents", RESIDENTS, tmp_path=tmp_path, now=now)
    before, day = date(2020, 3, 26), date(2020, 3, 27)
    header, case, _ = EVENTS.split("\n", 2)

    def deliver(feeds: Iterable[Feed], *rows: str, watermark: date) -> ImportReport:
        text = "\n".join([header, *rows]) + "\n"
        (*_, last) = [
            load(
                database,
                "risk-events",
                text,
                tmp_path=tmp_path,
                now=now,
                feed=feed,
                watermark=watermark,
            )
            for feed in feeds
        ]
        return last

    others = [feed for feed in Feed if feed not in {Feed.CASES, Feed.RESIDENTS}]
    deliver([*others, Feed.CASES], watermark=before)
    run_night(database.transaction, day=before, now=now)
    with database.transaction() as session:
        person = Person(openid="o-1", created_at=now)
        session.add(person)
        session.flush()
        subscribe(session, person_id=person.id, community_id=1, now=now)
    assert deliver(others, watermark=day).scored_days == ()
    run_night(database.transaction, day=day, now=now)
    with database.reading() as session:
        assert session.get_one(Publication, day).state == "held"

    late = deliver([Feed.CASES], case, watermark=day)

    assert (late.scored_days, late.unscored_days) == ((day,), None)
    with database.reading() as session:
        assert session.get_one(Publication, day).state == "published"
        card = find_card(session, community_id=1, today=date(2020, 3, 28))
        assert card is not None
        assert (card.colour, card.day) == (Colour.YELLOW, day)
    assert told(database) == [("2020-03-27", "yellow")]


def test_station_is_told_of_by_four_files_and_every_refusal_has_its_words(
    sqlite_database: Database, tmp_path: Path, now: datetime
) -> None:
    path = tmp_path / "trains.xlsx"
    book = xlsxwriter.Workbook(path)
    sheet = book.add_worksheet()
    sheet.write_row(0, 0, ["number", "origin", "day", "time", "capacity"])
    clock = book.add_format({"num_format": "hh:mm"})
    for line, number in enumerate(["G7301", 1461], start=1):
        sheet.write_row(line, 0, [number, "杭州东"])
        sheet.write_datetime(line, 2, datetime(2020, 3, 28), book.add_format({"num_format": 14}))  # noqa: DTZ001
        sheet.write_datetime(line, 3, time(7, 5), clock)
        sheet.write_number(line, 4, 100)
    book.close()
    report = run_import(sqlite_database, "trains", path, all_or_nothing=True, now=now)
    assert report.summary() == "trains: 2 created, 0 updated, 0 unchanged, 0 rejected"

    def take(kind: str, text: str) -> ImportReport:
        return load(sqlite_database, kind, text, tmp_path=tmp_path, now=now)

    sales = "number,day,at,sold\nG7301,2020-03-28,2020-03-28 06:00,130\nG9,2020-03-28,2020-03-28,1"
    tickets = take("tickets", sales)
    assert tickets.lines() == ["3: 时刻表里没有这趟车：2020-03-28 G9；请先导入车次"]
    assert tickets.notes() == [
        "more people than the train holds, taken as full (1): 2020-03-28 G7301"
    ]
    came = take("arrivals", "number,day,actual_at\n1461,2020-03-28,2020-03-28 05:00\n")
    assert came.lines() == [
        "2: 实际到达与图定到达（2020-03-28 07:05）相差太大：最多早 1 小时、晚 24 小时"
    ]
    counted = take(
        "counts", "station,starts_at,count\n上海南,2020-03-28 07:00,3\n上海,2020-03-28 07:05,3"
    )
    assert counted.lines() == ["3: 一个文件只能有一个车站：上海，前面是 上海南"]
    assert counted.created_count == 1
