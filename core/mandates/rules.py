"""Who may act for a company, as what, and what each of them may do."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, Protocol

from core.errors import ForbiddenError

CLAIM_HOLD: Final = timedelta(minutes=10)
# More people than any owner can keep in mind; a list of them stays one page.
MAX_PEOPLE: Final = 50
MAX_DEPARTMENT_CHARACTERS: Final = 50
MAX_COMPANY_CHARACTERS: Final = 100
MAX_ADDRESS_CHARACTERS: Final = 200
MAX_INDUSTRY_CHARACTERS: Final = 50
MAX_REASON_CHARACTERS: Final = 300


class MandateKind(StrEnum):
    """As what a person acts for a company; in the order of what they may do."""

    OWNER = "owner"
    FILLER = "filler"
    MANAGER = "manager"  # for one department


class MandateState(StrEnum):
    """Where a mandate stands."""

    OFFERED = "offered"
    ACTIVE = "active"
    ENDED = "ended"


class EndReason(StrEnum):
    """Why a mandate is over."""

    WITHDRAWN = "withdrawn"  # by the owner
    LEFT = "left"  # by the person themselves
    OWNER_CHANGED = "owner_changed"  # the register names another owner
    PROVED_ELSEWHERE = "proved_elsewhere"  # the same owner, from another WeChat account
    REPLACED = "replaced"  # by a newer mandate or invitation
    OBJECTED = "objected"  # by the owner's other account
    RELEASED = "released"  # by the staff, for whoever proves to be the owner next
    FORGOTTEN = "forgotten"  # the person withdrew their authorisation


class Act(StrEnum):
    """What somebody may do for a company."""

    FILE = "file"
    SHOW_CODE = "show_code"
    ROTATE_CODE = "rotate_code"
    SEE_SHEET = "see_sheet"
    DECIDE = "decide"
    ENTER = "enter"  # register somebody who has no WeChat
    NAME_OTHERS = "name_others"


# A manager sees and decides what is of their department; `MandateCard.department` names it.
MAY: Final[Mapping[MandateKind, frozenset[Act]]] = {
    MandateKind.OWNER: frozenset(Act),
    MandateKind.FILLER: frozenset({Act.FILE, Act.SHOW_CODE, Act.SEE_SHEET, Act.ENTER}),
    MandateKind.MANAGER: frozenset({Act.SHOW_CODE, Act.SEE_SHEET, Act.DECIDE}),
}
# A company that is wound up or moved away keeps its people and its sheet, and does nothing new.
_NEEDS_BUSINESS: Final = frozenset({Act.FILE, Act.ROTATE_CODE, Act.DECIDE, Act.ENTER})


class ClaimState(StrEnum):
    """Where the claim of a company that is not in the register stands."""

    WAITING = "waiting"
    ACCEPTED = "accepted"
    REFUSED = "refused"


class ClaimVerdict(StrEnum):
    """What a reviewer decides about a claim."""

    ACCEPT = "accept"
    REFUSE = "refuse"


CLAIM_STATE_AFTER: Final[Mapping[ClaimVerdict, ClaimState]] = {
    ClaimVerdict.ACCEPT: ClaimState.ACCEPTED,
    ClaimVerdict.REFUSE: ClaimState.REFUSED,
}


class ActForbiddenError(ForbiddenError):
    """The person acts for the company, but not in this; facts: `kind`, `act`."""

    code = "act_forbidden"


class CompanyNotInBusinessError(ForbiddenError):
    """The register says that the company is not in business; fact: `state`."""

    code = "company_not_in_business"


class _Company(Protocol):
    @property
    def is_in_business(self) -> bool: ...

    @property
    def state(self) -> StrEnum: ...


class Acting(Protocol):
    """A mandate, as far as it decides what may be done."""

    @property
    def kind(self) -> MandateKind:
        """As what the person acts."""

    @property
    def company(self) -> _Company:
        """For which company."""


def may(mandate: Acting, act: Act) -> bool:
    """Return whether a mandate allows an act, as things stand with its company."""
    if act in _NEEDS_BUSINESS and not mandate.company.is_in_business:
        return False
    return act in MAY[mandate.kind]


def check_may(mandate: Acting, act: Act) -> None:
    """Check that a mandate allows an act.

    Raises:
        ActForbiddenError: its kind does not.
        CompanyNotInBusinessError: nobody may for this company, as things stand.
    """
    if act not in MAY[mandate.kind]:
        raise ActForbiddenError(kind=mandate.kind.value, act=act.value)
    if not may(mandate, act):
        raise CompanyNotInBusinessError(state=mandate.company.state.value)


def is_held(
    *, held_by: int | None, held_until: datetime | None, staff_id: int, now: datetime
) -> bool:
    """Return whether another reviewer than `staff_id` has something open."""
    if held_by is None or held_until is None:
        return False
    return held_by != staff_id and now < held_until
