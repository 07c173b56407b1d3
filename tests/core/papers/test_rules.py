from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.papers.rules import is_paper_url


@pytest.mark.parametrize(
    "url",
    [
        "https://mp.weixin.qq.com/s/AbC_123-x?from=list#rd",
        "http://paper.example:8080/2020-03-27",
    ],
)
def test_web_address_is_a_link(url: str) -> None:
    assert is_paper_url(url)


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("", id="empty"),
        pytest.param("paper.example/1", id="no scheme"),
        pytest.param("javascript:alert(1)", id="script"),
        pytest.param("ftp://paper.example/1", id="another scheme"),
        pytest.param("https://", id="no host"),
        pytest.param("https://paper.example/a b", id="blank"),
        pytest.param("https://paper.example/\n1", id="line break"),
        pytest.param("https://user:secret@paper.example/", id="with a sign-in"),
        pytest.param("https://paper.example:port/", id="no port"),
        pytest.param("https://[::1/", id="broken address"),
        pytest.param("https://社区报.example/", id="not ASCII"),
        pytest.param("https://paper.example/" + "x" * 500, id="too long"),
    ],
)
def test_anything_else_is_none(url: str) -> None:
    assert not is_paper_url(url)


@given(st.text() | st.text().map("https://{}".format))
def test_any_text_has_an_answer(url: str) -> None:
    assert is_paper_url(url) in {True, False}
