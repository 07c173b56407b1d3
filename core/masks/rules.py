"""Wear a mask or not: the city's four-and-three guidance as an order of precedence."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from core.masks.reading import has_infant, normalized, read


class Verdict(StrEnum):
    """What a person is advised."""

    WEAR = "wear"
    NO_NEED = "no_need"
    GENERAL = "general"
    """The question names nothing that decides: the whole guidance answers it."""


class Ground(StrEnum):
    """The sentence of the guidance that a verdict rests on."""

    CLOSE = "close"
    MEDICAL = "medical"
    SYMPTOM = "symptom"
    FRAIL = "frail"
    HOME = "home"
    OUTDOORS = "outdoors"
    ALONE = "alone"


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """The answer to a mask question.

    Attributes:
        verdict: wear, no need, or the whole guidance.
        ground: what the verdict rests on; None with the whole guidance.
        has_infant: a child of up to about three years was spoken of, who wears none.
        situation: cues of the place and the person, for a question that follows up on this one.
    """

    verdict: Verdict
    ground: Ground | None = None
    has_infant: bool = False
    situation: str = field(default="", compare=False)


# What is said but not so, in the order in which it is taken out, each with a mark without which
# it need not be tried. `#` is a choice (是不是) and
# negates nothing; 戴 is not a link, so 不戴口罩坐地铁 keeps its 地铁.
_UNSAID: Final[tuple[tuple[str, re.Pattern[str], str], ...]] = (
    # 独自一个人, 糖尿病人: the same person.
    ("人", re.compile(r"(?<=[AL])一?个?人"), ""),
    # 视频会议, 网上超市: nobody is near.
    ("@", re.compile(r"(?:[PY][U&]*)?@(?:里?J?[WP%]|(?=[,要H]|$))"), "~"),
    # 别人都没戴, 同事说: they are not here.
    ("P", re.compile(r"P[NU都也还]*(?:戴|说|讲)"), "~"),
    # 同事都走了.
    ("P", re.compile(r"P[U们的]*E|P[们都也]*NU(?=[,HRA]|$)"), "E"),
    # 离别人远, 避开人群, 不和人接触: few people.
    (
        "",
        re.compile(r"离[PB]U*[很较比老挺好蛮]*远|N[UV$J]*人?[太很那么特别]*B(?:的?地方|的?时候)?"),
        "F",
    ),
    ("N", re.compile(r"N(?:[UVJ的]|其|聚)*(?:P&?|&)"), "F"),
    ("N", re.compile(r"N[UV$]*F"), "B"),
    ("N", re.compile(r"N[UV$]*[AE]"), "B"),
    ("", re.compile(r"(?:E|N人)U*S|N[UV$]*L"), "-"),
    # 没有发烧、咳嗽: the negation covers the list; 没有发烧咳嗽三天了 ends it.
    (
        "N",
        re.compile(
            r"N[UV$]*S(?:(?:[J、]|或者?|及|以及)?S(?!了|着|得|很|好几|厉害|[一二两三四五六七八九十几半\d]+个?[天周月]))*"
        ),
        "-",
    ),
    ("N", re.compile(r"N[UV$J]*([MKLCRWQ%HYOXDG])(?:(?:[J、]|或者?|及|以及)?\1)*"), "~"),
    # 感冒好了; 以前咳嗽，现在都好了.
    (
        "I",
        re.compile(
            r"[SKL](?:[^,A-Z刚才快没还未]{0,2}|已经|都|,?(?:现U|如今)(?:已经|已|早就|早|都|也)*)I"
        ),
        "~",
    ),
    # 乘 with a vehicle that no word explains.
    ("$", re.compile(r"\$(?=[^,A-Z~%&要戴我])"), "C"),
    # 跟保安: with somebody, whoever it is.
    ("J", re.compile(r"J(?=[^,A-Za-z0-9~%&要戴我自、-])"), "P"),
    # 两个口罩一起戴.
    ("&", re.compile(r"&(?=戴)"), ""),
    # 大家没病 speaks of no company; 去上班的路上 is not work yet.
    ("P", re.compile(r"P[都也们]*(?=-)"), ""),
    ("O", re.compile(r"V?W的?O"), "~"),
)
_SOMEONE: Final = re.compile(
    r"(?:有|和|跟|与|旁边|里有|坐了|站了|来了|遇到|碰到|见|另外?|还有)一个人"
)
_GOES_ALONE: Final = re.compile(r"A[^,]{0,2}V(?!着)[^,HOXQ]")
_NOT_FOR_LONG: Final = re.compile(
    r"(?:但|可是|[等一待过]会|马上|稍后)[^,A-Z]{0,6}[UV]*[WR]|R[^,HD]{0,3}(?:等(?:着|候)?[他她W]|\*)|\*[^,HD]{0,3}R"
)
_GOES_SOMEWHERE: Final = re.compile(r"V(?!着)[^,A-Z~%要戴]")
_WAY_TO_WORK: Final = re.compile(r"(?<=[XD])(?:[^,A-Z]{0,4}V)?[UVA]*W|W[UVA]*(?=[XD])")
_HOUSEMATE: Final = re.compile(r"H[U&]+[^,A-Z]{0,4}L(?![^,]{0,3}[GVOX])")
_INDOORS: Final = re.compile(
    r"[VU][^,A-Z~哪]{1,6}(?:馆|厅|店|站|局|所(?![有以])|堂|寺|庙|宫|商城|中心|吧(?=[^,]|$)"
    r"|铺|摊|市场|商厦|大厦|大楼|院(?!子)|室|车间|会场|影城|[班课](?=要|,))"
    r"|[^,A-Z~%哪]{2}(?:店|馆|铺|餐厅)"
)
_GOES_ELSEWHERE: Final = re.compile(r"(?<![XDA])V(?!着)[^,A-Z~%要戴]{1,4}(?=[,要戴用需]|$)")
# A place that one goes to, whatever it is; 去哪里 and 到几月 name none.
_GOES_INTO_UNKNOWN: Final = re.compile(
    r"V(?![着哪几多现年底掉除世某处何别其那这时明夏秋冬春后今个人]|[一二两三四五六七八九十\d]+[月号日年点天])"
    r"(?:(?![口戴要地U])[^,A-Z~%#@$&*?]){2}"
)
# Signs of people and rooms in what no word explains: too little to say "wear", enough to not say
# that there is no need.
_HINT: Final = re.compile(
    r"[店铺馆厅室班赛修卖聚领演客席宴诊药针挤队摊人员友伴师众群梯铁市场巴庙寺佛礼婚祭节课校楼商司局所飞航船票"
    r"老姥婆姑叔舅姨嫂侄甥咳嗽喷嚏冒烧热烫疼痛痒鼻喉嗓咽痰哮喘晕昏哑涩虚吐泻炎癌病孕产肺脏肾肝肠胃胎岁疹痘"
    r"瘟疫菌毒阳冠流染疱癣糖压衰梗肿瘤透移植伺酒讲组戏唱寿辈]"
    r"|(?:[六七八九]十|(?<!\d)[6-9]\d)(?![\d个]?[分秒天米圈步平公里度块元])"
)
_ASKS_NEED: Final = re.compile(r"(?:要|用|需要|该|#|必须)戴|戴(?:吗|么|不|嘛|伐)")

_SMALL_TALK: Final = re.compile(
    r"[A-Z~@#%$&*,、我你他她它的了吗要戴口罩用里个们就只很着呢吧啊呀伐不么嘛需得该能可以行是在也还都那这时候上"
    r"自己早晚今天想问请麻烦-]"
    r"|[零一二两三四五六七八九十半几多\d]+个?多?(?:点|分钟|小时|天|星期|礼拜|周|月|年)"
)
_PERSON: Final = "SKL"
_PLACE: Final = "MCRWQ%HOXDG"
_UNKNOWN: Final = "?"
"""Mark of a place that was named and not understood; no sentence has one once it is read."""
_MAX_UNEXPLAINED: Final = 3
"""Characters: what is not understood may be a place or an illness, and the guidance is no error."""
_MAX_UNEXPLAINED_INSIDE: Final = 4
"""The same at home or in one's own car, where less can be meant."""
_MAX_UNEXPLAINED_SETTLED: Final = 6
"""The same where two cues agree that nobody is near: alone at home, a walk with few people."""


