"""The mask guidance, sentence by sentence and as properties."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Final

import opencc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.masks.rules import Advice, Ground, Verdict, advice_for
from core.masks.words_ease import EASE_WORDS
from core.masks.words_wear import WEAR_WORDS

HERE: Final = Path(__file__).parent
TRADITIONAL: Final = opencc.OpenCC("s2t")


def _sentences(name: str) -> list[tuple[str, str, str]]:
    """Return (id, verdict, sentence) of each line of a table of sentences."""
    rows: list[tuple[str, str, str]] = []
    verdict = group = ""
    for line in (HERE / name).read_text(encoding="utf-8").splitlines():
        if line.startswith("# "):
            _, verdict, group = line.split()
        elif line and not line.startswith("#"):
            rows.append((f"{verdict}-{group}-{line}", verdict, line))
    return rows


ROWS: Final = _sentences("sentences.txt") + _sentences("held_out.txt")
PLAIN: Final = [line for _, _, line in ROWS if line.isascii() is False]
SICK: Final = ["发烧", "咳嗽", "鼻塞", "流鼻涕", "打喷嚏", "嗓子疼", "感冒"]
SITUATION: Final = [
    "在家",
    "公园",
    "散步",
    "一个人",
    "地铁",
    "没人",
    "和同事",
    "老人",
    "不",
    "没有",
    "去",
    "在",
]


@pytest.mark.parametrize(
    ("verdict", "sentence"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS]
)
def test_each_sentence_gets_its_advice(verdict: str, sentence: str) -> None:
    assert advice_for(sentence).verdict == verdict


@pytest.mark.parametrize(
    ("sentence", "ground"),
    [
        ("去医院，我发烧了", Ground.SYMPTOM),
        ("去医院要坐电梯", Ground.MEDICAL),
        ("老人坐地铁", Ground.CLOSE),
        ("老人去公园散步", Ground.FRAIL),
        ("一个人在家", Ground.HOME),
        ("一个人开车", Ground.ALONE),
        ("一个人去公园散步", Ground.OUTDOORS),
        ("一个人坐电梯", Ground.CLOSE),
    ],
)
def test_the_graver_cue_gives_the_ground(sentence: str, ground: Ground) -> None:
    assert advice_for(sentence).ground is ground


@pytest.mark.parametrize("place", ["云栖坊", "云创意园", "小南国", "Costa", "龙之梦"])
def test_a_place_that_no_word_explains_is_taken_for_one_with_people(place: str) -> None:
    assert advice_for(f"去{place}要戴口罩吗").ground is Ground.CLOSE


@pytest.mark.parametrize("place", ["什么地方", "哪里", "任何地方", "北京", "不同的场合"])
def test_going_nowhere_in_particular_gets_the_whole_guidance(place: str) -> None:
    assert advice_for(f"去{place}要戴口罩吗").verdict is Verdict.GENERAL


@pytest.mark.parametrize("sign", ["烧", "咳", "痛", "鼻", "瘟", "客", "辈", "梯", "铁", "店", "婚"])
@pytest.mark.parametrize("ease", ["一个人在家", "独自开车", "公园没人", "江边散步人少"])
def test_a_sign_of_people_or_illness_in_an_unknown_word_forbids_no_need(
    ease: str, sign: str
) -> None:
    assert advice_for(f"{ease}，甪{sign}，要戴口罩吗").verdict is not Verdict.NO_NEED


@pytest.mark.parametrize(
    ("sentence", "verdict"),
    [
        ("一个人在家甪甪甪甪要戴口罩吗", Verdict.NO_NEED),
        ("在家甪甪甪甪甪要戴口罩吗", Verdict.GENERAL),
        ("江边甪甪甪甪要戴口罩吗", Verdict.GENERAL),
        ("一个人在江边甪甪甪甪甪甪甪要戴口罩吗", Verdict.GENERAL),
    ],
)
def test_much_that_is_not_understood_forbids_no_need(sentence: str, verdict: Verdict) -> None:
    assert advice_for(sentence).verdict is verdict


def test_every_word_has_one_cue() -> None:
    words = [
        word
        for table in (WEAR_WORDS, EASE_WORDS)
        for text in table.values()
        for word in text.split()
    ]
    assert len(words) == len(set(words))


def test_an_infant_is_noticed() -> None:
    assert advice_for("两岁宝宝坐地铁要戴口罩吗").has_infant
    assert not advice_for("我坐地铁要戴口罩吗").has_infant


@given(sentence=st.sampled_from(PLAIN), symptom=st.sampled_from(SICK), first=st.booleans())
def test_a_symptom_never_leaves_no_need(sentence: str, symptom: str, *, first: bool) -> None:
    text = f"我{symptom}，{sentence}" if first else f"{sentence}，我{symptom}"
    assert advice_for(text).verdict is not Verdict.NO_NEED


@given(sentence=st.sampled_from(PLAIN), first=st.booleans())
def test_a_hospital_never_leaves_no_need(sentence: str, *, first: bool) -> None:
    text = f"我去医院，{sentence}" if first else f"{sentence}，然后去医院"
    assert advice_for(text).verdict is not Verdict.NO_NEED


@given(words=st.lists(st.sampled_from(SITUATION), max_size=8), symptom=st.sampled_from(SICK))
def test_a_symptom_that_nothing_denies_decides(words: list[str], symptom: str) -> None:
    assert advice_for("".join(words) + "，我" + symptom) == Advice(
        verdict=Verdict.WEAR, ground=Ground.SYMPTOM
    )


@given(sentence=st.sampled_from(PLAIN))
def test_the_script_makes_no_difference(sentence: str) -> None:
    assert advice_for(TRADITIONAL.convert(sentence)).verdict == advice_for(sentence).verdict


@given(sentence=st.sampled_from(PLAIN))
def test_the_wrong_character_for_wearing_makes_no_difference(sentence: str) -> None:
    assert (
        advice_for(sentence.replace("戴口罩", "带口罩")).verdict
        == advice_for(sentence.replace("带口罩", "戴口罩")).verdict
    )


@given(text=st.text())
def test_any_text_has_an_answer(text: str) -> None:
    advice = advice_for(text)
    assert (advice.ground is None) == (advice.verdict is Verdict.GENERAL)


@given(words=st.lists(st.sampled_from([*SITUATION, *SICK, "，", "、", "kouzhao", "戴", "吗"])))
def test_any_mixture_of_cues_has_an_answer(words: list[str]) -> None:
    advice = advice_for("".join(words))
    assert (advice.ground is None) == (advice.verdict is Verdict.GENERAL)


@pytest.mark.parametrize(
    "part", ["没有发烧", "不", "一个人", "嗓子", "买", "排", "a", "zhuang", "V"]
)
def test_long_input_costs_little(part: str) -> None:
    advice_for(part * 10)
    started = time.perf_counter()
    advice_for(part * 10_000)
    # A generous bound: 600 characters are read, and nothing backtracks without end.
    assert time.perf_counter() - started < 1
