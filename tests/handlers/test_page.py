from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.page import PageVisit, path_with_next, safe_path


class _Files:
    def put(self, key: str, content: bytes) -> None: ...

    def get(self, key: str) -> bytes:
        return key.encode()

    def delete(self, key: str) -> None: ...


def visit(**changes: Any) -> PageVisit:
    values: dict[str, Any] = {
        "now": datetime(2020, 3, 28, tzinfo=UTC),
        "method": "GET",
        "query": {},
        "form": {},
        "address": "127.0.0.1",
        "reading": cast("Any", None),
        "writing": cast("Any", None),
        "is_within": lambda *_: True,
    }
    return PageVisit(**(values | changes))


@pytest.mark.parametrize(("method", "is_post"), [("GET", False), ("HEAD", False), ("POST", True)])
def test_only_a_post_was_sent(method: str, is_post: bool) -> None:
    assert visit(method=method).is_post is is_post


def test_visit_without_a_form_has_no_lists_and_no_uploads() -> None:
    plain = visit()
    assert plain.lists("ids") == ()
    assert plain.uploads == {}
    assert plain.params == {}


def test_page_that_asks_for_files_where_none_are_kept_is_a_bug() -> None:
    with pytest.raises(RuntimeError, match="no store of files"):
        _ = visit().files
    assert visit(file_store=_Files()).files.get("a") == b"a"


@given(home=st.sampled_from(["/h5/", "/console/"]), path=st.text(max_size=40))
def test_safe_path_is_below_its_home_and_never_another_host(home: str, path: str) -> None:
    for candidate in (path, home + path, path + home):
        found = safe_path(candidate, home=home)
        assert found.startswith(home)
        assert "//" not in found
        assert "\\" not in found


def test_next_path_is_quoted() -> None:
    assert path_with_next("/a/in", "/a/b?c=d&e=f", home="/a/") == (
        "/a/in?next=%2Fa%2Fb%3Fc%3Dd%26e%3Df"
    )
