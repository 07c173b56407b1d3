import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.places import naming, words


@pytest.mark.parametrize(
    ("written", "folded"),
    [
        ("田林十二村", "田林12村"),
        ("田林12村", "田林12村"),
        ("田林１２村", "田林12村"),
        ("田林十二邨", "田林12村"),
        ("田林拾贰村", "田林12村"),
        ("田 林 十 二 村", "田林12村"),
        ("田林 十二村", "田林12村"),
        ("田林二十村", "田林20村"),
        ("上柏路一百弄", "上柏路100弄"),
        ("上柏路一○○弄", "上柏路100弄"),
        ("上柏路一〇〇弄", "上柏路100弄"),
        ("上柏路一零零弄", "上柏路100弄"),
        ("上柏路 1 0 0 弄", "上柏路100弄"),
        ("上柏路一百零五弄", "上柏路105弄"),
        ("上柏路一千二百一十二弄", "上柏路1212弄"),
        ("上柏路两百零八号", "上柏路208号"),
        ("梧桐三四村", "梧桐3-4村"),
        ("梧桐三、四村", "梧桐3-4村"),
        ("梧桐3/4村", "梧桐3-4村"),
        ("上柏路2至6号", "上柏路2-6号"),
        ("上柏路二至六号", "上柏路2-6号"),
        ("上柏路２－６号", "上柏路2-6号"),
        ("五原路", "五原路"),
        ("5原路", "五原路"),
        ("四季花园", "四季花园"),
        ("百花公寓", "百花公寓"),
        ("千秋里", "千秋里"),
        ("中山南二路", "中山南2路"),
        ("云水湾(一期)", "云水湾1期"),
        ("虹三小区", "虹3小区"),
        ("龍華新村", "龙华新村"),
        ("乾元名邸", "乾元名邸"),
        ("Tián Lín", "tianlin"),
        ("汇金广场Ａ座", "汇金广场a座"),
        ("😷田林\u200b十二村️！", "田林12村"),
        ("", ""),
        ("，。!_-", ""),
    ],
)
def test_folded_name_brings_every_writing_to_one_spelling(written: str, folded: str) -> None:
    assert naming.folded_name(written) == folded


@pytest.mark.parametrize("numeral", ["十十二", "十二二", "百二", "二十十"])
def test_fold_leaves_what_is_no_number_alone(numeral: str) -> None:
    assert naming.folded_name(f"田林{numeral}村") == f"田林{numeral}村"


def test_fold_remembers_where_the_writer_paused() -> None:
    folded = naming.fold("你好，田林十二村 什么颜色")
    assert folded.text == "你好田林12村什么颜色"
    assert folded.breaks == {2, 7}


def test_fold_keeps_neighbouring_numbers_apart() -> None:
    assert naming.folded_name("12 13号") != naming.folded_name("1213号")


@given(st.integers(1, 9999))
def test_fold_reads_every_number_of_a_lane_in_either_script(number: int) -> None:
    spoken = _chinese(number)
    assert naming.folded_name(f"上柏路{spoken}弄") == f"上柏路{number}弄"
    digits = "".join("〇一二三四五六七八九"[int(digit)] for digit in str(number))
    assert naming.folded_name(f"上柏路{digits}弄") == f"上柏路{number}弄"


def test_a_lane_of_ten_read_digit_by_digit_is_ten() -> None:
    assert naming.folded_name("上柏路一〇弄") == "上柏路10弄"


@given(st.text(max_size=300))
def test_fold_never_fails_and_folding_twice_changes_nothing(text: str) -> None:
    folded = naming.fold(text)
    assert all(0 < place < len(folded.text) for place in folded.breaks)
    assert " " not in folded.text


@pytest.mark.parametrize(
    ("name", "core"),
    [
        ("星河苑", "星河"),
        ("星河苑小区", "星河"),
        ("星河公寓", "星河"),
        ("星河小区", "星河"),
        ("田林12村", "田林12村"),
        ("沁园", "沁园"),
        ("小区", ""),
        ("公寓", ""),
    ],
)
def test_core_of_drops_the_endings_but_never_all_of_a_name(name: str, core: str) -> None:
    assert naming.core_of(name) == core


