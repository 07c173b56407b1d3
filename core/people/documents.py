"""Identity documents: reading a number as people type it, checking it, masking it.

A number may be in no log line, exception or address: errors here carry lengths and kinds alone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Final
from unicodedata import category, normalize

from stdnum.cn import ric

from core.errors import InvalidInputError

EARLIEST_BIRTH: Final = date(1900, 1, 1)
MAX_AGE: Final = 120  # years

# What stands between groups of digits, or comes along when a number is copied.
_DROPPED: Final = frozenset({"Zs", "Zl", "Zp", "Cc", "Cf", "Pd"})
# What phone keyboards offer in place of the letter X.
_LIKE_X: Final = str.maketrans("×✕╳", "XXX")

_GENERAL: Final = re.compile(r"\d{17}[\dX]", re.ASCII)
_FOREIGN_2017: Final = re.compile(r"[A-Z]{3}\d{4}(\d{6})\d{2}", re.ASCII)
_TRAVEL_HOME: Final = re.compile(r"[HM](?:\d{8}|\d{10})", re.ASCII)
_TRAVEL_TAIWAN: Final = re.compile(r"\d{8}|\d{10}[A-Z]?", re.ASCII)
_PASSPORT: Final = re.compile(r"(?=.*\d)[A-Z0-9]{5,12}", re.ASCII)
_GENERAL_LENGTH: Final = 18
_OLD_LENGTH: Final = 15

# The first two digits of an area: provinces, regions and cities under the central government.
_PROVINCES: Final = re.compile("1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5]|71")

_LONG_NUMBER: Final = 14
_LONG_SHOWN: Final = (3, 4)
_SHORT_SHOWN: Final = (1, 2)


class DocumentKind(StrEnum):
    """What a person proves who they are with."""

    RESIDENT_ID = "resident_id"
    RESIDENCE_PERMIT = "residence_permit"  # of residents of Hong Kong, Macao and Taiwan
    PERMANENT_RESIDENCE = "permanent_residence"  # of foreigners
    TRAVEL_PERMIT = "travel_permit"  # to the mainland, of residents of Hong Kong, Macao, Taiwan
    PASSPORT = "passport"


# The kinds that share the form of a resident's number; its first digits tell them apart.
_GENERAL_KINDS: Final = {
    "81": DocumentKind.RESIDENCE_PERMIT,
    "82": DocumentKind.RESIDENCE_PERMIT,
    "83": DocumentKind.RESIDENCE_PERMIT,
}


# What registers and forms call the kinds.
KIND_WORDS: Final[Mapping[str, DocumentKind]] = {
    **{kind.value: kind for kind in DocumentKind},
    "身份证": DocumentKind.RESIDENT_ID,
    "居民身份证": DocumentKind.RESIDENT_ID,
    "中华人民共和国居民身份证": DocumentKind.RESIDENT_ID,
    "居住证": DocumentKind.RESIDENCE_PERMIT,
    "港澳台居民居住证": DocumentKind.RESIDENCE_PERMIT,
    "港澳居民居住证": DocumentKind.RESIDENCE_PERMIT,
    "台湾居民居住证": DocumentKind.RESIDENCE_PERMIT,
    "永久居留证": DocumentKind.PERMANENT_RESIDENCE,
    "外国人永久居留证": DocumentKind.PERMANENT_RESIDENCE,
    "外国人永久居留身份证": DocumentKind.PERMANENT_RESIDENCE,
    "通行证": DocumentKind.TRAVEL_PERMIT,
    "回乡证": DocumentKind.TRAVEL_PERMIT,
    "台胞证": DocumentKind.TRAVEL_PERMIT,
    "港澳居民来往内地通行证": DocumentKind.TRAVEL_PERMIT,
    "台湾居民来往大陆通行证": DocumentKind.TRAVEL_PERMIT,
    "护照": DocumentKind.PASSPORT,
    "外国护照": DocumentKind.PASSPORT,
}


class InvalidDocumentError(InvalidInputError):
    """A number that no document of its kind has."""

    code = "document_invalid"


class DocumentMissingError(InvalidDocumentError):
    """Nothing was typed."""

    code = "document_missing"


class DocumentOutdatedError(InvalidDocumentError):
    """A resident's number of 15 digits, which has not been valid since 2013."""

    code = "document_outdated"


class DocumentLengthError(InvalidDocumentError):
    """Too many or too few characters; facts `length` and `expected`."""

    code = "document_length"


class DocumentCharacterError(InvalidDocumentError):
    """Something else than digits, where there may be digits alone."""

    code = "document_character"


class DocumentBirthDateError(InvalidDocumentError):
    """The date within the number is no day on which somebody living was born."""

    code = "document_birth_date"


class DocumentCheckDigitError(InvalidDocumentError):
    """The last character does not agree with the others: a slip somewhere."""

    code = "document_check_digit"


