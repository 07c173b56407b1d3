"""Which sentences ask about masks."""

from __future__ import annotations

import pytest

from core.masks.asking import is_mask_question


@pytest.mark.parametrize(
    "text",
    [
        "口罩",
        "口罩 地铁",
        "坐地铁要戴口罩吗",
        "坐地鐵要帶口罩嗎",
        "我的小区风险高要戴口罩吗",
        "坐地铁要戴吗",
        "飞机上要带吗",
        "在家戴不戴",
        "电梯里要不要戴",
        "不戴可以吗",
        "去超市用戴么",
        "kouzhao",
        "zuo ditie yao dai kou zhao ma",
        "KN95和N95哪个好",
        "Mask",
        "口照要戴吗",
        "😷",
        "四戴三不戴",
        "哪里能买到口罩",
    ],
)
def test_a_question_about_masks_is_recognized(text: str) -> None:
    assert is_mask_question(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "田林十二村什么颜色",
        "要带身份证吗",
        "办理复工要不要带营业执照复印件",
        "随申码要带吗",
        "带孩子去哪里打疫苗",
        "带我看社区报",
        "要不要戴手套",
        "戴眼镜可以吗",
        "我的小区风险高吗",
        "人工",
        "我待在家里要登记吗",
        "zhaoshang huayuan",
    ],
)
def test_other_questions_are_left_alone(text: str) -> None:
    assert not is_mask_question(text)
