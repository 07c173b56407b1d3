from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.simulator.fields import RULES
from bot.template_fields import FITTERS, FieldValueError, fit_fields, fit_value


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        pytest.param("thing1", "田林十二村", "田林十二村", id="short enough"),
        pytest.param("thing1", "一" * 20, "一" * 20, id="just fits"),
        pytest.param("thing1", "一" * 21, "一" * 19 + "…", id="too long: cut, and it shows"),
        pytest.param("thing2", "", "-", id="empty would be refused"),
        pytest.param("thing2", "第一行\n第二行", "第一行 第二行", id="no line breaks"),
        pytest.param("thing3", "注意😀安全❗️", "注意安全", id="no emoji"),
        pytest.param("phrase1", "高风险（红色）", "高风险红色", id="a phrase is five characters"),
        pytest.param("character_string1", "A-12号", "A-12", id="no Chinese in a string"),
        pytest.param("number3", "12.5", "12.5", id="a number"),
        pytest.param("amount1", "¥12.50", "¥12.50", id="an amount"),
        pytest.param("name1", "阿卜杜拉·买买提·吐尔逊江", "阿卜杜拉·买买提·吐", id="a long name"),
        pytest.param("name1", "王小明2", "王小明", id="no digits in a name"),
        pytest.param("phone_number1", "电话021-12345", "021-12345", id="a phone number"),
        pytest.param("car_number1", "沪A·12345", "沪A12345", id="a car's number"),
        pytest.param("time4", "2020-03-28 08:00", "2020-03-28 08:00", id="a time"),
        pytest.param("date1", "2020年3月28日", "2020年3月28日", id="a day"),
        pytest.param("short_thing1", "待审核的申请", "待审核的…", id="a short thing"),
    ],
)
def test_value_fits_its_field(name: str, text: str, expected: str) -> None:
    assert fit_value(name, text) == expected


@pytest.mark.parametrize(
    ("name", "text"),
    [
        pytest.param("number1", "12人", id="part of a figure would be a wrong figure"),
        pytest.param("number1", "", id="no number"),
        pytest.param("amount1", "约十元", id="no amount"),
        pytest.param("phrase1", "abc", id="no Chinese in a phrase"),
        pytest.param("time1", "明天", id="no time"),
        pytest.param("date1", "昨天", id="no day"),
        pytest.param("unheard1", "x", id="a kind of field without a rule"),
    ],
)
def test_value_of_which_nothing_fits_is_refused_with_the_name_of_the_field(
    name: str, text: str
) -> None:
    with pytest.raises(FieldValueError, match=name):
        fit_value(name, text)


def test_fields_have_the_shape_of_a_template_message() -> None:
    assert fit_fields({"thing1": "甲"}) == {"thing1": {"value": "甲"}}


# A field of a time or day takes what the wording gives; the others take any text at all.
ANY_TEXT = sorted(set(FITTERS) - {"time", "date", "keyword"})


@given(st.sampled_from(ANY_TEXT), st.text(max_size=60))
def test_fitted_value_is_never_refused_by_the_platform(kind: str, text: str) -> None:
    try:
        fitted = fit_value(f"{kind}1", text)
    except FieldValueError:
        return
    assert RULES[kind].fullmatch(fitted), (kind, text, fitted)


@given(st.text(max_size=60))
def test_thing_takes_whatever_was_typed(text: str) -> None:
    fitted = fit_value("thing1", text)
    assert 1 <= len(fitted) <= 20
    assert fitted.strip() == fitted
