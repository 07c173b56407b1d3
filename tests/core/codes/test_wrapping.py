"""Lines are about equally long, and punctuation stands where it may."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.codes.wrapping import balanced_lines_of, lines_of

TEXTS = (
    st.text(alphabet="上海诚川商务咨询有限公司，。（）“”abcXYZ019 -·", min_size=1, max_size=90)
    .map(str.strip)
    .filter(bool)
)


def wide(text: str) -> float:
    """Return the width of a text in which a Latin letter takes half of a Chinese one."""
    return sum(1.0 if ord(one) > 0x2000 else 0.5 for one in text)


@pytest.mark.parametrize(
    ("text", "width", "expected"),
    [
        pytest.param("上海诚川商务咨询有限公司", 12, ["上海诚川商务咨询有限公司"], id="one line"),
        pytest.param("打开微信，扫码。登记", 4, ["打开微", "信，扫", "码。登记"], id="marks"),
        pytest.param("（上海）公司", 3, ["（上", "海）公", "司"], id="brackets"),
        pytest.param("请拨打 021-12345 咨询", 6, ["请拨打", "021-12345", "咨询"], id="a number"),
        pytest.param("ABCDEFGHIJ", 3, ["ABCDEF", "GHIJ"], id="a word longer than a line"),
        pytest.param(
            "上海诚川商务咨询有限公司徐",
            12,
            ["上海诚川商务咨", "询有限公司徐"],
            id="no single character on the last line",
        ),
    ],
)
def test_text_is_broken_where_it_may_be(text: str, width: float, expected: list[str]) -> None:
    lines = lines_of(text, width=width, measure=wide)
    assert [line.replace(" ", "") for line in lines] == expected


@given(TEXTS, st.integers(min_value=4, max_value=30))
def test_lines_of_a_heading_are_no_more_and_of_about_one_length(text: str, width: int) -> None:
    lines = balanced_lines_of(text, width=width, measure=wide)
    assert len(lines) <= len(lines_of(text, width=width, measure=wide))
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")


def test_heading_is_balanced() -> None:
    name = "上海诚川商务咨询有限公司徐汇分公司"
    assert balanced_lines_of(name, width=12, measure=wide) == [
        "上海诚川商务咨询有",
        "限公司徐汇分公司",
    ]


@given(TEXTS, st.integers(min_value=4, max_value=30))
def test_nothing_is_lost_and_every_line_fits(text: str, width: int) -> None:
    lines = lines_of(text, width=width, measure=wide)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    marks = set("，。）”")
    for line in lines:
        # A run of marks that is longer than a line has to be torn somewhere.
        assert wide(line) <= width or set(line) & marks
