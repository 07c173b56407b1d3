"""What may be handed in: purposes, sizes, and the type that the content says."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from io import BytesIO
from typing import Final
from unicodedata import category, normalize

from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile

from core.errors import InvalidInputError

MAX_FILE_BYTES: Final = 10 * 1024 * 1024
MAX_FILE_MIB: Final = MAX_FILE_BYTES // (1024 * 1024)
# A file that no row names by then belongs to a request that failed.
ORPHAN_AGE: Final = timedelta(days=1)

MAX_NAME_LENGTH: Final = 100
_MAX_TYPED_NAME: Final = 1000

_PDF_MARK: Final = b"%PDF-"
_PDF_END: Final = b"%%EOF"
# Readers look for the mark and for the end as far as this.
_PDF_MARGIN: Final = 1024
_JPEG_MARK: Final = b"\xff\xd8\xff"
_PNG_MARK: Final = b"\x89PNG\r\n\x1a\n"
# A small file may unpack to more than a machine has: larger than any phone's camera is no photo.
_MAX_JPEG_PIXELS: Final = 64_000_000
_MAX_PNG_PIXELS: Final = 25_000_000
# Of a photo an eighth of each side is unpacked: enough to know that nothing is missing.
_JPEG_SCALE: Final = 8
# A photo that comes in several scans is unpacked whole, once for each of them: encoders make
# eighteen at most, and ten megabytes have room for a hundred thousand.
_MAX_SCANS: Final = 20
_MAX_SCANNED_PIXELS: Final = 25_000_000
# Where a segment begins; what is left out stands within a scan, or has no length.
_SEGMENT: Final = re.compile(rb"\xff[^\x00\x01\xd0-\xd8\xff]")
_SCAN: Final = b"\xff\xda"
_END: Final = b"\xff\xd9"
_LENGTH_BYTES: Final = 2


class FilePurpose(StrEnum):
    """What a file is handed in for."""

    PREVENTION_PLAN = "prevention_plan"
    LICENCE = "licence"
    APPEAL_EVIDENCE = "appeal_evidence"
    CASE_EVIDENCE = "case_evidence"


class MediaType(StrEnum):
    """The types that are taken."""

    PDF = "application/pdf"
    JPEG = "image/jpeg"
    PNG = "image/png"


ENDING_OF: Final[Mapping[MediaType, str]] = {
    MediaType.PDF: ".pdf",
    MediaType.JPEG: ".jpg",
    MediaType.PNG: ".png",
}
_ENDINGS: Final = re.compile(r"(?:\.(?:pdf|jpe?g|png)|[ .])+$", re.IGNORECASE)


class FileEmptyError(InvalidInputError):
    """The file has no content."""

    code = "file_empty"


class FileTooLargeError(InvalidInputError):
    """The file is larger than is taken; fact `max_mib`."""

    code = "file_too_large"


class FileTypeError(InvalidInputError):
    """The content is neither a PDF nor a JPEG or PNG picture, whatever its name says."""

    code = "file_type"


class FileBrokenError(InvalidInputError):
    """The content begins as a type that is taken, but cannot be read to its end."""

    code = "file_broken"


class PictureTooLargeError(InvalidInputError):
    """A picture has more pixels than are unpacked; fact `max_megapixels`."""

    code = "picture_too_large"


def media_type_of(content: bytes) -> MediaType:
    """Return what a file is by its content; its name and what a browser says do not count.

    A PDF must have its end; a picture must unpack, within a bound that no photo reaches.

    Args:
        content: the whole file.

    Raises:
        FileEmptyError: nothing.
        FileTooLargeError: more than 10 MiB.
        FileTypeError: something else.
        FileBrokenError: cut off or damaged.
        PictureTooLargeError: too many pixels.
    """
    if not content:
        raise FileEmptyError
    if len(content) > MAX_FILE_BYTES:
        raise FileTooLargeError(max_mib=MAX_FILE_MIB)
    if content.startswith(_JPEG_MARK):
        _check_picture(content, JpegImageFile, max_pixels=_max_jpeg_pixels(content))
        return MediaType.JPEG
    if content.startswith(_PNG_MARK):
        _check_picture(content, PngImageFile, max_pixels=_MAX_PNG_PIXELS)
        return MediaType.PNG
    if _PDF_MARK in content[:_PDF_MARGIN]:
        if _PDF_END not in content[-_PDF_MARGIN:]:
            raise FileBrokenError
        return MediaType.PDF
    raise FileTypeError


def _max_jpeg_pixels(content: bytes) -> int:
    """Return how large a photo may be, which depends on how often it must be gone through.

    Raises:
        FileBrokenError: more often than any encoder asks for.
    """
    scan_count = _scan_count_of(content)
    if scan_count > _MAX_SCANS:
        raise FileBrokenError
    return _MAX_JPEG_PIXELS if scan_count <= 1 else _MAX_SCANNED_PIXELS


def _scan_count_of(content: bytes) -> int:
    """Return the number of scans before the end of a photo, or one more than are taken.

    Segment by segment: previews within one, and films behind the end, have bytes like these too.
    """
    count, position = 0, len(_JPEG_MARK) - 1
    while count <= _MAX_SCANS and (found := _SEGMENT.search(content, position)):
        if found[0] == _END:
            break
        count += found[0] == _SCAN
        length = int.from_bytes(content[found.end() : found.end() + _LENGTH_BYTES], "big")
        position = found.end() + length
    return count


def _check_picture(content: bytes, opener: type[ImageFile], *, max_pixels: int) -> None:
    try:
        with opener(BytesIO(content)) as picture:
            width, height = picture.size
            if width * height > max_pixels:
                raise PictureTooLargeError(max_megapixels=max_pixels // 1_000_000)
            picture.draft(None, (max(width // _JPEG_SCALE, 1), max(height // _JPEG_SCALE, 1)))
            picture.load()
    # What Pillow raises for a damaged picture is not one kind of error.
    except (OSError, SyntaxError, ValueError, EOFError, IndexError, TypeError) as error:
        raise FileBrokenError from error


def clean_name(name: str, *, media_type: MediaType) -> str:
    """Return a name to show and to save a file under.

    Folders, control characters and marks that turn the reading direction go; the ending is that
    of the content, so that a picture never leaves as a program.

    Args:
        name: as a browser sent it; may be empty.
        media_type: what the content is.

    Returns:
        1 to 100 characters.
    """
    last = name[-_MAX_TYPED_NAME:].replace("\\", "/").rsplit("/", 1)[-1]
    plain = "".join(one for one in normalize("NFC", last) if _is_shown(one))
    ending = ENDING_OF[media_type]
    stem = _ENDINGS.sub("", plain).strip(" .")
    stem = stem[: MAX_NAME_LENGTH - len(ending)].rstrip(" .")
    return f"{stem or 'file'}{ending}"


def _is_shown(one: str) -> bool:
    # Control, format (with all marks of direction), surrogate and private ones; ends of lines.
    kind = category(one)
    return kind[0] != "C" and kind not in {"Zl", "Zp"}
