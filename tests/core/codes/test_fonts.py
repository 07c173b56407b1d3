"""Only fonts that can be embedded are taken, and no character stops a poster."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.codes import fonts
from core.codes.fonts import (
    BUILT_IN,
    MISSING,
    SYSTEM_FONTS,
    PosterFontError,
    install_poster_font,
    is_embeddable,
    poster_fonts,
    runs_of,
    width_of,
)


@pytest.fixture(autouse=True)
def _installed() -> Iterator[None]:
    """A font that a test installs is gone after it."""
    yield
    install_poster_font(None)


def system_font() -> Path:
    return next(Path(name) for name in SYSTEM_FONTS if Path(name).exists())


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        pytest.param(b"\0\1\0\0rest", True, id="TrueType"),
        pytest.param(b"true", True, id="TrueType of a Mac"),
        pytest.param(b"OTTO", False, id="CFF outlines"),
        pytest.param(b"ttcf" + bytes(8) + b"\0\0\0\x10\0\1\0\0", True, id="collection"),
        pytest.param(b"ttcf" + bytes(8) + b"\0\0\0\x10OTTO", False, id="collection of CFF"),
        pytest.param(b"ttcf", False, id="cut off"),
        pytest.param(b"%PDF", False, id="no font"),
        pytest.param(b"", False, id="empty"),
    ],
)
def test_file_is_told_by_its_content(tmp_path: Path, content: bytes, expected: bool) -> None:
    path = tmp_path / "font.ttf"
    path.write_bytes(content)
    assert is_embeddable(path) is expected


def test_font_that_cannot_be_embedded_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(PosterFontError):
        install_poster_font(tmp_path / "gone.ttf")


def test_named_font_is_taken(tmp_path: Path) -> None:
    path = tmp_path / "house.ttc"
    shutil.copyfile(system_font(), path)
    install_poster_font(path)
    assert poster_fonts() == (f"{fonts.EMBEDDED} house", BUILT_IN)


def test_system_font_is_taken_where_none_is_named() -> None:
    assert poster_fonts() == (f"{fonts.EMBEDDED} {system_font().stem}", BUILT_IN)


def test_broken_font_leaves_the_built_in_one(tmp_path: Path) -> None:
    path = tmp_path / "broken.ttf"
    path.write_bytes(b"\0\1\0\0" + bytes(40))
    install_poster_font(path)
    assert poster_fonts() == (BUILT_IN,)
    assert width_of("上海", size=10, fonts=poster_fonts()) == pytest.approx(20)


def test_character_that_the_font_lacks_is_written_with_the_next_one() -> None:
    names = poster_fonts()
    assert list(runs_of("上㛃海", names)) == [(names[0], "上"), (BUILT_IN, "㛃"), (names[0], "海")]
    assert list(runs_of("𠮷田", names)) == [(names[0], f"{MISSING}田")]
    assert list(runs_of("", names)) == []
