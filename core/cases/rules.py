"""Why a case is opened, what closes it, when it is late, and which certificate counts."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final

from core.errors import InvalidInputError
from core.workplaces.rules import Face

DEADLINE: Final = timedelta(hours=24)
ISOLATION: Final = timedelta(days=14)
MIN_NOTE: Final = 2
MAX_NOTE: Final = 500
MAX_NUMBER: Final = 40
MIN_ISSUER: Final = 2
MAX_ISSUER: Final = 100
# A company's owner decides about each of their people before they come; a case would ask twice.
CASED_FACES: Final = frozenset({Face.SHOP, Face.SITE})


class Cause(StrEnum):
    """Why somebody has to be looked after."""

    KEY_AREA = "key_area"
    HEALTH_CODE = "health_code"


class CaseState(StrEnum):
    """How a case stands."""

    OPEN = "open"
    CONTACTED = "contacted"
    CLOSED = "closed"


STANDING: Final = frozenset({CaseState.OPEN, CaseState.CONTACTED})


class Finding(StrEnum):
    """What a case was closed with."""

    ISOLATED = "isolated"  # fourteen days at home or in a centre, certified
    NOT_THERE = "not_there"  # the person was not in the area
    LEFT = "left"  # the person is not at the workplace any more
    MISTAKEN = "mistaken"  # another person, or a slip of the pen
    CLEARED = "cleared"  # by nobody: the list says by now that it was no key area then


# What a person may find.
FINDABLE: Final = tuple(finding for finding in Finding if finding is not Finding.CLEARED)
# Who is found so may come to work, if nothing else keeps them.
LETS_IN: Final = frozenset({Finding.ISOLATED, Finding.NOT_THERE, Finding.MISTAKEN, Finding.CLEARED})


class StepKind(StrEnum):
    """What was done about a case."""

    OPENED = "opened"
    REOPENED = "reopened"
    AREAS = "areas"  # the list was changed: other areas count
    CORRECTED = "corrected"  # the person changed what they reported
    CONTACT = "contact"
    EVIDENCE = "evidence"
    ESCALATED = "escalated"  # the street was told that the deadline is over
    CLOSED = "closed"


class CertificateFault(StrEnum):
    """Why the dates of a certificate cannot be."""

    ORDER = "order"  # it ends before it begins
    SHORT = "short"  # less than fourteen full days
    FUTURE = "future"  # it is not over yet, or issued later than today
    EARLY = "early"  # it begins before the person came back
    ISSUED = "issued"  # issued before it was over


class CaseNoteError(InvalidInputError):
    """What was found is missing, too short or too long; facts `min_count`, `max_count`."""

    code = "case_note"


class CertificateNumberError(InvalidInputError):
    """A certificate without a number, or with one that is none; fact `max_count`."""

    code = "certificate_number"


class CertificateIssuerError(InvalidInputError):
    """Who issued a certificate is missing or too long; facts `min_count`, `max_count`."""

    code = "certificate_issuer"


class CertificateDatesError(InvalidInputError):
    """The dates of a certificate cannot be; facts `fault`, `returned_on` (may be None)."""

    code = "certificate_dates"


class FindingUnfoundedError(InvalidInputError):
    """Nobody was contacted and no certificate is there."""

    code = "finding_unfounded"


class CertificateMissingError(InvalidInputError):
    """Closed with fourteen days of isolation, and no certificate says so."""

    code = "certificate_missing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """What a certificate says: that somebody was isolated, from one local day to another.

    Attributes:
        number: as printed on it.
        issuer: the health centre.
        issued_on: local day.
    """

    number: str = field(repr=False)
    issuer: str
    isolated_from: date
    isolated_until: date
    issued_on: date


def is_overdue(state: CaseState, deadline_at: datetime, *, now: datetime) -> bool:
    """Return whether a case should have been closed by now."""
    return state in STANDING and now >= deadline_at


def note_of(text: str, *, is_needed: bool = True) -> str:
    """Return what somebody found out, without blanks around it.

    Args:
        text: as typed.
        is_needed: whether an empty one is refused.

    Raises:
        CaseNoteError: shorter than 2 characters, or longer than 500.
    """
    note = text.replace("\r\n", "\n").strip()
    if not note and not is_needed:
        return ""
    if not MIN_NOTE <= len(note) <= MAX_NOTE:
        raise CaseNoteError(min_count=MIN_NOTE, max_count=MAX_NOTE)
    return note


def certificate_number_of(text: str) -> str:
    """Return the number of a certificate as it is kept: one line of at most 40 characters.

    Raises:
        CertificateNumberError: empty, longer, or without a letter or digit.
    """
    number = _line_of(text)
    if len(number) > MAX_NUMBER or not any(one.isalnum() for one in number):
        raise CertificateNumberError(max_count=MAX_NUMBER)
    return number


def issuer_of(text: str) -> str:
    """Return the name of a health centre as it is kept: one line of 2 to 100 characters.

    Raises:
        CertificateIssuerError: shorter or longer.
    """
    issuer = _line_of(text)
    if not MIN_ISSUER <= len(issuer) <= MAX_ISSUER:
        raise CertificateIssuerError(min_count=MIN_ISSUER, max_count=MAX_ISSUER)
    return issuer


def certificate_fault_of(
    certificate: Certificate, *, returned_on: date | None, today: date
) -> CertificateFault | None:
    """Return why the dates of a certificate cannot be, or None if they can.

    The day on which isolation begins is no full one: from the 1st to the 15th are fourteen.

    Args:
        certificate: as somebody read it.
        returned_on: local day on which the stay in the key area ended; None: not known.
        today: local day of the question.

    Source: docs/sources.md#isolation-certificates
    """
    begun, over, issued = (
        certificate.isolated_from,
        certificate.isolated_until,
        certificate.issued_on,
    )
    holds = {
        CertificateFault.ORDER: over < begun,
        CertificateFault.SHORT: over - begun < ISOLATION,
        CertificateFault.FUTURE: max(over, issued) > today,
        CertificateFault.EARLY: returned_on is not None and begun < returned_on,
        CertificateFault.ISSUED: issued < over,
    }
    return next((fault for fault in CertificateFault if holds[fault]), None)


def check_certificate(certificate: Certificate, *, returned_on: date | None, today: date) -> None:
    """Check that the dates of a certificate can be, and cover fourteen full days.

    Raises:
        CertificateDatesError: see `certificate_fault_of`.
    """
    fault = certificate_fault_of(certificate, returned_on=returned_on, today=today)
    if fault is not None:
        raise CertificateDatesError(fault=fault.value, returned_on=returned_on)


def check_finding(
    finding: Finding,
    *,
    is_contacted: bool,
    begun_on: Iterable[date],
    returned_on: date | None,
) -> None:
    """Check that what a case shall be closed with rests on something.

    Args:
        finding: what was found.
        is_contacted: whether somebody was, since the case was opened last.
        begun_on: when the isolations of its certificates began, local days.
        returned_on: local day on which the stay ended; None: not known.

    Raises:
        CertificateMissingError: isolated, and no certificate is for this stay.
        FindingUnfoundedError: nobody was contacted and no certificate is for this stay.
    """
    is_certified = any(returned_on is None or day >= returned_on for day in begun_on)
    if finding is Finding.ISOLATED and not is_certified:
        raise CertificateMissingError
    if not is_contacted and not is_certified:
        raise FindingUnfoundedError


def has_new_areas(areas: Collection[str], *, known: Collection[str]) -> bool:
    """Return whether somebody was in a key area that a case does not name yet."""
    return not set(areas) <= set(known)


def _line_of(text: str) -> str:
    return " ".join("".join(one if one.isprintable() else " " for one in text).split())
