"""Which day and which hours a question is about: 明天上午, 后天, 周六, 下午3点到5点, 今晚."""

from __future__ import annotations

import calendar
import re
import unicodedata
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

HOURS: Final = 24
NOON: Final = 12
# A 29 February may be further off, which nobody asks about.
MONTHS_AHEAD: Final = 13

# The longer words come first: 大后天 holds 后天.
_DAYS: Final = (
    (re.compile("大后天"), 3),
    (re.compile("大前天"), -3),
    (re.compile("后天|後天"), 2),
    (re.compile("明天|明日|明早|明晚|明儿|明朝"), 1),
    (re.compile("前天"), -2),
    (re.compile("昨天|昨日|昨晚|昨儿"), -1),
    (re.compile("今天|今日|今早|今晚|今儿|当天|现在|现時|现时|目前|此刻|眼下|这会"), 0),
)
_WEEKDAYS: Final = {name: place for place, name in enumerate("一二三四五六日")} | {"天": 6}
_WEEKDAY: Final = re.compile("(下下?个?|上个?)?(?:周|星期|礼拜)([一二三四五六日天])")
_SOME_WEEK: Final = re.compile("(下|上)个?(?:周|星期|礼拜|月)|周末")
_DATE: Final = re.compile(r"(?:(\d{1,2})月)?(\d{1,2})[日号]")
_NOW: Final = re.compile("现在|现時|现时|目前|此刻|眼下|这会|这个点|马上")

# Parts of a day as people mean them, the narrower ones first: from which hour up to which.
_PARTS: Final = (
    (re.compile("凌晨|半夜|深夜"), "before_dawn", (0, 6)),
    (re.compile("清晨|早上|早晨|一早|大早|明早|今早|早高峰|早班"), "early", (6, 9)),
    (re.compile("上午"), "morning", (6, 12)),
    (re.compile("中午|午间|正午"), "noon", (11, 14)),
    (re.compile("下午|午后"), "afternoon", (12, 18)),
    (re.compile("傍晚|晚高峰"), "dusk", (17, 20)),
    (re.compile("晚上|夜里|晚间|夜间|今晚|明晚|晚班|晚(?=\\d)"), "evening", (18, 24)),
)
_NUMBERS: Final = {name: place for place, name in enumerate("零一二三四五六七八九")} | {"两": 2}
_HAN_NUMBER: Final = re.compile("[二三]?十[一二三四五六七八九]?|[零一二两三四五六七八九]")
_SPAN: Final = re.compile(r"(\d{1,2})(?:[点时:](?:\d{2}|半)?分?)?(?:到|至|-|~|—|–)(\d{1,2})[点时:]")
_HOUR: Final = re.compile(r"(\d{1,2})[点时:](?!间)")
_AFTER_NOON: Final = frozenset({"noon", "afternoon", "dusk", "evening"})


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedTime:
    """What a question says about time.

    Attributes:
        day: the local day; None where none is named.
        is_far: a day is meant that is none in particular: next week, the weekend.
        is_now: the present moment is meant.
        part: the part of the day, as templates call it; empty where none is named, or hours are.
        hours: from which hour up to which, 0 to 24; None where none are named.
    """

    day: date | None = None
    is_far: bool = False
    is_now: bool = False
    part: str = ""
    hours: tuple[int, int] | None = None


def asked_time_of(text: str, *, today: date) -> AskedTime:
    """Return which day and hours a question is about.

    Args:
        text: what a person wrote.
        today: local day.
    """
    plain = _with_digits(unicodedata.normalize("NFKC", text))
    day = _day_of(plain, today=today)
    found = next(((name, hours) for words, name, hours in _PARTS if words.search(plain)), None)
    part, hours = found or ("", None)
    clock = _hours_of(plain, part=part)
    return AskedTime(
        day=day,
        is_far=day is None and _SOME_WEEK.search(plain) is not None,
        is_now=_NOW.search(plain) is not None,
        part="" if clock else part,
        hours=clock or hours,
    )


def _day_of(text: str, *, today: date) -> date | None:
    for words, days in _DAYS:
        if words.search(text):
            return today + timedelta(days=days)
    if found := _WEEKDAY.search(text):
        return _weekday_of(found[1] or "", _WEEKDAYS[found[2]], today=today)
    if found := _DATE.search(text):
        return _date_of(int(found[1] or 0), int(found[2]), today=today)
    return None


def _weekday_of(week: str, weekday: int, *, today: date) -> date:
    monday = today - timedelta(days=today.weekday())
    weeks = week.count("下") - week.count("上")
    day = monday + timedelta(days=weekday, weeks=weeks)
    # Of this week, what is past is not what somebody asks about.
    return day + timedelta(weeks=1) if not weeks and day < today else day


def _date_of(month: int, number: int, *, today: date) -> date | None:
    """Return the next day with a number; None where the calendar has none."""
    first = today.replace(day=1)
    for _ in range(MONTHS_AHEAD):
        days = calendar.monthrange(first.year, first.month)[1]
        if month in {0, first.month} and 1 <= number <= days:
            day = first.replace(day=number)
            if day >= today:
                return day
        first += timedelta(days=days)
    return None


def _hours_of(text: str, *, part: str) -> tuple[int, int] | None:
    """Return the hours that a clock is named for; of one hour its end is the next."""
    if found := _SPAN.search(text):
        start, end = (_hour_of(int(found[place]), part) for place in (1, 2))
        return (start, end) if start < end <= HOURS else None
    if found := _HOUR.search(text):
        start = _hour_of(int(found[1]), part)
        return (start, start + 1) if start < HOURS else None
    return None


def _hour_of(number: int, part: str) -> int:
    return (
        number + NOON if part in _AFTER_NOON and 1 <= number < NOON - (part == "noon") else number
    )


def _with_digits(text: str) -> str:
    def digits(found: re.Match[str]) -> str:
        tens, ten, ones = found[0].rpartition("十")
        tenfold = (_NUMBERS.get(tens, 1) if ten else 0) * 10
        return str(tenfold + _NUMBERS.get(ones, 0))

    # 周六 and the like keep their words, and 有一点 is no time.
    return re.sub(
        f"(?<![周期拜])(?!(?<=[有早晚快差好少多])一点)(?:{_HAN_NUMBER.pattern})(?=[点时日号月到至\\-~—–])",
        digits,
        text,
    )
