"""Rules of the register: codes, kinds and states of companies, and what makes another owner."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Final
from unicodedata import category, normalize

from stdnum.cn import uscc as unified_code

from core.errors import InvalidInputError
from core.workplaces.rules import WorkplaceState, is_running

USCC_LENGTH: Final = 18
# Digits and capital letters without those that look like others: I, O, S, V, Z.
_USCC: Final = re.compile(r"[0-9A-HJ-NP-RTUW-Y]{2}\d{6}[0-9A-HJ-NP-RTUW-Y]{10}", re.ASCII)
_DROPPED: Final = frozenset({"Zs", "Zl", "Zp", "Cc", "Cf", "Pd"})


class InvalidUsccError(InvalidInputError):
    """No unified social credit code."""

    code = "uscc_invalid"


class UsccMissingError(InvalidUsccError):
    """Nothing was typed."""

    code = "uscc_missing"


class UsccLengthError(InvalidUsccError):
    """Too many or too few characters; facts `length` and `expected`."""

    code = "uscc_length"


class UsccCharacterError(InvalidUsccError):
    """A character that no code has, or a letter where only digits stand."""

    code = "uscc_character"


class UsccCheckDigitError(InvalidUsccError):
    """The last character does not agree with the others: a slip somewhere."""

    code = "uscc_check_digit"


def uscc_of(text: str) -> str:
    """Return a unified social credit code as it is stored: 18 characters, upper case.

    Args:
        text: as typed; full-width characters, blanks and dashes are fine.

    Raises:
        UsccMissingError: nothing was typed.
        UsccLengthError: not 18 characters.
        UsccCharacterError: a character that stands in no code, or at no such place.
        UsccCheckDigitError: the check character is another one.

    Source: docs/sources.md#unified-social-credit-code
    """
    uscc = text.upper()
    if not (uscc.isascii() and uscc.isalnum()):
        plain = normalize("NFKC", uscc)
        uscc = "".join(one for one in plain if category(one) not in _DROPPED).upper()
    if not uscc:
        raise UsccMissingError
    if len(uscc) != USCC_LENGTH:
        raise UsccLengthError(length=len(uscc), expected=USCC_LENGTH)
    if not _USCC.fullmatch(uscc):
        raise UsccCharacterError
    if uscc[-1] != unified_code.calc_check_digit(uscc[:-1]):
        raise UsccCheckDigitError
    return uscc


class CompanyKind(StrEnum):
    """What a company is registered as; the first characters of its code tell."""

    ENTERPRISE = "enterprise"
    SOLE_TRADER = "sole_trader"
    COOPERATIVE = "cooperative"
    SOCIAL = "social"  # associations, foundations, private non-enterprise units
    PUBLIC = "public"  # offices and institutions of the state
    OTHER = "other"


_KIND_OF_CLASS: Final[Mapping[str, CompanyKind]] = {
    "91": CompanyKind.ENTERPRISE,
    "92": CompanyKind.SOLE_TRADER,
    "93": CompanyKind.COOPERATIVE,
}
_KIND_OF_OFFICE: Final[Mapping[str, CompanyKind]] = {
    "1": CompanyKind.PUBLIC,
    "5": CompanyKind.SOCIAL,
}


def kind_of(uscc: str) -> CompanyKind:
    """Return the kind that a code stands for.

    Source: docs/sources.md#unified-social-credit-code
    """
    by_office = _KIND_OF_OFFICE.get(uscc[:1], CompanyKind.OTHER)
    return _KIND_OF_CLASS.get(uscc[:2], by_office)


class CompanyState(StrEnum):
    """What the register says of a company."""

    ACTIVE = "active"
    SUSPENDED = "suspended"  # rests by its own wish
    MOVED = "moved"  # registered in another district now
    REVOKED = "revoked"  # the licence was withdrawn; it may only be wound up
    DEREGISTERED = "deregistered"  # it is no more


STATE_WORDS: Final[Mapping[str, CompanyState]] = {
    **{state.value: state for state in CompanyState},
    "存续": CompanyState.ACTIVE,
    "在业": CompanyState.ACTIVE,
    "开业": CompanyState.ACTIVE,
    "在营": CompanyState.ACTIVE,
    "正常": CompanyState.ACTIVE,
    "登记成立": CompanyState.ACTIVE,
    "停业": CompanyState.SUSPENDED,
    "歇业": CompanyState.SUSPENDED,
    "迁出": CompanyState.MOVED,
    "吊销": CompanyState.REVOKED,
    "吊销未注销": CompanyState.REVOKED,
    "注销": CompanyState.DEREGISTERED,
    "吊销已注销": CompanyState.DEREGISTERED,
    "撤销": CompanyState.DEREGISTERED,
}
_STATE_ENDINGS: Final = ("企业", "状态")
# Around and within what registers write: "存续（在营、开业、在册）", "吊销，未注销".
_STATE_DETAILS: Final = re.compile(r"\(.*\)")
_STATE_MARKS: Final = re.compile(r"[\s,，、;；]")

# A deregistration can be annulled, and then the company is what it was; nothing else follows it.
_NEXT_STATES: Final[Mapping[CompanyState, frozenset[CompanyState]]] = {
    CompanyState.ACTIVE: frozenset(CompanyState),
    CompanyState.SUSPENDED: frozenset(CompanyState),
    CompanyState.MOVED: frozenset(CompanyState),
    CompanyState.REVOKED: frozenset(
        {CompanyState.ACTIVE, CompanyState.REVOKED, CompanyState.DEREGISTERED}
    ),
    CompanyState.DEREGISTERED: frozenset({CompanyState.ACTIVE, CompanyState.DEREGISTERED}),
}
# Their absence from a full file says nothing new.
ENDED_STATES: Final = frozenset({CompanyState.MOVED, CompanyState.DEREGISTERED})


def state_of(text: str) -> CompanyState | None:
    """Return the state that a register's word means; None when nobody knows it."""
    word = _STATE_DETAILS.sub("", normalize("NFKC", text).strip().lower())
    word = _STATE_MARKS.sub("", word)
    for ending in _STATE_ENDINGS:
        word = word.removesuffix(ending)
    return STATE_WORDS.get(word)