@pytest.mark.parametrize(
    ("name", "rest"),
    [
        ("上柏路100弄5号", "上柏路100弄"),
        ("上柏路100弄5支弄3号", "上柏路100弄"),
        ("上柏路100弄5号302室", "上柏路100弄"),
        ("田林12村3号楼", "田林12村"),
        ("田林12村3号楼501室", "田林12村"),
        ("上柏路288号3楼", "上柏路288号"),
        ("上柏路288号", "上柏路288号"),
        ("上柏路100弄", "上柏路100弄"),
        ("天平2号小区", "天平2号小区"),
        ("星河88", "星河88"),
    ],
)
def test_without_building_keeps_the_number_of_the_road(name: str, rest: str) -> None:
    assert naming.without_building(name) == rest


@pytest.mark.parametrize(
    ("name", "rest"),
    [
        ("望江新村东区", "望江新村"),
        ("云水湾2期", "云水湾"),
        ("会展中心c座", "会展中心"),
        ("梅林11村c块", "梅林11村"),
        ("上柏路100弄", "上柏路100弄"),
        ("田林12村", "田林12村"),
    ],
)
def test_without_block_drops_a_part_of_a_community_only(name: str, rest: str) -> None:
    assert naming.without_block(name) == rest


@pytest.mark.parametrize(
    "carrier",
    [
        "请问{}现在是什么风险呀",
        "{}什么颜色",
        "{}安全吗",
        "{}有疫情吗",
        "查一下{}",
        "{}封了吗",
        "我住在{}",
        "{}怎么样",
        "{}风险等级",
        "{}是高风险吗",
        "{}是不是红色",
        "你好，我想查一下{}的风险等级，谢谢！",
        "麻烦帮我看看{}今天是什么颜色的",
        "風險等級 {}",
        "12月3日{}有疫情吗",
        "😷{}😷",
        "我妈住{}，她那边严重吗",
    ],
)
@pytest.mark.parametrize("name", ["田林十二村", "上柏路100弄", "岳阳大楼", "青云阁"])
def test_name_in_strips_the_question_around_a_name(carrier: str, name: str) -> None:
    assert naming.name_in(carrier.format(name)) == name


@pytest.mark.parametrize("name", ["岳阳", "爱和", "前进"])
def test_name_in_does_not_cut_a_short_name_down_to_one_character(name: str) -> None:
    assert naming.name_in(f"{name}什么颜色") == name


@pytest.mark.parametrize(
    "text",
    [
        "什么颜色",
        "风险等级查询",
        "请问现在是什么风险呀",
        "怎么样",
        "",
        "？？",
        "是不是红色",
        "有疫情吗",
    ],
)
def test_name_in_finds_nothing_in_a_bare_question(text: str) -> None:
    assert naming.name_in(text) == ""


def test_name_in_keeps_the_writers_own_characters() -> None:
    assert naming.name_in("請問龍華新村現在是什麼風險") == "龍華新村"


@given(st.text(max_size=500))
def test_phrases_in_never_fails_and_quotes_the_text(text: str) -> None:
    assert all(len(phrase) <= 48 for phrase in naming.phrases_in(text))


def test_no_cue_is_contained_in_the_ending_of_a_name() -> None:
    endings = {*words.EMPTY_ENDINGS, *words.KIND_ENDINGS}
    assert not [(cue, end) for cue in words.CUES for end in endings if cue in end]


def _chinese(number: int) -> str:
    """Write a number below ten thousand the way it is spoken."""
    text = str(number)
    parts: list[str] = []
    for place, digit in enumerate(text):
        scale = ("", "十", "百", "千")[len(text) - place - 1]
        if digit != "0":
            parts.append("一二三四五六七八九"[int(digit) - 1] + scale)
        elif parts and parts[-1] != "零" and text[place:].strip("0"):
            parts.append("零")
    spoken = "".join(parts)
    return spoken[1:] if 10 <= number < 20 else spoken
