"""The poster of a code: one A4 page in PDF, to print and hang up at the entrance."""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from typing import Final

from reportlab.lib.colors import HexColor
from reportlab.pdfgen.canvas import Canvas

from core.codes.drawing import modules_of
from core.codes.fonts import poster_fonts, runs_of, width_of
from core.codes.wrapping import Measure, balanced_lines_of, lines_of

# Everything is measured in points, of which an inch has 72.
MM: Final = 72 / 25.4
WIDTH: Final = 210 * MM
HEIGHT: Final = 297 * MM
MARGIN: Final = 20 * MM
INNER: Final = WIDTH - 2 * MARGIN
QR_SIDE: Final = 110 * MM
BAND: Final = 46 * MM
PADDING: Final = 3 * MM
LINE_HEIGHT: Final = 1.5

_INK: Final = HexColor("#1a1a1a")
_SOFT: Final = HexColor("#555555")
_GREEN: Final = HexColor("#0b6b3a")
_PALE: Final = HexColor("#e8f3ec")
_WHITE: Final = HexColor("#ffffff")
_RULE: Final = HexColor("#c9d6ce")

_NAME_SIZES: Final = (25.0, 22.0, 19.0, 16.0)
_MAX_NAME_LINES: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Poster:
    """What a poster says; every text is ready to be printed.

    Attributes:
        address: what the code holds.
        title: the largest line.
        subtitle: below it.
        company: its registered name, of up to 100 characters.
        facts: short lines below the name: masked owner, filing number.
        check_label: before the check code.
        check_code: in the halves in which it is read out.
        valid: until when.
        steps: how to register, one line each.
        warning: what to do about a suspicious code.
        footer: the account.
    """

    address: str
    title: str
    subtitle: str
    company: str
    facts: tuple[str, ...]
    check_label: str
    check_code: str
    valid: str
    steps: tuple[str, ...]
    warning: str
    footer: str


def poster_of(poster: Poster) -> bytes:
    """Return the PDF of a poster; its text can be searched and read aloud."""
    written = BytesIO()
    # The same poster is the same file: nothing of the moment of its making is in it.
    canvas = Canvas(written, pagesize=(WIDTH, HEIGHT), invariant=1, pageCompression=1)
    canvas.setTitle(f"{poster.title} {poster.company}")
    canvas.setAuthor(poster.footer)
    _Sheet(canvas).draw(poster)
    canvas.showPage()
    canvas.save()
    return written.getvalue()


