"""A code as a picture: PNG for a chat, SVG for a print shop; drawn here, so nobody learns it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import Final

import qrcode
from PIL import Image
from qrcode.exceptions import DataOverflowError

QUIET_MODULES: Final = 4
MIN_PIXELS: Final = 64
MAX_PIXELS: Final = 2048

_LIGHT: Final = 255
_DARK: Final = 0
# Modules are drawn this large and brought to size with soft edges: around hard ones a chat's
# JPEG leaves shadows, in which decoders lost every tenth picture, and none of these.
_DRAWN_PIXELS: Final = 8
_LEVELS: Final = (
    qrcode.constants.ERROR_CORRECT_H,
    qrcode.constants.ERROR_CORRECT_Q,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Modules:
    """The modules of a code, without the quiet zone.

    Attributes:
        rows: from the top; True is dark.
    """

    rows: tuple[tuple[bool, ...], ...]

    @property
    def size(self) -> int:
        """Modules of a side, with the quiet zone on both."""
        return len(self.rows) + 2 * QUIET_MODULES

    def runs(self) -> Iterator[tuple[int, int, int]]:
        """Yield column, row and length of what is dark, quiet zone counted in."""
        for row, line in enumerate(self.rows, start=QUIET_MODULES):
            start = None
            for column, is_dark in enumerate((*line, False), start=QUIET_MODULES):
                if is_dark and start is None:
                    start = column
                elif not is_dark and start is not None:
                    yield start, row, column - start
                    start = None

    @property
    def path(self) -> str:
        """The dark modules as the data of an SVG path, one unit a module."""
        return "".join(
            f"M{column} {row}h{length}v1h-{length}z" for column, row, length in self.runs()
        )


def modules_of(address: str) -> Modules:
    """Return the code of an address, as strong against damage as its size allows.

    The size is that of medium correction (15 %): larger modules are read from further away, and
    where a better correction takes no more of them it is free.
    """
    code = _made(address, level=qrcode.constants.ERROR_CORRECT_M, version=None)
    for level in _LEVELS:
        try:
            code = _made(address, level=level, version=code.version)
        except DataOverflowError:
            continue
        break
    return Modules(rows=tuple(tuple(map(bool, line)) for line in code.get_matrix()))


def _made(address: str, *, level: int, version: int | None) -> qrcode.QRCode:
    code = qrcode.QRCode(version=version, error_correction=level, border=0)
    code.add_data(address, optimize=0)
    code.make(fit=version is None)
    return code


def png_of(address: str, *, pixels: int) -> bytes:
    """Return the code as a PNG with the quiet zone of four modules.

    Args:
        address: what it holds.
        pixels: of a side, 64 to 2048; the picture has exactly these.

    Raises:
        ValueError: `pixels` is out of range, a bug in the caller.
    """
    if not MIN_PIXELS <= pixels <= MAX_PIXELS:
        raise ValueError("a picture has 64 to 2048 pixels a side")
    modules = modules_of(address)
    side = modules.size * _DRAWN_PIXELS
    picture = Image.new("L", (side, side), _LIGHT)
    for column, row, length in modules.runs():
        left, top = column * _DRAWN_PIXELS, row * _DRAWN_PIXELS
        right = left + length * _DRAWN_PIXELS
        picture.paste(_DARK, (left, top, right, top + _DRAWN_PIXELS))
    picture = picture.resize((pixels, pixels), Image.Resampling.BICUBIC)
    written = BytesIO()
    picture.save(written, "PNG")
    return written.getvalue()


def svg_of(address: str) -> bytes:
    """Return the code as an SVG that prints at any size, quiet zone and white ground included."""
    modules = modules_of(address)
    size = modules.size
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size} {size}"'
        f' width="{size * 10}" height="{size * 10}" shape-rendering="crispEdges">'
        f'<rect width="{size}" height="{size}" fill="#fff"/><path d="{modules.path}"/></svg>\n'
    ).encode()
