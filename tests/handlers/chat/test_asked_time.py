"""Which day and hours a question is about."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handlers.chat.asked_time import asked_time_of

TODAY = date(2020, 2, 12)  # a Wednesday


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("今晚南站人多吗", date(2020, 2, 12)),
        ("明天上午", date(2020, 2, 13)),
        ("明早", date(2020, 2, 13)),
        ("后天", date(2020, 2, 14)),
        ("大后天", date(2020, 2, 15)),
        ("昨晚", date(2020, 2, 11)),
        ("周五", date(2020, 2, 14)),
        ("星期三", date(2020, 2, 12)),
        ("周一", date(2020, 2, 17)),
        ("下周一", date(2020, 2, 17)),
        ("下下周日", date(2020, 3, 1)),
        ("上周五", date(2020, 2, 7)),
        ("13号", date(2020, 2, 13)),
        ("十三号", date(2020, 2, 13)),
        ("二十一日", date(2020, 2, 21)),
        ("三十号", date(2020, 3, 30)),
        ("3号", date(2020, 3, 3)),
        ("2月29日", date(2020, 2, 29)),
        ("1月1日", date(2021, 1, 1)),
        ("2月30日", None),
        ("几点人最多", None),
        ("周末", None),
    ],
)
def test_day_is_read_as_people_write_it(text: str, day: date | None) -> None:
    assert asked_time_of(text, today=TODAY).day == day


@pytest.mark.parametrize(
    ("text", "part", "hours"),
    [
        ("明天上午南站人多吗", "morning", (6, 12)),
        ("明早", "early", (6, 9)),
        ("中午", "noon", (11, 14)),
        ("今晚", "evening", (18, 24)),
        ("凌晨", "before_dawn", (0, 6)),
        ("9点", "", (9, 10)),
        ("九点", "", (9, 10)),
        ("十二点半", "", (12, 13)),
        ("下午3点", "", (15, 16)),
        ("下午三点到五点", "", (15, 17)),
        ("晚上8点", "", (20, 21)),
        ("中午十二点", "", (12, 13)),
        ("中午1点", "", (13, 14)),
        ("15:30", "", (15, 16)),
        ("9-11点", "", (9, 11)),
        ("２１点", "", (21, 22)),
        ("25点", "", None),
        ("几点人最多", "", None),
        ("什么时候人少", "", None),
        ("火车晚点了吗", "", None),
        ("人少一点，有一点挤", "", None),
    ],
)
def test_hours_are_read_as_people_write_them(
    text: str, part: str, hours: tuple[int, int] | None
) -> None:
    asked = asked_time_of(text, today=TODAY)
    assert (asked.part, asked.hours) == (part, hours)


def test_present_and_what_is_no_day_in_particular_are_told_apart() -> None:
    assert asked_time_of("南站现在人多吗", today=TODAY).is_now
    assert asked_time_of("周末南站人多吗", today=TODAY).is_far
    assert not asked_time_of("周六南站人多吗", today=TODAY).is_far


@given(text=st.text(alphabet="0123456789一二十点时到日号月周下上午晚明今:- 星期", max_size=24))
@settings(max_examples=150)
def test_whatever_is_written_gives_hours_of_a_day(text: str) -> None:
    asked = asked_time_of(text, today=TODAY)
    if asked.hours is not None:
        start, end = asked.hours
        assert 0 <= start < end <= 24