def may_become(old: CompanyState, new: CompanyState) -> bool:
    """Return whether a company in one state can be in the other at the next look."""
    return new in _NEXT_STATES[old]


def is_in_business(state: CompanyState) -> bool:
    """Return whether a company in this state may file, hire and approve."""
    return is_running(WorkplaceState(state.value))


class Field(StrEnum):
    """What of a company can change; the history names it."""

    NAME = "name"
    ADDRESS = "address"
    STREET = "street"
    INDUSTRY = "industry"
    STATE = "state"
    OWNER = "owner"  # another person stands for it
    OWNER_NAME = "owner_name"  # the same person, named otherwise
    OWNER_ID_KIND = "owner_id_kind"  # the same number, of another kind of document


# Of these the history says only that they changed: what they were is personal data.
PRIVATE_FIELDS: Final = frozenset({Field.OWNER, Field.OWNER_NAME, Field.OWNER_ID_KIND})


def owner_changes_of(*, old: tuple[str, str, str], new: tuple[str, str, str]) -> frozenset[Field]:
    """Return what an owner's data say of the owner.

    The number of the document decides who somebody is. Another number is another person even
    under the same name: that it is only a new passport cannot be told, and taking it for one
    would leave approvals to a stranger.

    Args:
        old: name, number and kind of document, all normalised.
        new: the same, as the register has them now.

    Returns:
        Empty: nothing changed; `OWNER` alone: another person; else what of the same person.
    """
    if old[1] != new[1]:
        return frozenset({Field.OWNER})
    changed = set[Field]()
    if old[0] != new[0]:
        changed.add(Field.OWNER_NAME)
    if old[2] != new[2]:
        changed.add(Field.OWNER_ID_KIND)
    return frozenset(changed)
