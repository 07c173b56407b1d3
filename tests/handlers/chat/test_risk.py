"""Colours: by name, by place, one's own; asking back; subscriptions."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import select

from core.db import Database
from core.people.model import Consent, Person
from core.risk.model import ColourSubscription
from handlers.turn import TurnKind
from tests.handlers.chat.conftest import Talk


@pytest.mark.parametrize(
    "question",
    [
        pytest.param("田林十二村什么颜色", id="plain"),
        pytest.param("请问田林12村现在是什么风险呀？", id="arabic-numeral"),
        pytest.param("田林十二村安全吗", id="is-it-safe"),
        pytest.param("田林十二村", id="name-alone"),
        pytest.param("田十二是啥颜色", id="alias"),
        pytest.param("田林十二邨什麼顏色", id="traditional"),
        pytest.param("tianlinshiercun", id="pinyin"),
        pytest.param("甜林十二村什么颜色", id="homophone"),
    ],
)
def test_a_community_is_found_however_it_is_written(talk: Talk, question: str) -> None:
    assert talk.first_line(question) == "田林十二村：一般风险（蓝色）"


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("田林十二村", "田林十二村：一般风险（蓝色）"),
        ("田林十三村", "田林十三村：高风险（红色）"),
        ("华泾绿苑", "华泾绿苑：暂无数据（灰色）"),
    ],
)
def test_the_first_line_names_the_colour(talk: Talk, name: str, line: str) -> None:
    assert talk.first_line(f"{name}什么颜色") == line
    assert talk.route == "colour"


def test_a_name_alone_takes_the_route_of_names(talk: Talk) -> None:
    talk.say("锦泰苑")

    assert talk.route == "named"


def test_the_answer_tells_score_day_and_weightiest_reasons(talk: Talk) -> None:
    answer = talk.say("田林十三村什么颜色")

    assert "风险评分\u00a0100.0" in answer
    assert "3月27日" in answer
    assert answer.count("\n· ") == 3
    assert "占\u00a020.0\u00a0分" in answer
    assert "订阅田林十三村" in answer


def test_a_score_of_four_days_ago_is_grey(talk: Talk) -> None:
    talk.now += timedelta(days=3)

    assert talk.first_line("田林十二村什么颜色") == "田林十二村：暂无数据（灰色）"


def test_a_name_that_stands_twice_asks_back_and_the_number_answers(talk: Talk) -> None:
    asked = talk.say("阳光公寓什么颜色")

    assert asked.startswith("您要查的是")
    assert "1. " in asked
    assert "2. " in asked
    assert "凌云路街道" in talk.say("1")
    assert talk.route == "choose"
    # The list stays: many want to see both.
    assert "华泾镇" in talk.say("2")


@pytest.mark.parametrize("said", ["1", "１", "一", "第一个", "1."])
def test_a_choice_is_read_as_people_write_it(talk: Talk, said: str) -> None:
    talk.say("阳光公寓什么颜色")

    assert talk.first_line(said).startswith("阳光公寓：")
    assert talk.route == "choose"


def test_a_number_outside_the_list_is_asked_again(talk: Talk) -> None:
    talk.say("阳光公寓什么颜色")

    assert talk.first_line("9") == "没有这个选项，请回复 1 到 2 之间的数字，或回复“取消”。"
    assert talk.first_line("1").startswith("阳光公寓：")


def test_the_street_picks_from_the_list(talk: Talk) -> None:
    talk.say("阳光公寓什么颜色")

    answer = talk.say("华泾镇的")

    assert answer.startswith("阳光公寓：")
    assert "华泾镇" in answer


def test_a_tapped_option_works_after_the_conversation_ended(talk: Talk) -> None:
    talk.say("阳光公寓什么颜色")
    talk.say("取消")

    answer = talk.say("2", menu_id="colour:H01")

    assert answer.startswith("阳光公寓：")
    assert "华泾镇" in answer


def test_an_unknown_name_is_not_found(talk: Talk) -> None:
    assert talk.first_line("幸福里九十九号什么颜色").startswith("没有找到")


def test_a_number_that_does_not_exist_is_never_another_community(talk: Talk) -> None:
    answer = talk.first_line("田林九十九村什么颜色")

    assert answer.startswith(("没有找到", "您要查的是"))


def test_without_a_name_the_name_is_asked_for(talk: Talk) -> None:
    assert talk.first_line("什么颜色").startswith("请发送小区名称")
    assert talk.first_line("田林十二村").startswith("田林十二村：")


def test_without_a_name_one_s_own_community_answers(talk: Talk) -> None:
    talk.say("绑定田林十三村")

    assert talk.first_line("什么颜色") == "田林十三村：高风险（红色）"
    assert talk.first_line("我的小区是什么风险") == "田林十三村：高风险（红色）"


def test_the_menu_button_asks_for_a_name(talk: Talk) -> None:
    assert talk.event("click", "colour").startswith("请发送小区名称")


def test_a_location_lists_the_nearest_first(talk: Talk) -> None:
    answer = talk.send(TurnKind.LOCATION, longitude=121.4201, latitude=31.1701)

    assert talk.route == "location"
    lines = [line for line in answer.splitlines() if line[:1].isdigit()]
    assert "田林十二村" in lines[0]
    assert "田林十一村" in lines[1]
    assert talk.first_line("1").startswith("田林十二村：")


def test_a_location_far_away_is_said_to_be_so(talk: Talk) -> None:
    answer = talk.send(TurnKind.LOCATION, longitude=116.4, latitude=39.9)

    assert "1.5 公里内没有" in answer


def test_subscribing_twice_is_once_and_recorded_as_consent(talk: Talk, database: Database) -> None:
    first = talk.say("订阅田林十二村")
    second = talk.say("订阅田林十二村")

    assert talk.route == "subscribe"
    assert first.startswith("已订阅")
    assert second.startswith("您已经订阅过")
    with database.reading() as session:
        assert len(session.scalars(select(ColourSubscription)).all()) == 1
        assert [one.purpose for one in session.scalars(select(Consent))] == ["colour_notices"]


def test_subscribing_without_a_name_means_one_s_own(talk: Talk) -> None:
    talk.say("绑定田林十一村")

    assert "田林十一村" in talk.say("订阅")


def test_subscribing_asks_back_and_goes_on_with_the_choice(talk: Talk) -> None:
    assert talk.first_line("订阅阳光公寓").startswith("您要查的是")
    assert talk.say("1").startswith("已订阅")
    assert talk.route == "choose_and_change"


def test_subscriptions_are_listed(talk: Talk) -> None:
    talk.say("订阅田林十二村")
    talk.say("订阅锦泰苑")

    assert talk.first_line("我的订阅") == "您订阅了：田林十二村、锦泰苑。"
    assert talk.route == "subscriptions"


def test_unsubscribing_one_of_several_asks_which(talk: Talk) -> None:
    talk.say("订阅田林十二村")
    talk.say("订阅锦泰苑")

    assert "您要退订哪一个" in talk.say("退订")
    assert talk.first_line("2") == "已退订：锦泰苑。颜色变化时不再通知您。"
    assert talk.first_line("我的订阅") == "您订阅了：田林十二村。"


def test_unsubscribing_by_name(talk: Talk) -> None:
    talk.say("订阅田林十二村")

    assert talk.first_line("取消订阅田林十二村").startswith("已退订：田林十二村")
    assert talk.route == "unsubscribe"
    assert talk.first_line("退订").startswith("您目前没有订阅")


def test_unsubscribing_all_ends_the_consent(talk: Talk, database: Database) -> None:
    talk.say("订阅田林十二村")
    talk.say("订阅锦泰苑")

    assert talk.first_line("退订全部").startswith("已退订：田林十二村、锦泰苑")
    with database.reading() as session:
        assert session.scalars(select(Consent)).one().withdrawn_at is not None


def test_one_person_s_subscription_is_not_another_s(
    talk: Talk, another: Callable[[str], Talk]
) -> None:
    talk.say("订阅田林十二村")

    assert another("o-neighbour").first_line("我的订阅").startswith("您目前没有订阅")


@pytest.mark.parametrize(
    "question",
    [
        "田林街道什么颜色",
        "北京什么颜色",
        "我妈妈家什么颜色",
        "我公司什么颜色",
        "隔壁小区什么颜色",
        "上海南站什么风险",
    ],
)
def test_another_place_is_never_answered_with_one_s_own(talk: Talk, question: str) -> None:
    talk.say("绑定田林十三村")

    assert not talk.first_line(question).startswith("田林十三村：")


@pytest.mark.parametrize(
    "question",
    ["我家什么颜色", "我们小区安全吗", "我住的小区是什么风险", "今天是什么颜色呀", "风险等级"],
)
def test_no_place_at_all_means_one_s_own(talk: Talk, question: str) -> None:
    talk.say("绑定田林十三村")

    assert talk.first_line(question) == "田林十三村：高风险（红色）"


def test_a_street_is_neither_subscribed_nor_ended_as_one_s_own(talk: Talk) -> None:
    talk.say("绑定田林十二村")
    assert talk.first_line("订阅田林街道").startswith("请发送小区名称")
    talk.say("取消")
    talk.say("订阅田林十二村")

    assert "您要退订哪一个" in talk.say("退订田林街道")
    assert talk.first_line("我的订阅") == "您订阅了：田林十二村。"


def test_who_subscribes_follows_even_if_no_event_ever_said_so(
    talk: Talk, database: Database
) -> None:
    talk.say("订阅田林十二村")

    with database.reading() as session:
        assert session.scalars(select(Person.is_following)).one()
