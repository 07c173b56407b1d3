"""What the platform lets into a field of a template message.

The name of a field says its kind: `thing1`, `time3`, `phrase2`. A value that breaks the rule of its
kind refuses the whole message. `first` and `remark` of older templates are dropped in silence,
and their `keywordN` are folded.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from bot.simulator.refusals import RefusalError

FOLD_LENGTH: Final = 20
DROPPED: Final = frozenset({"first", "remark"})

_HAN: Final = "\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003ffff"
_DAY: Final = r"\d{4}(?:年\d{1,2}月\d{1,2}日|-\d{1,2}-\d{1,2}|/\d{1,2}/\d{1,2})"
_HOUR: Final = r"(?:[01]?\d|2[0-3]):[0-5]\d(?::[0-5]\d)?"
_TIME: Final = rf"(?:{_DAY}\s*)?{_HOUR}"
_DATE: Final = rf"{_DAY}(?:\s*{_HOUR})?"

RULES: Final[Mapping[str, re.Pattern[str]]] = {
    kind: re.compile(pattern, re.DOTALL)
    for kind, pattern in {
        "thing": r".{1,20}",
        "short_thing": r".{1,5}",
        "character_string": r"[^\u2e80-\U0010ffff]{1,32}",
        "number": r"(?=.{1,32}$)\d+(?:\.\d+)?",
        "letter": r"[A-Za-z]{1,32}",
        "symbol": rf"[^0-9A-Za-z\s{_HAN}]{{1,5}}",
        "phrase": rf"[{_HAN}]{{1,5}}",
        "name": rf"(?=.*[{_HAN}])\D{{1,10}}|[^\d{_HAN}]{{1,20}}",
        "time": rf"{_TIME}(?:\s*~\s*{_TIME})?",
        "date": rf"{_DATE}(?:\s*~\s*{_DATE})?",
        "amount": r"[¥￥$€£]?\d{1,10}(?:\.\d{1,2})?元?",
        "phone_number": r"[0-9+\-()#* ]{1,17}",
        "car_number": rf"[{_HAN}A-Z0-9]{{1,8}}",
        "const": r".{1,20}",
        "enum": r".{1,20}",
    }.items()
}


def values_for(
    data: object, *, names: Sequence[str], choices: Mapping[str, Sequence[str]]
) -> dict[str, str]:
    """Return the values as a phone shows them.

    Args:
        data: the `data` of the call: `{name: {"value": text}}`.
        names: fields that the template has; empty if it was registered without them.
        choices: for a `const` field, the values that were configured on the template.

    Raises:
        RefusalError: 47003 names the first field that is missing, empty or breaks its rule.
    """
    if not isinstance(data, Mapping) or not data:
        raise RefusalError(47003, "data is empty")
    for name in names:
        if name not in data:
            raise RefusalError(47003, f"data.{name}.value is empty")
    return {
        name: _shown(name, _raw(name, cell), choices.get(name))
        for name, cell in data.items()
        if name not in DROPPED and (not names or name in names)
    }


def _raw(name: str, cell: object) -> str:
    value = cell.get("value") if isinstance(cell, Mapping) else None
    if value is None or not str(value).strip():
        raise RefusalError(47003, f"data.{name}.value is empty")
    return re.sub(r"[\r\n]+", "", str(value))


def _shown(name: str, value: str, allowed: Sequence[str] | None) -> str:
    kind = name.rstrip("0123456789")
    if kind == "keyword":
        return value if len(value) <= FOLD_LENGTH else value[:FOLD_LENGTH] + "…"
    rule = RULES.get(kind)
    is_listed = allowed is None or value in allowed
    if rule is None or not rule.fullmatch(value) or not is_listed:
        raise RefusalError(47003, f"data.{name}.value invalid")
    return value
