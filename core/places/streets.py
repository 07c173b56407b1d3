"""What a street or town is called: when a new name is one of its own, and when it is a slip."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files
from typing import Final

from pypinyin import lazy_pinyin

SUFFIXES: Final = ("街道", "镇", "乡")
# What people leave out or add within a name: 田林街道 and 田林路街道 are one.
INNER: Final = ("街道办事处", "办事处", "新村", "路", "区", "社区")
MIN_LENGTH_FOR_SLIP: Final = 3


@cache
def official_codes() -> Mapping[str, str]:
    """Return the administrative codes of Xuhui's 12 streets and one town, by name.

    Source: docs/sources.md#street-codes
    """
    text = files(__package__).joinpath("streets.json").read_text("utf-8")
    codes: dict[str, str] = json.loads(text)
    return codes


def is_street_name(name: str) -> bool:
    """Return whether a name ends like that of a street or town."""
    return name.endswith(SUFFIXES) and name not in SUFFIXES


def likely_street(name: str, known: Iterable[str]) -> str | None:
    """Return the known street that a name probably means, or None if it is one of its own.

    Args:
        name: not among `known`.
        known: names of streets that exist.

    Returns:
        One whose name is the same but for its ending, sounds the same, or, where it is long
        enough to tell, differs in one character.
    """
    core = _core(name)
    sound = lazy_pinyin(core)
    for other in known:
        other_core = _core(other)
        if core == other_core or sound == lazy_pinyin(other_core) or _is_slip(core, other_core):
            return other
    return None


def _core(name: str) -> str:
    core = name
    for suffix in (*INNER, *SUFFIXES, *INNER):
        if core.endswith(suffix) and len(core) > len(suffix) + 1:
            core = core.removesuffix(suffix)
    return core


def _is_slip(one: str, other: str) -> bool:
    """Return whether two names are equally long and differ in one character."""
    if len(one) != len(other) or len(one) < MIN_LENGTH_FOR_SLIP:
        return False
    return sum(a != b for a, b in zip(one, other, strict=True)) == 1
