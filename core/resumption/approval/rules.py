"""What an owner may decide, what becomes of each row, and for how long it can be undone."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from datetime import timedelta
from enum import StrEnum
from typing import Final

from core.errors import InvalidInputError
from core.registration.rules import RegistrationState

UNDO_WITHIN: Final = timedelta(minutes=30)
PREPARED_FOR: Final = timedelta(minutes=30)
MAX_REASON: Final = 300
SHORT_DIGEST: Final = 8  # characters


class Verdict(StrEnum):
    """What an owner decides about registrations."""

    APPROVE = "approve"
    REJECT = "reject"
    RETURN = "return"


class DecisionState(StrEnum):
    """Where a decision stands."""

    PREPARED = "prepared"  # the list is frozen, nothing is applied
    LAPSED = "lapsed"  # nobody confirmed it in time; its list is gone
    APPLIED = "applied"  # can be undone, nobody was told
    UNDONE = "undone"
    RELEASED = "released"  # the people were told


class Outcome(StrEnum):
    """What became of one row of a decision."""

    LISTED = "listed"  # frozen, not applied yet
    APPLIED = "applied"
    CHANGED = "changed"  # it is not any more as it was shown
    DECIDED = "decided"  # somebody else decided it meanwhile, or it was so already
    ENDED = "ended"  # the person ended it meanwhile
    BLOCKED = "blocked"  # it cannot pass: only rejected or returned
    UNDONE = "undone"
    KEPT = "kept"  # applied, but changed or decided anew since: an undo left it alone


# Why something was not done, in the order in which it is told.
REFUSALS: Final = (Outcome.BLOCKED, Outcome.CHANGED, Outcome.DECIDED, Outcome.ENDED, Outcome.KEPT)

STATE_AFTER: Final[Mapping[Verdict, RegistrationState]] = {
    Verdict.APPROVE: RegistrationState.APPROVED,
    Verdict.REJECT: RegistrationState.REJECTED,
    Verdict.RETURN: RegistrationState.RETURNED,
}
# Somebody who is sent back or away must be told why.
NEED_REASON: Final = frozenset({Verdict.REJECT, Verdict.RETURN})
NOTICE_OF: Final[Mapping[Verdict, str]] = {
    Verdict.APPROVE: "registration_approved",
    Verdict.REJECT: "registration_rejected",
    Verdict.RETURN: "registration_returned",
}


class VerdictReasonMissingError(InvalidInputError):
    """People are sent back or away without saying why."""

    code = "verdict_reason_missing"


class VerdictReasonTooLongError(InvalidInputError):
    """A reason is longer than is kept; fact `max_count`, in characters."""

    code = "verdict_reason_too_long"


def verdict_reason_of(text: str, *, verdict: Verdict) -> str:
    """Return a reason as it is kept: one line, empty for who is approved.

    Raises:
        VerdictReasonMissingError: there is none, and the verdict needs one.
        VerdictReasonTooLongError: more than 300 characters.
    """
    if verdict not in NEED_REASON:
        return ""
    printable = "".join(one if one.isprintable() else " " for one in text)
    reason = " ".join(printable.split())
    if not reason:
        raise VerdictReasonMissingError
    if len(reason) > MAX_REASON:
        raise VerdictReasonTooLongError(max_count=MAX_REASON)
    return reason


def may_decide(state: RegistrationState, verdict: Verdict) -> bool:
    """Return whether a registration in this state can get a verdict.

    What was decided may be decided otherwise later: a key area is added, an owner errs.
    """
    return state not in {RegistrationState.ENDED, STATE_AFTER[verdict]}


def digest_of(rows: Iterable[tuple[int, int]]) -> bytes:
    """Return the SHA-256 of a frozen list: a line `id:version` for each row, by id.

    Args:
        rows: id and version of each registration, in any order.
    """
    lines = "".join(f"{registration_id}:{version}\n" for registration_id, version in sorted(rows))
    return hashlib.sha256(lines.encode()).digest()


def short_digest_of(digest: bytes) -> str:
    """Return the part of a digest that people compare."""
    return digest.hex()[:SHORT_DIGEST].upper()
