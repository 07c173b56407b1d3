"""What every import shares: rows that came in, rows that were refused, and reading their cells.

A cell is text. Whoever reads the file says which cells were numbers there: a code that a
spreadsheet turned into a number has lost its leading zeros or its last digits.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from typing import Final, TypeAlias
from unicodedata import category, normalize

from core.clock import SHANGHAI, day_of

Fact: TypeAlias = "str | int | float"

SHOWN_CHARACTERS: Final = 40
_NUMBER: Final = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
_DAY: Final = re.compile(r"(\d{4})(?:([-/.])(\d{1,2})\2(\d{1,2})|(\d{2})(\d{2}))", re.ASCII)
_INSTANT: Final = re.compile(
    r"(.+?)[ T]+(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?", re.ASCII
)


@dataclass(frozen=True, slots=True)
class ImportRow:
    """One row of a file.

    Attributes:
        line: where it begins; the header is line 1.
        cells: by column name; free of surrounding white space.
        numbers: columns whose cell was a number in a spreadsheet.
    """

    line: int
    cells: Mapping[str, str]
    numbers: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Rejection:
    """A row, or from line 1 a whole file, that was refused.

    Attributes:
        line: where it begins.
        code: the reason; its text is `templates/imports/<code>.txt`.
        facts: what the text names.
    """

    line: int
    code: str
    facts: Mapping[str, Fact]


@dataclass(slots=True, kw_only=True)
class ImportOutcome:
    """What an import did, counted in rows.

    Attributes:
        created_count: new things.
        updated_count: known things that changed.
        unchanged_count: known things that the file says nothing new of.
        rejections: rows that were refused, in the order of the file.
        days: local days whose data changed.
        communities: ids of communities of which something changed that matters today.
        field_counts: how many rows changed each field, where the subject tells them apart.
        findings: codes of things that somebody should look at, by what there is to see.
        tallies: how many there are of what nothing may name, by what there is to see.
        unscored_days: first and last of the scored days that the file concerns and that nobody
            scores again by themselves.
    """

    created_count: int = 0
    updated_count: int = 0
    unchanged_count: int = 0
    rejections: list[Rejection] = field(default_factory=list)
    days: set[date] = field(default_factory=set)
    communities: set[int] = field(default_factory=set)
    field_counts: Counter[str] = field(default_factory=Counter)
    findings: dict[str, list[str]] = field(default_factory=dict)
    tallies: Counter[str] = field(default_factory=Counter)
    unscored_days: tuple[date, date] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What the sender of a file says of it.

    Attributes:
        feed: the source that it comes from; empty: each row's own.
        watermark: the local day up to which the source is complete with it; None: told by it.
        row_count: how many rows were sent; None: not said.
        is_size_accepted: somebody looked at it and found its unusual size to be right.
        is_full: it names everything that there is.
        is_missing_ended: what it does not name has ended.
        digest: of the file as it came.
    """

    feed: str = ""
    watermark: date | None = None
    row_count: int | None = None
    is_size_accepted: bool = False
    is_full: bool = False
    is_missing_ended: bool = False
    digest: str = ""


class FileRefusedError(Exception):
    """A file that cannot be taken as a whole; the report lists it as a rejection."""

    def __init__(self, line: int, code: str, **facts: Fact) -> None:
        """Name the line at which it fails, the reason and what its text needs."""
        super().__init__(code)
        self.rejection = Rejection(line, code, facts)


class RowRefusedError(Exception):
    """A row cannot be taken; it never leaves the import, which lists it as a `Rejection`."""

    def __init__(self, code: str, **facts: Fact) -> None:
        """Name the reason and what its text needs."""
        super().__init__(code)
        self.code = code
        self.facts = facts

    def at(self, line: int) -> Rejection:
        """Return the entry of the report."""
        return Rejection(line, self.code, self.facts)


def shown(text: str) -> str:
    """Return a cell as a report may show it: one line, not too long."""
    line = " ".join(text.split())
    return line if len(line) <= SHOWN_CHARACTERS else line[: SHOWN_CHARACTERS - 1] + "…"


def text_in(row: ImportRow, column: str, *, max_length: int, is_required: bool = True) -> str:
    """Return the text of a cell, in one line.

    Raises:
        RowRefusedError: it is empty though required, too long, or holds a control character.
    """
    cell = row.cells.get(column, "")
    if not cell.isprintable():
        # Zero-width characters come along when people copy from web pages.
        cell = "".join(one for one in cell if category(one) != "Cf")
    text = " ".join(cell.split())
    if not text and is_required:
        raise RowRefusedError("cell_empty", column=column)
    if len(text) > max_length:
        raise RowRefusedError("cell_too_long", column=column, max=max_length, value=shown(text))
    if not text.isprintable() and any(category(one) in {"Cc", "Cs"} for one in text):
        raise RowRefusedError("cell_control_character", column=column)
    return text


