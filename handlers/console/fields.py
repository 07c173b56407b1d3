"""Raw fields of staff pages → typed values; what cannot be used counts as not given."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import TypeVar

from core.clock import start_of

Choice = TypeVar("Choice", bound=StrEnum)
MAX_TEXT = 64
# A larger number is no row's, and one database refuses it.
MAX_NUMBER = 2**31 - 1
MAX_DIGITS = 10


def text_field(fields: Mapping[str, str], name: str) -> str:
    """Return what was typed, without blanks around it and control characters."""
    typed = fields.get(name, "")[:MAX_TEXT]
    return "".join(one for one in typed if one.isprintable()).strip()


def number_field(fields: Mapping[str, str], name: str) -> int | None:
    """Return a number from 1 to 2³¹-1."""
    text = fields.get(name, "")
    if not (text.isascii() and text.isdigit() and len(text) <= MAX_DIGITS):
        return None
    number = int(text)
    return number if 1 <= number <= MAX_NUMBER else None


def choice_field(fields: Mapping[str, str], name: str, choices: type[Choice]) -> Choice | None:
    """Return one of the values of an enumeration."""
    text = fields.get(name, "")
    return choices(text) if text in set(choices) else None


def day_field(fields: Mapping[str, str], name: str) -> date | None:
    """Return a day written as YYYY-MM-DD."""
    try:
        return date.fromisoformat(fields.get(name, ""))
    except ValueError:
        return None


def period_of(first: date | None, last: date | None) -> tuple[datetime | None, datetime | None]:
    """Return the instants from the start of the first day to the end of the last one.

    Days at the far ends of the calendar have no such instant; they count as not given.
    """
    return _start_of(first, 0), _start_of(last, 1)


def _start_of(day: date | None, days_later: int) -> datetime | None:
    if day is None:
        return None
    try:
        return start_of(day + timedelta(days=days_later))
    except OverflowError:
        return None
