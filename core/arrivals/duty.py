"""Telling those on duty at the station: today's arrivals in the morning, tomorrow's tonight."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy.orm import Session

from core.arrivals.grades import CoverageAlert
from core.arrivals.overview import Board, PeakLine, ShiftLine, TrainLine, find_board
from core.arrivals.public import DEGRADING
from core.clock import day_of, local, start_of
from core.notices.rules import Value
from core.notices.staff import queue_for_staff
from core.people.staff.rules import Role

ON_DUTY: Final = (Role.STATION_MANAGER,)
ALERTED: Final = (Role.STATION_MANAGER, Role.ADMINISTRATOR)
COVERAGE: Final = "arrivals_coverage"
MAX_TRAINS: Final = 8
_PAGE: Final = "/console/arrivals"


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A notice to those on duty.

    Attributes:
        kind: names the wording.
        since: since midnight; told from then on.
        until: since midnight; too late from then on.
        days_ahead: of the day that it tells of.
        link: page of the console.
    """

    kind: str
    since: timedelta
    until: timedelta
    days_ahead: int
    link: str


CALLS: Final = (
    Call(
        kind="arrivals_morning",
        since=timedelta(hours=6),
        until=timedelta(hours=10),
        days_ahead=0,
        link=_PAGE,
    ),
    Call(
        kind="arrivals_evening",
        since=timedelta(hours=20),
        until=timedelta(hours=23),
        days_ahead=1,
        link=f"{_PAGE}?window=tomorrow",
    ),
)


def tell_duty(session: Session, *, now: datetime) -> int:
    """Queue the morning's or the evening's notice, if it is time for one; nobody hears twice.

    The morning tells of the coming 24 hours, the evening of the whole of tomorrow.

    Args:
        session: of a transaction.
        now: aware instant.

    Returns:
        How many of the staff are told, or were told before; 0 where there is no forecast.
    """
    call = call_for(now)
    if call is None:
        return 0
    day = day_of(now) + timedelta(days=call.days_ahead)
    board = find_board(session, now=now, day=day if call.days_ahead else None)
    if board is None:
        return 0
    return queue_for_staff(
        session,
        kind=call.kind,
        roles=ON_DUTY,
        key=f"{call.kind}:{day.isoformat()}",
        values=_values_of(board, day=day),
        link=call.link,
        now=now,
    )


def call_for(now: datetime) -> Call | None:
    """Return which notice is due at an instant, if any."""
    since_midnight = now - start_of(day_of(now))
    return next((one for one in CALLS if one.since <= since_midnight < one.until), None)


def alert_coverage(session: Session, *, alert: CoverageAlert, day: date, now: datetime) -> None:
    """Tell the staff that the bands of the forecasts do not hold what they say.

    Args:
        session: of the step.
        alert: what is wrong.
        day: the local day with which it went wrong.
        now: aware instant.
    """
    queue_for_staff(
        session,
        kind=COVERAGE,
        roles=ALERTED,
        key=f"{COVERAGE}:{day.isoformat()}",
        values={
            "coverage": round(alert.coverage_80_pct),
            "days": alert.day_count,
            "is_too_narrow": alert.is_too_narrow,
        },
        link=f"{_PAGE}/grades",
        now=now,
    )


def _values_of(board: Board, *, day: date) -> dict[str, Value]:
    met = [one for one in board.trains if one.key_areas and not one.is_cancelled]
    return {
        "day": day.isoformat(),
        "total": round(board.total.mean),
        "low": round(board.total.low80),
        "high": round(board.total.high80),
        "peaks": ";".join(map(_peak_text, board.peaks)),
        "peak_pct": round(100 * board.peak_share),
        "shifts": ";".join(map(_shift_text, _manned(board.shifts))),
        "max_posts": board.max_posts,
        "is_limited": board.is_limited,
        "trains": ";".join(map(_train_text, met[:MAX_TRAINS])),
        "train_count": len(met),
        "is_degraded": bool(board.flags & DEGRADING),
    }


def _manned(shifts: Sequence[ShiftLine]) -> list[ShiftLine]:
    return [one for one in shifts if one.posts]


def _clock(at: datetime) -> str:
    return f"{local(at):%H:%M}"


def _peak_text(peak: PeakLine) -> str:
    return f"{_clock(peak.starts_at)}–{_clock(peak.ends_at)}"


def _shift_text(shift: ShiftLine) -> str:
    return f"{_clock(shift.starts_at)}–{_clock(shift.ends_at)} {shift.posts}"


def _train_text(train: TrainLine) -> str:
    return f"{_clock(train.expected_at)} {train.number} {train.origin}"
