"""States of a filing, who may bring it from one to the next, and what may be declared."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from typing import Final

MAX_HEAD_COUNT: Final = 200_000
HOLD: Final = timedelta(minutes=10)


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
