"""Raw fields → typed values.

Two manners: in a filter, what cannot be used counts as not given (`…_field`); in a form it is a
fault beside its field, and what was typed stays (`Form`).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final, TypeVar

from core.clock import start_of
from core.errors import DomainError, InvalidInputError
from handlers.page import Upload

Choice = TypeVar("Choice", bound=StrEnum)
Value = TypeVar("Value")
MAX_TEXT = 64
MAX_LINES = 2000
# Of what was typed this much is looked at, and shown again.
MAX_TYPED = 10_000
# A larger number is no row's, and one database refuses it.
MAX_NUMBER = 2**31 - 1
MAX_DIGITS = 10
# In the wide characters of a Chinese keyboard, too.
_DECIMAL: Final = re.compile(r"[0-9０-９]{1,7}(?:[.．][0-9０-９]{1,4})?")
# More rows than any company has people; a longer list is nobody's work.
MAX_LIST = 20_000
MAX_FILE_BYTES = 10 * 1024 * 1024
BYTES_PER_MB = 1024 * 1024


class FieldMissingError(InvalidInputError):
    """Something that is needed was left empty."""

    code = "field_missing"


class ChoiceMissingError(InvalidInputError):
    """None of the choices was taken."""

    code = "choice_missing"


class TextTooLongError(InvalidInputError):
    """More was typed than is kept; facts: `max_count`, in characters."""

    code = "text_too_long"


class NumberInvalidError(InvalidInputError):
    """No whole number between the bounds; facts: `lowest`, `highest`."""

    code = "number_invalid"


class DecimalInvalidError(InvalidInputError):
    """No number between the bounds; facts: `lowest`, `highest`."""

    code = "decimal_invalid"


class DayInvalidError(InvalidInputError):
    """No day of the calendar."""

    code = "day_invalid"


class UploadMissingError(InvalidInputError):
    """No file was chosen."""

    code = "upload_missing"


class UploadTooLargeError(InvalidInputError):
    """A file is larger than is taken; facts: `max_mb`."""

    code = "upload_too_large"


# --- filters: what cannot be used counts as not given -------------------------------------------


def text_field(fields: Mapping[str, str], name: str, *, max_count: int = MAX_TEXT) -> str:
    """Return what was typed, without blanks around it and control characters.

    Args:
        fields: of a form or an address.
        name: which of them.
        max_count: characters that are kept.
    """
    return _line_of(fields.get(name, "")[:max_count])


def number_field(fields: Mapping[str, str], name: str) -> int | None:
    """Return a number from 1 to 2³¹-1."""
    number = _number_of(fields.get(name, ""))
    return number if number is not None and 1 <= number <= MAX_NUMBER else None


def choice_field(fields: Mapping[str, str], name: str, choices: type[Choice]) -> Choice | None:
    """Return one of the values of an enumeration."""
    text = fields.get(name, "")
    return choices(text) if text in set(choices) else None


def day_field(fields: Mapping[str, str], name: str) -> date | None:
    """Return a day written as YYYY-MM-DD."""
    try:
        return date.fromisoformat(fields.get(name, ""))
    except ValueError:
        return None


def ids_of(values: Sequence[str]) -> list[int]:
    """Return the numbers of rows that a list of values names, each once, in their order.

    Args:
        values: of a repeated field; what is no number of a row is left out, and what stands
            behind the first 20,000 values as well.
    """
    numbers = (number_field({"": value}, "") for value in values[:MAX_LIST])
    return list(dict.fromkeys(number for number in numbers if number is not None))


def period_of(first: date | None, last: date | None) -> tuple[datetime | None, datetime | None]:
    """Return the instants from the start of the first day to the end of the last one.

    Days at the far ends of the calendar have no such instant; they count as not given.
    """
    return _start_of(first, 0), _start_of(last, 1)


def _start_of(day: date | None, days_later: int) -> datetime | None:
    if day is None:
        return None
    try:
        return start_of(day + timedelta(days=days_later))
    except OverflowError:
        return None


def _line_of(text: str) -> str:
    return "".join(one for one in text if one.isprintable()).strip()


def _lines_of(text: str) -> str:
    # A browser ends a line with two characters, which count as one.
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", " ")
    return "\n".join(_line_of(line) for line in text.split("\n")).strip()


def _number_of(text: str) -> int | None:
    if not (text.isascii() and text.isdigit() and len(text) <= MAX_DIGITS):
        return None
    return int(text)


# --- forms: what cannot be used is a fault beside its field -------------------------------------


class Form:
    """What was sent, read field by field; the faults stay beside what was typed.

    A reader returns the value of a field, or None and leaves a fault. A page shows the form again
    with `typed` and `faults` as long as there are any.
    """

    def __init__(
        self, fields: Mapping[str, str], *, uploads: Mapping[str, Upload] | None = None
    ) -> None:
        """Read nothing yet.

        Args:
            fields: of a visit.
            uploads: of a visit, where the form sends files.
        """
        self._fields = fields
        self._uploads = uploads or {}
        self.faults: dict[str, DomainError] = {}

    @property
    def typed(self) -> dict[str, str]:
        """What was typed, as it was, to be shown again."""
        return {name: text[:MAX_TYPED] for name, text in self._fields.items()}

    def refuse(self, name: str, error: DomainError) -> None:
        """Leave a fault beside a field; the first one of a field stays."""
        self.faults.setdefault(name, error)

    def read(self, name: str, reader: Callable[[str], Value]) -> Value | None:
        """Return what a rule of core makes of a field; None leaves its error as the fault.

        Args:
            name: of the field.
            reader: takes what was typed, without blanks around it; raises a DomainError.
        """
        try:
            return reader(self._typed(name).strip())
        except DomainError as error:
            self.refuse(name, error)
            return None

    def text(self, name: str, *, max_count: int = MAX_TEXT) -> str | None:
        """Return one line that must not be empty."""
        return self._needed(name, self.optional_text(name, max_count=max_count))

    def optional_text(self, name: str, *, max_count: int = MAX_TEXT) -> str | None:
        """Return one line; empty if nothing was typed, None if it is too long."""
        return self._bounded(name, _line_of(self._typed(name)), max_count)

    def lines(self, name: str, *, max_count: int = MAX_LINES) -> str | None:
        r"""Return some lines, parted by `\n`, that must not be empty."""
        return self._needed(name, self.optional_lines(name, max_count=max_count))

    def optional_lines(self, name: str, *, max_count: int = MAX_LINES) -> str | None:
        r"""Return some lines, parted by `\n`; empty if nothing was typed, None if too long."""
        return self._bounded(name, _lines_of(self._typed(name)), max_count)

    def number(self, name: str, *, lowest: int = 1, highest: int = MAX_NUMBER) -> int | None:
        """Return a whole number between two bounds, both included."""
        text = _line_of(self._typed(name))
        number = _number_of(text)
        if not text:
            self.refuse(name, FieldMissingError())
            return None
        if number is None or not lowest <= number <= highest:
            self.refuse(name, NumberInvalidError(lowest=lowest, highest=highest))
            return None
        return number

    def decimal(self, name: str, *, lowest: float, highest: float) -> float | None:
        """Return a number between two bounds, both included; it may have a fraction."""
        text = _line_of(self._typed(name))
        if not text:
            self.refuse(name, FieldMissingError())
            return None
        is_one = _DECIMAL.fullmatch(text) is not None
        value = float(unicodedata.normalize("NFKC", text)) if is_one else None
        if value is None or not lowest <= value <= highest:
            self.refuse(name, DecimalInvalidError(lowest=f"{lowest:g}", highest=f"{highest:g}"))
            return None
        return value

    def choice(self, name: str, choices: type[Choice]) -> Choice | None:
        """Return one of the values of an enumeration."""
        choice = choice_field(self._fields, name, choices)
        if choice is None:
            self.refuse(name, ChoiceMissingError())
        return choice

    def day(self, name: str) -> date | None:
        """Return a day, written as a browser sends it: YYYY-MM-DD."""
        day = day_field(self._fields, name)
        if day is None:
            is_empty = not self._typed(name).strip()
            self.refuse(name, FieldMissingError() if is_empty else DayInvalidError())
        return day

    def is_checked(self, name: str) -> bool:
        """Return whether a box was checked."""
        return bool(self._fields.get(name))

    def upload(self, name: str, *, max_bytes: int = MAX_FILE_BYTES) -> Upload | None:
        """Return a file that must have been chosen."""
        if name not in self._uploads:
            self.refuse(name, UploadMissingError())
            return None
        return self.optional_upload(name, max_bytes=max_bytes)

    def optional_upload(self, name: str, *, max_bytes: int = MAX_FILE_BYTES) -> Upload | None:
        """Return a file; None if none was chosen, or with a fault if it is too large."""
        upload = self._uploads.get(name)
        if upload is None or len(upload.content) <= max_bytes:
            return upload
        self.refuse(name, UploadTooLargeError(max_mb=max_bytes // BYTES_PER_MB))
        return None

    def _typed(self, name: str) -> str:
        return self._fields.get(name, "")[:MAX_TYPED]

    def _bounded(self, name: str, text: str, max_count: int) -> str | None:
        if len(text) <= max_count:
            return text
        self.refuse(name, TextTooLongError(max_count=max_count))
        return None

    def _needed(self, name: str, text: str | None) -> str | None:
        if not text:
            # A text that is too long has its fault already.
            self.refuse(name, FieldMissingError())
        return text or None
