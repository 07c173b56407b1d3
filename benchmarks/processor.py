"""Processor time of a process and its descendants, from /proc."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Final

_TICKS: Final = os.sysconf("SC_CLK_TCK")


def seconds_of(pid: int) -> float:
    """Return user and system time that a process tree has used, ended children included."""
    return sum(_own_seconds(one) for one in _tree(pid))


def _tree(pid: int) -> list[int]:
    found, rest = [], [pid]
    while rest:
        one = rest.pop()
        found.append(one)
        with suppress(OSError):
            for task in Path(f"/proc/{one}/task").iterdir():
                rest += [int(child) for child in (task / "children").read_text().split()]
    return found


def _own_seconds(pid: int) -> float:
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except OSError:
        return 0.0
    # The name, in brackets, may hold blanks. Behind it: utime, stime and those of ended children.
    fields = text.rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / _TICKS
