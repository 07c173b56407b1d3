from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.console.visit import HOME, Visit, safe_next, with_next


@pytest.mark.parametrize(
    "path", ["/console/", "/console/audit", "/console/communities?q=田林&colour=red"]
)
def test_page_of_the_console_may_come_next(path: str) -> None:
    assert safe_next(path) == path


@pytest.mark.parametrize(
    "path",
    [
        *(
            "",
            "/",
            "/wechat",
            "console/",
            "https://evil.example/console/",
            "//evil.example/console/",
        ),
        *(
            "/console/..//evil.example",
            "/console/\\evil.example",
            "\\\\evil.example",
            "/console/../x",
        ),
        *("javascript:alert(1)", "/console/\n//evil.example", " /console/", "/console/?n=//evil"),
        "http:/console/",
    ],
)
def test_anything_else_leads_home(path: str) -> None:
    assert safe_next(path) == HOME


@given(st.text(max_size=60))
def test_what_comes_next_is_always_ours(path: str) -> None:
    assert safe_next(path).startswith(HOME)
    assert safe_next(HOME + path).startswith(HOME)


def test_next_is_carried_unless_it_is_the_home() -> None:
    assert with_next("/console/code", HOME) == "/console/code"
    assert with_next("/console/code", "/console/audit?a=b") == (
        "/console/code?next=%2Fconsole%2Faudit%3Fa%3Db"
    )


def test_public_page_that_asks_who_is_signed_in_is_a_bug() -> None:
    visit = Visit(
        now=datetime.now(UTC),
        method="GET",
        query={},
        form={},
        address="",
        signed_in=None,
        reading=None,  # type: ignore[arg-type]
        writing=None,  # type: ignore[arg-type]
        is_within=lambda *_: True,
    )
    with pytest.raises(RuntimeError, match="public page"):
        _ = visit.staff
    assert not visit.is_post
    assert visit.next == HOME
