from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.h5.visit import HOME, safe_next, with_next


@pytest.mark.parametrize("path", ["/h5/", "/h5/c/abc", "/h5/sheet?q=田林&page=2"])
def test_page_inside_wechat_may_come_next(path: str) -> None:
    assert safe_next(path) == path


@pytest.mark.parametrize(
    "path",
    [
        *("", "/", "/h5", "/console/", "h5/", "//evil.example/h5/", "https://evil.example/h5/"),
        *("/h5/..//evil.example", "/h5/\\evil.example", "/h5/\t//evil.example", " /h5/"),
        *("/h5/?n=https://evil.example", "javascript:alert(1)", "/h5evil/"),
    ],
)
def test_anything_else_leads_home(path: str) -> None:
    assert safe_next(path) == HOME


@given(st.text(max_size=60))
def test_what_comes_next_is_always_ours(path: str) -> None:
    assert safe_next(path).startswith(HOME)
    assert safe_next(HOME + path).startswith(HOME)


def test_next_is_carried_unless_it_is_the_home() -> None:
    assert with_next("/h5/sign-in", HOME) == "/h5/sign-in"
    assert with_next("/h5/sign-in", "/h5/c/a?b=c") == "/h5/sign-in?next=%2Fh5%2Fc%2Fa%3Fb%3Dc"
