"""What a daily report of a site may say, which of several stands, what of it needs a look."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Final

from core.clock import SHANGHAI, day_of, local
from core.errors import InvalidInputError
from core.workplaces.rules import WorkplaceState

DUE: Final = time(10)
# How many days after its own a report may still come in.
REPORTED_WITHIN: Final = timedelta(days=2)
SAME_DAYS: Final = 7
JUMP_SHARE: Final = 0.3
JUMP_COUNT: Final = 20
NEAR_M: Final = 1000.0
MAX_HEADS: Final = 20_000
MAX_NOTE: Final = 300
MAX_REQUEST_KEY: Final = 64
# A place is kept to about a hundred metres: enough to tell near from far, not who stood where.
PLACE_DIGITS: Final = 3
CURVE_DAYS: Final = 30
# The first reminder goes out before the hour, the second one after it.
FIRST_REMINDER: Final = timedelta(minutes=-30)
SECOND_REMINDER: Final = timedelta(hours=1)
LAST_REMINDER: Final = timedelta(hours=8)

STATE_WORDS: Final[Mapping[str, WorkplaceState]] = {
    **dict.fromkeys(("active", "在建", "施工", "在施", "复工"), WorkplaceState.ACTIVE),
    **dict.fromkeys(("suspended", "停工", "暂停", "缓建"), WorkplaceState.SUSPENDED),
    **dict.fromkeys(("finished", "竣工", "完工", "已竣工"), WorkplaceState.FINISHED),
}


class ReportState(StrEnum):
    """Whether a report stands."""

    STANDING = "standing"
    REPLACED = "replaced"  # another one of the same day stands instead


class ReportWay(StrEnum):
    """By which way a report came."""

    PAGE = "page"
    CHAT = "chat"
    STAFF = "staff"


class ReportFlag(StrEnum):
    """What of a report needs a look."""

    LATE = "late"  # after the hour of the day
    ARITHMETIC = "arithmetic"  # yesterday + in - out is not today
    SAME_FOR_DAYS = "same_for_days"  # identical figures for seven days
    JUMP = "jump"
    FAR_AWAY = "far_away"
    ABOVE_PLAN = "above_plan"


class MemberState(StrEnum):
    """How an invitation to report for a site stands."""

    OFFERED = "offered"
    ACTIVE = "active"
    ENDED = "ended"


class SiteMark(StrEnum):
    """How a site stands on a day, the most urgent first: what colours its point on the map."""

    OPEN_CASE = "open_case"
    LATE = "late"  # has not reported, and the hour is over
    FLAGGED = "flagged"  # reported, and something of it needs a look
    WAITING = "waiting"  # has not reported yet, and still has time
    REPORTED = "reported"
    RESTING = "resting"  # nobody works there: nothing is to be reported


class Reminder(StrEnum):
    """The reminders of a day; there is no third."""

    FIRST = "first"
    SECOND = "second"


class ReportCountsError(InvalidInputError):
    """Figures that no site has; fact: `max`."""

    code = "site_report_counts"


class ReportDayError(InvalidInputError):
    """A report of a day to come, or of one too long ago; facts: `first`, `last`."""

    code = "site_report_day"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """The three numbers of a report, in people."""

    head_count: int
    joined_count: int = 0
    left_count: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportFacts:
    """What the flags of a report follow from.

    Attributes:
        figures: of the report.
        before: of the last standing report of an earlier day; None: there is none.
        last_days: of the standing reports of the days right before it, the newest first, without
            a gap.
        is_late: it was made after the hour of its day.
        planned: head count that the register plans for; None: not known.
        distance_m: from the site; None: not told.
    """

    figures: Figures
    before: Figures | None = None
    last_days: Sequence[Figures] = ()
    is_late: bool = False
    planned: int | None = None
    distance_m: float | None = None


def site_state_of(text: str) -> WorkplaceState | None:
    """Return the state that a register's word means; None when nobody knows it."""
    return STATE_WORDS.get(text.strip().lower())


def due_at(day: date, *, due: time = DUE) -> datetime:
    """Return the instant by which the report of a local day is due."""
    return datetime.combine(day, due, SHANGHAI)


