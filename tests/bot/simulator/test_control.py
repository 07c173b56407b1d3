from __future__ import annotations

from typing import Any

import pytest
import requests

from tests.bot.simulator.conftest import OPENID, Caller


def test_a_reset_forgets_everything(caller: Caller) -> None:
    caller.stable()
    caller.control("clock", seconds=1000)
    caller.control("reset")
    assert caller.look("followers") == []
    assert caller.look("calls") == {}
    assert caller.look("messages")["total"] == 0


def test_an_added_person_keeps_their_name_when_they_leave(caller: Caller) -> None:
    caller.control("followers", openid=OPENID, is_following=False)
    (person,) = caller.look("followers")
    assert (person["name"], person["is_following"]) == ("A", False)


def test_a_person_without_openid_gets_one_in_the_platforms_form(caller: Caller) -> None:
    openid = caller.control("followers", name="B")["openid"]
    assert len(openid) == 28
    assert openid.startswith("o")


def test_cleared_faults_do_not_happen(caller: Caller) -> None:
    caller.control("faults", path="*", kind="status", value=500, times=9)
    caller.control("faults/clear")
    assert "access_token" in caller.stable()


@pytest.mark.parametrize(
    ("path", "order"),
    [
        ("acts", {"openid": OPENID, "act": "sneeze"}),
        ("acts", {}),
        ("faults", {"path": "*", "kind": "flood"}),
        ("quotas", {"path": "/", "per_day": "many"}),
    ],
    ids=["unknown act", "nothing", "unknown fault", "not a number"],
)
def test_an_order_that_makes_no_sense_is_refused(
    caller: Caller, path: str, order: dict[str, Any]
) -> None:
    answer = requests.post(f"{caller.url}/_control/{path}", json=order, timeout=5)
    assert answer.status_code == 400
