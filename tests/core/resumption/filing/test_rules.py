"""What may be declared, and what follows from it."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import DomainError
from core.resumption.filing.rules import (
    MAX_HEAD_COUNT,
    STATE_AFTER,
    TRANSITIONS,
    CountInvalidError,
    CountMissingError,
    FilingDraft,
    FilingState,
    FilingVerdict,
    PlanMissingError,
    ReasonMissingError,
    ReasonTooLongError,
    ReturningTooManyError,
    check_complete,
    has_jumped,
    head_count_of,
    is_news,
    number_for,
    reason_of,
    returning_count_of,
    usual_wait_of,
)

COMPLETE = FilingDraft(head_count=25, returning_count=3, plan_id=1)


@pytest.mark.parametrize(
    ("typed", "count"),
    [
        ("25", 25),
        (" 25 ", 25),
        ("２５", 25),
        ("25人", 25),
        ("25 人", 25),
        ("2,500", 2500),
        ("2，500", 2500),
        ("1 200", 1200),
        ("007", 7),
        ("200000", MAX_HEAD_COUNT),
    ],
)
def test_a_number_of_people_is_read_as_people_write_it(typed: str, count: int) -> None:
    assert head_count_of(typed) == count


@pytest.mark.parametrize(
    ("typed", "error"),
    [
        ("", CountMissingError),
        ("  ", CountMissingError),
        ("0", CountInvalidError),
        ("-5", CountInvalidError),
        ("2.5", CountInvalidError),
        ("1,2", CountInvalidError),
        ("二十五", CountInvalidError),
        ("25-30", CountInvalidError),
        ("2e3", CountInvalidError),
        ("200001", CountInvalidError),
        ("9" * 400, CountInvalidError),
    ],
)
def test_what_is_no_number_of_people_says_why(typed: str, error: type[DomainError]) -> None:
    with pytest.raises(error):
        head_count_of(typed)


def test_nobody_need_return() -> None:
    assert returning_count_of("０") == 0


@given(st.integers(1, MAX_HEAD_COUNT))
def test_every_count_in_range_is_read_back(count: int) -> None:
    wide = str(count).translate(
        {ord("0") + digit: "０１２３４５６７８９"[digit] for digit in range(10)}
    )
    assert head_count_of(str(count)) == head_count_of(f"{count:,}") == head_count_of(wide) == count


@given(st.text(max_size=60))
def test_any_text_is_a_count_in_range_or_refused(typed: str) -> None:
    try:
        count = returning_count_of(typed)
    except (CountMissingError, CountInvalidError):
        return
    assert 0 <= count <= MAX_HEAD_COUNT


def test_a_complete_draft_passes() -> None:
    check_complete(COMPLETE)
    check_complete(FilingDraft(head_count=3, returning_count=3, plan_id=1))


@pytest.mark.parametrize(
    ("draft", "error"),
    [
        (FilingDraft(), CountMissingError),
        (FilingDraft(head_count=25, plan_id=1), CountMissingError),
        (FilingDraft(head_count=25, returning_count=3), PlanMissingError),
        (FilingDraft(head_count=2, returning_count=3, plan_id=1), ReturningTooManyError),
        (FilingDraft(head_count=0, returning_count=0, plan_id=1), CountInvalidError),
        (FilingDraft(head_count=5, returning_count=-1, plan_id=1), CountInvalidError),
    ],
)
def test_a_draft_that_lacks_something_says_what(
    draft: FilingDraft, error: type[DomainError]
) -> None:
    with pytest.raises(error):
        check_complete(draft)


def test_every_verdict_leads_from_waiting_alone() -> None:
    assert set(STATE_AFTER) == set(FilingVerdict)
    for state in FilingState:
        is_waiting = state is FilingState.SUBMITTED
        reachable = set(STATE_AFTER.values()) & TRANSITIONS[state]
        assert reachable == (set(STATE_AFTER.values()) if is_waiting else set())
        assert (FilingState.SUBMITTED in TRANSITIONS[state]) is not is_waiting


def test_a_reason_is_kept_in_its_lines() -> None:
    typed = "  缺少消毒记录。\r\n\x07请补充。 \n"
    assert reason_of(typed, verdict=FilingVerdict.RETURN) == "缺少消毒记录。\n请补充。"
    assert reason_of(" \n", verdict=FilingVerdict.APPROVE) == ""


def test_whoever_sends_back_says_why_in_few_words() -> None:
    for verdict in (FilingVerdict.RETURN, FilingVerdict.REJECT):
        with pytest.raises(ReasonMissingError):
            reason_of(" \n ", verdict=verdict)
    with pytest.raises(ReasonTooLongError):
        reason_of("长" * 301, verdict=FilingVerdict.APPROVE)


@given(st.integers(1, 10**9), st.integers(1, 10**9))
def test_numbers_differ_as_filings_do(one: int, other: int) -> None:
    day = date(2020, 3, 28)
    assert (number_for(one, day=day) == number_for(other, day=day)) is (one == other)
    assert len(number_for(one, day=day)) <= 24


def test_a_number_names_the_day() -> None:
    assert number_for(17, day=date(2020, 3, 28)) == "FG-20200328-00017"


def test_the_usual_wait_is_the_middle_of_the_newest_decisions() -> None:
    hours = [timedelta(hours=hour) for hour in (1, 30, 2, 4, 3)]
    assert usual_wait_of(hours) == timedelta(hours=3)
    assert usual_wait_of(hours[:4]) is None
    assert usual_wait_of([timedelta(hours=1)] * 50 + [timedelta(days=9)] * 99) == timedelta(hours=1)


@pytest.mark.parametrize(
    ("head_count", "before", "is_jump"),
    [(500, None, False), (50, 25, False), (51, 25, True), (10, 2, False), (22, 2, True)],
)
def test_far_more_people_than_were_approved_is_a_jump(
    head_count: int, before: int | None, *, is_jump: bool
) -> None:
    assert has_jumped(head_count, before=before) is is_jump


def test_a_change_is_news_for_a_month(now: datetime) -> None:
    assert is_news(now - timedelta(days=30), now=now)
    assert not is_news(now - timedelta(days=30, seconds=1), now=now)
    assert not is_news(None, now=now)
