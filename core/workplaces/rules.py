"""The faces of a workplace, and whether it takes people at this moment."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class Face(StrEnum):
    """What a workplace is to those who look at it."""

    COMPANY = "company"
    SHOP = "shop"
    SITE = "site"


class WorkplaceState(StrEnum):
    """Whether anybody works there at all, as its register says."""

    ACTIVE = "active"
    SUSPENDED = "suspended"  # rests by its own wish
    MOVED = "moved"  # registered in another district now
    REVOKED = "revoked"  # the licence was withdrawn; it may only be wound up
    DEREGISTERED = "deregistered"  # it is no more
    FINISHED = "finished"  # a site that is built


class Admission(StrEnum):
    """Whether those who answer for it may let people in."""

    PENDING = "pending"  # nothing was filed yet
    OPEN = "open"
    REFUSED = "refused"


class Closed(StrEnum):
    """Why nobody can register."""

    COMPANY = "company"  # nobody works there any more
    NOT_FILED = "not_filed"
    REJECTED = "rejected"
    CODE = "code"  # retired, expired, or another workplace's


# Whoever answers for one of these may act for it.
RUNNING: Final = frozenset({WorkplaceState.ACTIVE, WorkplaceState.SUSPENDED})


def is_running(state: WorkplaceState) -> bool:
    """Return whether a workplace in this state may take people at all."""
    return state in RUNNING


def closed_by(state: WorkplaceState, admission: Admission) -> Closed | None:
    """Return why a workplace takes nobody now; None where it does."""
    if not is_running(state):
        return Closed.COMPANY
    if admission is Admission.OPEN:
        return None
    return Closed.NOT_FILED if admission is Admission.PENDING else Closed.REJECTED
