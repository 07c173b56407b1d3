from __future__ import annotations

import re

from PIL import Image, ImageDraw
from pyzbar.pyzbar import decode

from core.people.staff.secrets import new_totp_secret, totp_uri_of
from handlers.qr import qr_of


def test_another_decoder_reads_what_is_drawn() -> None:
    uri = totp_uri_of(new_totp_secret(), name="wang.jing", issuer="汇治理")
    code = qr_of(uri)
    picture = Image.new("L", (code.size * 5, code.size * 5), 255)
    draw = ImageDraw.Draw(picture)
    squares = re.findall(r"M(\d+) (\d+)h1v1h-1z", code.path)
    for column, row in squares:
        x, y = int(column) * 5, int(row) * 5
        draw.rectangle((x, y, x + 4, y + 4), fill=0)
    assert "".join(f"M{x} {y}h1v1h-1z" for x, y in squares) == code.path
    assert [found.data.decode() for found in decode(picture)] == [uri]
