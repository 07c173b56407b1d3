"""The busy and quiet hours of the station, asked as people ask."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any, cast

import pytest
from sqlalchemy.orm import Session

from bot.settings import Settings
from bot.texts import MAX_BYTES, Texts, text_constants
from core.arrivals.crowds import Crowd
from core.arrivals.public import PublicHour, PublicHours
from core.clock import SHANGHAI
from handlers.chat import arrivals
from handlers.chat.routes import route_for
from handlers.turn import Turn, TurnKind

TODAY = date(2020, 2, 12)
MORNING = datetime(2020, 2, 12, 7, 30, tzinfo=SHANGHAI)
EVENING = datetime(2020, 2, 12, 22, 30, tzinfo=SHANGHAI)
NO_SESSION = cast("Session", None)
CROWDS = {
    **dict.fromkeys((9, 12), Crowd.BUSIEST),
    **dict.fromkeys((8, 10), Crowd.BUSY),
    **dict.fromkeys(range(13, 19), Crowd.STEADY),
}


def turn(text: str = "", *, now: datetime = MORNING, **fields: Any) -> Turn:
    usual: dict[str, Any] = {"kind": TurnKind.TEXT, "text": text}
    return Turn(key="1", openid="o", account="gh", sent_at=now, now=now, **usual | fields)


@pytest.fixture(scope="module")
def texts() -> Texts:
    return Texts(constants=text_constants(Settings.from_env()))


def hours_of(now: datetime, day: date) -> PublicHours:
    """Return the hours of a day that are ahead."""
    start = datetime(day.year, day.month, day.day, tzinfo=SHANGHAI)
    hours = [
        PublicHour(starts_at=start + timedelta(hours=one), crowd=CROWDS.get(one, Crowd.QUIET))
        for one in range(24)
        if start + timedelta(hours=one + 1) > now
    ]
    return PublicHours(day=day, made_at=now, hours=tuple(hours), is_degraded=False)


def ask(
    texts: Texts, monkeypatch: pytest.MonkeyPatch, text: str, *, now: datetime = MORNING
) -> list[str]:
    """Return the lines of the answer on two days of which everything ahead is known."""

    def find(_: Session, *, now: datetime, day: date) -> PublicHours:
        return hours_of(now, day)

    monkeypatch.setattr(arrivals, "find_public_hours", find)
    answer = texts.render(arrivals.answer_arrivals(turn(text, now=now), NO_SESSION))
    assert len(answer.encode()) <= MAX_BYTES
    return answer.splitlines()


@pytest.mark.parametrize(
    "text",
    [
        "南站几点人最多",
        "明天上午南站人多吗",
        "南站现在挤不挤",
        "上海南站什么时候人少",
        "上海南几点去接人好",
        "请问南站客流高峰是什么时候",
        "南站要排队吗",
        "南站",
        "上海南站情况怎么样",
        "今晚南站忙吗",
    ],
)
def test_question_about_the_station_is_answered_by_its_hours(text: str) -> None:
    assert route_for(turn(text)).name == "arrivals"


@pytest.mark.parametrize(
    "text",
    [
        "去南站要戴口罩吗",
        "南站新村什么颜色",
        "南站附近的小区有多少人确诊",
        "南站到田林十二村怎么走",
        "北京南站人多吗",
        "上海南京路几点人最多",
        "人多吗",
        "南站的客服电话",
    ],
)
def test_what_is_about_something_else_is_left_to_others(text: str) -> None:
    assert route_for(turn(text)).name != "arrivals"


def test_button_of_the_menu_asks_for_the_hours() -> None:
    tapped = turn(kind=TurnKind.EVENT, event="click", event_key="arrivals")
    assert route_for(tapped).name == "arrivals"


@pytest.mark.parametrize(
    ("text", "now", "first"),
    [
        ("南站几点人最多", MORNING, "上海南站今天9–10点、12–13点人最多。"),
        ("南站几点人最多", EVENING, "上海南站今天接下来没有特别拥挤的时段。"),
        ("南站人多吗", EVENING + timedelta(hours=1), "上海南站明天9–10点、12–13点人最多。"),
        ("南站现在人多吗", MORNING, "上海南站现在：人很少。"),
        (
            "明天上午南站人多吗",
            MORNING,
            "上海南站明天上午：6–8点 人很少，8–9点 人较多，9–10点 人最多，10–11点 人较多，11–12点 ",
        ),
        ("南站下午3点到5点人多吗", MORNING, "上海南站今天15–17点：人不多。"),
        # Of today it is over: tomorrow's is meant.
        ("南站上午人多吗", EVENING, "上海南站明天上午："),
        ("今天上午南站人多吗", EVENING, "上海南站今天上午已经过去。"),
        ("周末南站人多吗", MORNING, "只能预测今天和明天的忙闲，请到前一天再来问。"),
        ("昨天南站人多吗", MORNING, "只能预测今天和明天的忙闲，请到前一天再来问。"),
    ],
)
def test_answer_begins_with_what_was_asked(
    texts: Texts, monkeypatch: pytest.MonkeyPatch, text: str, now: datetime, first: str
) -> None:
    assert ask(texts, monkeypatch, text, now=now)[0].startswith(first)


def test_answer_lists_the_hours_ahead_by_how_busy_they_are(
    texts: Texts, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = ask(texts, monkeypatch, "南站几点人最多")
    assert lines[2:7] == [
        "今天接下来：",
        "· 人最多：9–10点、12–13点",
        "· 人较多：8–9点、10–11点",
        "· 人不多：13–19点",
        "· 人很少：7–8点、11–12点、19–24点",
    ]
    assert "07:30 更新" in lines[-1]


def test_forecast_of_yesterday_is_called_one(texts: Texts, monkeypatch: pytest.MonkeyPatch) -> None:
    known = replace(hours_of(MORNING, TODAY), is_of_before=True)
    monkeypatch.setattr(arrivals, "find_public_hours", lambda *_, **__: known)
    answer = texts.render(arrivals.answer_arrivals(turn("南站几点人最多"), NO_SESSION))
    assert "昨天07:30 更新" in answer


def test_what_is_not_forecast_yet_is_said(texts: Texts, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = hours_of(MORNING, TODAY + timedelta(days=1))
    known = replace(whole, hours=whole.hours[:8])
    monkeypatch.setattr(arrivals, "find_public_hours", lambda *_, **__: known)

    def said(text: str) -> str:
        return texts.render(arrivals.answer_arrivals(turn(text), NO_SESSION))

    assert "明天8点以后的还没有预测出来。" in said("南站明天人多吗")
    assert said("南站明天下午人多吗").startswith(
        "上海南站明天下午的忙闲还没有预测出来，请晚些再问。"
    )


def test_without_a_forecast_nothing_is_made_up(
    texts: Texts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arrivals, "find_public_hours", lambda *_, **__: None)
    answer = texts.render(arrivals.answer_arrivals(turn("南站人多吗"), NO_SESSION))
    assert answer == "上海南站今天的忙闲还没有预测出来，请过一会儿再问。"
