"""Names of the country's divisions, and how people shorten them."""

from __future__ import annotations

import pytest

from core.keyareas.divisions import divisions
from core.keyareas.naming import short_name_of
from core.keyareas.rules import is_area_code


@pytest.mark.parametrize(
    ("name", "short"),
    [
        ("武汉市", "武汉"),
        ("江岸区", "江岸"),
        ("浦东新区", "浦东"),
        ("神农架林区", "神农架"),
        ("恩施土家族苗族自治州", "恩施"),
        ("巴音郭楞蒙古自治州", "巴音郭楞"),
        ("前郭尔罗斯蒙古族自治县", "前郭尔罗斯"),
        ("大兴安岭地区", "大兴安岭"),
        ("阿拉善盟", "阿拉善"),
        ("东乡族自治县", "东乡族自治县"),
        ("沧县", "沧县"),
    ],
)
def test_short_name(name: str, short: str) -> None:
    assert short_name_of(name) == short


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("湖北省", "420000"),
        ("湖北", "420000"),
        ("内蒙古", "150000"),
        ("广西", "450000"),
        ("新疆", "650000"),
        ("香港", "810000"),
        ("武汉市", "420100"),
        ("武汉", "420100"),
        ("藁城区", "130109"),
        ("仙桃市", "429004"),
        ("襄樊市", "420600"),
        ("hubei", "420000"),
        ("wu han", "420100"),
    ],
)
def test_name_leads_to_its_code(name: str, code: str) -> None:
    assert code in {one.code for one in divisions().meanings[name]}


def test_what_is_in_every_city_is_no_name() -> None:
    assert not {"市辖区", "县", "城区", "郊区", "矿区", "新区"} & divisions().meanings.keys()


def test_names_given_up_long_ago_are_not_known_by_their_old_codes() -> None:
    assert {one.code for one in divisions().meanings["重庆市"]} == {"500000"}
    assert all(not one.code.startswith("44") for one in divisions().meanings["海南"])


def test_list_has_the_whole_country() -> None:
    names = divisions().names
    assert sum(code.endswith("0000") for code in names) == 34
    assert sum(code.endswith("00") and not code.endswith("0000") for code in names) > 330
    assert len(names) > 3000
    assert all(is_area_code(code) for code in names)
