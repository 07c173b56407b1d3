"""Which report stands, and what of it needs a look."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from core.sites.rules import (
    SAME_DAYS,
    Figures,
    ReportFacts,
    ReportFlag,
    SiteMark,
    expected_of,
    flags_of,
    is_jump,
    mark_of,
    reported_at_for,
    stands_over,
)

counts = st.integers(0, 500)
figures = st.builds(Figures, head_count=counts, joined_count=counts, left_count=counts)
START = datetime(2020, 3, 28, tzinfo=UTC)
instants = st.integers(0, 600).map(lambda minutes: START + timedelta(minutes=minutes))


@given(figures, figures)
def test_arithmetic_is_flagged_exactly_where_it_does_not_add_up(
    before: Figures, today: Figures
) -> None:
    flags = flags_of(ReportFacts(figures=today, before=before))
    adds_up = before.head_count + today.joined_count - today.left_count == today.head_count
    assert (ReportFlag.ARITHMETIC in flags) is not adds_up
    right = replace(today, head_count=max(expected_of(before, today), 0))
    assert (
        ReportFlag.ARITHMETIC not in flags_of(ReportFacts(figures=right, before=before))
        or expected_of(before, today) < 0
    )


@given(counts, counts)
def test_jump_is_the_same_up_and_down_from_a_site_and_never_of_a_few_people(
    before: int, head: int
) -> None:
    if abs(before - head) < 20:
        assert not is_jump(before, head)
    if is_jump(before, head):
        assert is_jump(before, before - abs(head - before))


@given(figures, st.integers(0, 10))
def test_same_figures_are_flagged_from_the_seventh_day_on(one: Figures, days: int) -> None:
    flags = flags_of(ReportFacts(figures=one, last_days=[one] * days))
    assert (ReportFlag.SAME_FOR_DAYS in flags) is (days + 1 >= SAME_DAYS)
    other = replace(one, head_count=one.head_count + 1)
    last = [one] * min(days, SAME_DAYS - 2) + [other]
    assert ReportFlag.SAME_FOR_DAYS not in flags_of(ReportFacts(figures=one, last_days=last))


@given(st.lists(instants, min_size=1, max_size=8))
@settings(max_examples=50)
def test_whatever_the_order_in_which_reports_come_the_one_made_last_stands(
    made: list[datetime],
) -> None:
    standing = made[0]
    for one in made[1:]:
        if stands_over(reported_at=one, standing_at=standing):
            standing = one
    assert standing == max(made)


@given(instants, instants)
def test_report_is_never_dated_ahead_of_when_it_came(told: datetime, came: datetime) -> None:
    assert reported_at_for(told, day=(START - timedelta(days=1)).date(), now=came) <= came


def test_no_report_is_never_shown_as_a_good_one() -> None:
    for is_over in (False, True):
        mark = mark_of(
            is_running=True, has_report=False, has_flags=False, has_case=False, is_over=is_over
        )
        assert mark in {SiteMark.WAITING, SiteMark.LATE}
