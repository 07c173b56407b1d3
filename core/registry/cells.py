"""Which company is meant, in a row of a file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from core.importing import ImportRow, RowRefusedError, code_in
from core.registry.rules import (
    InvalidUsccError,
    UsccCharacterError,
    UsccCheckDigitError,
    UsccLengthError,
    UsccMissingError,
    uscc_of,
)

_REASONS: Final[Mapping[type[InvalidUsccError], str]] = {
    UsccMissingError: "cell_empty",
    UsccLengthError: "uscc_length",
    UsccCharacterError: "uscc_character",
    UsccCheckDigitError: "uscc_check_digit",
}


def uscc_in(row: ImportRow, column: str) -> str:
    """Return the unified social credit code in a cell.

    Raises:
        RowRefusedError: none that is right, or a spreadsheet holds it as a number.
    """
    try:
        return uscc_of(code_in(row, column, max_length=50))
    except InvalidUsccError as error:
        raise RowRefusedError(_REASONS[type(error)], column=column) from None
