"""The font of posters: which files can be used, and what to do for a character that none has.

A poster is printed far away from here, so its characters travel in the file. Only fonts with
TrueType outlines can; the built-in name that every reader of PDF knows comes last.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Final

from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfbase.ttfonts import TTFError, TTFont

# Where systems keep fonts that can be embedded, the best looking first.
SYSTEM_FONTS: Final = (
    "/usr/share/fonts/truetype/wqy/wqy-microhei.ttc",
    "/usr/share/fonts/wqy-microhei/wqy-microhei.ttc",
    "/usr/share/fonts/truetype/wqy/wqy-zenhei.ttc",
    "/usr/share/fonts/wqy-zenhei/wqy-zenhei.ttc",
    "/usr/share/fonts/truetype/noto/NotoSansSC-Regular.ttf",
    "/usr/share/fonts/truetype/droid/DroidSansFallbackFull.ttf",
)
# Needs no file: whoever opens the poster has it, or something like it.
BUILT_IN: Final = "STSong-Light"
EMBEDDED: Final = "poster"

# What printers put where they lack a character.
MISSING: Final = "〓"
_COLLECTION: Final = b"ttcf"
_TRUE_TYPE: Final = frozenset({b"\0\1\0\0", b"true"})

# What the library raises at a file that is cut off or damaged.
_UNREADABLE: Final = (TTFError, OSError, LookupError, ValueError, struct.error)

_chosen: list[Path] = []


class PosterFontError(ValueError):
    """A file that was named as the font of posters cannot be embedded."""


def install_poster_font(path: Path | None) -> None:
    """Make a file the font of this process's posters; None: the best that the system has.

    Raises:
        PosterFontError: there is no such file, or it has no TrueType outlines.
    """
    if path is not None and not is_embeddable(path):
        raise PosterFontError("POSTER_FONT names no font with TrueType outlines")
    _chosen[:] = [] if path is None else [path]


def is_embeddable(path: Path) -> bool:
    """Return whether a file holds TrueType outlines; fonts of the CFF kind do not."""
    try:
        with path.open("rb") as file:
            tag = file.read(4)
            if tag == _COLLECTION:
                file.seek(12)
                (start,) = struct.unpack(">I", file.read(4))
                file.seek(start)
                tag = file.read(4)
    except (OSError, struct.error):
        return False
    return tag in _TRUE_TYPE


def poster_fonts() -> tuple[str, ...]:
    """Return the names of the fonts to write with, by preference; the last one needs no file."""
    paths = _chosen or [Path(name) for name in SYSTEM_FONTS]
    return _registered(tuple(paths))


@lru_cache(maxsize=4)
def _registered(paths: tuple[Path, ...]) -> tuple[str, ...]:
    pdfmetrics.registerFont(UnicodeCIDFont(BUILT_IN))
    for path in paths:
        if not is_embeddable(path):
            continue
        name = f"{EMBEDDED} {path.stem}"
        try:
            pdfmetrics.registerFont(TTFont(name, path))
        except _UNREADABLE:
            continue
        return (name, BUILT_IN)
    return (BUILT_IN,)


def runs_of(text: str, fonts: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield the pieces of a text with the font that each is to be written in."""
    names = tuple(fonts)
    font, piece = names[0], ""
    for one in text:
        wanted, shown = _font_for(one, names)
        if wanted != font and piece:
            yield font, piece
            piece = ""
        font, piece = wanted, piece + shown
    if piece:
        yield font, piece


def width_of(text: str, *, size: float, fonts: Iterable[str]) -> float:
    """Return how wide a text is, in points."""
    widths = (pdfmetrics.stringWidth(piece, font, size) for font, piece in runs_of(text, fonts))
    return float(sum(widths))


def _font_for(one: str, names: tuple[str, ...]) -> tuple[str, str]:
    for name in names:
        if _has(name, one):
            return name, one
    return names[0], MISSING


def _has(name: str, one: str) -> bool:
    if name == BUILT_IN:
        # Its encoding has two bytes a character.
        return ord(one) <= 0xFFFF  # noqa: PLR2004  the end of the basic plane
    return ord(one) in pdfmetrics.getFont(name).face.charToGlyph
