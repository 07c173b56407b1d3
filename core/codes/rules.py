"""Rules of codes: what is in one, how long it lives, why it ends, and how it is read aloud."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final

from core.clock import day_of, start_of
from core.workplaces.rules import Face

LIFETIME: Final = timedelta(days=90)
_INSTANT: Final = timedelta(microseconds=1)
# From here on the owner is asked to make a new one before people stand before a dead poster.
RENEW_BEFORE: Final = timedelta(days=7)

TOKEN_BYTES: Final = 16
_TOKEN: Final = re.compile(r"[A-Za-z0-9_-]{22}", re.ASCII)

# What a mini program takes over by the ordinary-link rule; a change would end every poster.
ENTRY_PATH: Final = "/h5/c/"

# Before a token in the scene of an account's code: the chat takes it from there.
SCENE: Final = "company:"

# Capital letters and digits that neither look nor, read aloud, sound like another one; without
# vowels, so that no word comes out.
CHECK_ALPHABET: Final = "CFHJKMNPRTWXY34679"
CHECK_LENGTH: Final = 6


class RetiredReason(StrEnum):
    """Why a code does not work any more."""

    ROTATED = "rotated"  # replaced by a new one
    RETIRED = "retired"  # taken back by the company, without a new one
    OWNER_CHANGED = "owner_changed"  # another person stands for the company now
    REPORTED = "reported"  # taken back because somebody may have misused it
    EXPIRED = "expired"  # its time was over


class CodeState(StrEnum):
    """How a code stands at an instant."""

    LIVE = "live"
    EXPIRED = "expired"
    RETIRED = "retired"


def expiry_of(now: datetime) -> datetime:
    """Return when a code that is made now ends: at the end of its 90th day from today."""
    return start_of(day_of(now) + LIFETIME + timedelta(days=1))


def last_day_of(expires_at: datetime) -> date:
    """Return the last local day on which a code works; what a poster says."""
    return day_of(expires_at - _INSTANT)


def subject_of(workplace_id: int, *, face: Face = Face.COMPANY) -> str:
    """Return the subject that the codes of a workplace are issued for, as `company:7`."""
    return f"{face}:{workplace_id}"


def workplace_of(subject: str) -> tuple[Face, int] | None:
    """Return the workplace that a subject names; None if it names something else."""
    face, _, number = subject.partition(":")
    is_one = face in set(Face) and number.isascii() and number.isdigit()
    return (Face(face), int(number)) if is_one else None


def company_id_of(subject: str) -> int | None:
    """Return the company that a subject names; None if it names something else."""
    place = workplace_of(subject)
    return place[1] if place is not None and place[0] is Face.COMPANY else None


def is_token(text: str) -> bool:
    """Return whether a text can be the token of a code at all; most guesses cannot."""
    return _TOKEN.fullmatch(text) is not None


def address_of(public_url: str, token: str) -> str:
    """Return the address that a code holds.

    Args:
        public_url: where people reach the installation, without a slash at its end.
        token: of the code.
    """
    return f"{public_url}{ENTRY_PATH}{token}"


def scene_of(token: str) -> str:
    """Return the scene of the account's code that registers by an entry code; of 30 characters."""
    return f"{SCENE}{token}"


def shown_check_code(check_code: str) -> str:
    """Return a check code in two halves, as it is printed and read out."""
    half = len(check_code) // 2
    return f"{check_code[:half]} {check_code[half:]}"
