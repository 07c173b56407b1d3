"""What an export needs, what it is called, and which cells a spreadsheet must not run."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Final
from unicodedata import category

from core.errors import ForbiddenError, InvalidInputError
from core.people.staff.rules import Area, AreaKind, Role

MIN_REASON: Final = 8
MAX_REASON: Final = 200
# What a spreadsheet takes is five times as much; a file that long is nobody's work.
MAX_ROWS: Final = 200_000
MAX_CELL: Final = 1000
# Without characters that are taken for others when they are read out.
ALPHABET: Final = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"

# Whoever checks that somebody is who they say they are may need whole names and numbers.
MAY_UNMASK: Final = frozenset({Role.ADMINISTRATOR, Role.DISTRICT_REVIEWER})

# What makes a spreadsheet take a text for a formula; the full-width ones count in Chinese input.
_TRIGGERS: Final = frozenset("=+-@＝＋－＠\t\r\n|")
_RISKY_STARTS: Final = _TRIGGERS | {" "}
_GUARD: Final = "'"


class ExportKind(StrEnum):
    """What is exported."""

    FILINGS = "filings"
    REGISTRATIONS = "registrations"
    CASES = "cases"
    SITES = "sites"


class SheetFormat(StrEnum):
    """As what kind of file: what a spreadsheet opens, or what other systems read."""

    XLSX = "xlsx"
    CSV = "csv"


class Masking(StrEnum):
    """Whether names and numbers of people are shown whole."""

    MASKED = "masked"
    UNMASKED = "unmasked"


class ExportReasonError(InvalidInputError):
    """An export without a reason that tells anything; facts: `min_count`, `max_count`."""

    code = "export_reason"


class UnmaskedForbiddenError(ForbiddenError):
    """Whole names and numbers are not for this role."""

    code = "unmasked_forbidden"


class ExportTooLargeError(InvalidInputError):
    """More rows than one file may have; fact: `max_count`."""

    code = "export_too_large"


def export_reason_of(text: str) -> str:
    """Return a reason as it is kept: one line of 8 to 200 characters.

    Raises:
        ExportReasonError: shorter, longer, or the same character over and over.
    """
    line = " ".join("".join(one if one.isprintable() else " " for one in text).split())
    says_something = len(set(line)) >= MIN_REASON // 2
    if not (MIN_REASON <= len(line) <= MAX_REASON and says_something):
        raise ExportReasonError(min_count=MIN_REASON, max_count=MAX_REASON)
    return line


def check_masking(masking: Masking, *, role: Role, area: Area) -> None:
    """Check that a role may export as it asks.

    Raises:
        UnmaskedForbiddenError: whole names and numbers are not for it.
    """
    is_allowed = role in MAY_UNMASK and area.kind is AreaKind.DISTRICT
    if masking is Masking.UNMASKED and not is_allowed:
        raise UnmaskedForbiddenError


def export_number_for(day: date, *, drawn: str) -> str:
    """Return the number of an export: the day, and six characters that were drawn."""
    return f"X{day:%y%m%d}-{drawn}"


def safe_cell(text: str) -> str:
    """Return a text that no spreadsheet runs as a formula.

    A cell of an XLSX file that is written as a string is none; but who saves the sheet as CSV and
    opens it again gives the same text back to be read as a formula. So a text that begins like
    one, behind whatever blanks, gets an apostrophe in front, which stays visible: better than a
    cell that looks right and sends data away. Control characters become blanks.

    Args:
        text: whatever people or registers wrote.

    Returns:
        At most 1,000 characters.
    """
    if text.isprintable() and text[:1] not in _RISKY_STARTS:
        # Almost every cell; what follows looks at every character.
        return text[:MAX_CELL]
    is_risky = text[:1] in _TRIGGERS or text.lstrip()[:1] in _TRIGGERS
    plain = "".join(" " if category(one) in {"Cc", "Zl", "Zp"} else one for one in text)
    plain = "".join(one for one in plain if category(one) not in {"Cf", "Cs"})
    is_risky = is_risky or plain.lstrip()[:1] in _TRIGGERS
    kept = f"{_GUARD}{plain}" if text and is_risky else plain
    return kept[:MAX_CELL]
