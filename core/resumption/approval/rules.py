"""What an owner may decide, what becomes of each row, and for how long it can be undone."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from typing import Final

from core.resumption.registration.rules import RegistrationState

UNDO_WITHIN: Final = timedelta(minutes=30)
PREPARED_FOR: Final = timedelta(minutes=30)


class Verdict(StrEnum):
    """What an owner decides about registrations."""

    APPROVE = "approve"
    REJECT = "reject"
    RETURN = "return"


class DecisionState(StrEnum):
    """Where a decision stands."""

    PREPARED = "prepared"  # the list is frozen, nothing is applied
    APPLIED = "applied"  # can be undone, nobody was told
    UNDONE = "undone"
    RELEASED = "released"  # the people were told


class Outcome(StrEnum):
    """What became of one row of a decision."""

    LISTED = "listed"  # frozen, not applied yet
    APPLIED = "applied"
    CHANGED = "changed"  # the person changed it meanwhile
    DECIDED = "decided"  # somebody else decided it meanwhile
    ENDED = "ended"  # the person ended it meanwhile
    BLOCKED = "blocked"  # it cannot pass: only rejected or returned
    UNDONE = "undone"


STATE_AFTER: Final[Mapping[Verdict, RegistrationState]] = {
    Verdict.APPROVE: RegistrationState.APPROVED,
    Verdict.REJECT: RegistrationState.REJECTED,
    Verdict.RETURN: RegistrationState.RETURNED,
}
