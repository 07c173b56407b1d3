"""A QR code as one path of an SVG, drawn here: the secret in it goes to nobody else."""

from __future__ import annotations

from dataclasses import dataclass

import qrcode


@dataclass(frozen=True, slots=True, kw_only=True)
class Qr:
    """The dark modules of a code.

    Attributes:
        path: data of an SVG path, one unit a module.
        size: modules of a side, the quiet zone of four on each side included.
    """

    path: str
    size: int


def qr_of(text: str) -> Qr:
    """Return the code that holds a text, with medium error correction."""
    code = qrcode.QRCode(error_correction=qrcode.constants.ERROR_CORRECT_M)
    code.add_data(text)
    code.make(fit=True)
    matrix = code.get_matrix()
    squares = (
        f"M{column} {row}h1v1h-1z"
        for row, line in enumerate(matrix)
        for column, is_dark in enumerate(line)
        if is_dark
    )
    return Qr(path="".join(squares), size=len(matrix))
