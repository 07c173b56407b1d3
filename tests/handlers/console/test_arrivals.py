from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from html import unescape
from typing import Any

import pytest
from werkzeug.test import TestResponse

from core.arrivals.grades import CoverageAlert
from core.arrivals.overview import Board, FeedState
from core.arrivals.queues import QueueSlot, QueueView
from core.clock import day_of
from core.people.staff.rules import Role
from handlers.console import arrivals
from tests.console import District
from tests.h5 import text_of
from tests.handlers.console.arrival_cases import START, board, poor_board, train
from tests.handlers.console.conftest import Enter

PATH = "/console/arrivals"
See = Callable[..., TestResponse]


@pytest.fixture
def see(come_in: Enter, monkeypatch: pytest.MonkeyPatch) -> See:
    """A function that returns a page of the station manager on a board."""
    client = come_in(Role.STATION_MANAGER)

    def see(shown: Board | None, path: str = PATH) -> TestResponse:
        monkeypatch.setattr(arrivals, "find_board", lambda *_, **__: shown)
        return client.get(path)

    return see


def test_page_says_first_when_to_have_how_many_posts(see: See) -> None:
    said = text_of(see(board()))
    parts = [
        "什么时候要几个岗",
        "08:00–14:00",
        "10 个岗",
        "22:00–24:00",
        "不设岗",
        "每 5 分钟到达",
        "车次",
    ]
    places = [said.index(part) for part in parts]
    assert places == sorted(places)
    assert "预计到达 5,000 人 80% 可能在 4,000–6,000 人" in said
    assert "09:00–10:00 约 1,000 人" in said
    assert "12:00–13:00 约 1,000 人 合计占 41%" in said
    assert "预计 4,900 人，实到 5,012 人；最忙的两小时说中 2 个" in said
    assert "照前一天 11.9%" in said


def test_curve_is_drawn_of_what_the_tables_say(see: See) -> None:
    found = re.findall(r"data-curve='([^']*)'", see(board()).text)
    drawn, compared = (json.loads(unescape(one)) for one in found)
    assert [len(drawn[name]) for name in ("times", "mean", "low80", "high95", "posts")] == [288] * 5
    assert (drawn["times"][108], drawn["hours"][108], drawn["hours"][109]) == ("09:00", 9, None)
    assert drawn["peaks"] == [[108, 120], [144, 156]]
    assert (compared["step_minutes"], compared["actual"][94:]) == (15, [52, None])


def test_trains_of_key_areas_are_to_be_met_and_marks_are_told(see: See) -> None:
    said = text_of(see(board()))
    assert re.search(r"要接的车：从重点地区来.*11:05 K511 武汉 （湖北省） 约 120 人", said)
    poor = text_of(see(poor_board()))
    assert "要接的车" not in poor
    assert re.search(r"G1 杭州 停运 .*— —", poor)
    assert re.search(r"G2 杭州 满座", poor)
    assert re.search(r"G3 杭州 无售票 10:05 图定 10:00", poor)


def test_what_the_forecast_did_without_is_said_in_words(see: See) -> None:
    said = text_of(see(poor_board()))
    assert "没有售票数据：车上人数按定员和往日上座率估计" in said
    assert "历史记录不足 14 天" in said
    assert "超过设置的 8 个" in said
    alert = CoverageAlert(coverage_80_pct=61.4, day_count=14, is_too_narrow=True)
    stale = FeedState(
        is_connected=True,
        is_stale=True,
        complete_at=START - timedelta(hours=9),
        succeeded_at=START - timedelta(hours=8),
        failed_count=7,
        last_error="timeout",
    )
    said = text_of(see(board(alert=alert, feed=stale)))
    assert "只有 61% 落在" in said
    assert "范围偏窄" in said
    assert (
        "没有按时更新 最近一次成功是 2 月 12 日 16:00，之后失败 7 次。原因：对方没有及时回应"
        in said
    )


@pytest.mark.parametrize("path", [PATH, f"{PATH}/roster"])
def test_hours_of_before_are_not_passed_off_as_the_coming_ones(see: See, path: str) -> None:
    now = datetime.now(UTC)
    old, new = (board(from_at=now - timedelta(hours=one)) for one in (3, 1))
    assert "2 月 12 日 21:00 以后没有新的预测" in text_of(see(old, path))
    assert "预测没有更新" not in text_of(see(new, path))
    # That of a whole day is issued anew only when something has changed.
    assert "预测没有更新" not in text_of(see(old, f"{path}?window=today"))


def test_queue_of_fewer_posts_is_told(see: See, monkeypatch: pytest.MonkeyPatch) -> None:
    calm = QueueSlot(
        starts_at=START, waiting=0, wait_minutes=0, high_waiting=0, high_wait_minutes=0
    )
    worst = QueueSlot(
        starts_at=START + timedelta(hours=9, minutes=20),
        waiting=410,
        wait_minutes=22.6,
        high_waiting=600,
        high_wait_minutes=33.1,
    )
    queue = QueueView(
        posts=6, slots=(calm, worst), longest=worst, late_minutes=85, target_minutes=2
    )
    monkeypatch.setattr(arrivals, "find_queue", lambda *_, **__: queue)
    said = text_of(see(board(), f"{PATH}?posts=6"))
    assert re.search(r"6 个岗： .*09:20 前后等得最久，约 23 分钟 ， 排 410 人", said)
    assert "等候超过 2 分钟的时间，合计 85 分钟" in said
    assert "09:20 410 人 23 分钟 33 分钟" in said
    for odd in ("0", "-1", "1001", "六"):
        assert "请填写 1 到 1000 之间的整数" in text_of(see(board(), f"{PATH}?posts={odd}"))


@pytest.mark.parametrize("path", [PATH, f"{PATH}/roster"])
def test_page_without_a_forecast_says_when_there_will_be_one(see: See, path: str) -> None:
    assert "还没有预测" in text_of(see(None, path))
    assert "明天的预测还没有出来" in text_of(see(None, f"{path}?window=tomorrow"))


@pytest.mark.parametrize(
    ("query", "days"),
    [("", None), ("?window=today", 0), ("?window=tomorrow", 1), ("?window=x", None)],
)
def test_whole_days_are_asked_for_by_name(
    come_in: Enter,
    district: District,
    monkeypatch: pytest.MonkeyPatch,
    query: str,
    days: int | None,
) -> None:
    asked: list[date | None] = []

    def find(*_: Any, day: date | None, **__: Any) -> None:
        asked.append(day)

    monkeypatch.setattr(arrivals, "find_board", find)
    come_in(Role.AUDITOR).get(f"{PATH}/roster{query}")
    today = day_of(district.now)
    assert asked == [None if days is None else today + timedelta(days=days)]


def test_roster_has_a_line_to_sign_for_every_shift_and_as_many_trains_as_fit(see: See) -> None:
    trains = tuple(train(f"K{place}", 9, key_areas=("湖北省",)) for place in range(15))
    shown = see(board(trains=trains), f"{PATH}/roster")
    assert shown.text.count('<td class="blank aside-only"') == 4
    said = text_of(shown)
    assert "最多同时 10 个岗，共 101.5 个岗时" in said
    assert "K11 " in said
    assert "K12 " not in said
    assert "另有 3 趟" in said


def test_home_leads_a_station_manager_to_the_arrivals(come_in: Enter) -> None:
    said = come_in(Role.STATION_MANAGER).get("/console/").text
    assert 'href="/console/arrivals/roster"' in said
    assert "目前没有需要您处理的事项" not in said
    assert "/console/arrivals" not in come_in(Role.STREET_OFFICER, name="li").get("/console/").text
