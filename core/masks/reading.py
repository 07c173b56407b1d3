"""How a sentence is read: one spelling, then one mark for every known word."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from typing import TYPE_CHECKING, Final

import opencc

from core.masks.pinyin import from_pinyin
from core.masks.words_ease import EASE_WORDS
from core.masks.words_wear import WEAR_WORDS

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_CHARS: Final = 600
"""No question is longer; what comes after is not read."""

_HOMOPHONES: Final = {
    "口照": "口罩",
    "口兆": "口罩",
    "口召": "口罩",
    "扣罩": "口罩",
    "叩罩": "口罩",
    "囗罩": "口罩",
    "口罩罩": "口罩",
    "面罩": "口罩",
    "电题": "电梯",
    "电踢": "电梯",
    "电体": "电梯",
    "地贴": "地铁",
    "地帖": "地铁",
    "地鉄": "地铁",
    "地跌": "地铁",
    "飞几": "飞机",
    "机厂": "机场",
    "菜厂": "菜场",
    "商厂": "商场",
    "医远": "医院",
    "感昌": "感冒",
    "感帽": "感冒",
    "喷涕": "喷嚏",
    "攻交": "公交",
    "工交": "公交",
    "医苑": "医院",
    "一院": "医院",
    "克嗽": "咳嗽",
    "咳漱": "咳嗽",
    "咳素": "咳嗽",
    "咳速": "咳嗽",
    "发骚": "发烧",
    "发稍": "发烧",
    "发哨": "发烧",
    "超试": "超市",
    "朝市": "超市",
    "超是": "超市",
    "三步": "散步",
    "伞步": "散步",
    "公圆": "公园",
    "公元": "公园",
    "工园": "公园",
    "攻园": "公园",
    "孕付": "孕妇",
    "运妇": "孕妇",
    "毒自": "独自",
    "一个仁": "一个人",
    "1个人": "一个人",
    "1人": "一人",
    "再家": "在家",
    "载家": "在家",
}
_EMOJI: Final = {
    "😷": "口罩",
    "🤒": "发烧",
    "🤧": "打喷嚏",
    "🤢": "不舒服",
    "🏥": "医院",
    "🚇": "地铁",
    "🚌": "公交",
    "🚕": "出租车",
    "🚄": "高铁",
    "✈": "飞机",
    "🏠": "在家",
    "🛒": "超市",
    "🏃": "跑步",
    "🚴": "骑车",
    "👴": "老人",
    "👵": "老人",
    "🤰": "孕妇",
}


def _letters() -> dict[int, str | None]:
    """Return one character for every character that is another's spelling."""
    ideographs = [chr(code) for code in range(0x4E00, 0xA000)]
    simple = opencc.OpenCC("t2s").convert("\n".join(ideographs)).split("\n")
    table: dict[int, str | None] = {
        ord(old): new for old, new in zip(ideographs, simple, strict=True) if old != new
    }
    # Characters that the conversion leaves, or that people write for one another.
    table |= {ord(old): new for old, new in zip("著妳您祂歩𨋢䢂", "着你您他步𨋢𨋢", strict=True)}
    table |= dict.fromkeys(map(ord, ";。!?:…~@#%$&^|/\\\n\r-—()[]【】「」“”\"'"), ",")
    table |= {ord(old): text for old, text in _EMOJI.items()}
    # Zero-width characters and the variation selectors of emoji.
    table |= dict.fromkeys((0x200B, 0x200C, 0x200D, 0xFE0E, 0xFE0F, 0xFEFF))
    return table


