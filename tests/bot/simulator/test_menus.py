from __future__ import annotations

from typing import Any

import pytest

from bot.simulator.menus import check_menu
from bot.simulator.refusals import RefusalError


def click(**changes: Any) -> dict[str, Any]:
    return {"type": "click", "name": "口罩", "key": "m"} | changes


def group(*buttons: dict[str, Any]) -> dict[str, Any]:
    return {"name": "服务", "sub_button": list(buttons)}


@pytest.mark.parametrize(
    "buttons",
    [
        [click()],
        [click(name="十" * 5 + "a")] * 3,
        [group(*[click(name="十" * 20)] * 5)],
        [
            click(key="k" * 128),
            {"type": "view", "name": "报", "url": "https://a.test/" + "u" * 1009},
        ],
    ],
    ids=["one", "16 bytes", "five of 60 bytes", "long key and url"],
)
def test_a_menu_within_the_limits_is_published(buttons: list[dict[str, Any]]) -> None:
    check_menu({"button": buttons})


@pytest.mark.parametrize(
    ("buttons", "code"),
    [
        ([], 40016),
        ([click()] * 4, 40016),
        ([click(type="dance")], 40017),
        ([click(name="十" * 5 + "ab")], 40018),
        ([click(name="")], 40018),
        ([click(key="k" * 129)], 40019),
        ([click(key="")], 40019),
        ([{"type": "view", "name": "报", "url": "https://a.test/" + "u" * 1010}], 40020),
        ([{"type": "view", "name": "报"}], 40020),
        ([group(*[click()] * 6)], 40023),
        ([group(click(type="dance"))], 40024),
        ([group(click(name="十" * 20 + "a"))], 40025),
        ([group(click(key="k" * 129))], 40026),
        ([group({"type": "view", "name": "报"})], 40027),
        ([group(group(click()))], 40022),
        (["口罩"], 47001),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_menu_beyond_a_limit_is_refused(buttons: list[Any], code: int) -> None:
    with pytest.raises(RefusalError) as refused:
        check_menu({"button": buttons})
    assert refused.value.code == code


@pytest.mark.parametrize("menu", [None, [], {}, {"button": "x"}], ids=repr)
def test_what_is_no_menu_is_refused(menu: object) -> None:
    with pytest.raises(RefusalError):
        check_menu(menu)