class _Sheet:
    """Writes from both ends of the page; the code takes the room that is left."""

    def __init__(self, canvas: Canvas) -> None:
        self._canvas = canvas
        self._fonts = poster_fonts()

    def draw(self, poster: Poster) -> None:
        top = self._company(poster, self._head(poster) - 14 * MM)
        bottom = self._foot(poster)
        bottom = self._steps(poster, bottom + 5 * MM)
        bottom = self._check(poster, bottom + 7 * MM)
        self._code(poster, top=top - 3 * MM, bottom=bottom + 3 * MM)

    def _head(self, poster: Poster) -> float:
        canvas = self._canvas
        canvas.setFillColor(_GREEN)
        canvas.rect(0, HEIGHT - BAND, WIDTH, BAND, stroke=0, fill=1)
        self._centred(poster.title, HEIGHT - 24 * MM, size=36, ink=_WHITE)
        self._centred(poster.subtitle, HEIGHT - 36 * MM, size=16, ink=_WHITE)
        return HEIGHT - BAND

    def _company(self, poster: Poster, top: float) -> float:
        size, lines = self._fitted(poster.company)
        for line in lines:
            self._centred(line, top, size=size, ink=_INK)
            top -= size * 1.35
        self._centred("　".join(poster.facts), top - 1 * MM, size=13, ink=_SOFT)
        return top - 1 * MM

    def _fitted(self, text: str) -> tuple[float, list[str]]:
        """Return the largest size in which a name takes two lines, and those lines."""
        for size in _NAME_SIZES:
            lines = balanced_lines_of(text, width=INNER, measure=self._measure(size))
            if len(lines) <= _MAX_NAME_LINES:
                break
        return size, lines

    def _code(self, poster: Poster, *, top: float, bottom: float) -> None:
        canvas = self._canvas
        modules = modules_of(poster.address)
        side = min(QR_SIDE, top - bottom)
        unit = side / modules.size
        left, top = (WIDTH - side) / 2, (top + bottom + side) / 2
        path = canvas.beginPath()
        for column, row, length in modules.runs():
            path.rect(left + column * unit, top - (row + 1) * unit, length * unit, unit)
        canvas.setFillColor(_INK)
        canvas.drawPath(path, stroke=0, fill=1)

    def _check(self, poster: Poster, bottom: float) -> float:
        """Write the check code above `bottom`, and return where it begins."""
        label, code = f"{poster.check_label} ", poster.check_code
        left = (WIDTH - self._width(label, 15) - self._width(code, 27)) / 2
        self._centred(poster.valid, bottom, size=13, ink=_SOFT)
        line = bottom + 8 * MM
        self._write(label, left, line, size=15, ink=_SOFT)
        self._write(code, left + self._width(label, 15), line, size=27, ink=_GREEN)
        return line + 27

    def _steps(self, poster: Poster, bottom: float) -> float:
        """Write how to register above `bottom`, and return where that begins."""
        size = 14.0
        wrapped = []
        for number, step in enumerate(poster.steps, start=1):
            mark = f"{number}  "
            indent = self._width(mark, size)
            lines = lines_of(step, width=INNER - indent, measure=self._measure(size))
            wrapped.append((mark, indent, lines))
        line_count = sum(len(lines) for _, _, lines in wrapped)
        top = bottom + line_count * size * LINE_HEIGHT
        line = top
        for mark, indent, lines in wrapped:
            self._write(mark, MARGIN, line - size, size=size, ink=_GREEN)
            for text in lines:
                self._write(text, MARGIN + indent, line - size, size=size, ink=_INK)
                line -= size * LINE_HEIGHT
        self._rule(top + 4 * MM)
        return top + 4 * MM

    def _foot(self, poster: Poster) -> float:
        """Write what stands at the lower edge, and return where it begins."""
        size = 12.0
        width = INNER - 2 * PADDING
        lines = lines_of(poster.warning, width=width, measure=self._measure(size))
        bottom, height = 19 * MM, len(lines) * size * LINE_HEIGHT + 2 * PADDING
        canvas = self._canvas
        canvas.setFillColor(_PALE)
        canvas.roundRect(MARGIN, bottom, INNER, height, 2 * MM, stroke=0, fill=1)
        line = bottom + height - PADDING - size
        for text in lines:
            self._write(text, MARGIN + PADDING, line, size=size, ink=_INK)
            line -= size * LINE_HEIGHT
        self._centred(poster.footer, 11 * MM, size=11, ink=_SOFT)
        return bottom + height

    def _rule(self, y: float) -> None:
        self._canvas.setStrokeColor(_RULE)
        self._canvas.line(MARGIN, y, WIDTH - MARGIN, y)

    def _measure(self, size: float) -> Measure:
        return lambda text: self._width(text, size)

    def _centred(self, text: str, y: float, *, size: float, ink: HexColor) -> None:
        self._write(text, (WIDTH - self._width(text, size)) / 2, y, size=size, ink=ink)

    def _width(self, text: str, size: float) -> float:
        return width_of(text, size=size, fonts=self._fonts)

    def _write(self, text: str, x: float, y: float, *, size: float, ink: HexColor) -> None:
        line = self._canvas.beginText(x, y)
        line.setFillColor(ink)
        for font, piece in runs_of(text, self._fonts):
            line.setFont(font, size)
            line.textOut(piece)
        self._canvas.drawText(line)
