from __future__ import annotations

from datetime import date

import pytest

from core.risk.events.rules import (
    FEED_OF,
    EventKind,
    Feed,
    is_too_large,
    usual_size_of,
    watermark_for,
)


def test_every_kind_has_a_feed_and_the_register_brings_none() -> None:
    assert set(FEED_OF) == set(EventKind)
    assert set(FEED_OF.values()) == set(Feed) - {Feed.RESIDENTS}


@pytest.mark.parametrize(
    ("counts", "usual"), [([], None), ([0, 0], None), ([30], 30), ([30, 0, 50], 40), ([1, 2], 1)]
)
def test_usual_size_is_the_median_of_what_brought_anything(
    counts: list[int], usual: int | None
) -> None:
    assert usual_size_of(counts) == usual


@pytest.mark.parametrize(
    ("count", "usual", "is_doubted"),
    [(60, 30, False), (61, 30, True), (20, 2, False), (21, 2, True), (9999, None, False)],
)
def test_more_than_twice_the_usual_size_is_doubted(
    count: int, usual: int | None, *, is_doubted: bool
) -> None:
    assert is_too_large(count, usual=usual) is is_doubted


def test_day_that_is_not_over_is_not_complete() -> None:
    today = date(2020, 3, 28)
    days = [date(2020, 3, 26), date(2020, 3, 27), today]
    assert watermark_for(days, today=today) == date(2020, 3, 27)
    assert watermark_for([today], today=today) is None
