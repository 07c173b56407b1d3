"""Who somebody is, in a row of a file: names and documents; a refusal never quotes them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Final

from core.errors import InvalidInputError
from core.importing import ImportRow, RowRefusedError, shown, text_in
from core.people.documents import (
    Document,
    DocumentBirthDateError,
    DocumentCharacterError,
    DocumentCheckDigitError,
    DocumentFormError,
    DocumentKind,
    DocumentLengthError,
    DocumentMissingError,
    DocumentOutdatedError,
    InvalidDocumentError,
    document_of,
    kind_named,
)
from core.people.names import (
    InvalidNameError,
    NameCharacterError,
    NameMissingError,
    NameTooLongError,
    name_of,
)

# The reason of a row, whose text names the column, for what the person themselves is told.
_REASONS: Final[Mapping[type[InvalidInputError], str]] = {
    DocumentMissingError: "cell_empty",
    DocumentOutdatedError: "document_outdated",
    DocumentLengthError: "document_length",
    DocumentCharacterError: "document_character",
    DocumentBirthDateError: "document_birth_date",
    DocumentCheckDigitError: "document_check_digit",
    DocumentFormError: "document_form",
    NameMissingError: "cell_empty",
    NameTooLongError: "name_too_long",
    NameCharacterError: "name_character",
}


def person_name_in(row: ImportRow, column: str) -> str:
    """Return the name of a person in a cell, as `name_of` returns it.

    Raises:
        RowRefusedError: no name that is taken.
    """
    try:
        return name_of(row.cells.get(column, ""))
    except InvalidNameError as error:
        raise RowRefusedError(_REASONS[type(error)], column=column) from None


def document_in(row: ImportRow, column: str, *, kind_column: str, today: date) -> Document:
    """Return the document in a cell.

    Args:
        row: the row.
        column: where the number stands.
        kind_column: where the kind may stand; empty, or no such column: the number tells.
        today: local day on which a birth date must be plausible.

    Raises:
        RowRefusedError: no document, or a spreadsheet holds the number as one.
    """
    if column in row.numbers:
        raise RowRefusedError("document_is_number", column=column)
    kind = _kind_in(row, kind_column)
    try:
        return document_of(row.cells.get(column, ""), kind=kind, today=today)
    except InvalidDocumentError as error:
        raise RowRefusedError(_REASONS[type(error)], column=column) from None


def _kind_in(row: ImportRow, column: str) -> DocumentKind | None:
    text = text_in(row, column, max_length=50, is_required=False)
    kind = kind_named(text)
    if text and kind is None:
        raise RowRefusedError("document_kind_unknown", value=shown(text))
    return kind
