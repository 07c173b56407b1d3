"""States of a filing, who may bring it from one to the next, and what may be declared.

A company's code is issued with its first submission and stays live through all that follows: staff
register while the district reviews, and neither a change that waits for review nor one that is
returned closes anybody out. Only a company that is rejected and was never approved has its code
retired; it gets a new one when it submits again.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from statistics import median
from typing import Final
from unicodedata import normalize

from core.errors import InvalidInputError
from core.workplaces.rules import Admission

MAX_HEAD_COUNT: Final = 200_000
HOLD: Final = timedelta(minutes=10)
MAX_REASON: Final = 300

# The wording that is signed, `templates/h5/filing/_commitment.html`; another text, another version.
COMMITMENT: Final = "resumption-commitment-1"

# Fewer decisions say nothing about how long the next one takes.
MIN_DECIDED: Final = 5
MAX_DECIDED: Final = 50

# Declared more than twice what was approved before is worth a look, from some heads on.
JUMP_FACTOR: Final = 2
JUMP_HEADS: Final = 20
# A change in the register is news for this long.
NEWS: Final = timedelta(days=30)

_COUNT: Final = re.compile(r"[0-9]{1,9}")
_GROUPED: Final = re.compile(r"(?<=[0-9])[,_' ](?=[0-9]{3})")
_MAX_TYPED: Final = 40
_UNITS: Final = ("人", "个", "名", "位")


class FilingState(StrEnum):
    """Where a filing stands."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    RETURNED = "returned"
    APPROVED = "approved"
    REJECTED = "rejected"


class FilingVerdict(StrEnum):
    """What a reviewer decides."""

    APPROVE = "approve"
    RETURN = "return"
    REJECT = "reject"


# A rejected company may try again with what was missing; the history stays.
TRANSITIONS: Final[Mapping[FilingState, frozenset[FilingState]]] = {
    FilingState.DRAFT: frozenset({FilingState.SUBMITTED}),
    FilingState.SUBMITTED: frozenset(
        {FilingState.RETURNED, FilingState.APPROVED, FilingState.REJECTED}
    ),
    FilingState.RETURNED: frozenset({FilingState.SUBMITTED}),
    FilingState.APPROVED: frozenset({FilingState.SUBMITTED}),
    FilingState.REJECTED: frozenset({FilingState.SUBMITTED}),
}
STATE_AFTER: Final[Mapping[FilingVerdict, FilingState]] = {
    FilingVerdict.APPROVE: FilingState.APPROVED,
    FilingVerdict.RETURN: FilingState.RETURNED,
    FilingVerdict.REJECT: FilingState.REJECTED,
}
# What is returned is being mended: the people of the company need not wait for that.
ADMISSION_OF: Final[Mapping[FilingState, Admission]] = {
    FilingState.DRAFT: Admission.PENDING,
    FilingState.SUBMITTED: Admission.OPEN,
    FilingState.RETURNED: Admission.OPEN,
    FilingState.APPROVED: Admission.OPEN,
    FilingState.REJECTED: Admission.REFUSED,
}
# An owner who is sent back must be told why.
NEED_REASON: Final = frozenset({FilingVerdict.RETURN, FilingVerdict.REJECT})


class CountMissingError(InvalidInputError):
    """No number of people was typed."""

    code = "count_missing"


class CountInvalidError(InvalidInputError):
    """What was typed is no whole number of people between the bounds; facts `lowest`, `highest`."""

    code = "count_invalid"


class ReturningTooManyError(InvalidInputError):
    """More people return than there are; fact `head_count`."""

    code = "returning_too_many"


class PlanMissingError(InvalidInputError):
    """No prevention plan was handed in."""

    code = "plan_missing"


class CommitmentMissingError(InvalidInputError):
    """The commitment was not agreed to."""

    code = "commitment_missing"


class FilingUnchangedError(InvalidInputError):
    """An approved filing would be submitted again as it is."""

    code = "filing_unchanged"


class ReasonMissingError(InvalidInputError):
    """A filing is sent back without saying why."""

    code = "reason_missing"


class ReasonTooLongError(InvalidInputError):
    """A reason is longer than is kept; fact `max_count`, in characters."""

    code = "reason_too_long"


@dataclass(frozen=True, slots=True, kw_only=True)
class FilingDraft:
    """What is declared, as far as it has been typed; None where it has not.

    Attributes:
        head_count: people who work there, 1 to 200,000.
        returning_count: those among them who return from outside the city.
        plan_id: the prevention plan that was handed in.
    """

    head_count: int | None = None
    returning_count: int | None = None
    plan_id: int | None = None


