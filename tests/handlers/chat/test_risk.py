"""Colours: by name, by place, one's own; asking back; subscriptions."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import delete, insert, select, update

from bot.settings import Settings
from bot.texts import MAX_BYTES, Texts, text_constants
from core.clock import day_of
from core.db import Database
from core.people.model import Consent, Person
from core.places.model import Community
from core.places.service import Place
from core.risk.changes import Change, Changes
from core.risk.disclosure import Disclosed
from core.risk.model import ColourSubscription, IndicatorValue, RiskScore
from core.risk.rules import Colour, Status
from core.risk.scoring import score_day
from core.risk.service import ColourCard, Reason
from core.risk.versions import get_version
from handlers.chat import risk
from handlers.turn import TurnKind
from tests.handlers.chat.conftest import Talk

TEXTS = Texts(constants=text_constants(Settings.from_env()))


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

    assert "风险评分\u00a0100（" in answer
    assert "3月27日" in answer
    assert answer.count("\n· ") == 3
    assert "占\u00a020.0\u00a0分" in answer
    assert "订阅田林十三村" in answer


@pytest.mark.parametrize(
    ("change", "line"),
    [
        pytest.param(
            {"colour": "yellow", "score_colour": "blue", "floors": ["R1"]},
            "评分对应一般风险（蓝色），因14天内有确诊病例或无症状感染者，"
            "按规定定为中等风险（黄色）。",
            id="raised",
        ),
        pytest.param(
            {"colour": "yellow", "score_colour": "blue", "floors": ["R3"]},
            "评分对应一般风险（蓝色），因疑似病例和发热情况还没有全部排除，"
            "按规定暂时为中等风险（黄色）。",
            id="kept",
        ),
        pytest.param(
            {"colour": "red", "score_colour": "blue", "floors": ["R1", "R5"]},
            "评分对应一般风险（蓝色），经人工研判（两人核定）定为高风险（红色）。",
            id="set",
        ),
        pytest.param(
            {"is_provisional": True, "day": date(2020, 3, 28)},
            "今日更新（暂定）：08:00 按刚收到的情况重新评估，次日凌晨核定。",
            id="provisional",
        ),
        pytest.param(
            {"is_provisional": True},
            "3月27日更新（暂定）：08:00 按刚收到的情况重新评估，次日凌晨核定。",
            id="provisional-after-midnight",
        ),
    ],
)
def test_what_decides_beside_the_score_is_said_in_plain_words(
    talk: Talk, database: Database, change: dict[str, object], line: str
) -> None:
    with database.transaction() as session:
        session.execute(update(RiskScore).values(**change))

    assert line in talk.say("田林十二村什么颜色").splitlines()
    assert line in talk.say("为什么").splitlines()


@pytest.mark.parametrize(
    ("missing", "said"),
    [
        pytest.param([], ["各项指标均无异常。"], id="all-known"),
        pytest.param(
            ["suspected"],
            ["已有数据的指标均无异常。", "（12% 的指标暂无数据，评分按其余指标折算。）"],
            id="suspected-missing",
        ),
        pytest.param(
            [one.code for one in get_version().indicators],
            ["各项指标都还没有数据。没有数据不等于安全，请继续做好防护。"],
            id="nothing-known",
        ),
    ],
)
def test_nothing_wrong_is_said_only_of_what_is_known(
    talk: Talk, database: Database, missing: list[str], said: list[str]
) -> None:
    """Two people have set the colour, so that there is a card however little is known."""
    yesterday = day_of(talk.now) - timedelta(days=1)
    with database.transaction() as session:
        session.execute(delete(IndicatorValue).where(IndicatorValue.indicator.in_(missing)))
        score_day(session, day=yesterday, now=talk.now)
        session.execute(
            update(RiskScore).values(
                colour="blue", floors=["R5"], is_published=True, scored_at=talk.now
            )
        )
    lines = talk.say("田林十二村什么颜色").splitlines()
    about = [one for one in lines if "指标" in one and "比前一天" not in one]
    assert about == said


@pytest.mark.parametrize(
    "change", [{"floors": ["R5"]}, {"is_provisional": True}, {"colour": "red"}]
)
def test_answer_is_made_anew_when_people_change_anything_of_the_card(
    talk: Talk, database: Database, change: dict[str, object]
) -> None:
    talk.say("田林十二村什么颜色")
    before = talk.reply.same
    talk.say("田林十二村什么颜色")
    assert talk.reply.same == before
    with database.transaction() as session:
        session.execute(update(RiskScore).values(**change))
    talk.say("田林十二村什么颜色")
    assert talk.reply.same != before


# ---- why ------------------------------------------------------------------------------------


def test_why_tells_all_thirteen_with_the_changes_and_where_to_see_more(
    talk: Talk, database: Database
) -> None:
    with database.transaction() as session:
        before = day_of(talk.now) - timedelta(days=2)
        ids = select(Community.id).where(Community.code == "T13").scalar_subquery()
        values = dict.fromkeys((one.code for one in get_version().indicators), 1.0)
        for code, value in (values | {"close": 30.0}).items():
            row = {"day": before, "indicator": code, "value": value, "community_id": ids}
            session.execute(insert(IndicatorValue).values(row))
        score_day(session, day=before, now=talk.now)
        colour = {"is_published": True, "colour": "red"}
        session.execute(update(RiskScore).where(RiskScore.day == before).values(colour))

    first, *_, link = (answer := talk.say("田林十三村为什么是红色")).splitlines()

    assert talk.route == "why"
    assert first == "田林十三村：高风险（红色）"
    assert "比前一天" in answer
    assert answer.count("\n· ") == 13
    assert "· 14天内确诊病例 3例，20.0\u00a0分（+4.0）" in answer
    assert "· 密切接触者 10–19人，11\u00a0分（下降）" in answer
    assert "xh-2020.1" in answer
    assert re.fullmatch(r'<a href="http://[^"]+/h5/community/\d+">网页版（可转发）</a>', link)


@pytest.mark.parametrize(
    "question",
    ["为什么", "为什么是蓝色？", "为啥", "原因是什么", "这是怎么算的", "凭什么是低风险", "依据呢"],
)
def test_why_after_a_colour_is_about_that_community(talk: Talk, question: str) -> None:
    talk.say("田林十二村什么颜色")

    assert talk.first_line(question) == "田林十二村：一般风险（蓝色）"
    assert talk.route == "why"
    assert "网页版" in talk.say("为什么")


@pytest.mark.parametrize(
    "question",
    [
        "田林十三村为什么是红色",
        "为什么田林十三村是高风险",
        "田林13村的原因",
        "为啥田林十三村是红的",
    ],
)
def test_why_of_a_name_is_about_that_name(talk: Talk, question: str) -> None:
    talk.say("田林十二村什么颜色")

    assert talk.first_line(question) == "田林十三村：高风险（红色）"
    assert talk.route == "why"


def test_why_by_a_tap_is_about_the_card_that_was_tapped(talk: Talk) -> None:
    talk.say("田林十二村什么颜色")

    assert talk.first_line("为什么", menu_id="why:T13") == "田林十三村：高风险（红色）"


def test_why_without_a_card_is_about_one_s_own_or_asks_for_a_name(talk: Talk) -> None:
    assert talk.first_line("为什么").startswith("请发送小区名称")
    assert "网页版" in talk.say("田林十二村")
    talk.say("绑定田林十三村")

    assert talk.first_line("为什么") == "田林十三村：高风险（红色）"
    talk.say("田林十二村什么颜色")
    assert talk.first_line("为什么我们小区是红色") == "田林十三村：高风险（红色）"


def test_why_after_a_choice_is_about_what_was_chosen(talk: Talk) -> None:
    talk.say("阳光公寓什么颜色")
    talk.say("2")

    assert "网页版" in (answer := talk.say("为什么"))
    assert answer.startswith("阳光公寓：")
    assert talk.say("为什么阳光公寓是蓝色").startswith("您要查的是")
    assert "网页版" in talk.say("1")


def test_what_was_shown_holds_up_nothing_else(talk: Talk) -> None:
    talk.say("田林十二村什么颜色")
    assert "当前没有进行中的操作" in talk.say("取消")
    talk.say("田林十二村什么颜色")
    assert talk.first_line("坐地铁要戴口罩吗").startswith("建议佩戴口罩")
    assert talk.first_line("那在家呢").startswith("可以不戴口罩")


def test_why_of_what_is_no_community_is_not_made_up(talk: Talk) -> None:
    talk.say("田林十二村什么颜色")

    assert talk.say("为什么不回复我").startswith("抱歉，我没有听懂")
    assert talk.first_line("幸福里九十九号为什么是红色").startswith("没有找到")


def test_why_without_data_says_that_there_is_none(talk: Talk) -> None:
    assert talk.first_line("华泾绿苑为什么是灰色") == "华泾绿苑：暂无数据（灰色）"


REASONS = st.builds(
    lambda low, high, points, **known: Reason(
        **known,
        indicator="x",
        norm=1.0,
        weight=5.0,
        contribution=points,
        value=low,
        disclosed=None if high == -1 else Disclosed(low, high, points, points),
    ),
    label=st.text("密切接触者14天", min_size=1, max_size=30),
    unit_label=st.sampled_from(["人", "‰", "%", "万人次"]),
    low=st.floats(0, 1e6),
    high=st.one_of(st.none(), st.just(-1.0), st.floats(0, 1e6)),
    points=st.floats(0, 20),
    status=st.sampled_from(Status),
)


@given(
    reasons=st.lists(REASONS, min_size=1, max_size=33),
    rules=st.sets(st.sampled_from(["R1", "R2", "R3", "R4", "R5"])),
    name=st.text("田林<村12", min_size=1, max_size=60),
    is_compared=st.booleans(),
)
def test_why_always_fits_one_message_and_ends_with_the_link(
    reasons: list[Reason], rules: set[str], name: str, is_compared: bool
) -> None:
    card = ColourCard(
        community_id=1,
        colour=Colour.YELLOW,
        score_colour=Colour.BLUE,
        rules=tuple(sorted(rules)),
        override_until=date(2020, 12, 31),
        is_provisional=True,
        day=date(2020, 12, 25),
        score=55.0,
        coverage=0.9,
        lo=1.0,
        hi=2.0,
        version="v" * 32,
        scored_at=datetime(2020, 12, 25, tzinfo=UTC),
        reasons=tuple(reasons),
    )
    changed = Changes(
        day=date(2020, 11, 22),
        colour=Colour.RED,
        whole_points=-10,
        by_indicator={"x": Change(points=-10.5, direction=-1)},
    )
    place = Place(id=123456, code="T12", name=name, street="田林街道", street_id=1)
    reply = risk.why_reply(place, card, changed if is_compared else None, today=date(2020, 12, 26))
    text = TEXTS.render(reply)
    assert len(text.encode()) <= MAX_BYTES
    assert text.splitlines()[-1].endswith('/h5/community/123456">网页版（可转发）</a>')
    assert text.startswith(f"{name.replace('<', '＜')}：中等风险（黄色）")


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
