"""Overrides and appeals as pure rules: states, who may decide what, how long, which values.

Source: docs/sources.md#risk-rulings
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Collection, Mapping
from datetime import date, timedelta
from enum import StrEnum
from typing import Final

from core.errors import ConflictError, ForbiddenError, InvalidInputError
from core.risk.rules import UNIT_MAXIMUM, Indicator, Unit

MAX_OVERRIDE_DAYS: Final = 14
# As far back as the longest window of an indicator reaches.
MAX_APPEAL_AGE_DAYS: Final = 14
# What was handed in with an appeal that came to nothing: nobody asks again after half a year.
EVIDENCE_KEPT: Final = timedelta(days=180)
MIN_REASON: Final = 4
MAX_REASON: Final = 500
MAX_CLAIMED: Final = 1e6
MAX_CLAIMED_CHARACTERS: Final = 12
# A share is stored as a part of one and typed as percent.
PCT: Final = 100.0
_DECIMALS: Final = 6
_WHOLE_UNITS: Final = frozenset({Unit.PERSONS, Unit.CLUSTERS, Unit.DAYS, Unit.ADDRESSES})


class OverrideState(StrEnum):
    """How far an override is; one whose last day is over counts as ended, whatever its row says."""

    PROPOSED = "proposed"
    IN_FORCE = "in_force"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    ENDED = "ended"


class AppealState(StrEnum):
    """How far an appeal is."""

    OPEN = "open"
    RECOMMENDED = "recommended"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


class Verdict(StrEnum):
    """What a reviewer says of an override or an appeal."""

    ACCEPT = "accept"
    REFUSE = "refuse"


OVERRIDE_AFTER: Final[Mapping[Verdict, OverrideState]] = {
    Verdict.ACCEPT: OverrideState.IN_FORCE,
    Verdict.REFUSE: OverrideState.REFUSED,
}
APPEAL_AFTER: Final[Mapping[Verdict, AppealState]] = {
    Verdict.ACCEPT: AppealState.ACCEPTED,
    Verdict.REFUSE: AppealState.REFUSED,
}
# What waits for somebody, or holds; a community, or a value, has one of these at most.
STANDING_OVERRIDES: Final = frozenset({OverrideState.PROPOSED, OverrideState.IN_FORCE})
STANDING_APPEALS: Final = frozenset({AppealState.OPEN, AppealState.RECOMMENDED})


class RulingReasonError(InvalidInputError):
    """A reason is missing, too short to say anything, or too long; facts `min` and `max`."""

    code = "ruling_reason"


class RulingSamePersonError(ForbiddenError):
    """Whoever began this, or looked at it before, may not decide it."""

    code = "ruling_same_person"


class RulingDecidedError(ConflictError):
    """Somebody was quicker; facts `by`, their displayed name (may be empty), and `state`."""

    code = "ruling_decided"


class OverrideUntilError(InvalidInputError):
    """The last day lies in the past, or too far ahead; facts `first` and `last`."""

    code = "override_until"


class AppealDayError(InvalidInputError):
    """The day is too long ago to be appealed; fact `max_days`."""

    code = "appeal_day"


class ClaimedValueError(InvalidInputError):
    """The value cannot be; facts `unit` and `maximum`, both as people write them, `is_whole`."""

    code = "claimed_value"


class ClaimedSameError(InvalidInputError):
    """The value is the one that was computed."""

    code = "claimed_same"


def reason_of(text: str, *, is_needed: bool = True) -> str:
    """Return a reason without blanks around it.

    Args:
        text: as typed.
        is_needed: whether an empty one is refused.

    Raises:
        RulingReasonError: shorter than 4 characters, or longer than 500.
    """
    reason = text.replace("\r\n", "\n").strip()
    if not reason and not is_needed:
        return ""
    if not MIN_REASON <= len(reason) <= MAX_REASON:
        raise RulingReasonError(min=MIN_REASON, max=MAX_REASON)
    return reason


def last_override_day_of(today: date) -> date:
    """Return the last day that an override may have."""
    return today + timedelta(days=MAX_OVERRIDE_DAYS)


def check_until(until_day: date, *, today: date) -> None:
    """Check the last day of an override: today at the earliest, 14 days ahead at the latest.

    Raises:
        OverrideUntilError: it lies elsewhere.

    Source: docs/sources.md#risk-rulings
    """
    last = last_override_day_of(today)
    if not today <= until_day <= last:
        raise OverrideUntilError(first=today.isoformat(), last=last.isoformat())


def state_at(state: OverrideState, *, until_day: date, today: date) -> OverrideState:
    """Return how far an override is on a day: without a decision in time it is withdrawn.

    Args:
        state: of the row.
        until_day: the last day on which it may hold.
        today: the local day of the question.
    """
    if state not in STANDING_OVERRIDES or today <= until_day:
        return state
    return OverrideState.WITHDRAWN if state is OverrideState.PROPOSED else OverrideState.ENDED


def check_other_person(staff_id: int, *, before: Collection[int | None]) -> None:
    """Check that somebody had no part in what they decide.

    Args:
        staff_id: who decides.
        before: who began it, and who looked at it before.

    Raises:
        RulingSamePersonError: they had.
    """
    if staff_id in before:
        raise RulingSamePersonError


def first_appeal_day_of(today: date) -> date:
    """Return the first day that may still be appealed."""
    return today - timedelta(days=MAX_APPEAL_AGE_DAYS)


def check_appeal_day(day: date, *, today: date) -> None:
    """Check that a day may be appealed: one of the last 14 that are over.

    Raises:
        AppealDayError: it is longer ago, or not over.
    """
    if not first_appeal_day_of(today) <= day < today:
        raise AppealDayError(max_days=MAX_APPEAL_AGE_DAYS)


def claimed_value_of(text: str, *, indicator: Indicator) -> float:
    """Return the value that somebody types for an indicator, in the indicator's own unit.

    Args:
        text: digits with at most one point, also in full width; a share in percent, with or
            without its sign.
        indicator: whose value it is; persons, clusters, days and addresses are whole numbers.

    Raises:
        ClaimedValueError: it is no number, or none that the indicator may have.
    """
    number = _number_of(text)
    is_whole = indicator.unit in _WHOLE_UNITS
    maximum = _maximum_of(indicator)
    is_possible = number is not None and 0 <= number <= maximum
    if number is None or not is_possible or (is_whole and number != int(number)):
        raise ClaimedValueError(
            unit=indicator.unit_label, maximum=f"{maximum:g}", is_whole=is_whole
        )
    return round(number / PCT if indicator.unit is Unit.SHARE else number, _DECIMALS)


def _maximum_of(indicator: Indicator) -> float:
    """Return the largest value that may be typed, as it is typed."""
    if indicator.unit is Unit.DAYS:
        # A window of days has no more of them than its curve.
        return indicator.points[-1][0]
    maximum = UNIT_MAXIMUM.get(indicator.unit, MAX_CLAIMED)
    return maximum * PCT if indicator.unit is Unit.SHARE else maximum


def _number_of(text: str) -> float | None:
    plain = unicodedata.normalize("NFKC", text).strip().removesuffix("%").strip()
    whole, point, part = plain.partition(".")
    is_number = plain.isascii() and whole.isdigit() and (part.isdigit() if point else True)
    if not is_number or len(plain) > MAX_CLAIMED_CHARACTERS:
        return None
    return float(plain)


def check_claimed(claimed: float, *, computed: float | None) -> None:
    """Check that a claimed value differs from the one that was computed.

    Raises:
        ClaimedSameError: it does not.
    """
    if computed is not None and math.isclose(claimed, computed, rel_tol=1e-9, abs_tol=1e-9):
        raise ClaimedSameError
