"""Who on the staff may do what where; passwords, lock-out, how long sign-ins and codes last."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

MIN_NAME_CHARACTERS: Final = 2
MAX_NAME_CHARACTERS: Final = 32
MIN_PASSWORD_CHARACTERS: Final = 12
MAX_PASSWORD_CHARACTERS: Final = 128
MIN_DIFFERENT_CHARACTERS: Final = 5
# A shorter name stands in a good password by chance.
MIN_TELLING_NAME: Final = 4
FAILURES_TO_LOCK: Final = 5
FIRST_LOCK: Final = timedelta(minutes=15)
LONGEST_LOCK: Final = timedelta(days=1)
MAX_IDLE: Final = timedelta(minutes=30)
MAX_SESSION: Final = timedelta(hours=10)
TOUCH_EVERY: Final = timedelta(minutes=1)
# A code that binds a WeChat account is typed at once; five wrong ones an hour are no guessing.
CODE_LIFETIME: Final = timedelta(minutes=10)
MAX_GUESSES: Final = 5
GUESSES_WITHIN: Final = timedelta(hours=1)

# Twelve characters or more: shorter ones are refused anyway.
# fmt: off
COMMON_PASSWORDS: Final = frozenset((
    "1234567890ab", "1234567890qwerty", "123456789abc", "123456abcdef", "1q2w3e4r5t6y",
    "1qaz2wsx3edc", "1qaz2wsx3edc4rfv", "abc123456789", "abcd12345678", "admin1234567",
    "admin12345678", "adminadmin123", "administrator", "changeme1234", "iloveyou1234",
    "letmein12345", "p@ssw0rd1234", "passw0rd1234", "password1234", "password12345",
    "password123456", "passwordpassword", "q1w2e3r4t5y6", "qwer12345678", "qwerty123456",
    "qwertyuiop123", "qwertyuiopasdf", "shanghai1234", "shanghai2020", "welcome12345",
    "woaini123456", "woaini1314520", "woaiwojia123", "xuhui1234567", "xuhui20202020",
    "zhongguo1234", "zxcvbnm12345", "huizhili1234",
))
# fmt: on
_RUNS: Final = (
    "0123456789012345678901234567890",
    "abcdefghijklmnopqrstuvwxyz",
    "qwertyuiopasdfghjklzxcvbnm",
)


class Role(StrEnum):
    """What an account is for."""

    ADMINISTRATOR = "administrator"
    DISTRICT_REVIEWER = "district_reviewer"
    STREET_OFFICER = "street_officer"
    NEIGHBOURHOOD_OFFICER = "neighbourhood_officer"
    SITE_SUPERVISOR = "site_supervisor"
    STATION_MANAGER = "station_manager"
    AUDITOR = "auditor"


class AreaKind(StrEnum):
    """What an area of duty is made of."""

    DISTRICT = "district"
    STREET = "street"
    COMMUNITIES = "communities"


class Stage(StrEnum):
    """What somebody whose password was right must do next."""

    CODE = "code"  # type the code of their authenticator
    PASSWORD = "password"  # noqa: S105  replace the one-time password by their own
    ENROL = "enrol"  # set up an authenticator
    DONE = "done"


class PasswordFault(StrEnum):
    """Why a new password is refused."""

    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"
    HAS_NAME = "has_name"
    COMMON = "common"
    MONOTONOUS = "monotonous"


NEED_TOTP: Final = frozenset({Role.ADMINISTRATOR, Role.DISTRICT_REVIEWER})
_WHOLE_DISTRICT: Final = frozenset({AreaKind.DISTRICT})
AREAS_OF: Final[dict[Role, frozenset[AreaKind]]] = {
    Role.ADMINISTRATOR: _WHOLE_DISTRICT,
    Role.DISTRICT_REVIEWER: _WHOLE_DISTRICT,
    Role.STREET_OFFICER: frozenset({AreaKind.STREET}),
    Role.NEIGHBOURHOOD_OFFICER: frozenset({AreaKind.COMMUNITIES, AreaKind.STREET}),
    Role.SITE_SUPERVISOR: frozenset({AreaKind.DISTRICT, AreaKind.STREET}),
    Role.STATION_MANAGER: _WHOLE_DISTRICT,
    Role.AUDITOR: _WHOLE_DISTRICT,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Area:
    """An area of duty: the district, one street, or some communities.

    Attributes:
        street_id: the street; None where the area is not one.
        community_ids: the communities; None where the area is not made of them.
    """

    street_id: int | None = None
    community_ids: frozenset[int] | None = None

    def __post_init__(self) -> None:
        if self.street_id is not None and self.community_ids is not None:
            raise ValueError("an area is a street or communities, not both")

    @property
    def kind(self) -> AreaKind:
        """What the area is made of."""
        if self.community_ids is not None:
            return AreaKind.COMMUNITIES
        return AreaKind.DISTRICT if self.street_id is None else AreaKind.STREET

    def covers(self, *, community_id: int, street_id: int) -> bool:
        """Return whether a community lies in the area."""
        if self.community_ids is not None:
            return community_id in self.community_ids
        return self.street_id in {None, street_id}

    def covers_street(self, street_id: int) -> bool:
        """Return whether a whole street lies in the area."""
        return self.community_ids is None and self.street_id in {None, street_id}


def role_of(text: str) -> Role | None:
    """Return the role that an operator names, or None if it is none or could be several.

    Args:
        text: `street_officer`, `street-officer`, or a part that only one role has: `reviewer`.
    """
    wanted = text.strip().lower().replace("-", "_").replace(" ", "_")
    if wanted in set(Role):
        return Role(wanted)
    fitting = [role for role in Role if wanted and wanted in role.value]
    return fitting[0] if len(fitting) == 1 else None


def may_have_area(role: Role, kind: AreaKind) -> bool:
    """Return whether an account of this role may have an area of this kind."""
    return kind in AREAS_OF[role]


def needs_area(role: Role) -> bool:
    """Return whether a role is never for the whole district."""
    return AreaKind.DISTRICT not in AREAS_OF[role]


def needs_totp(role: Role) -> bool:
    """Return whether a role signs in with a second factor."""
    return role in NEED_TOTP


def login_name_of(text: str) -> str:
    """Return the one spelling of a login name: NFKC, without blanks around it, small letters."""
    return unicodedata.normalize("NFKC", text).strip().casefold()


def is_login_name(name: str) -> bool:
    """Return whether a normalised name may be given: 2-32 letters, digits, `.`, `_` or `-`."""
    is_long_enough = MIN_NAME_CHARACTERS <= len(name) <= MAX_NAME_CHARACTERS
    return is_long_enough and all(one.isalnum() or one in "._-" for one in name)


def password_of(text: str) -> str:
    """Return the one spelling of a password, so that every keyboard gives the same."""
    return unicodedata.normalize("NFKC", text)


def password_fault_of(password: str, *, name: str) -> PasswordFault | None:
    """Return why a password is refused, or None if it may be used.

    Args:
        password: as `password_of` spells it.
        name: login name of the account.

    Source: docs/sources.md#staff-passwords
    """
    if len(password) < MIN_PASSWORD_CHARACTERS:
        return PasswordFault.TOO_SHORT
    if len(password) > MAX_PASSWORD_CHARACTERS:
        return PasswordFault.TOO_LONG
    folded = password.casefold()
    if folded == name or (len(name) >= MIN_TELLING_NAME and name in folded):
        return PasswordFault.HAS_NAME
    if folded in COMMON_PASSWORDS:
        return PasswordFault.COMMON
    if _is_monotonous(folded):
        return PasswordFault.MONOTONOUS
    return None


def _is_monotonous(folded: str) -> bool:
    """Return whether a password is a run of the keyboard or made of very few characters."""
    is_run = any(folded in run or folded[::-1] in run for run in _RUNS)
    return is_run or len(set(folded)) < MIN_DIFFERENT_CHARACTERS


def lock_for(failed_count: int) -> timedelta:
    """Return how long an account is locked after so many failures in a row.

    Returns:
        Nothing, unless the number is a multiple of five; then 15 minutes, twice as long each
        further time, a day at most.

    Source: docs/sources.md#staff-passwords
    """
    if failed_count <= 0 or failed_count % FAILURES_TO_LOCK:
        return timedelta(0)
    times = failed_count // FAILURES_TO_LOCK - 1
    # Beyond this the product is past the limit, and at some point past what a timedelta holds.
    if times > (LONGEST_LOCK // FIRST_LOCK).bit_length():
        return LONGEST_LOCK
    return min(FIRST_LOCK * (1 << times), LONGEST_LOCK)


def is_locked(locked_until: datetime | None, *, now: datetime) -> bool:
    """Return whether an account is locked at an instant."""
    return locked_until is not None and now < locked_until


def is_guessing_over(since: datetime, *, now: datetime) -> bool:
    """Return whether wrong codes that are counted since an instant count no more."""
    return now - since >= GUESSES_WITHIN


def is_session_over(*, created_at: datetime, seen_at: datetime, now: datetime) -> bool:
    """Return whether a sign-in is over: 30 minutes unused, or 10 hours old."""
    return now - seen_at >= MAX_IDLE or now - created_at >= MAX_SESSION


def stage_of(*, role: Role, has_totp: bool, is_verified: bool, must_change: bool) -> Stage:
    """Return what somebody whose password was right must do next.

    Args:
        role: of the account.
        has_totp: an authenticator was set up.
        is_verified: its code was right in this session.
        must_change: the password is a one-time password.
    """
    if has_totp and not is_verified:
        return Stage.CODE
    if must_change:
        return Stage.PASSWORD
    if needs_totp(role) and not has_totp:
        return Stage.ENROL
    return Stage.DONE
