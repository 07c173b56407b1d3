from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.exports.rules import (
    MAX_CELL,
    ExportReasonError,
    Masking,
    UnmaskedForbiddenError,
    check_masking,
    export_number_for,
    export_reason_of,
    safe_cell,
)
from core.people.staff.rules import Area, Role

TRIGGERS = "=+-@＝＋－＠\t\r"


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("上海某某有限公司", "上海某某有限公司"),
        ("=1+1", "'=1+1"),
        ("+86 138", "'+86 138"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("＝1", "'＝1"),
        ("＋1", "'＋1"),
        ("－1", "'－1"),
        ("＠x", "'＠x"),
        ("\t=1", "' =1"),
        ("\r=1", "' =1"),
        ("  =1", "'  =1"),
        ("\u200b=1", "'=1"),
        ("\u3000＝1", "'\u3000＝1"),
        ("a\x00b\x1fc", "a b c"),
        ("一\n二", "一 二"),
        ("A-1", "A-1"),
        ("", ""),
    ],
)
def test_cell_that_begins_like_a_formula_gets_a_guard(text: str, kept: str) -> None:
    assert safe_cell(text) == kept


@given(st.text(max_size=40), st.sampled_from(TRIGGERS), st.text(max_size=40))
def test_no_cell_begins_like_a_formula_whatever_stands_before_it(
    before: str, trigger: str, after: str
) -> None:
    for text in (before + trigger + after, trigger + before + after):
        kept = safe_cell(text)
        assert kept.lstrip()[:1] not in set(TRIGGERS) - {""}
        assert "\n" not in kept
        assert len(kept) <= MAX_CELL


@given(st.text(alphabet="上海有限公司abc123（）", max_size=60))
def test_usual_text_stays_as_it_is(text: str) -> None:
    assert safe_cell(text) == text


@pytest.mark.parametrize("text", ["", "1234567", "一一一一一一一一", "工作 需要", "长" * 201])
def test_reason_that_says_nothing_is_refused(text: str) -> None:
    with pytest.raises(ExportReasonError):
        export_reason_of(text)


def test_reason_is_one_line() -> None:
    assert export_reason_of(" 向区防控办\n报送  本周进度 ") == "向区防控办 报送 本周进度"


@pytest.mark.parametrize("role", Role)
def test_whole_names_are_for_reviewers_and_administrators_of_the_district(role: Role) -> None:
    check_masking(Masking.MASKED, role=role, area=Area(street_id=1))
    may_unmask = role in {Role.ADMINISTRATOR, Role.DISTRICT_REVIEWER}
    for area, is_allowed in (
        (Area(), may_unmask),
        (Area(street_id=1), False),
        (Area(community_ids=frozenset({1})), False),
    ):
        if is_allowed:
            check_masking(Masking.UNMASKED, role=role, area=area)
            continue
        with pytest.raises(UnmaskedForbiddenError):
            check_masking(Masking.UNMASKED, role=role, area=area)


def test_number_has_the_day_and_what_was_drawn() -> None:
    assert export_number_for(date(2020, 3, 28), drawn="ABCDEF") == "X200328-ABCDEF"
