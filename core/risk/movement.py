"""What moved a score from one published day to another: a pure comparison of its parts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from core.risk.model import StoredPart
from core.risk.rules import ModelVersion


class Movement(NamedTuple):
    """What one indicator did between two days.

    Attributes:
        indicator: its code.
        label: its name for people; the code where the version is not on this machine.
        unit_label: the unit as written after the number.
        value: on the later day; None when missing.
        value_before: on the earlier one; None when missing.
        change: points of the score; positive: it got worse.
    """

    indicator: str
    label: str
    unit_label: str
    value: float | None
    value_before: float | None
    change: float


def movements_of(
    model: ModelVersion | None, parts: Sequence[StoredPart], parts_before: Sequence[StoredPart]
) -> list[Movement]:
    """Return what every indicator of the later day did, the largest change first.

    The points of an indicator that is missing are shared by the others: their points change
    too, and the changes still sum to that of the score where both days have the same indicators.

    Args:
        model: that scored the later day and names the indicators; None: nobody knows it.
        parts: of the later day, as stored.
        parts_before: of the earlier one.
    """
    names = model.names if model else {}
    before = {part[0]: part for part in parts_before}
    found = []
    for part in parts:
        code = str(part[0])
        label, unit_label = names.get(code) or (code, "")
        old = before.get(code)
        change = float(part[4] or 0.0) - float((old[4] if old else 0.0) or 0.0)
        found.append(
            Movement(code, label, unit_label, _value(part), _value(old) if old else None, change)
        )
    return sorted(found, key=_size, reverse=True)


def _value(part: StoredPart) -> float | None:
    return None if part[1] is None else float(part[1])


def _size(one: Movement) -> float:
    return abs(one.change)
