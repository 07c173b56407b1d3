"""The poster: rendered and decoded as a print shop and a phone would."""

from __future__ import annotations

from io import BytesIO
from itertools import pairwise
from typing import Any

import pypdfium2
import pytest
from PIL import Image
from pyzbar.pyzbar import ZBarSymbol, decode

from core.codes.fonts import install_poster_font
from core.codes.poster import HEIGHT, WIDTH, Poster, poster_of

ADDRESS = "https://huizhili.xuhui.example.gov.cn/h5/c/Ab3_-Zq9pLAb3_-Zq9pLxy"
SHORT = "上海诚川商务咨询有限公司"
LONG = "中国（上海）自由贸易试验区国际供应链管理（集团）股份有限公司徐汇区漕河泾开发区第一分公司"
LONGEST = "上海" + "诚川商务咨询" * 16 + "公司"


def poster(**changes: Any) -> Poster:
    values: dict[str, Any] = {
        "address": ADDRESS,
        "title": "员工返岗登记",
        "subtitle": "微信扫一扫，一分钟完成登记",
        "company": SHORT,
        "facts": ("法定代表人 邱**", "备案号 XH-20200328-00012"),
        "check_label": "核对码",
        "check_code": "K7M 4QX",
        "valid": "有效期至 2020 年 6 月 26 日",
        "steps": ("打开微信。", "核对单位名称和核对码，与本海报一致再填写。", "提交。"),
        "warning": "觉得可疑？请不要填写，拨打 021-12345（每天 8:00–20:00）。",
        "footer": "徐汇区汇治理",
    }
    return Poster(**values | changes)


def page_of(content: bytes) -> pypdfium2.PdfPage:
    document = pypdfium2.PdfDocument(content)
    assert len(document) == 1
    return document[0]


def text_of(page: pypdfium2.PdfPage) -> str:
    return str(page.get_textpage().get_text_range())


def read(picture: Image.Image) -> list[str]:
    return [one.data.decode() for one in decode(picture, symbols=[ZBarSymbol.QRCODE])]


@pytest.mark.parametrize("company", [SHORT, LONG, LONGEST], ids=["short", "long", "longest"])
def test_poster_is_one_a4_page_whose_text_can_be_read_out(company: str) -> None:
    page = page_of(poster_of(poster(company=company)))
    assert page.get_size() == pytest.approx((WIDTH, HEIGHT), abs=1)
    text = text_of(page).replace("\r\n", "")
    for wanted in (company, "邱**", "XH-20200328-00012", "K7M 4QX", "2020 年 6 月 26 日"):
        assert wanted in text
    assert "021-12345" in text


@pytest.mark.parametrize("company", [SHORT, LONGEST], ids=["short", "longest"])
@pytest.mark.parametrize("scale", [0.5, 1, 2])
def test_code_on_the_rendered_page_is_decoded(company: str, scale: float) -> None:
    picture = page_of(poster_of(poster(company=company))).render(scale=scale).to_pil()
    assert read(picture) == [ADDRESS]


def test_code_survives_a_photograph_of_the_poster() -> None:
    picture = page_of(poster_of(poster())).render(scale=1.5).to_pil()
    askew = picture.rotate(7, resample=Image.Resampling.BICUBIC, expand=True, fillcolor="#888")
    written = BytesIO()
    askew.save(written, "JPEG", quality=30)
    assert read(Image.open(written)) == [ADDRESS]


@pytest.mark.parametrize("company", [SHORT, LONGEST], ids=["short", "longest"])
def test_nothing_is_printed_over_anything_else(company: str) -> None:
    steps = tuple(
        "核对页面上的单位名称和核对码，与本海报一致再填写，不一致请不要填写。" for _ in range(3)
    )
    textpage = page_of(poster_of(poster(company=company, steps=steps))).get_textpage()
    boxes = sorted(
        (textpage.get_rect(index) for index in range(textpage.count_rects())),
        key=lambda box: -box[3],
    )
    assert len(boxes) > 8
    for above, below in pairwise(boxes):
        is_same_line = min(above[3], below[3]) - max(above[1], below[1]) > 0
        is_beside = above[2] <= below[0] + 1 or below[2] <= above[0] + 1
        assert not is_same_line or is_beside, (above, below)
    assert min(box[1] for box in boxes) > 0
    assert min(box[0] for box in boxes) > 40
    assert max(box[2] for box in boxes) < WIDTH - 40


def test_code_gives_way_to_a_long_name_and_keeps_its_quiet_zone() -> None:
    long = poster(company=LONGEST, steps=("打开微信，核对单位名称。" * 6,) * 3)
    page = page_of(poster_of(long))
    (found,) = decode(page.render(scale=1).to_pil(), symbols=[ZBarSymbol.QRCODE])
    assert found.data.decode() == ADDRESS
    # 33 modules of the code; four of white around them.
    zone = 4 * found.rect.height / 33
    top, bottom = HEIGHT - found.rect.top, HEIGHT - found.rect.top - found.rect.height
    textpage = page.get_textpage()
    boxes = [textpage.get_rect(index) for index in range(textpage.count_rects())]
    assert [box for box in boxes if box[1] < top + zone - 2 and box[3] > bottom - zone + 2] == []


def test_same_poster_is_the_same_file() -> None:
    assert poster_of(poster()) == poster_of(poster())


def test_poster_without_any_font_file_still_has_its_text(tmp_path: Any) -> None:
    broken = tmp_path / "broken.ttf"
    broken.write_bytes(b"\0\1\0\0" + bytes(40))
    install_poster_font(broken)
    try:
        page = page_of(poster_of(poster()))
    finally:
        install_poster_font(None)
    assert read(page.render(scale=1).to_pil()) == [ADDRESS]
    assert SHORT in text_of(page)


def test_token_stands_in_no_text_of_the_file() -> None:
    assert "Ab3_-" not in text_of(page_of(poster_of(poster())))
