"""Short questions after a mask answer."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.masks.following import follows_up, leans_on_before
from core.masks.rules import Verdict, advice_for


@pytest.mark.parametrize(
    "text",
    [
        "那坐公交呢",
        "在家呢",
        "那一个人呢？",
        "去医院也要吗",
        "骑自行车需要吗",
        "要是散步呢",
        "那老人呢",
        "那小区里呢",
        "那不发烧了呢",
        "那坐電梯呢",
    ],
)
def test_a_question_about_another_situation_follows_up(text: str) -> None:
    assert follows_up(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "好的",
        "那谢谢",
        "人工",
        "在家",
        "那田林十二村呢",
        "公园一号小区呢",
        "世纪花园呢",
        "我的小区呢",
        "健康码呢",
        "那复工要什么材料呢",
        "医院风险高吗",
        "那我家住在公园旁边的那一栋楼里一直都很安静呢",
    ],
)
def test_another_subject_does_not_follow_up(text: str) -> None:
    assert not follows_up(text)


@pytest.mark.parametrize(
    ("before", "text", "verdict"),
    [
        ("坐电梯要戴口罩吗", "那里面没人呢", Verdict.WEAR),
        ("办公室要戴口罩吗", "那没人呢", Verdict.NO_NEED),
        ("公园人很多要戴口罩吗", "那人少呢", Verdict.NO_NEED),
        ("我发烧了在家要戴口罩吗", "那不发烧了呢", Verdict.NO_NEED),
        ("我得了流感坐电梯要戴口罩吗", "那在家呢", Verdict.WEAR),
        ("我妈70岁去公园要戴口罩吗", "那在小区里呢", Verdict.WEAR),
        ("去海鲜坊要戴口罩吗", "那一个人呢", Verdict.GENERAL),
        ("去海鲜馆要戴口罩吗", "那一个人呢", Verdict.WEAR),
        ("在医院要戴口罩吗", "室外呢", Verdict.NO_NEED),
    ],
)
def test_the_person_stays_and_a_new_place_replaces_the_old(
    before: str, text: str, verdict: Verdict
) -> None:
    assert advice_for(text, before=advice_for(before).situation).verdict is verdict


@pytest.mark.parametrize(
    ("text", "leans"),
    [("那一个人要戴吗", True), ("一个人要戴吗", False), ("那坐地铁要戴吗", False)],
)
def test_a_full_question_leans_only_if_it_says_so(text: str, *, leans: bool) -> None:
    assert leans_on_before(text) is leans


@given(place=st.sampled_from(["坐电梯", "去医院", "坐地铁", "在超市", "我咳嗽", "我是密接"]))
@pytest.mark.parametrize("text", ["那一个人呢", "没人呢", "人少呢", "那孩子呢", "那和老公一起呢"])
def test_company_alone_never_lifts_a_grave_place(text: str, place: str) -> None:
    before = advice_for(f"{place}要戴口罩吗").situation
    assert advice_for(text, before=before).verdict is Verdict.WEAR


@given(text=st.text(max_size=24), before=st.text(alphabet="SKLMCRWQ%HOXDG?", max_size=6))
def test_any_text_has_an_answer_after_any_other(text: str, before: str) -> None:
    follows_up(text)
    advice = advice_for(text, before=before)
    assert (advice.ground is None) == (advice.verdict is Verdict.GENERAL)