def head_count_of(text: str) -> int:
    """Return the number of people who work there, from what somebody typed.

    Full-width digits, a unit behind them and separators of thousands are taken.

    Returns:
        1 to 200,000.

    Raises:
        CountMissingError: nothing was typed.
        CountInvalidError: no such number.
    """
    return _count_of(text, lowest=1)


def returning_count_of(text: str) -> int:
    """Return the number of people who return, from what somebody typed: 0 to 200,000.

    Raises:
        CountMissingError: nothing was typed.
        CountInvalidError: no such number.
    """
    return _count_of(text, lowest=0)


def check_returning(*, head_count: int, returning_count: int) -> None:
    """Check that no more people return than there are.

    Raises:
        ReturningTooManyError: more.
    """
    if returning_count > head_count:
        raise ReturningTooManyError(head_count=head_count)


def check_counts(draft: FilingDraft) -> None:
    """Check that each figure of a draft is in range, as far as it is typed.

    Raises:
        CountInvalidError: one is not.
    """
    if draft.head_count is not None:
        _check_count(draft.head_count, lowest=1)
    if draft.returning_count is not None:
        _check_count(draft.returning_count, lowest=0)


def check_complete(draft: FilingDraft) -> None:
    """Check that everything is declared that a filing needs, in the order of the page.

    Raises:
        CountMissingError: a number is missing.
        CountInvalidError: one is out of range.
        ReturningTooManyError: more people return than there are.
        PlanMissingError: there is no plan.
    """
    if draft.head_count is None or draft.returning_count is None:
        raise CountMissingError
    check_counts(draft)
    check_returning(head_count=draft.head_count, returning_count=draft.returning_count)
    if draft.plan_id is None:
        raise PlanMissingError


def reason_of(text: str, *, verdict: FilingVerdict) -> str:
    """Return a reason as it is kept: its lines, without control characters and blanks around.

    Raises:
        ReasonMissingError: there is none, and the verdict needs one.
        ReasonTooLongError: more than 300 characters.
    """
    lines = text.replace("\r\n", "\n").split("\n")
    kept = ["".join(one for one in line if one.isprintable()).strip() for line in lines]
    reason = "\n".join(kept).strip()
    if len(reason) > MAX_REASON:
        raise ReasonTooLongError(max_count=MAX_REASON)
    if not reason and verdict in NEED_REASON:
        raise ReasonMissingError
    return reason


def number_for(filing_id: int, *, day: date) -> str:
    """Return what the public knows a filing by.

    It holds the id of its row, so that no two of them are the same, however many are submitted at
    once; the day is that of the first submission.
    """
    return f"FG-{day:%Y%m%d}-{filing_id:05d}"


def usual_wait_of(waits: Sequence[timedelta]) -> timedelta | None:
    """Return how long a decision usually takes; None while too few are known.

    Args:
        waits: of the newest decisions, at most 50 of which count.
    """
    seconds = [wait.total_seconds() for wait in waits[:MAX_DECIDED]]
    return timedelta(seconds=median(seconds)) if len(seconds) >= MIN_DECIDED else None


def has_jumped(head_count: int, *, before: int | None) -> bool:
    """Return whether far more people are declared than were approved before."""
    if before is None:
        return False
    return head_count > before * JUMP_FACTOR and head_count - before >= JUMP_HEADS


def is_news(at: datetime | None, *, now: datetime) -> bool:
    """Return whether a change is recent enough to be looked at."""
    return at is not None and now - at <= NEWS


def _count_of(text: str, *, lowest: int) -> int:
    plain = normalize("NFKC", text[:_MAX_TYPED]).strip()
    if not plain:
        raise CountMissingError
    for unit in _UNITS:
        plain = plain.removesuffix(unit).strip()
    plain = _GROUPED.sub("", plain)
    if not _COUNT.fullmatch(plain):
        raise CountInvalidError(lowest=lowest, highest=MAX_HEAD_COUNT)
    count = int(plain)
    _check_count(count, lowest=lowest)
    return count


def _check_count(count: int, *, lowest: int) -> None:
    if not lowest <= count <= MAX_HEAD_COUNT:
        raise CountInvalidError(lowest=lowest, highest=MAX_HEAD_COUNT)
