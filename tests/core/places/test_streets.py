from __future__ import annotations

import pytest

from core.places.streets import is_street_name, likely_street, official_codes

KNOWN = list(official_codes())


def test_thirteen_streets_have_codes_of_the_district() -> None:
    codes = official_codes()
    assert len(codes) == len(set(codes.values())) == 13
    assert all(code.startswith("310104") and len(code) == 9 for code in codes.values())
    assert codes["华泾镇"] == "310104103"


@pytest.mark.parametrize("name", KNOWN)
def test_streets_of_the_district_are_not_taken_for_each_other(name: str) -> None:
    assert is_street_name(name)
    assert likely_street(name, [other for other in KNOWN if other != name]) is None


@pytest.mark.parametrize(
    ("name", "likely"),
    [
        pytest.param("田林", "田林街道", id="suffix left out"),
        pytest.param("田林路街道", "田林街道", id="road added"),
        pytest.param("天林街道", "田林街道", id="homophone"),
        pytest.param("康健街道", "康健新村街道", id="new village left out"),
        pytest.param("徐家湾街道", "徐家汇街道", id="one character of three"),
        pytest.param("龙华镇", "龙华街道", id="another suffix"),
        pytest.param("田林街道办事处", "田林街道", id="the office"),
    ],
)
def test_slip_names_the_likely_street(name: str, likely: str) -> None:
    assert likely_street(name, KNOWN) == likely


@pytest.mark.parametrize("name", ["虹桥街道", "堡镇", "漕河泾开发区街道", "新场镇"])
def test_other_street_is_one_of_its_own(name: str) -> None:
    assert is_street_name(name)
    assert likely_street(name, KNOWN) is None


@pytest.mark.parametrize("name", ["", "街道", "镇", "徐汇区", "abc"])
def test_name_without_a_street_suffix_is_none(name: str) -> None:
    assert not is_street_name(name)