class DocumentFormError(InvalidDocumentError):
    """Not the form of a travel permit, passport or card of 2017; fact `kind`."""

    code = "document_form"


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A document whose number is right as far as a number can tell.

    Attributes:
        kind: as its number shows, where it does.
        number: normalised; never shown by `repr`.
        born_on: where the number tells it.
        is_area_usual: whether the area is one of a province; a hint, for areas come and go.
    """

    kind: DocumentKind
    number: str = field(repr=False)
    born_on: date | None = field(default=None, repr=False)
    is_area_usual: bool = True

    @property
    def birth_year(self) -> int | None:
        """The year of birth, where the number tells it."""
        return self.born_on.year if self.born_on else None

    @property
    def masked(self) -> str:
        """The number as a page may show it."""
        return mask_number(self.number)


def kind_named(text: str) -> DocumentKind | None:
    """Return the kind that a word means; None when nobody knows it."""
    word = "".join(normalize("NFKC", text).split())
    return KIND_WORDS.get(word) or KIND_WORDS.get(word.lower())


def normal_number(text: str) -> str:
    """Return a number as it is stored: half-width, upper case, without blanks and dashes."""
    if text.isascii() and text.isalnum():
        return text.upper()
    plain = normalize("NFKC", text.translate(_LIKE_X))
    return "".join(one for one in plain if category(one) not in _DROPPED).upper()


def mask_number(number: str) -> str:
    """Return a number with its first 3 and last 4 characters; of a short one, first 1 and last 2.

    Of the nine characters of a passport the usual seven would leave nothing to guess; of fewer
    than six none are shown.
    """
    head, tail = _LONG_SHOWN if len(number) >= _LONG_NUMBER else _SHORT_SHOWN
    if len(number) < 2 * (head + tail):
        return "*" * len(number)
    return f"{number[:head]}{'*' * (len(number) - head - tail)}{number[-tail:]}"


def age_on(day: date, *, born_on: date) -> int:
    """Return the age in full years on a day; negative before the birth."""
    return day.year - born_on.year - ((day.month, day.day) < (born_on.month, born_on.day))


def document_of(text: str, *, kind: DocumentKind | None = None, today: date) -> Document:
    """Return the document that a typed number is.

    Resident IDs, residence permits and permanent residence cards are told apart by their numbers:
    who chose one of the three and typed another has made no mistake worth asking about.

    Args:
        text: as typed; full-width characters, blanks and dashes are fine.
        kind: what the person says it is; None: the number decides.
        today: local day, against which a birth date must be plausible.

    Raises:
        DocumentMissingError: nothing was typed.
        DocumentOutdatedError: 15 digits.
        DocumentLengthError: not 18 characters, for a resident's number.
        DocumentCharacterError: letters within a resident's number.
        DocumentBirthDateError: no day, before 1900, after today, more than 120 years ago.
        DocumentCheckDigitError: the check digit is another one.
        DocumentFormError: not the form of a travel permit, passport or card of 2017.

    Source: docs/sources.md#identity-documents
    """
    number = normal_number(text)
    if not number:
        raise DocumentMissingError
    found = kind or likely_kind(number)
    if found is DocumentKind.TRAVEL_PERMIT:
        if not (_TRAVEL_HOME.fullmatch(number) or _TRAVEL_TAIWAN.fullmatch(number)):
            raise DocumentFormError(kind=found.value)
        return Document(kind=found, number=number)
    if found is DocumentKind.PASSPORT:
        if not _PASSPORT.fullmatch(number):
            raise DocumentFormError(kind=found.value)
        return Document(kind=found, number=number)
    if _FOREIGN_2017.fullmatch(number):
        return _foreign_of(number)
    return _general_of(number, today=today)


def likely_kind(number: str) -> DocumentKind:
    """Return what a normalised number looks like; a resident's number when nothing fits."""
    if _FOREIGN_2017.fullmatch(number):
        return DocumentKind.PERMANENT_RESIDENCE
    if _TRAVEL_HOME.fullmatch(number) or _TRAVEL_TAIWAN.fullmatch(number):
        return DocumentKind.TRAVEL_PERMIT
    if _PASSPORT.fullmatch(number) and not number.isdecimal():
        return DocumentKind.PASSPORT
    return _general_kind(number)


def _general_kind(number: str) -> DocumentKind:
    if number.startswith("9"):
        return DocumentKind.PERMANENT_RESIDENCE
    return _GENERAL_KINDS.get(number[:2], DocumentKind.RESIDENT_ID)


def _foreign_of(number: str) -> Document:
    """Return a permanent residence card of 2017; its two-digit year tells no century."""
    digits = number[7:13]
    kind = DocumentKind.PERMANENT_RESIDENCE
    if not any(_day_of(century + digits) for century in ("19", "20")):
        raise DocumentFormError(kind=kind.value)
    return Document(kind=kind, number=number)


def _general_of(number: str, *, today: date) -> Document:
    if len(number) == _OLD_LENGTH and number.isdecimal():
        raise DocumentOutdatedError
    if len(number) != _GENERAL_LENGTH:
        raise DocumentLengthError(length=len(number), expected=_GENERAL_LENGTH)
    if not _GENERAL.fullmatch(number):
        raise DocumentCharacterError
    # The date first: it tells the person where in the number to look.
    born_on = _day_of(number[6:14])
    if born_on is None or not EARLIEST_BIRTH <= born_on <= today:
        raise DocumentBirthDateError
    if age_on(today, born_on=born_on) > MAX_AGE:
        raise DocumentBirthDateError
    if number[-1] != ric.calc_check_digit(number):
        raise DocumentCheckDigitError
    kind = _general_kind(number)
    is_usual = kind is not DocumentKind.RESIDENT_ID or bool(_PROVINCES.match(number))
    return Document(kind=kind, number=number, born_on=born_on, is_area_usual=is_usual)


def _day_of(digits: str) -> date | None:
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return None
