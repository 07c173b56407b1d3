"""The whole story of a community's colour: from people in files to people who are told.

The product runs as processes of its own: web server, worker, PostgreSQL, Redis. The operator uses
the commands, residents the simulator's phone, reviewers and an officer sit in front of a browser.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
import requests
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import select

from bot.console import COOKIE
from bot.services import services_of
from core.audit.model import AuditEntry
from core.clock import day_of
from core.db import Database
from core.people.staff.rules import Role
from core.places.model import Community
from core.risk.model import Publication, RiskScore
from tests.console import token_for
from tests.installation import Installation, installed, wait_for

pytestmark = pytest.mark.browser

# In two streets, further from each other than 500 m.
PLACES = {
    "T11": ("田林十一村", "田林街道", 121.4200, 31.1700),
    "T12": ("田林十二村", "田林街道", 121.4210, 31.1705),
    "L01": ("梅陇一村", "凌云路街道", 121.4250, 31.1350),
    "L02": ("梅陇二村", "凌云路街道", 121.4290, 31.1400),
}
RESIDENTS = 40
OTHER_FEEDS = ("contacts", "fever", "arrivals", "isolation")
WATCHES_T12, WATCHES_T11, WATCHES_L01 = (f"oRISK{place:023d}" for place in range(3))
EVENTS = "person_id,kind,reported_on,ended_on,ending,cluster,route,community_code"


def person(code: str, number: int) -> str:
    """Return the identifier of somebody who does not exist."""
    return f"NOBODY-{code}-{number:03}"


@pytest.fixture
def district(postgres_database: Database, redis_url: str, tmp_path: Path) -> Iterator[Installation]:
    with installed(postgres_database, redis_url, tmp_path) as installation:
        yield installation


def test_a_community_changes_its_colour(district: Installation, browser: Browser) -> None:
    today = day_of(datetime.now(UTC))
    before, yesterday = today - timedelta(days=2), today - timedelta(days=1)
    _import_registers(district)
    district.follow(WATCHES_T12, WATCHES_T11, WATCHES_L01)

    _night_with_every_feed(district, before)
    _ask_and_subscribe(district)
    _night_without_cases(district, yesterday)
    _release(district, browser, yesterday)

    _event_of_today(district, today)
    _override(district, browser, today)
    _appeal(district, browser, before)
    _check_nothing_leaked(district)


# ---- what the operator does ----------------------------------------------------------------------


def _import_registers(district: Installation) -> None:
    """Communities, and who lives in them; a file that was cut off is refused as a whole."""
    lines = [f"{code},{','.join(map(str, place))}" for code, place in PLACES.items()]
    communities = "\n".join(["code,name,street,longitude,latitude", *lines])
    district.run("import", "communities", district.write("communities.csv", communities))
    rows = [
        f"{person(code, number)},{code},{1930 + number * 2}"
        for code in PLACES
        for number in range(RESIDENTS)
    ]
    header = "person_id,community_code,birth_year"
    cut = district.write("cut.csv", "\n".join([header, *rows[:100]]))
    refused = district.run("import", "residents", cut, "--rows", str(len(rows)), code=1)
    assert "nothing was kept" in refused
    whole = district.write("residents.csv", "\n".join([header, *rows]))
    assert f"{len(rows)} created" in district.run(
        "import", "residents", whole, "--rows", str(len(rows))
    )


def _deliver(district: Installation, feed: str, day: date, *rows: str, sent: int = 0) -> str:
    """Import the file of a feed for a day; without a row it says that nothing is new.

    Where more rows were sent than the file has, it is refused.
    """
    path = district.write(f"{feed}.csv", "\n".join([EVENTS, *rows]))
    return district.run(
        *("import", "risk-events", path, "--feed", feed, "--watermark", day.isoformat()),
        *(("--rows", str(sent)) if sent else ()),
        code=int(sent > len(rows)),
    )


def _night_with_every_feed(district: Installation, day: date) -> None:
    """The first night: one case colours its community, whatever its score."""
    case = f"{person('L01', 7)},confirmed,{day},,,,clinic,"
    _deliver(district, "cases", day, case)
    for feed in OTHER_FEEDS:
        _deliver(district, feed, day)
    printed = district.run("nightly", "--day", day.isoformat())
    assert f"{day} indicators: done" in printed
    assert f"{day} risk_scores: done" in printed
    of_community = RiskScore.community_id == Community.id
    with district.database.reading() as session:
        rows = session.execute(select(Community.code, RiskScore).join(RiskScore, of_community))
        scores = dict(rows.all())
    assert {code: one.colour for code, one in scores.items()} == dict.fromkeys(PLACES, "blue") | {
        "L01": "yellow"
    }
    assert (scores["L01"].score_colour, scores["L01"].floors) == ("blue", ["R1"])
    for one in scores.values():
        assert len(one.parts) == 13
        assert sum(float(part[4] or 0) for part in one.parts) == one.score


def _night_without_cases(district: Installation, day: date) -> None:
    """The cases come cut off: nothing of them is kept, and the night holds its colours back."""
    for feed in OTHER_FEEDS:
        _deliver(district, feed, day)
    case = f"{person('T11', 3)},confirmed,{day},,,,clinic,"
    refused = _deliver(district, "cases", day, case, sent=5)
    assert "nothing was kept" in refused
    assert f"{day} risk_scores: done" in district.run("nightly", "--day", day.isoformat())
    with district.database.reading() as session:
        publication = session.get_one(Publication, day)
        assert (publication.state, publication.reason) == ("held", "feed_missing")
        days = session.scalars(select(RiskScore.day).where(RiskScore.is_published).distinct())
        assert day not in set(days)
    answer = district.say(WATCHES_T12, "田林十二村什么颜色")
    assert _written(day - timedelta(days=1)) in answer


def _event_of_today(district: Installation, today: date) -> None:
    """An event that comes during the day raises its community within seconds."""
    path = district.write(
        "now.csv", "\n".join([EVENTS, f"{person('T12', 5)},confirmed,{today},,,,clinic,"])
    )
    assert "1 created" in district.run("import", "risk-events", path)
    answer = district.say(WATCHES_T12, "田林十二村什么颜色")
    assert answer.startswith("田林十二村：中等风险（黄色）")
    assert "暂定" in answer
    wait_for(lambda: _told(district, WATCHES_T12) == ["colour_changed"], seconds=15)


# ---- what residents do ---------------------------------------------------------------------------


def _ask_and_subscribe(district: Installation) -> None:
    answer = district.say(WATCHES_L01, "梅陇一村什么颜色")
    assert answer.startswith("梅陇一村：中等风险（黄色）")
    assert "14天内有确诊病例" in answer
    why = district.say(WATCHES_L01, "为什么")
    assert "确诊病例" in why
    assert len(why.encode()) <= 2048
    assert district.say(WATCHES_T12, "田林十二村什么颜色").startswith(
        "田林十二村：一般风险（蓝色）"
    )
    for openid, name in (
        (WATCHES_T12, "田林十二村"),
        (WATCHES_T11, "田林十一村"),
        (WATCHES_L01, "梅陇一村"),
    ):
        assert district.say(openid, f"订阅{name}").startswith("已订阅")


def _told(district: Installation, openid: str) -> list[str]:
    """Return the kinds of notice that somebody got, in order."""
    kinds = {
        template: kind
        for kind, template in services_of(district.app).settings.wechat_templates.items()
    }
    return [kinds[one.body["template_id"]] for one in district.delivered() if one.openid == openid]


def _written(day: date) -> str:
    """Return a day as an answer writes it."""
    return f"{day.month}月{day.day}日"


# ---- what the staff do ---------------------------------------------------------------------------


class Desk:
    """Somebody of the staff in front of a browser."""

    def __init__(
        self,
        district: Installation,
        browser: Browser,
        *,
        name: str,
        role: Role = Role.DISTRICT_REVIEWER,
        **area: object,
    ) -> None:
        self.url = f"{district.url}/console/risk"
        self._context = browser.new_context(
            viewport={"width": 1280, "height": 800}, locale="zh-CN", timezone_id="Asia/Shanghai"
        )
        token = token_for(district.database, role, name=name, display_name=name.upper(), area=area)
        cookie = {"name": COOKIE, "value": token, "url": f"{district.url}/console"}
        self._context.add_cookies([cookie])  # type: ignore[list-item]

    def open(self, path: str) -> Page:
        page = self._context.new_page()
        page.goto(f"{self.url}{path}")
        expect(page.get_by_role("heading", level=1)).to_have_count(1)
        return page

    def close(self) -> None:
        self._context.close()


def _release(district: Installation, browser: Browser, day: date) -> None:
    """A reviewer lets the held day go out: the hospitals said that there is no new case."""
    desk = Desk(district, browser, name="release")
    page = desk.open("/publications")
    expect(page.get_by_text("必需的数据没有到").first).to_be_visible()
    page.get_by_label("放行的理由").fill("已与区疾控电话核对，当日没有新增病例。")
    page.get_by_role("button", name="放行").click()
    expect(page.get_by_role("status").first).to_contain_text("已经放行")
    desk.close()
    answer = district.say(WATCHES_T12, "田林十二村什么颜色")
    assert answer.startswith("田林十二村：一般风险（蓝色）")
    assert _written(day) in answer
    # Nobody knows of another colour than the one that went out.
    assert district.delivered() == []


def _override(district: Installation, browser: Browser, today: date) -> None:
    """One reviewer proposes red, another approves it; the same person could not."""
    first = Desk(district, browser, name="first")
    page = first.open(f"/overrides/new?community={_id_of(district, 'T11')}")
    page.get_by_label("高风险").check()
    page.get_by_label("截止日期").fill((today + timedelta(days=3)).isoformat())
    page.get_by_label("理由").fill("两户家庭在同一场聚餐后发热，流调还没有完成。")
    page.get_by_role("button", name="提交复核").click()
    expect(page.get_by_role("status").first).to_contain_text("等另一位同事复核")
    expect(page.get_by_role("button", name="批准，立即生效")).to_have_count(0)
    path = page.url.partition("/console/risk")[2].partition("?")[0]
    assert district.say(WATCHES_T11, "田林十一村").startswith("田林十一村：一般风险（蓝色）")

    second = Desk(district, browser, name="second")
    page = second.open(path)
    page.get_by_role("button", name="批准，立即生效").click()
    expect(page.get_by_role("status").first).to_contain_text("颜色已经调整")
    answer = district.say(WATCHES_T11, "田林十一村")
    assert answer.startswith("田林十一村：高风险（红色）")
    assert "人工研判" in answer
    shared = requests.get(f"{district.url}/h5/community/{_id_of(district, 'T11')}", timeout=20)
    assert shared.status_code == 200
    assert "高风险" in shared.text
    assert "人工研判" in shared.text
    wait_for(lambda: _told(district, WATCHES_T11) == ["colour_changed"], seconds=15)
    first.close()
    second.close()


def _appeal(district: Installation, browser: Browser, day: date) -> None:
    """An officer shows that the case was somebody else's; whoever was told is corrected."""
    officer = Desk(
        district,
        browser,
        name="officer",
        role=Role.NEIGHBOURHOOD_OFFICER,
        community_codes=["L01"],
    )
    asked = f"community={_id_of(district, 'L01')}&indicator=confirmed&day={day}"
    page = officer.open(f"/appeals/new?{asked}")
    page.get_by_label("应为").fill("0")
    page.get_by_label("依据").fill("与区疾控核对，病例登记的地址有误，本人住在外区。")
    page.get_by_role("button", name="提交申诉").click()
    expect(page.get_by_role("status").first).to_contain_text("已提交")
    path = page.url.partition("/console/risk")[2].partition("?")[0]
    for name, button in (("third", "建议采纳"), ("fourth", "采纳，重新计算")):
        desk = Desk(district, browser, name=name)
        page = desk.open(path)
        page.get_by_label("理由" if name == "fourth" else "初审意见").fill("已核实，地址登记有误。")
        page.get_by_role("button", name=button, exact=True).click()
        expect(page.get_by_role("status").first).to_be_visible()
        desk.close()
    officer.close()
    assert district.say(WATCHES_L01, "梅陇一村").startswith("梅陇一村：一般风险（蓝色）")
    wait_for(lambda: _told(district, WATCHES_L01) == ["colour_corrected"], seconds=15)


def _id_of(district: Installation, code: str) -> int:
    with district.database.reading() as session:
        return session.scalars(select(Community.id).where(Community.code == code)).one()


# ---- what came of it -----------------------------------------------------------------------------


def _check_nothing_leaked(district: Installation) -> None:
    """Everybody was told once, every ruling is on record, and nobody is named anywhere."""
    wait_for(lambda: district.open_count() == 0)
    assert [_told(district, one) for one in (WATCHES_T12, WATCHES_T11, WATCHES_L01)] == [
        ["colour_changed"],
        ["colour_changed"],
        ["colour_corrected"],
    ]
    with district.database.reading() as session:
        entries = session.scalars(select(AuditEntry)).all()
    recorded = "\n".join(f"{one.actor} {one.action} {one.subject} {one.facts}" for one in entries)
    assert {
        "events_imported",
        "residents_imported",
        "publication_released",
        "override_proposed",
        "override_approved",
        "appeal_accepted",
    } <= {one.action for one in entries}
    sent = json.dumps([one.body for one in district.delivered()], ensure_ascii=False)
    logged = "\n".join(path.read_text(encoding="utf-8", errors="replace") for path in district.logs)
    for text in (recorded, sent, logged):
        assert "NOBODY" not in text