_LETTERS: Final = _letters()
_HOMOPHONE: Final = re.compile("|".join(map(re.escape, _HOMOPHONES)))
_PUT_ON: Final = re.compile(
    r"[带代待呆袋歹](?=着?了?[个只]?(?:口罩|吗|不|么|嘛|$|,|啊|呀|n95|kn95))"
)
_A_NOT_A: Final = re.compile(
    r"([^,])(?:[不没冇唔勿未])\1|可不可以|需不需要|应不应该|可唔可以|有无|是否|能否|可否"
)
_SPACED: Final = re.compile(r"\s*(?:\S\s+)+\S\s*")
_LATIN: Final = re.compile(r"[a-z]{3}")
_WARM: Final = re.compile(
    r"(?<!气温)(?<!天气)(?<!室温)(?<!外面)"
    r"(?:37\s?(?:\.|度|点)\s?[3-9三四五六七八九]|(?:3[89]|4[0-2])(?:\.\d)?(?:度|℃|°)"
    r"|体温[^,不要戴正]{0,4}[高异]|三十(?:七度[三四五六七八九半]|[八九]度)|体温(?:37\.[3-9]|3[89]|4[0-2]))"
)
_AGED: Final = re.compile(
    r"(?<!\d)(?:[6-9]\d|1[01]\d)(?:多|来|几)?(?:周?岁|多了)|今年(?:[6-9]\d)(?!\d|斤|年|元|块)"
    r"|[六七八九]十[一二三四五六七八九几多来]?(?:多|来)?(?:周?岁|多了)|今年[六七八九]十|年过[六七八九]|百岁|[六七八九]旬"
)
_OLD: Final = re.compile(
    r"(?:(?<=[妈爸爷奶公婆爹娘姥姨伯叔舅姑人我他她亲快都满])|(?<=今年|已经))"
    r"(?:[6-9]\d|1[01]\d|[六七八九]十[一二三四五六七八九几]?)"
    r"(?:了|多|岁|的|周岁|,|(?=[在出去还想每天]))"
    r"|(?:[6-9]\d|[六七八九]十[一二三四五六七八九几]?)的?(?=老|妈|爸|爷|奶|外公|外婆|父|母)"
)
_WELL: Final = re.compile(
    r"(?:嗓子|喉咙|鼻子|头|胸|身上|肚子|身体)(?:也|都|又)?(?:不|没|没有)(?:疼|痛|痒|塞|堵|难受|肿|闷|晕)"
)
_AILING: Final = re.compile(
    r"(?:嗓子|嗓|喉咙|喉|咽|鼻子|鼻|头|胸口|胸|浑身|身上|身子|额头|脑门|全身|肌肉|肚子|胃|扁桃体)[^,要戴不没]{0,8}?"
    r"(?:痒|疼|痛|塞|堵|[^,]?不通|不太?通|肿|发炎|不舒服|难受|干|哑|酸|晕|昏|闷|冒烟|烫|淌|流|不对)"
)
_MANY: Final = re.compile(r"人[^,要戴]{0,3}[不没][^,要戴多]{0,2}少(?:啊|了|的|,|$|,|要|吗)?")
_COUNT: Final = re.compile(
    r"(?<![\d一])(?:[两俩二三四五六七八九十百几]{1,4}|[2-9]|\d{2,4})[来多几]?[个名位]?人(?![民事口行家])"
)
_GROUP: Final = re.compile(r"一(?:大|小|整)?[群帮桌伙堆圈屋车队班批票][子]?(?:的)?[^,要戴]{0,2}人")
_BURNING: Final = re.compile(
    r"(?<!退)烧(?=了?(?:一|两|三|几|半|好几|整)[^,]{0,2}(?:天|晚|夜|宿|小时))|[又还]烧(?=[着了,])"
)
_WEAK: Final = re.compile(
    r"(?:抵抗力|免疫力|免疫|体质|身体|身子|底子|心脏|肺|肾|肝)[^,要戴]{0,4}?"
    r"(?:差|弱|低|虚|不(?:太|大|怎么|是很|够)?(?:好|强|行))"
)
_SHOW: Final = re.compile(r"看[^,要戴]{0,5}(?:秀|戏|话剧|歌剧|舞剧|赛|展|演出)")
_TALK: Final = re.compile(r"[说聊讲谈][^,要戴不]{0,4}?(?:话|天|会儿|事情)")
_XRAY: Final = re.compile(r"拍[个张了一]{0,3}(?:片|ct|胸片)")
_HAIR: Final = re.compile(r"[剪理烫染][^,要戴]{0,3}(?:头|发)")
_RIDE: Final = re.compile(r"(?:坐|乘|搭|蹭)(?![在着])[^,在要戴开骑驾]{1,5}?车(?![站库里厢])")
_QUEUE: Final = re.compile(r"排[^,要戴]{1,6}?队")
# 新冠疫情, 预防流感: talked of, not had; but 感染新冠期间 is had, and 怕新冠传给孩子 perhaps.
_TALKED_OF: Final = re.compile(
    r"(?:预?防|防止|怕|担心|避免)(?:得了?|感染|染上|被传染)?(?:新冠|流感)(?:肺炎|病毒)?(?=[,要戴口在的吗呢去也]|$)"
    r"|(?:新型冠状病毒|新冠|流感)(?:肺炎|病毒)?(?=疫情|疫苗|流行|防控|防护)"
    r"|(?:(?<=^)|(?<=[,在现今这]))(?:新冠|流感)(?:肺炎|病毒)?(?=期间|时期|高发|季|怎么)"
)
# 糖尿病患者: somebody frail; 肺炎患者 is ill.
_CHRONIC: Final = re.compile(r"(?<=[病压脏癌糖梗瘤喘脂症])(?<!染病)(?<![重轻急]症)(?:患者|病人)")
# 户外运动会 is no 户外运动.
_GAMES: Final = re.compile(r"运动会(?!不)")
# 和别人离得远, 跟行人保持距离: the distance counts, not the people it is kept from.
_APART: Final = re.compile(
    r"[和跟与同离距](?:别人|他人|旁人|其他人|行人|路人|陌生人|人群?|人家|大家)[^,要戴]{0,3}?"
    r"(?:(?:离|隔|站|坐|距离|相隔|相距)[^,要戴近不没]{0,3}远|(?:保持|拉开)[^,要戴不没]{0,4}距离"
    r"|(?:隔开?|离开?|相距|相隔|距离|保持)[^,要戴不没一半]{0,4}米)"
)
# 碰不到几个人.
_MEETS_FEW: Final = re.compile(r"[碰遇见看][不没][到见着](?:几个|什么|多少|啥)人")
# 一点症状没有.
_NO_SIGN: Final = re.compile(
    r"(?:一点儿?|半点儿?|任何|什么|啥)(?:症状|不舒服|不适|毛病)[都也]?(?:没有|没)(?=[,在自一要]|$)"
)
_DRINK: Final = re.compile(r"喝[了上一]?[杯口碗壶瓶](?!水|药)")
# 抄水表的进来了: somebody has come in, whoever it is.
_CALLER: Final = re.compile(
    r"(?<=的)[都又也刚就]?(?:来了|进来|进了?门|进屋|敲门|来敲门|来我家|来家)"
)
# 人离得都挺远.
_FAR: Final = re.compile(
    r"(?:(?<![\u4e00-\u9fff])人)?(?:离|隔|站|坐)得[都也还又挺很蛮老好比较非常特别够]*[远开]"
)
# 没咳也没烧, 退烧三天.
_COOL: Final = re.compile(
    r"[没不][有在]?烧(?=[,了也不没吗在]|$)|退烧了?(?:好几|[一二两三四五六七八九十几半\d]+)个?(?=[天周月星礼])"
)
# 见有人来就绕开, 遇到来人主动避让: the guidance in the person's own words.
_MAKES_WAY: Final = re.compile(
    r"(?:[见遇碰看][到见]?)?(?:有|来)?人(?:过来|来|靠近|经过|的?时候?)?[就都会我也主动]*(?:绕|躲|避|让)[开道着让远]"
)
# 来了好多人, 来了两个亲戚: whoever they are.
_CAME: Final = re.compile(
    r"来了?(?:好多|很多|许多|不少|好几|一大|几[个位]|[两三四五六七八九十]+[个位])"
)
# 做了肺部手术: has had it.
_OPERATED: Final = re.compile(r"[做动](?:了|过|完)[^,要戴]{0,6}手术")
# 口罩 家.
_HOME_WORD: Final = re.compile(r"(?<![^,\s罩])家(?![^,\s])")
# 跟家人一起吃晚饭: the household at its table.
_AT_TABLE: Final = re.compile(
    r"[和跟与同](?:家人|家里人|老婆孩子|老公孩子)们?(?:一起|一块儿?|一道)?"
    r"吃(?:个|顿)?(?:[早午中晚]|年夜|团圆)?饭(?![店馆局堂])"
)
_NUMERALS: Final = frozenset("0123456789两俩二三四五六七八九十百几")
_HIGH_NUMERALS: Final = frozenset("16789六七八九百")
_ANY: Final[frozenset[str]] = frozenset()
_PATTERNS: Final[tuple[tuple[frozenset[str], re.Pattern[str], str], ...]] = (
    (_ANY, _A_NOT_A, "#"),
    (frozenset("冠流"), _TALKED_OF, ""),
    (frozenset("患病"), _CHRONIC, ""),
    (frozenset("动"), _GAMES, ",运动会"),
    (frozenset("远距米"), _APART, "离得远"),
    (frozenset("饭"), _AT_TABLE, "在家吃"),
    (frozenset("远开"), _FAR, "离得远"),
    (frozenset("烧"), _COOL, "不发热"),
    (frozenset("绕躲避让"), _MAKES_WAY, "离得远"),
    (frozenset("来进敲"), _CALLER, "上门"),
    (frozenset("来"), _CAME, "上门"),
    (frozenset("术"), _OPERATED, "术后"),
    (frozenset("家"), _HOME_WORD, "在家"),
    (frozenset("碰遇见看"), _MEETS_FEW, "没几个人"),
    (frozenset("症适毛舒"), _NO_SIGN, "~"),
    (frozenset("喝"), _DRINK, "喝茶"),
    (_ANY, _MANY, "人多,"),
    (_NUMERALS, _COUNT, "几个人"),
    (_ANY, _GROUP, "一群人"),
    (frozenset("34三温"), _WARM, "发烧"),
    (frozenset("烧"), _BURNING, "发烧"),
    (_ANY, _WEAK, "体弱"),
    (_ANY, _SHOW, "看表演"),
    (_ANY, _TALK, "聊天"),
    (_ANY, _XRAY, "拍片"),
    (_ANY, _HAIR, "理发"),
    (_HIGH_NUMERALS, _AGED, "老人"),
    (_HIGH_NUMERALS, _OLD, "老人,"),
    (_ANY, _WELL, "~"),
    (_ANY, _AILING, "不舒服"),
    (frozenset("车"), _RIDE, "坐车"),
    (_ANY, _QUEUE, "排队"),
)
"""What no list of words holds: choices, temperatures, ages, complaints, other people's cars.

A costly pattern is tried only where one of its characters stands.
"""
_INFANT: Final = re.compile(
    r"婴儿|婴幼儿|新生儿|宝宝|满月|个月大|(?<!\d)\d{1,2}个月的|(?<![\d十])[012一两半]周?岁"
)


