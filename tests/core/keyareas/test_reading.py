"""What people type, and which places are meant: no more and no fewer."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.keyareas.divisions import divisions
from core.keyareas.reading import PlaceReader
from core.keyareas.rules import Area

PLACES = [
    # Short, whole, from wide to narrow, with and without endings.
    ("武汉", "420100"),
    ("武汉市", "420100"),
    ("湖北武汉", "420100"),
    ("湖北省武汉市江岸区", "420102"),
    ("湖北武汉市江岸区", "420102"),
    ("湖北武汉江岸", "420102"),
    ("江岸区", "420102"),
    ("湖北 武汉", "420100"),
    ("湖北　武汉", "420100"),
    ("湖北-武汉", "420100"),
    ("湖北仙桃", "429004"),
    ("恩施土家族苗族自治州", "422800"),
    ("浙江温州乐清", "330382"),
    ("广西南宁", "450100"),
    ("新疆乌鲁木齐市", "650100"),
    ("重庆万州", "500101"),
    ("黑龙江绥芬河", "231081"),
    ("香港", "810000"),
    # As people from elsewhere write them.
    ("武漢", "420100"),
    ("廣東廣州", "440100"),
    ("黑龍江", "230000"),
    # In Latin letters, and by names that were given up.
    ("HUBEI", "420000"),
    ("Wuhan", "420100"),
    ("ＷＵＨＡＮ", "420100"),
    ("Hubei, Wu Han", "420100"),
    ("从wuhan回来", "420100"),
    ("Shaanxi Xi'an", "610100"),
    ("Shanxi", "140000/610000"),
    ("Suzhou", "320500/341300"),
    ("Hong Kong", "810000"),
    ("Nanjing East Road", ""),
    ("wuhanese", ""),
    ("襄樊", "420600"),
    ("湖北省襄樊市", "420600"),
    ("大庸", "430800"),
    # In a sentence.
    ("去年从武汉回来", "420100"),
    ("武汉站转车", "420100"),
    ("武汉大学", "420100"),
    ("一直在上海", "310000"),
    # Several.
    ("武汉、温州", "420100 330300"),
    ("武汉和黄冈", "420100 421100"),
    ("湖北、武汉、黄冈", "420100 421100"),
    ("上海虹桥、海南海口", "310000 460100"),
    # One name for several places.
    ("吉林", "220000/220200"),
    ("吉林省", "220000"),
    ("吉林市", "220200"),
    ("吉林吉林", "220200"),
    ("吉林长春", "220100"),
    ("吉林省吉林市舒兰市", "220283"),
    ("海南", "460000"),
    ("海南三亚", "460200"),
    ("青海海南州", "632500"),
    ("海南藏族自治州", "632500"),
    ("河南", "410000"),
    ("河南南阳", "411300"),
    ("北京朝阳", "110105"),
    ("北京市朝阳区", "110105"),
    ("辽宁朝阳市", "211300"),
    ("朝阳区", "110105/220104"),
    ("江苏南京鼓楼区", "320106"),
    ("天津和平", "120101"),
    # What is here rather than far away.
    ("普陀", "310107"),
    ("浙江舟山普陀", "330903"),
    ("静安", "310106"),
    ("长宁", "310105"),
    ("田林", "310104"),
    ("凌云", "310104"),
    ("龙华", "310104"),
    ("深圳龙华", "440309"),
    ("湖南", "430000"),
    ("湖南路街道", "310104"),
    # Not a place, or not that one.
    ("上海南站", "310000"),
    ("上海市黄浦区河南中路", "310101"),
    ("南京东路", ""),
    ("北京西路1399号", ""),
    ("中山北一路", ""),
    ("中山公园", ""),
    ("西藏中路", ""),
    ("吉林路", ""),
    ("武汉路12弄", ""),
    ("武夷花园", ""),
    ("重庆火锅店", ""),
    ("普陀山", ""),
    ("田林十二村", ""),
    ("城区", ""),
    ("浙江台州路桥区", "331004"),
    ("河北路南区", "130202"),
    ("无", ""),
    ("没有", ""),
    ("意大利", ""),
    ("", ""),
]


def read(text: str, *areas: Area) -> str:
    return " ".join("/".join(sorted(codes)) for codes in PlaceReader(areas).codes_in(text))


@pytest.mark.parametrize(("text", "expected"), PLACES, ids=[text or "empty" for text, _ in PLACES])
def test_places_are_read(text: str, expected: str) -> None:
    assert read(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("wuhan", "420100"),
        ("ＷＵＨＡＮ", "420100"),
        ("from Wuhan by train", "420100"),
        ("wuhanese", ""),
        ("chiwuhan", ""),
        ("去过江城", "420100"),
        ("汉", "420100"),
        ("去过汉", ""),
        ("汉口", ""),
        ("新发地市场", "110106"),
        ("北京新发地", "110106"),
    ],
)
def test_other_names_are_those_that_the_list_gives(now: datetime, text: str, expected: str) -> None:
    areas = (
        Area(code="420100", name="武汉市", aliases=("Wuhan", "江城", "汉"), since=now),
        Area(code="110106", name="新发地市场", aliases=("新发地",), since=now),
    )
    assert read(text, *areas) == expected


CERTAIN = sorted(
    (name, next(iter(meanings)).code)
    for name, meanings in divisions().meanings.items()
    if len(meanings) == 1 and meanings[0].is_certain
)


@given(st.sampled_from(CERTAIN), st.sampled_from(["", "去过", "从", "，", " "]))
def test_certain_name_is_found_wherever_it_stands(place: tuple[str, str], before: str) -> None:
    name, code = place
    assert code in read(f"{before}{name}").split()[0].split("/")


@given(st.sampled_from(CERTAIN))
def test_full_address_means_its_narrowest_part(place: tuple[str, str]) -> None:
    name, code = place
    names = divisions().names
    wider = [f"{code[:2]}0000", f"{code[:4]}00"]
    address = "".join(
        names[one] for one in wider if one != code and one in names and "直辖" not in names[one]
    )
    assert code in read(f"{address}{name}").split()[-1].split("/")


@given(st.text(max_size=60))
def test_nothing_that_is_typed_breaks_the_reading(text: str) -> None:
    known = divisions().names.keys()
    assert all(
        len(code) == 6 and (code in known or code[:2].isdigit())
        for code in read(text).replace("/", " ").split()
    )


def test_endless_text_costs_no_more_than_a_long_one() -> None:
    assert read("啊" * 100_000 + "武汉") == ""
