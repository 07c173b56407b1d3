from __future__ import annotations

import re
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import insert, update

from bot.services import services_of
from core.clock import day_of
from core.people.staff.rules import Role
from core.places.model import Community
from core.risk.events.model import FeedDelivery
from core.risk.model import Publication, RiskScore
from tests.console import District, enter
from tests.core.risk.values import count_statements
from tests.handlers.console.conftest import Enter
from tests.handlers.console.risk_cases import fill_risk


@pytest.fixture
def risky(district: District) -> District:
    """The district with one red community, one yellow, one blue."""
    fill_risk(district)
    return district


def test_table_is_narrowed_and_the_counts_follow_the_street(
    risky: District, come_in: Enter
) -> None:
    client = come_in(Role.DISTRICT_REVIEWER)
    red = client.get("/console/risk?colour=red").text
    assert re.findall(r'scope="row"><a href="/console/risk/community/(\d+)"', red) == ["1"]
    assert "找到 1 个" in red
    second = client.get("/console/risk?street=2").text
    assert re.findall(r'class="number">(\d+)<', second) == ["0", "0", "1", "0"]
    assert 'data-map="/console/risk/points?street=2"' in second
    assert "没有符合条件的小区" in client.get("/console/risk?q=火星").text


def test_movers_and_streets_tell_what_changed(risky: District, come_in: Enter) -> None:
    text = come_in(Role.DISTRICT_REVIEWER).get("/console/risk").text
    movers = text[text.index('id="movers"') :]
    assert "黄色" in movers[:2000]
    assert "升 21.0" in movers
    assert re.search(r"密切接触者 0&nbsp;人.*?10&nbsp;人", movers)
    streets = re.findall(r'street=(\d)">[^<]+</a></th>', text)
    assert streets == ["1", "2"], "the street with the worst colours comes first"


def test_held_day_late_feed_and_provisional_colour_are_told(
    risky: District, come_in: Enter
) -> None:
    yesterday = day_of(risky.now) - timedelta(days=1)
    with risky.database.transaction() as session:
        session.execute(
            insert(Publication),
            [
                {
                    "day": yesterday,
                    "version": "xh-2020.1",
                    "state": "held",
                    "reason": "jump",
                    "community_count": 3,
                    "grey_count": 0,
                    "jump_count": 3,
                    "scored_at": risky.now,
                }
            ],
        )
        session.execute(
            insert(FeedDelivery),
            [
                {
                    "feed": feed,
                    "watermark": yesterday - timedelta(days=late),
                    "row_count": 12,
                    "rejected_count": 0,
                    "digest": "",
                    "received_at": risky.now,
                }
                for feed, late in (("cases", 0), ("contacts", 1))
            ],
        )
        session.execute(
            update(RiskScore)
            .where(RiskScore.community_id == 3, RiskScore.day == yesterday)
            .values(is_provisional=True)
        )
    client = come_in(Role.DISTRICT_REVIEWER)
    text = client.get("/console/risk").text
    assert f"{yesterday.month} 月 {yesterday.day} 日的结果没有发布" in text
    assert "1 个小区今日有暂定更新" in text
    states = re.findall(r'<li>([^<]+)<strong class="count (?:good|red)">([^<]+)<', text)
    assert dict(states) == {
        "病例报告": "已到齐",
        "密接流调": "未到齐",
        "发热门诊": "未到齐",
        "来沪人员": "未到齐",
        "隔离管控": "未到齐",
        "实有人口": "未到齐",
    }


def test_empty_district_and_one_without_scores_or_points_say_so(
    app: Flask, district: District
) -> None:
    client = enter(app, Role.AUDITOR)
    bare = client.get("/console/risk").text
    assert "还没有发布过数据" in bare
    assert "有 3 个小区没有坐标" in bare
    assert "这段时间没有发布过数据" in bare
    with district.database.transaction() as session:
        for one in session.query(Community):
            session.delete(one)
    assert "责任区域内还没有小区" in client.get("/console/risk").text
    assert client.get("/console/risk/points").json == {"points": [], "fields": FIELDS}


FIELDS = ["id", "longitude", "latitude", "colour", "score", "name", "street", "before"]


def test_former_address_leads_on_with_what_was_asked(district: District, come_in: Enter) -> None:
    answered = come_in(Role.AUDITOR).get("/console/communities?q=名A&colour=red&page=x")
    assert answered.status_code == 303
    assert answered.location == "/console/risk?q=%E5%90%8DA&colour=red"


def test_mine_shows_who_moved_first_and_why(risky: District, come_in: Enter) -> None:
    text = come_in(Role.STREET_OFFICER).get("/console/risk/mine").text
    assert re.findall(r'href="/console/risk/community/(\d)"', text) == ["1", "2"]
    assert "变差 1，好转 0" in text
    assert "住址对不上小区" in text


@pytest.mark.parametrize("path", ["", "/points", "/mine", "/community/1", "/unplaced"])
def test_pages_take_as_many_statements_for_many_communities_as_for_few(
    risky: District, come_in: Enter, path: str, app: Flask
) -> None:
    client = come_in(Role.STREET_OFFICER)
    engine = services_of(app).database.read_engine

    def look() -> None:
        assert client.get(f"/console/risk{path}").status_code == 200

    look()
    few = count_statements(engine, look)
    with risky.database.transaction() as session:
        for number in range(4, 40):
            session.add(
                Community(
                    id=number,
                    code=f"N{number}",
                    name=f"新{number}",
                    street_id=1,
                    changed_at=risky.now,
                )
            )
        session.flush()
    assert count_statements(engine, look) == few
