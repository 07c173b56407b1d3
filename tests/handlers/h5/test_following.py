"""The account's code of a company: made on demand, refused with a reason, gone with the code."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from io import BytesIO

import pypdfium2
from PIL import Image
from pyzbar.pyzbar import ZBarSymbol, decode

from core.codes.account import MadeCode, keep_follow_code
from core.codes.rules import RetiredReason
from core.mandates.rules import MandateKind
from tests.h5 import text_of
from tests.handlers.h5.test_codes import Desk, desk

__all__ = ["desk"]

ADDRESS = "http://weixin.qq.com/q/02abcdefghijkl"


def _keep(desk: Desk, *, lifetime: timedelta | None = None) -> None:
    made = MadeCode(address=ADDRESS, lifetime=lifetime)
    with desk.database.transaction() as session:
        keep_follow_code(
            session, card=desk.code(), made=made, actor="person:1", now=datetime.now(UTC)
        )


def _read(picture: Image.Image) -> list[str]:
    return [one.data.decode() for one in decode(picture, symbols=[ZBarSymbol.QRCODE])]


def test_picture_and_poster_hold_what_the_platform_gave(desk: Desk) -> None:
    path = desk.site.path("/follow")
    assert desk.owner.get(f"{path}.png").status_code == 404
    _keep(desk)
    assert "有效期至" in text_of(desk.owner.get(path))
    for size in (240, 1200):
        data = desk.owner.get(f"{path}.png", query_string={"size": size}).data
        picture = Image.open(BytesIO(data))
        assert picture.size == (size, size)
        assert _read(picture.convert("L")) == [ADDRESS]
    page = pypdfium2.PdfDocument(desk.owner.get(f"{path}.pdf").data)[0]
    assert _read(page.render(scale=2).to_pil().convert("L")) == [ADDRESS]
    said = page.get_textpage().get_text_range()
    assert "关注" in said
    assert "上海第1有限公司" in said


def test_code_of_thirty_days_says_so_everywhere(desk: Desk) -> None:
    _keep(desk, lifetime=timedelta(days=30))
    said = text_of(desk.owner.get(desk.site.path("/follow")))
    assert "长期二维码已经用完" in said


def test_whoever_may_show_the_code_makes_it_and_nobody_else(desk: Desk) -> None:
    path = desk.site.path("/follow")
    manager = desk.deputy("o-manager", MandateKind.MANAGER)
    assert manager.get(path).status_code == 200
    for below in ("", ".png", ".pdf"):
        assert desk.site.client("o-other").get(path + below).status_code == 403


def test_platform_that_does_not_answer_is_told_and_nothing_is_kept(desk: Desk) -> None:
    path = desk.site.path("/follow")
    csrf = desk.owner.get(path).text.split('name="csrf" value="')[1][:64]
    failed = desk.owner.post(path, data={"csrf": csrf})
    assert failed.status_code == 409
    assert "暂时没有回应" in text_of(failed)
    assert "生成关注并登记码" in text_of(desk.owner.get(path))


def test_it_ends_with_the_code_that_it_leads_to(desk: Desk) -> None:
    _keep(desk)
    desk.retire(RetiredReason.RETIRED)
    for below in ("", ".png", ".pdf"):
        assert desk.owner.get(desk.site.path("/follow") + below).status_code == 404
