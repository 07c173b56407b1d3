from __future__ import annotations

import json
from typing import Any

import pytest

from bot.menu import check_menu, menu_of
from bot.settings import Settings


def _button(name: str = "查询", **more: Any) -> dict[str, Any]:
    return {"type": "click", "name": name, "key": "k"} | more


def test_menu_of_the_account_keeps_to_the_limits_and_knows_its_address() -> None:
    settings = Settings(public_url="https://hzl.example/")
    menu = menu_of(settings)
    check_menu(menu)
    links = [
        sub["url"] for top in menu["button"] for sub in top["sub_button"] if sub["type"] == "view"
    ]
    assert links
    assert all(url.startswith("https://hzl.example/") for url in links)
    assert "{" not in "".join(links)
    keys = [s["key"] for t in menu["button"] for s in t["sub_button"] if s["type"] == "click"]
    assert len(keys) == len(set(keys))


def test_menu_goes_out_as_the_platform_reads_it() -> None:
    # The platform refuses escaped characters (40033); whoever sends it must not escape.
    assert "\\u" not in json.dumps(menu_of(Settings()), ensure_ascii=False)


@pytest.mark.parametrize(
    ("buttons", "fault"),
    [
        pytest.param([], "one to three", id="none"),
        pytest.param([_button()] * 4, "one to three", id="four"),
        pytest.param([_button(sub_button=[_button()] * 6)], "more than five", id="six-below"),
        pytest.param([_button("汉" * 6)], "too long", id="top-name-of-18-bytes"),
        pytest.param([_button(sub_button=[_button("汉" * 21)])], "too long", id="sub-name"),
        pytest.param([_button(key="k" * 129)], "key is too long", id="key"),
        pytest.param([_button(sub_button=[_button(key="键" * 43)])], "key", id="key-in-bytes"),
    ],
)
def test_menu_beyond_a_limit_is_refused(buttons: list[dict[str, Any]], fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        check_menu({"button": buttons})


def test_menu_at_every_limit_is_taken() -> None:
    sub = _button("汉" * 20, key="k" * 128)
    check_menu({"button": [_button("汉" * 5 + "a", sub_button=[sub] * 5)] * 3})