def check_figures(figures: Figures) -> None:
    """Check that a site can have such figures.

    Raises:
        ReportCountsError: negative, or more people than any site has.
    """
    counts = (figures.head_count, figures.joined_count, figures.left_count)
    if any(not 0 <= count <= MAX_HEADS for count in counts):
        raise ReportCountsError(max=MAX_HEADS)


def check_day(day: date, *, now: datetime) -> None:
    """Check that a report of a day may come in at an instant.

    Raises:
        ReportDayError: of a day to come, or more than two days ago.
    """
    last = day_of(now)
    first = last - REPORTED_WITHIN
    if not first <= day <= last:
        raise ReportDayError(first=first, last=last)


def reported_at_for(told: datetime, *, day: date, now: datetime) -> datetime:
    """Return when a report counts as made: as told, but neither in the future nor before its day.

    Args:
        told: as who made it says.
        day: local day of the report.
        now: aware instant at which it came in.
    """
    first = datetime.combine(day, time(), SHANGHAI)
    return min(max(told, first), now)


def stands_over(*, reported_at: datetime, standing_at: datetime) -> bool:
    """Return whether a report that comes in now stands instead of the one that stands.

    The later made one stands; of two made at the same instant the one that came in later.
    """
    return reported_at >= standing_at


def flags_of(facts: ReportFacts) -> tuple[ReportFlag, ...]:
    """Return what of a report needs a look, in the order of `ReportFlag`.

    Source: docs/sources.md#site-reports
    """
    head, before = facts.figures.head_count, facts.before
    holds: Mapping[ReportFlag, bool] = {
        ReportFlag.LATE: facts.is_late,
        ReportFlag.ARITHMETIC: before is not None and head != expected_of(before, facts.figures),
        ReportFlag.SAME_FOR_DAYS: _is_same(facts.figures, facts.last_days),
        ReportFlag.JUMP: before is not None and is_jump(before.head_count, head),
        ReportFlag.FAR_AWAY: facts.distance_m is not None and facts.distance_m > NEAR_M,
        ReportFlag.ABOVE_PLAN: facts.planned is not None and head > facts.planned,
    }
    return tuple(flag for flag in ReportFlag if holds[flag])


def expected_of(before: Figures, figures: Figures) -> int:
    """Return the head count that follows from the one before and who came and left since."""
    return before.head_count + figures.joined_count - figures.left_count


def is_jump(before: int, head: int) -> bool:
    """Return whether a head count moved by 20 people and by three tenths, or more."""
    moved = abs(head - before)
    return moved >= JUMP_COUNT and moved >= JUMP_SHARE * before


def _is_same(figures: Figures, last_days: Sequence[Figures]) -> bool:
    days = [figures, *last_days][:SAME_DAYS]
    return len(days) == SAME_DAYS and all(one == figures for one in days)


def mark_of(
    *,
    is_running: bool,
    has_report: bool,
    has_flags: bool,
    has_case: bool,
    is_over: bool,
) -> SiteMark:
    """Return how a site stands on a day.

    Args:
        is_running: people work there.
        has_report: one stands for the day.
        has_flags: something of it needs a look.
        has_case: a case of somebody there is open.
        is_over: the hour of the day is over.
    """
    if has_case:
        return SiteMark.OPEN_CASE
    if not is_running:
        return SiteMark.RESTING
    if has_report:
        return SiteMark.FLAGGED if has_flags else SiteMark.REPORTED
    return SiteMark.LATE if is_over else SiteMark.WAITING


def reminder_at(now: datetime, *, due: time = DUE) -> Reminder | None:
    """Return which reminder of the day those may get at an instant who have not reported.

    The first from half an hour before the hour on, the second from an hour after it; none at
    night or eight hours later, when nobody at the site can do anything about it.
    """
    since = local(now) - due_at(day_of(now), due=due)
    if FIRST_REMINDER <= since < SECOND_REMINDER:
        return Reminder.FIRST
    return Reminder.SECOND if SECOND_REMINDER <= since < LAST_REMINDER else None
