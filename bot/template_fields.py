"""Fitting values to the rules of template fields, which refuse a whole message otherwise.

The name of a field says its rule: `thing1`, `time3`, `phrase2`.

Source: docs/sources.md#wechat-template-fields
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

ELLIPSIS: Final = "…"
EMPTY: Final = "-"  # an empty value refuses the message as a broken one does

_HAN: Final = "\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003ffff"
_CONTROLS: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
# Colours and emoji were abolished; what is left of a sequence goes with it.
_EMOJI: Final = re.compile("[\U0001f000-\U0001faff\u2600-\u27bf\ufe0e\ufe0f\u200d\u20e3]")
_NOT_HAN: Final = re.compile(f"[^{_HAN}]")
_NOT_LETTER: Final = re.compile(r"[^A-Za-z]")
_NOT_PLAIN: Final = re.compile(r"[^\x20-\x7e]")
_NOT_PHONE: Final = re.compile(r"[^0-9+\-()#* ]")
_NOT_CAR: Final = re.compile(f"[^{_HAN}A-Z0-9]")
_NOT_SYMBOL: Final = re.compile(rf"[0-9A-Za-z\s{_HAN}]")
_NUMBER: Final = re.compile(r"\d+(?:\.\d+)?")
_AMOUNT: Final = re.compile(r"[¥￥$€£]?\d{1,10}(?:\.\d{1,2})?元?")
_DIGITS: Final = re.compile(r"\d+")
_CLOCK: Final = re.compile(r"\d{1,2}:\d{2}")
# Year and month stand before a dash, a slash, or their Chinese word.
_DAY: Final = re.compile(r"\d{4}[\u5e74/-]\d{1,2}[\u6708/-]\d{1,2}")

NAME_HAN_CHARACTERS: Final = 10
NAME_OTHER_CHARACTERS: Final = 20


class FieldValueError(ValueError):
    """A value cannot be made to fit its field; the message would be refused."""


def fit_fields(values: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """Return the `data` of a template message, every value fitted to the rule of its field.

    Args:
        values: field name → text.

    Raises:
        FieldValueError: a number, an amount, a time or a phrase holds nothing that could be sent.
    """
    return {name: {"value": fit_value(name, text)} for name, text in values.items()}


def fit_value(name: str, text: str) -> str:
    """Return the text as the field accepts it: cut, cleaned, never empty.

    A text that is too long ends in `…`; an empty one becomes `-` where the rule allows.

    Args:
        name: the field, its kind followed by a number.
        text: what it should say.

    Raises:
        FieldValueError: nothing of it could be sent in this field.
    """
    kind = name.rstrip("0123456789")
    clean = _EMOJI.sub("", _CONTROLS.sub(" ", text)).strip()
    fit = FITTERS.get(kind)
    if fit is None:
        raise FieldValueError(f"{name}: no rule is known for this kind of field")
    fitted = fit(clean)
    if not fitted:
        raise FieldValueError(f"{name}: nothing of the value fits")
    return fitted


def _cut(limit: int) -> Callable[[str], str]:
    def fit(text: str) -> str:
        if len(text) <= limit:
            return text or EMPTY
        return text[: limit - 1].rstrip() + ELLIPSIS

    return fit


def _only(unwanted: re.Pattern[str], limit: int, empty: str = "") -> Callable[[str], str]:
    def fit(text: str) -> str:
        return unwanted.sub("", text)[:limit].strip() or empty

    return fit


def _first(wanted: re.Pattern[str], limit: int) -> Callable[[str], str]:
    def fit(text: str) -> str:
        # Part of a figure would be a wrong figure.
        return text if wanted.fullmatch(text) and len(text) <= limit else ""

    return fit


def _name(text: str) -> str:
    without_digits = _DIGITS.sub("", text).strip()
    if re.search(f"[{_HAN}]", without_digits):
        return without_digits[:NAME_HAN_CHARACTERS]
    return without_digits[:NAME_OTHER_CHARACTERS] or EMPTY


def _has_clock(text: str) -> str:
    return text if _CLOCK.search(text) else ""


def _has_day(text: str) -> str:
    return text if _DAY.match(text) else ""


FITTERS: Final[Mapping[str, Callable[[str], str]]] = {
    "thing": _cut(20),
    "short_thing": _cut(5),
    "keyword": _cut(20),
    "const": _cut(20),
    "enum": _cut(20),
    "character_string": _only(_NOT_PLAIN, 32, EMPTY),
    "letter": _only(_NOT_LETTER, 32),
    "symbol": _only(_NOT_SYMBOL, 5, EMPTY),
    "phrase": _only(_NOT_HAN, 5),
    "name": _name,
    "number": _first(_NUMBER, 32),
    "amount": _first(_AMOUNT, 32),
    "phone_number": _only(_NOT_PHONE, 17),
    "car_number": _only(_NOT_CAR, 8),
    "time": _has_clock,
    "date": _has_day,
}
