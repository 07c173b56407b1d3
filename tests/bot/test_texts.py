from __future__ import annotations

import re
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import UndefinedError

from bot.texts import MAX_BYTES, Texts, cut_text, link, option, say
from handlers.turn import Rendered, Reply

TEXTS = Texts(constants={"hotline_phone": "12345"})
MARK = "\n（内容较长，回复“继续”看下文）"
LINK = re.compile(r'<a href="[^"<>]*">[^<>]*</a>')

WORDS = st.text(st.sampled_from("田林十二村。，abc \n"), max_size=200)
LINKS = st.builds(say, st.text(st.sampled_from("田林村12"), min_size=1, max_size=30))


def _read_all(text: str) -> list[str]:
    """Return the parts of a text, without the mark."""
    parts = []
    rest = text
    while rest:
        part, rest = cut_text(rest, mark=MARK)
        assert len(part.encode()) <= MAX_BYTES
        assert part.endswith(MARK) is bool(rest)
        parts.append(part.removesuffix(MARK))
        assert len(parts) < 1000
    return parts


@pytest.mark.parametrize("text", ["", "a", "a" * MAX_BYTES, "汉" * (MAX_BYTES // 3)])
def test_text_that_fits_is_sent_whole(text: str) -> None:
    assert cut_text(text, mark=MARK) == (text, "")


@given(pieces=st.lists(st.one_of(WORDS, LINKS), min_size=1, max_size=120))
def test_parts_fit_and_together_say_everything(pieces: list[str]) -> None:
    text = "".join(pieces).strip()
    said = _read_all(text)
    assert re.sub(r"\s", "", "".join(said)) == re.sub(r"\s", "", text)
    for part in said:
        assert "<a" not in LINK.sub("", part)


def test_text_is_cut_behind_a_line() -> None:
    lines = [f"{number}. 田林十二村：高风险（红色）" for number in range(120)]
    said = _read_all("\n".join(lines))
    assert len(said) > 1
    assert [line for part in said for line in part.splitlines()] == lines


def test_long_line_is_cut_behind_a_mark() -> None:
    said = _read_all("建议佩戴口罩，" * 200)
    assert len(said) > 1
    assert all(part.endswith("，") for part in said)


def test_text_without_a_mark_is_cut_between_characters() -> None:
    assert "".join(_read_all("𠮷汉a" * 900)) == "𠮷汉a" * 900


def test_link_longer_than_a_message_ends_all_the_same() -> None:
    assert "".join(_read_all(link("x" * 100, "https://x/" + "y" * 5000))).count("y") == 5000


# --- markup -------------------------------------------------------------------------------------


def test_what_people_wrote_becomes_no_link() -> None:
    written = '<a href="https://evil">请点</a>'
    text = TEXTS.render(Reply(template="service/rest", values={"rest": written}))
    assert text == '＜a href="https://evil"＞请点＜/a＞'


def test_what_was_made_safe_stays_as_it_is() -> None:
    rest = Rendered('<a href="https://x">y</a>')
    assert TEXTS.render(Reply(template="service/rest", values={"rest": rest})) == rest


@pytest.mark.parametrize("label", ["田林十二村", '"><a href="x', "a&msgmenuid=1", "<b>"])
def test_tappable_texts_are_one_link_whatever_they_say(label: str) -> None:
    for made in (option(1, label, "choose"), say(label), link(label, "https://x/?a=1&b=2")):
        assert len(LINK.findall(made)) == 1
        assert made.count("<") == 2
    address = say(label).partition('href="')[2].partition('">')[0]
    assert address.count("&") == 1


def test_option_sends_its_number_and_says_what_it_is_for() -> None:
    assert option(2, "田林十二村", "choose") == (
        '2. <a href="weixin://bizmsgmenu?msgmenucontent=2&msgmenuid=choose">田林十二村</a>'
    )


def test_address_cannot_end_the_link() -> None:
    assert link("x", 'https://x/"><b>') == '<a href="https://x/%22%3E%3Cb%3E">x</a>'


# --- templates ----------------------------------------------------------------------------------


def test_constants_are_known_to_every_text() -> None:
    assert "12345" in TEXTS.render(Reply(template="errors/internal"))


def test_missing_value_is_a_bug_and_not_a_gap() -> None:
    with pytest.raises(UndefinedError):
        TEXTS.render(Reply(template="service/rest"))


def test_day_is_written_as_people_say_it() -> None:
    assert TEXTS._environment.from_string("{{ d | day }}").render(d=date(2020, 3, 5)) == "3月5日"


def test_first_page_tells_how_to_read_on() -> None:
    reply = Reply(template="service/rest", values={"rest": "一行字\n" * 600})
    page, rest = TEXTS.first_page(reply)
    assert page.endswith(MARK)
    assert rest.startswith("一行字")
