"""What a file is by its content, and what it may be called."""

from __future__ import annotations

import zlib
from contextlib import suppress
from functools import cache
from io import BytesIO
from unicodedata import category

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from core.errors import DomainError
from core.files.rules import (
    ENDING_OF,
    MAX_FILE_BYTES,
    FileBrokenError,
    FileEmptyError,
    FileTooLargeError,
    FileTypeError,
    MediaType,
    PictureTooLargeError,
    clean_name,
    media_type_of,
)

PDF = b"%PDF-1.4\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n"
SCAN = b"\xff\xda"


@cache
def picture(form: str, mode: str = "RGB", **options: object) -> bytes:
    made = BytesIO()
    Image.radial_gradient("L").resize((97, 61)).convert(mode).save(made, form, **options)
    return made.getvalue()


def png_bomb(width: int, height: int) -> bytes:
    """Return a picture that says it is enormous; its content is a few bytes."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        check = zlib.crc32(kind + body).to_bytes(4, "big")
        return len(body).to_bytes(4, "big") + kind + body + check

    size = width.to_bytes(4, "big") + height.to_bytes(4, "big")
    head = chunk(b"IHDR", size + bytes([8, 2, 0, 0, 0]))
    return (
        b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(bytes(99))) + chunk(b"IEND", b"")
    )


def scans(count: int) -> bytes:
    """Return a progressive photo whose last scan comes as often as that."""
    photo = picture("JPEG", progressive=True)
    last = photo[photo.rindex(SCAN) : -2]
    return photo[:-2] + last * count + b"\xff\xd9"


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        pytest.param(PDF, MediaType.PDF, id="pdf"),
        pytest.param(b"\xef\xbb\xbf" + PDF + b"\0" * 100, MediaType.PDF, id="pdf-with-margins"),
        pytest.param(picture("JPEG"), MediaType.JPEG, id="jpeg"),
        pytest.param(picture("JPEG", progressive=True), MediaType.JPEG, id="jpeg-progressive"),
        pytest.param(
            picture("JPEG", "CMYK", progressive=True), MediaType.JPEG, id="jpeg-of-18-scans"
        ),
        pytest.param(picture("JPEG") + SCAN * 99, MediaType.JPEG, id="jpeg-and-its-film"),
        pytest.param(picture("JPEG", comment=SCAN * 99), MediaType.JPEG, id="jpeg-with-previews"),
        pytest.param(picture("JPEG", "CMYK"), MediaType.JPEG, id="jpeg-cmyk"),
        pytest.param(picture("JPEG") + b"\0mp4 of a phone", MediaType.JPEG, id="jpeg-moving"),
        pytest.param(picture("PNG", "RGBA"), MediaType.PNG, id="png"),
        pytest.param(picture("PNG", "1"), MediaType.PNG, id="png-black-and-white"),
    ],
)
def test_content_says_what_a_file_is(content: bytes, kind: MediaType) -> None:
    assert media_type_of(content) is kind


@pytest.mark.parametrize(
    ("content", "error"),
    [
        pytest.param(b"", FileEmptyError, id="empty"),
        pytest.param(b"%PDF-1.4" + bytes(MAX_FILE_BYTES), FileTooLargeError, id="too-large"),
        pytest.param(b"MZ\x90\0", FileTypeError, id="program"),
        pytest.param(b"PK\x03\x04 docx", FileTypeError, id="word"),
        pytest.param(b"<svg onload='alert(1)'>", FileTypeError, id="svg"),
        pytest.param(b"GIF89a", FileTypeError, id="gif"),
        pytest.param(b" " * 2000 + PDF, FileTypeError, id="pdf-mark-too-late"),
        pytest.param(PDF[:-6], FileBrokenError, id="pdf-cut"),
        pytest.param(picture("JPEG")[:-200], FileBrokenError, id="jpeg-cut"),
        pytest.param(b"\xff\xd8\xff\xe0 nothing", FileBrokenError, id="jpeg-mark-alone"),
        pytest.param(picture("PNG", "RGBA")[:-60], FileBrokenError, id="png-cut"),
        pytest.param(b"\x89PNG\r\n\x1a\n", FileBrokenError, id="png-mark-alone"),
        pytest.param(png_bomb(60_000, 60_000), PictureTooLargeError, id="bomb"),
        pytest.param(png_bomb(0, 7), FileBrokenError, id="no-width"),
        pytest.param(scans(99), FileBrokenError, id="gone-through-for-ever"),
    ],
)
def test_what_cannot_be_taken_says_why(content: bytes, error: type[DomainError]) -> None:
    with pytest.raises(error) as raised:
        media_type_of(content)
    assert type(raised.value) is error


def test_the_largest_file_is_taken() -> None:
    assert media_type_of(PDF[:-6] + b" " * (MAX_FILE_BYTES - len(PDF)) + PDF[-6:]) is MediaType.PDF


@given(st.data())
def test_a_damaged_picture_is_refused_or_taken_and_never_a_bug(data: st.DataObject) -> None:
    form = data.draw(st.sampled_from(["JPEG", "PNG"]))
    content = bytearray(picture(form))
    for place in data.draw(st.lists(st.integers(0, len(content) - 1), max_size=6)):
        content[place] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(content)))
    refusals = (FileEmptyError, FileTypeError, FileBrokenError, PictureTooLargeError)
    with suppress(*refusals):
        assert media_type_of(bytes(content[:cut])) in {MediaType.JPEG, MediaType.PNG}


@pytest.mark.parametrize(
    ("typed", "kind", "clean"),
    [
        ("防控方案.pdf", MediaType.PDF, "防控方案.pdf"),
        ("IMG_001.JPEG", MediaType.JPEG, "IMG_001.jpg"),
        (r"C:\Users\王伟\方案.pdf", MediaType.PDF, "方案.pdf"),
        ("../../etc/passwd", MediaType.PDF, "passwd.pdf"),
        ("plan.pdf.exe", MediaType.PDF, "plan.pdf.exe.pdf"),
        ("plan\u202egpj.exe", MediaType.PNG, "plangpj.exe.png"),
        ("a\r\nSet-Cookie: b\u2028.png", MediaType.PNG, "aSet-Cookie: b.png"),
        ("方案.png", MediaType.PDF, "方案.pdf"),
        ("", MediaType.PDF, "file.pdf"),
        (".pdf", MediaType.PDF, "file.pdf"),
        ("..", MediaType.JPEG, "file.jpg"),
        ("字" * 300 + ".pdf", MediaType.PDF, "字" * 96 + ".pdf"),
    ],
)
def test_a_name_is_cleaned_and_ends_as_its_content(typed: str, kind: MediaType, clean: str) -> None:
    assert clean_name(typed, media_type=kind) == clean


@given(st.text(max_size=200), st.sampled_from(MediaType))
def test_any_name_becomes_one_that_can_be_shown(typed: str, kind: MediaType) -> None:
    clean = clean_name(typed, media_type=kind)
    assert 1 <= len(clean) <= 100
    assert clean.endswith(ENDING_OF[kind])
    assert not any(category(one)[0] == "C" or one in "/\\" for one in clean)
    assert clean_name(clean, media_type=kind) == clean


def test_a_photo_in_several_scans_may_have_fewer_pixels_than_one_in_a_single_scan() -> None:
    def photo(*, is_progressive: bool) -> bytes:
        made = BytesIO()
        Image.new("L", (6000, 5000)).save(made, "JPEG", progressive=is_progressive)
        return made.getvalue()

    assert media_type_of(photo(is_progressive=False)) is MediaType.JPEG
    with pytest.raises(PictureTooLargeError) as refused:
        media_type_of(photo(is_progressive=True))
    assert refused.value.facts == {"max_megapixels": 25}
