"""The card of a community that anybody may open."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import delete, select, update

from bot.h5 import COOKIE
from core.clock import day_of
from core.db import Database
from core.places.model import Community
from core.risk.model import IndicatorValue, RiskScore
from core.risk.rules import Colour
from core.risk.rulings.overrides import OverrideDraft, decide_override, propose_override
from core.risk.rulings.rules import Verdict
from core.risk.scoring import score_day
from core.risk.service import find_card
from tests.core.risk.published import add_staff
from tests.core.risk.values import HARMLESS, count_statements, put
from tests.h5 import CHROME, enter, text_of
from tests.handlers.chat.conftest import fill

MANY_STATEMENTS = 7


@dataclass(kw_only=True)
class District:
    """Seven communities with the colours of yesterday."""

    app: Flask
    database: Database
    now: datetime
    ids: dict[str, int]

    def path(self, code: str) -> str:
        return f"/h5/community/{self.ids[code]}"

    def see(self, code: str) -> str:
        """Return what the page of a community says to a stranger."""
        client = self.app.test_client()
        client.environ_base["HTTP_USER_AGENT"] = CHROME
        response = client.get(self.path(code))
        assert response.status_code == 200
        return text_of(response)

    def change(self, code: str, **columns: object) -> None:
        """Change the newest score of a community."""
        with self.database.transaction() as session:
            session.execute(
                update(RiskScore).where(RiskScore.community_id == self.ids[code]).values(**columns)
            )


@pytest.fixture
def district(app: Flask, database: Database) -> District:
    now = datetime.now(UTC)
    with database.transaction() as session:
        fill(session, now)
        ids = dict(session.execute(select(Community.code, Community.id)).all())
    return District(app=app, database=database, now=now, ids=ids)


def test_anybody_sees_the_colour_the_reasons_and_the_last_days(district: District) -> None:
    said = district.see("T13")
    yesterday = day_of(district.now) - timedelta(days=1)
    day = f"{yesterday.month}月{yesterday.day}日"
    assert "田林十三村 田林街道 高风险（红色） 评分 100 （满分 100" in said
    assert f"数据截至 {day}" in said
    assert "14天内确诊病例 3例 20.0 分" in said
    assert f"{day} 高 高风险（红色）" in re.sub(r"月 ", "月", said)
    assert said.count("暂无数据（灰色）") == 13
    assert "订阅田林十三村" in said
    assert "模型 xh-2020.1" in said


def test_few_people_are_told_as_a_range_in_the_drawing_too(district: District) -> None:
    """Of a suspected person the page has neither the number nor what follows from it."""
    pages = []
    for count in (1.0, 2.0):
        with district.database.transaction() as session:
            session.execute(delete(IndicatorValue))
            put(
                session,
                district.ids["T12"],
                HARMLESS | {"suspected": count},
                day=day_of(district.now) - timedelta(days=1),
            )
            score_day(session, day=day_of(district.now) - timedelta(days=1), now=district.now)
        text = district.app.test_client().get(district.path("T12")).text
        pages.append(re.search(r"(?s)<ol class=\"reasons.*?</ol>", text))
    assert pages[0] is not None
    assert pages[1] is not None
    assert "1–4例" in pages[0][0]
    assert pages[0][0] == pages[1][0]


def test_what_decides_beside_the_score_is_said(district: District) -> None:
    district.change("T12", colour="red", floors=["R5"])
    assert "评分对应一般风险（蓝色），经人工研判（两人核定）定为高风险（红色）。" in district.see(
        "T12"
    )
    district.change("T12", colour="yellow", floors=["R1"], is_provisional=True)
    said = district.see("T12")
    assert "按规定定为中等风险（黄色）。" in said
    assert "日更新（暂定）" in said


def test_without_data_the_page_says_that_this_is_not_safe(district: District) -> None:
    assert "没有数据不等于安全" in district.see("H02")
    old = day_of(district.now) - timedelta(days=5)
    district.change("T12", day=old)
    said = district.see("T12")
    assert f"最近一次数据是 {old.month}月{old.day}日的，已超过三天" in said
    assert "为什么" not in said


def test_colour_that_people_set_without_any_data_is_shown_as_that(district: District) -> None:
    today = day_of(district.now)
    with district.database.transaction() as session:
        wang, li = add_staff(session, count=2)
        draft = OverrideDraft(
            community_id=district.ids["H02"],
            colour=Colour.BLUE,
            reason="与区疾控中心核对过",
            until_day=today,
        )
        override_id = propose_override(session, draft=draft, staff_id=wang, now=district.now)
        decide_override(
            session,
            override_id=override_id,
            verdict=Verdict.ACCEPT,
            reason="",
            staff_id=li,
            now=district.now,
        )
        score_day(session, day=today - timedelta(days=1), now=district.now)
        assert find_card(session, community_id=district.ids["H02"], today=today) is not None
    said = district.see("H02")
    assert "经人工研判（两人核定）定为一般风险（蓝色）" in said
    assert "各项指标都还没有数据。没有数据不等于安全" in said
    assert "折算" not in said


@pytest.mark.parametrize("number", [0, 99, 2**31, 2**70])
def test_unknown_community_is_said_to_be_unknown(app: Flask, number: int) -> None:
    response = app.test_client().get(f"/h5/community/{number}")
    assert response.status_code == 404
    assert "没有找到这个小区" in response.text
    assert response.headers["Cache-Control"] == "no-store"


def test_page_is_the_same_for_everybody_and_may_be_kept(district: District) -> None:
    signed_in = enter(district.app.test_client(), "o-resident")
    stranger = district.app.test_client()
    pages = [client.get(district.path("T13")) for client in (signed_in, stranger)]
    assert pages[0].text == pages[1].text
    for page in pages:
        assert page.headers["Cache-Control"] == "public, max-age=60"
        assert "Set-Cookie" not in page.headers
    assert COOKIE not in str(stranger.get(district.path("T13")).headers)

    known = {"If-None-Match": pages[0].headers["ETag"]}
    again = stranger.get(district.path("T13"), headers=known)
    assert (again.status_code, again.text) == (304, "")
    district.change("T13", colour="yellow")
    assert stranger.get(district.path("T13"), headers=known).status_code == 200


def test_page_takes_a_few_statements(district: District) -> None:
    engine = district.database.read_engine
    client = district.app.test_client()
    client.get(district.path("T13"))
    assert count_statements(engine, lambda: client.get(district.path("T13"))) <= MANY_STATEMENTS