def _marks_of_words() -> dict[str, str]:
    """Return the mark of every word."""
    tables = (*WEAR_WORDS.items(), *EASE_WORDS.items())
    return {word: cue.value for cue, text in tables for word in text.split()}


def _lengths_of(words: Iterable[str]) -> dict[str, tuple[int, ...]]:
    """Return, for each first character, how long its words are, the longest first."""
    lengths: defaultdict[str, set[int]] = defaultdict(set)
    for word in words:
        lengths[word[0]].add(len(word))
    return {first: tuple(sorted(found, reverse=True)) for first, found in lengths.items()}


_MARKS: Final = _marks_of_words()
_LENGTHS: Final = _lengths_of(_MARKS)


def normalized(text: str) -> str:
    """Return a sentence in simplified characters, lower case, with one spelling per word.

    Args:
        text: what a person wrote, of any length and content.

    Returns:
        At most `MAX_CHARS` characters of input, punctuation reduced to `,` and `、`.
    """
    text = unicodedata.normalize("NFKC", text[:MAX_CHARS]).lower().translate(_LETTERS)
    if " " in text:
        text = text.strip()
        if _SPACED.fullmatch(text):
            text = "".join(text.split())
    if _LATIN.search(text):
        text = from_pinyin(text)
    text = _HOMOPHONE.sub(lambda match: _HOMOPHONES[match.group()], text)
    return _PUT_ON.sub("戴", text)


def read(text: str) -> str:
    """Return a normalized sentence with every known word replaced by the mark of its cue.

    Args:
        text: as `normalized` returns it.

    Returns:
        Marks (`Cue` values), and between them the characters that no word explains. `#` stands
        for a choice such as 是不是, whose 不 negates nothing.
    """
    letters = set(text)
    for needed, pattern, instead in _PATTERNS:
        if not needed or not needed.isdisjoint(letters):
            text = pattern.sub(instead, text)
    marks: list[str] = []
    place, end = 0, len(text)
    while place < end:
        first = text[place]
        for length in _LENGTHS.get(first, ()):
            mark = _MARKS.get(text[place : place + length])
            if mark:
                marks.append(mark)
                place += length
                break
        else:
            marks.append("," if first.isspace() else first)
            place += 1
    return "".join(marks)


def has_infant(text: str) -> bool:
    """Return whether a normalized sentence speaks of a child of up to about three years."""
    return _INFANT.search(text) is not None
