from __future__ import annotations

import pytest

from bot.simulator.fields import values_for
from bot.simulator.refusals import RefusalError

GOOD = [
    ("thing1", "十" * 20),
    ("short_thing1", "十" * 5),
    ("character_string1", "A-1_" * 8),
    ("number1", "12.5"),
    ("letter1", "abcDEF"),
    ("symbol1", "+-*/#"),
    ("phrase1", "高风险"),
    ("name1", "阿依古丽·买买提"),
    ("name1", "Anne-Marie O'Neil"),
    ("time1", "08:00"),
    ("time1", "2020年3月28日 08:00"),
    ("time1", "2020-03-28 08:00~2020-03-28 09:00"),
    ("date1", "2020年3月28日"),
    ("date1", "2020年3月28日 08:00"),
    ("amount1", "¥12.50"),
    ("amount1", "100元"),
    ("phone_number1", "+86-021-12345"),
    ("car_number1", "沪A12345"),
    ("const1", "通过"),
]
BAD = [
    ("thing1", "十" * 21),
    ("short_thing1", "十" * 6),
    ("character_string1", "编号1"),
    ("character_string1", "A" * 33),
    ("number1", "12人"),
    ("letter1", "a1"),
    ("symbol1", "a"),
    ("phrase1", "高风险等级呀"),
    ("phrase1", "红A"),
    ("name1", "一二三四五六七八九十一"),
    ("name1", "王5"),
    ("time1", "25:00"),
    ("time1", "明天早上"),
    ("date1", "3月28日"),
    ("amount1", "一百元"),
    ("phone_number1", "1" * 18),
    ("car_number1", "沪A-12345"),
    ("mystery1", "x"),
    ("thing1", ""),
    ("thing1", "  "),
]


@pytest.mark.parametrize(("name", "value"), GOOD, ids=str)
def test_a_value_within_its_rule_is_shown(name: str, value: str) -> None:
    assert values_for({name: {"value": value}}, names=(), choices={}) == {name: value}


@pytest.mark.parametrize(("name", "value"), BAD, ids=lambda value: str(value) or "empty")
def test_a_value_that_breaks_its_rule_refuses_the_message(name: str, value: str) -> None:
    with pytest.raises(RefusalError) as refused:
        values_for({name: {"value": value}}, names=(), choices={})
    assert refused.value.code == 47003
    assert f"data.{name}.value" in refused.value.text


def test_a_constant_is_one_of_those_configured() -> None:
    choices = {"const1": ["通过", "不通过"]}
    assert values_for({"const1": {"value": "通过"}}, names=(), choices=choices)
    with pytest.raises(RefusalError):
        values_for({"const1": {"value": "待定"}}, names=(), choices=choices)


def test_a_missing_field_refuses_and_an_extra_one_is_not_shown() -> None:
    data = {"thing1": {"value": "a"}, "thing9": {"value": "b"}}
    assert values_for(data, names=("thing1",), choices={}) == {"thing1": "a"}
    with pytest.raises(RefusalError):
        values_for(data, names=("thing1", "thing2"), choices={})


def test_an_older_template_folds_and_drops_in_silence() -> None:
    data = {"first": {"value": "您好"}, "keyword1": {"value": "十" * 25}, "remark": {"value": "x"}}
    assert values_for(data, names=(), choices={}) == {"keyword1": "十" * 20 + "…"}


def test_line_breaks_vanish() -> None:
    assert values_for({"thing1": {"value": "a\nb"}}, names=(), choices={}) == {"thing1": "ab"}
