"""What a registration holds, its states, and the flags that are computed at once."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class RegistrationState(StrEnum):
    """Where a registration stands."""

    SUBMITTED = "submitted"
    RETURNED = "returned"  # the person is asked to correct it
    APPROVED = "approved"
    REJECTED = "rejected"
    ENDED = "ended"  # the person does not work there any more, or says that they never did


class Group(StrEnum):
    """How the owner's sheet is sorted: by exception."""

    FINE = "fine"
    LOOK = "look"
    CANNOT = "cannot"


class Flag(StrEnum):
    """What was noticed when a registration came in."""

    KEY_AREA = "key_area"  # stayed in a key area, as of the days of the stay
    CODE_NOT_GREEN = "code_not_green"
    NO_HEALTH_CODE = "no_health_code"
    SYMPTOMS = "symptoms"
    FEVER = "fever"
    DOCUMENT_OTHER_NAME = "document_other_name"  # the document was seen with another name
    PHONE_OTHER_NAME = "phone_other_name"  # the phone was seen with another name
    ABOVE_HEAD_COUNT = "above_head_count"
    DUPLICATE = "duplicate"  # the same name and phone with another document in this company


class HealthCode(StrEnum):
    """The colour that a person's health code shows."""

    GREEN = "green"
    YELLOW = "yellow"
    RED = "red"
    NONE = "none"


class Travel(StrEnum):
    """By what a person came back."""

    NOT_AWAY = "not_away"
    TRAIN = "train"
    PLANE = "plane"
    COACH = "coach"
    CAR = "car"
    SHIP = "ship"
    OTHER = "other"


# Nobody in this state may enter a work place, whoever approves it.
CANNOT_PASS: Final = frozenset({Flag.CODE_NOT_GREEN, Flag.SYMPTOMS, Flag.FEVER})
