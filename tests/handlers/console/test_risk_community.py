from __future__ import annotations

import re
from datetime import timedelta

from sqlalchemy import insert, select, update

from core.clock import day_of
from core.people.staff.rules import Role
from core.risk.model import IndicatorValue, RiskScore
from core.risk.rulings.model import ColourOverride
from tests.console import District
from tests.core.risk.published import add_staff
from tests.core.risk.values import VERSION
from tests.handlers.console.conftest import Enter
from tests.handlers.console.risk_cases import fill_risk


def test_every_indicator_has_its_points_and_what_it_came_from(
    district: District, come_in: Enter
) -> None:
    fill_risk(district)
    yesterday = day_of(district.now) - timedelta(days=1)
    with district.database.transaction() as session:
        session.execute(
            insert(IndicatorValue),
            [
                {
                    "day": yesterday - timedelta(days=late),
                    "community_id": 1,
                    "indicator": code,
                    "value": 1.0,
                    "numerator": 2.0,
                    "denominator": 1150.0,
                    "origin": origin,
                }
                for code, origin, late in (("fever", "appeal", 0), ("homeq", "computed", 1))
            ],
        )
    text = come_in(Role.NEIGHBOURHOOD_OFFICER, name="zhao").get("/console/risk/community/1")
    assert text.status_code == 404, "it is in no area of theirs"
    page = come_in(Role.STREET_OFFICER).get("/console/risk/community/1").text
    assert all(one.label in page for one in VERSION.indicators)
    assert page.count("<small> / ") == len(VERSION.indicators)
    assert "2 / 1,150 人" in page
    assert "申诉更正" in page
    assert "高风险（红色）" in page
    assert "升 21.0" in page
    appeal = f"/console/risk/appeals/new?community=1&amp;indicator=fever&amp;day={yesterday}"
    assert appeal in page
    assert "提出人工研判" not in page


def test_floors_override_and_who_may_set_one_are_told(district: District, come_in: Enter) -> None:
    fill_risk(district)
    today = day_of(district.now)
    with district.database.transaction() as session:
        proposer, decider = add_staff(session, count=2)
        session.execute(
            update(RiskScore)
            .where(RiskScore.community_id == 3, RiskScore.day == today - timedelta(days=1))
            .values(colour="red", floors=["R1", "R5"])
        )
        session.add(
            ColourOverride(
                community_id=3,
                colour="red",
                reason="现场核查发现漏报",
                until_day=today,
                state="in_force",
                proposed_by=proposer,
                proposed_at=district.now,
                decided_by=decider,
                decided_at=district.now,
            )
        )
    page = come_in(Role.DISTRICT_REVIEWER).get("/console/risk/community/3").text
    for words in (
        "高风险（红色）",
        "按得分是一般风险（蓝色）",
        "至少定为中等风险",
        f"人工研判调整，到 {today.month} 月 {today.day} 日为止",
        "现场核查发现漏报",
        "王0提出，王1复核",
        "/console/risk/overrides/new?community=3",
    ):
        assert words in page, words
    assert "/console/risk/appeals/new" not in page


def test_community_without_a_score_or_with_an_old_one_is_not_called_safe(
    district: District, come_in: Enter
) -> None:
    client = come_in(Role.AUDITOR)
    never = client.get("/console/risk/community/1").text
    assert "还没有发布过这个小区的风险" in never
    assert "没有数据不等于安全" in never
    fill_risk(district)
    with district.database.transaction() as session:
        for row in session.scalars(select(RiskScore).where(RiskScore.community_id == 1)):
            row.day -= timedelta(days=9)
    old = client.get("/console/risk/community/1").text
    assert "暂无数据（灰色）" in old
    assert "已超过三天" in old


def test_nothing_on_the_page_tells_of_a_person(district: District, come_in: Enter) -> None:
    fill_risk(district)
    page = come_in(Role.STREET_OFFICER).get("/console/risk/community/2").text
    assert re.search(r"\d{15,18}[\dXx]?", re.sub(r'value="[0-9a-f]{64}"', "", page)) is None
