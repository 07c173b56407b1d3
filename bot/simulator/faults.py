"""Faults that a test orders, call counts, and daily quotas."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from bot.simulator.ledger import Desk
from bot.simulator.refusals import RefusalError
from bot.simulator.tokens import day_of

QUOTAS: Final[dict[str, int]] = {
    "/cgi-bin/token": 2_000,
    "/cgi-bin/stable_token": 500_000,
    "/cgi-bin/menu/create": 1_000,
    "/cgi-bin/menu/get": 10_000,
    "/cgi-bin/menu/delete": 1_000,
    "/cgi-bin/message/custom/send": 500_000,
    "/cgi-bin/message/template/send": 100_000,
    "/cgi-bin/qrcode/create": 100_000,
    "/cgi-bin/user/info": 5_000_000,
}
"""Calls per day of a new account; a path without a row has no limit."""


class FaultKind(StrEnum):
    """What goes wrong."""

    ERRCODE = "errcode"
    STATUS = "status"
    HTML = "html"
    HANG = "hang"
    DROP = "drop"


class FaultMoment(StrEnum):
    """When it goes wrong: before the work is done, or after it, so that only the answer is lost."""

    BEFORE = "before"
    AFTER = "after"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One ordered fault.

    Attributes:
        kind: what goes wrong.
        value: the errcode, the HTTP status, or seconds of silence.
        moment: before or after the work.
    """

    kind: FaultKind
    value: float = 0
    moment: FaultMoment = FaultMoment.BEFORE


def order_fault(desk: Desk, *, path: str, fault: Fault, times: int) -> None:
    """Let the next calls of a path go wrong.

    Args:
        desk: the open ledger.
        path: the API's path, or `*` for any.
        fault: what goes wrong; faults of one path happen in the order in which they were ordered.
        times: how many calls, 1 or more.
    """
    desk.execute(
        "INSERT INTO fault (path, kind, value, moment, remaining) VALUES (?, ?, ?, ?, ?)",
        (path, fault.kind, fault.value, fault.moment, times),
    )


def take_fault(desk: Desk, path: str) -> Fault | None:
    """Return the fault that this call meets, and count it off."""
    row = desk.execute(
        "SELECT id, kind, value, moment FROM fault"
        " WHERE path IN (?, '*') AND remaining > 0 ORDER BY id LIMIT 1",
        (path,),
    ).fetchone()
    if row is None:
        return None
    desk.execute("UPDATE fault SET remaining = remaining - 1 WHERE id = ?", (row["id"],))
    return Fault(kind=FaultKind(row["kind"]), value=row["value"], moment=FaultMoment(row["moment"]))


def clear_faults(desk: Desk) -> None:
    """Forget the faults that are still due."""
    desk.execute("DELETE FROM fault")


def count_call(desk: Desk, now: float, path: str) -> int:
    """Count a call, and return how many this path has had today."""
    row = desk.execute(
        "INSERT INTO call VALUES (?, ?, 1)"
        " ON CONFLICT DO UPDATE SET count = count + 1 RETURNING count",
        (path, day_of(now)),
    ).fetchone()
    return int(row["count"])


def call_counts(desk: Desk) -> dict[str, int]:
    """Return all calls so far by path, in the order of the paths."""
    rows = desk.execute("SELECT path, sum(count) AS total FROM call GROUP BY path ORDER BY path")
    return {str(row["path"]): int(row["total"]) for row in rows}


def set_quota(desk: Desk, *, path: str, per_day: int) -> None:
    """Change how many calls of a path a day has."""
    desk.execute("INSERT OR REPLACE INTO quota VALUES (?, ?)", (path, per_day))


def check_quota(desk: Desk, *, path: str, count: int) -> None:
    """Accept a call that is within the day's quota.

    Raises:
        RefusalError: 45009, the quota is used up.
    """
    row = desk.execute("SELECT per_day FROM quota WHERE path = ?", (path,)).fetchone()
    per_day = QUOTAS.get(path) if row is None else int(row["per_day"])
    if per_day is not None and count > per_day:
        raise RefusalError(45009)
