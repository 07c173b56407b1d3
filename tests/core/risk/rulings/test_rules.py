from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.risk.rules import Indicator
from core.risk.rulings.rules import (
    MAX_OVERRIDE_DAYS,
    AppealDayError,
    ClaimedSameError,
    ClaimedValueError,
    OverrideState,
    OverrideUntilError,
    RulingReasonError,
    RulingSamePersonError,
    check_appeal_day,
    check_claimed,
    check_other_person,
    check_until,
    claimed_value_of,
    reason_of,
    state_at,
)
from core.risk.versions import get_version

TODAY = date(2020, 3, 28)
INDICATORS = {one.code: one for one in get_version().indicators}


def test_reason_is_trimmed_and_must_say_something() -> None:
    assert reason_of("  与疾控核对\r\n属实 ") == "与疾控核对\n属实"
    assert reason_of(" ", is_needed=False) == ""
    for text in ("", "   ", "不对", "看" * 501):
        with pytest.raises(RulingReasonError):
            reason_of(text)
    with pytest.raises(RulingReasonError):
        reason_of("嗯", is_needed=False)


@given(st.integers(min_value=-40, max_value=40))
def test_override_lasts_from_today_to_fourteen_days_ahead(ahead: int) -> None:
    until_day = TODAY + timedelta(days=ahead)
    if 0 <= ahead <= MAX_OVERRIDE_DAYS:
        check_until(until_day, today=TODAY)
        return
    with pytest.raises(OverrideUntilError) as refused:
        check_until(until_day, today=TODAY)
    assert refused.value.facts == {"first": "2020-03-28", "last": "2020-04-11"}


@pytest.mark.parametrize("state", OverrideState)
def test_override_is_over_once_its_last_day_is(state: OverrideState) -> None:
    over = {
        OverrideState.PROPOSED: OverrideState.WITHDRAWN,
        OverrideState.IN_FORCE: OverrideState.ENDED,
    }
    assert state_at(state, until_day=TODAY, today=TODAY) is state
    tomorrow = TODAY + timedelta(days=1)
    assert state_at(state, until_day=TODAY, today=tomorrow) is over.get(state, state)


def test_nobody_decides_what_they_had_a_part_in() -> None:
    check_other_person(3, before={1, 2, None})
    with pytest.raises(RulingSamePersonError):
        check_other_person(2, before={1, 2})


@pytest.mark.parametrize(("ago", "may"), [(0, False), (1, True), (14, True), (15, False)])
def test_only_days_that_are_over_and_near_may_be_appealed(ago: int, may: bool) -> None:
    day = TODAY - timedelta(days=ago)
    if may:
        check_appeal_day(day, today=TODAY)
    else:
        with pytest.raises(AppealDayError):
            check_appeal_day(day, today=TODAY)


@pytest.mark.parametrize(
    ("code", "typed", "value"),
    [
        ("confirmed", "2", 2.0),
        ("confirmed", " ２ ", 2.0),
        ("confirmed", "2.0", 2.0),
        ("recency", "14", 14.0),
        ("keyarea", "3.5", 3.5),
        ("vuln", "33.3", 0.333),
        ("vuln", "33.3%", 0.333),
        ("vuln", "100％", 1.0),
    ],
)
def test_value_is_read_in_the_unit_of_its_indicator(code: str, typed: str, value: float) -> None:
    assert claimed_value_of(typed, indicator=INDICATORS[code]) == value


@pytest.mark.parametrize(
    ("code", "typed"),
    [
        ("confirmed", ""),
        ("confirmed", "两"),
        ("confirmed", "1.5"),
        ("confirmed", "-1"),
        ("confirmed", "1e3"),
        ("confirmed", "1."),
        ("confirmed", ".5"),
        ("confirmed", "nan"),
        ("confirmed", "1000001"),
        ("confirmed", "0" * 13),
        ("recency", "15"),
        ("keyarea", "1000.1"),
        ("vuln", "101"),
    ],
)
def test_value_that_cannot_be_is_refused_with_its_unit(code: str, typed: str) -> None:
    indicator = INDICATORS[code]
    with pytest.raises(ClaimedValueError) as refused:
        claimed_value_of(typed, indicator=indicator)
    assert refused.value.facts["unit"] == indicator.unit_label


@given(st.sampled_from(sorted(INDICATORS)), st.text(max_size=14))
def test_whatever_is_typed_is_a_possible_value_or_refused(code: str, typed: str) -> None:
    indicator: Indicator = INDICATORS[code]
    try:
        value = claimed_value_of(typed, indicator=indicator)
    except ClaimedValueError:
        return
    assert 0 <= value <= 1_000_000
    assert 0 <= indicator.norm_of(value) <= 100


def test_claimed_value_must_differ_from_the_computed_one() -> None:
    check_claimed(1.0, computed=2.0)
    check_claimed(0.0, computed=None)
    with pytest.raises(ClaimedSameError):
        check_claimed(0.333, computed=0.1 + 0.233)