def _has(marks: str, cues: str) -> bool:
    return any(cue in marks for cue in cues)


def _is_near_people(marks: str) -> bool:
    """Return whether people are near: a public place, a crowd, company, a shared room."""
    is_home = "H" in marks
    is_alone = (
        _has(marks, "AE") and not _GOES_ALONE.search(marks) and not _NOT_FOR_LONG.search(marks)
    )
    return (
        _has(marks, "KCBP")
        or ("Q" in marks and not is_alone and "F" not in marks)
        or ("R" in marks and not is_alone)
        or ("W" in marks and not is_alone and not is_home)
        or ("%" in marks and not is_home and not (is_alone and "E" in marks and "O" in marks))
        or ("&" in marks and not is_home and "Y" not in marks)
        or ("D" in marks and "Y" in marks)
        or _INDOORS.search(marks) is not None
    )


def _is_frail_outside(marks: str) -> bool:
    """Return whether someone frail is not simply at home."""
    return "L" in marks and (
        "H" not in marks or _has(marks, "GOQ") or _GOES_SOMEWHERE.search(marks) is not None
    )


def _is_at_home(marks: str) -> bool:
    if "H" not in marks or _GOES_SOMEWHERE.search(marks):
        return False
    return "G" not in marks or _has(marks, "OX")


def _is_alone(marks: str) -> bool:
    """Return whether one is alone in a place of one's own, or in one's car."""
    if "D" in marks:
        return True
    return _has(marks, "AE") and not _has(marks, "GOXQ") and not _GOES_ALONE.search(marks)


