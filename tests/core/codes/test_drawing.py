"""Pictures of codes are read by an independent decoder, small, compressed and askew."""

from __future__ import annotations

import re
from io import BytesIO

import pytest
from PIL import Image, ImageDraw
from pyzbar.pyzbar import ZBarSymbol, decode

from core.codes.drawing import MAX_PIXELS, MIN_PIXELS, modules_of, png_of, svg_of
from core.people.staff.secrets import new_totp_secret, totp_uri_of

TOKEN = "Ab3_-Zq9pLAb3_-Zq9pLxy"
ADDRESSES = [
    pytest.param(f"https://h.example/h5/c/{TOKEN}", id="short host"),
    pytest.param(f"https://huizhili.xuhui.example.gov.cn/h5/c/{TOKEN}", id="long host"),
]
WHITE = 255


def picture_of(content: bytes) -> Image.Image:
    return Image.open(BytesIO(content))


def as_jpeg(picture: Image.Image, *, quality: int) -> Image.Image:
    written = BytesIO()
    picture.save(written, "JPEG", quality=quality)
    return Image.open(written)


def read(picture: Image.Image) -> list[str]:
    return [one.data.decode() for one in decode(picture, symbols=[ZBarSymbol.QRCODE])]


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize("pixels", [120, 240, 600, 1200])
@pytest.mark.parametrize("quality", [None, 30])
@pytest.mark.parametrize("degrees", [0, 3, -10, 15])
def test_decoder_reads_the_picture(
    address: str, pixels: int, quality: int | None, degrees: int
) -> None:
    picture = picture_of(png_of(address, pixels=pixels))
    assert picture.size == (pixels, pixels)
    if degrees:
        picture = picture.rotate(
            degrees, resample=Image.Resampling.BICUBIC, expand=True, fillcolor=WHITE
        )
    if quality:
        picture = as_jpeg(picture, quality=quality)
    assert read(picture) == [address]


def test_decoder_reads_a_picture_with_a_stain() -> None:
    address = f"https://h.example/h5/c/{TOKEN}"
    picture = picture_of(png_of(address, pixels=600))
    ImageDraw.Draw(picture).ellipse((300, 300, 380, 380), fill=WHITE)
    assert read(picture) == [address]


@pytest.mark.parametrize("address", ADDRESSES)
def test_quiet_zone_has_four_modules_on_every_side(address: str) -> None:
    modules = modules_of(address)
    pixels = modules.size * 10
    picture = picture_of(png_of(address, pixels=pixels))
    # Just within the dark of the three corners; the soft edge is less than a module.
    dark = picture.point(lambda one: WHITE if one < 128 else 0).getbbox()
    assert dark is not None
    zone = 40
    assert dark == (zone, zone, pixels - zone, pixels - zone)


@pytest.mark.parametrize("address", ADDRESSES)
def test_svg_draws_the_same_modules(address: str) -> None:
    text = svg_of(address).decode()
    modules = modules_of(address)
    dark = {
        (column + offset, row) for column, row, length in modules.runs() for offset in range(length)
    }
    runs = re.findall(r"M(\d+) (\d+)h(\d+)v1h-(\d+)z", text)
    drawn = {
        (int(column) + offset, int(row))
        for column, row, length, back in runs
        for offset in range(int(length))
        if length == back
    }
    assert drawn == dark
    assert f'viewBox="0 0 {modules.size} {modules.size}"' in text
    assert 'fill="#fff"' in text
    assert TOKEN not in text


def test_decoder_reads_the_path_of_a_page() -> None:
    uri = totp_uri_of(new_totp_secret(), name="wang.jing", issuer="汇治理")
    modules = modules_of(uri)
    picture = Image.new("L", (modules.size * 5, modules.size * 5), WHITE)
    draw = ImageDraw.Draw(picture)
    for found in re.findall(r"M(\d+) (\d+)h(\d+)v1h-\d+z", modules.path):
        column, row, length = map(int, found)
        draw.rectangle((column * 5, row * 5, (column + length) * 5 - 1, row * 5 + 4), fill=0)
    assert read(picture) == [uri]


def test_better_correction_takes_no_more_room() -> None:
    # 47 bytes need 33 modules with medium correction; nothing may make them smaller.
    sizes = {
        len(modules_of(f"https://h{'i' * count}.example/h5/c/{TOKEN}").rows) for count in (1, 4)
    }
    assert sizes == {33}


@pytest.mark.parametrize("pixels", [MIN_PIXELS - 1, MAX_PIXELS + 1])
def test_picture_that_nobody_could_read_or_load_is_refused(pixels: int) -> None:
    with pytest.raises(ValueError, match="pixels"):
        png_of("https://h.example", pixels=pixels)