def code_in(row: ImportRow, column: str, *, max_length: int) -> str:
    """Return an identifier, which must have been text in the file.

    Raises:
        RowRefusedError: as for `text_in`, or a spreadsheet holds it as a number.
    """
    text = text_in(row, column, max_length=max_length)
    if column in row.numbers:
        raise RowRefusedError("code_is_number", column=column, value=text)
    return text


def check_first(code: str, *, line: int, seen: dict[str, int]) -> None:
    """Note the line in which a code stands, once what comes before it was found to be right.

    Raises:
        RowRefusedError: it stood in an earlier line of the file.
    """
    first = seen.setdefault(code, line)
    if first != line:
        raise RowRefusedError("code_twice", value=shown(code), first=first)


def number_in(
    row: ImportRow, column: str, *, minimum: float = -math.inf, maximum: float = math.inf
) -> float | None:
    """Return the number in a cell; None when the cell is empty.

    Raises:
        RowRefusedError: no plain decimal number, not finite, or outside the limits.
    """
    text = normalize("NFKC", row.cells.get(column, ""))
    if not text:
        return None
    number = float(text) if _NUMBER.fullmatch(text) else math.nan
    if not math.isfinite(number):
        raise RowRefusedError("not_a_number", column=column, value=shown(text))
    if number < minimum:
        raise RowRefusedError("number_too_small", column=column, value=number, min=minimum)
    if number > maximum:
        raise RowRefusedError("number_too_large", column=column, value=number, max=maximum)
    return number + 0.0  # -0.0 becomes 0.0


def whole_in(
    row: ImportRow, column: str, *, minimum: float = -math.inf, maximum: float = math.inf
) -> int | None:
    """Return the whole number in a cell; None when the cell is empty.

    Raises:
        RowRefusedError: as for `number_in`, or it has a fraction.
    """
    number = number_in(row, column, minimum=minimum, maximum=maximum)
    if number is not None and not number.is_integer():
        raise RowRefusedError("not_whole", column=column, value=number)
    return None if number is None else int(number)


def day_in(row: ImportRow, column: str, *, latest: date) -> date:
    """Return the day in a cell: `2020-03-27`, `2020/3/27`, `2020.3.27` or `20200327`.

    Args:
        row: the row.
        column: where the day stands.
        latest: the last day that is possible.

    Raises:
        RowRefusedError: empty, no day of the calendar, or later than `latest`.
    """
    text = text_in(row, column, max_length=SHOWN_CHARACTERS)
    day = _day_of(normalize("NFKC", text))
    if day is None:
        raise RowRefusedError("not_a_day", column=column, value=shown(text))
    if day > latest:
        raise RowRefusedError("day_too_late", column=column, value=str(day), latest=str(latest))
    return day


def instant_in(row: ImportRow, column: str, *, latest: datetime) -> datetime:
    """Return the instant in a cell, in UTC: a day, perhaps with a time of day and a zone.

    Args:
        row: the row.
        column: where it stands; without a zone it is time in Asia/Shanghai, a day alone its first
            moment. Fractions of a second are left out.
        latest: aware instant; no later local day than its own is possible.

    Raises:
        RowRefusedError: as for `day_in`, or the time is none.
    """
    text = normalize("NFKC", row.cells.get(column, ""))
    match = _INSTANT.fullmatch(text)
    cells = {column: match[1] if match else text}
    day = day_in(ImportRow(row.line, cells), column, latest=day_of(latest))
    try:
        clock = time(int(match[2]), int(match[3]), int(match[4] or 0)) if match else time()
        zone = SHANGHAI if match is None or match[5] is None else _zone_of(match[5])
        return datetime.combine(day, clock, zone).astimezone(UTC)
    except (ValueError, OverflowError):
        raise RowRefusedError("not_a_day", column=column, value=shown(text)) from None


def _zone_of(text: str) -> tzinfo:
    if text == "Z":
        return UTC
    offset = timedelta(hours=int(text[1:3]), minutes=int(text[-2:]))
    return timezone(-offset if text[0] == "-" else offset)


def _day_of(text: str) -> date | None:
    match = _DAY.fullmatch(text)
    try:
        return match and date(int(match[1]), int(match[3] or match[5]), int(match[4] or match[6]))
    except ValueError:
        return None