def _is_outdoors(marks: str) -> bool:
    """Return whether one is in the open air; 出门 tells so only where few people are said to be."""
    is_out = _has(marks, "OXQ") or ("G" in marks and _has(marks, "EF"))
    return is_out and not _GOES_ELSEWHERE.search(marks)


def _goes_somewhere_unknown(marks: str) -> bool:
    """Return whether one goes to a place that no word explains: most such have people in them."""
    return _GOES_INTO_UNKNOWN.search(marks) is not None and "Z" not in marks


def _is_doubtful(marks: str) -> bool:
    """Return whether something unexplained forbids to say that there is no need."""
    if _has(marks, "Z?") or _HINT.search(marks):
        return True
    is_settled = len([cues for cues in ("AE", "HDOX", "F") if _has(marks, cues)]) > 1
    limit = _MAX_UNEXPLAINED_INSIDE if _has(marks, "HD") else _MAX_UNEXPLAINED
    if is_settled and "V" not in marks:
        limit = _MAX_UNEXPLAINED_SETTLED
    return len(_SMALL_TALK.sub("", marks)) > limit


_GROUNDS: Final[tuple[tuple[Callable[[str], bool], Verdict, Ground], ...]] = (
    (lambda marks: "S" in marks, Verdict.WEAR, Ground.SYMPTOM),
    (lambda marks: "M" in marks, Verdict.WEAR, Ground.MEDICAL),
    (_is_near_people, Verdict.WEAR, Ground.CLOSE),
    (_is_frail_outside, Verdict.WEAR, Ground.FRAIL),
    (_is_at_home, Verdict.NO_NEED, Ground.HOME),
    (_is_alone, Verdict.NO_NEED, Ground.ALONE),
    (_is_outdoors, Verdict.NO_NEED, Ground.OUTDOORS),
    (_goes_somewhere_unknown, Verdict.WEAR, Ground.CLOSE),
)


def advice_for(text: str, *, before: str = "") -> Advice:
    """Return what the guidance says to a question about masks.

    Symptoms and hospitals come before crowds and closed rooms, these before the frail who go
    out, and all of them before home, the open air and being alone. Where both answers are
    possible it is "wear"; where nothing is known, the whole guidance.

    Args:
        text: the question, in any script; whether it is about masks at all is not asked here.
        before: the `Advice.situation` that the question follows up on. An illness goes on; the
            place does so unless the question names one (电梯里要戴吗, 那一个人呢: still the lift).

    Source: docs/sources.md#mask-guidance
    """
    plain = normalized(text)
    marks = situation_of(plain)
    if before:
        marks = _carried(before, marks) + marks
    verdict, ground = _decided(marks)
    return Advice(
        verdict=verdict,
        ground=ground,
        has_infant=has_infant(plain),
        situation=_remembered(marks, verdict, ground),
    )


def situation_of(plain: str) -> str:
    """Return the marks of a normalized sentence, without what is negated or not here.

    Args:
        plain: as `core.masks.reading.normalized` returns it.
    """
    marks = read(_SOMEONE.sub("旁边有人", plain))
    for needed, pattern, instead in _UNSAID:
        if needed in marks:
            marks = pattern.sub(instead, marks)
    marks = _HOUSEMATE.sub("H", marks)
    return _WAY_TO_WORK.sub("", marks)


def names_place(marks: str) -> bool:
    """Return whether the marks of a sentence tell where one is, or what one does."""
    return _has(marks, _PLACE) or _INDOORS.search(marks) is not None


def _decided(marks: str) -> tuple[Verdict, Ground | None]:
    """Return the verdict on a situation, and what it rests on."""
    if "T" in marks and not _ASKS_NEED.search(marks):
        return Verdict.GENERAL, None
    for applies, verdict, ground in _GROUNDS:
        if applies(marks):
            if verdict is Verdict.NO_NEED and _is_doubtful(marks):
                return Verdict.GENERAL, None
            return verdict, ground
    return Verdict.GENERAL, None


def _remembered(marks: str, verdict: Verdict, ground: Ground | None) -> str:
    """Return the cues that a question may follow up on: no word of what was said."""
    cues = "".join([cue for cue in _PERSON + _PLACE if cue in marks])
    if ground is Ground.CLOSE and _INDOORS.search(marks):
        return cues + "C"
    is_unknown = verdict is Verdict.GENERAL and _is_doubtful(marks)
    is_guessed = ground is Ground.CLOSE and not _is_near_people(marks)
    return cues + _UNKNOWN if is_unknown or is_guessed else cues


def _carried(before: str, marks: str) -> str:
    """Return the marks that hold on from the question before."""
    denied = "-" in marks
    stays = "" if denied else _PERSON
    if not names_place(marks):
        stays += _PLACE + _UNKNOWN
    return "".join(f"{cue}," for cue in before if cue in stays)
