"""`flask sites due`: another time of day holds from the next day on."""

from __future__ import annotations

from typing import Any


def test_due_is_shown_and_set_from_tomorrow_on(flask: Any) -> None:
    assert "today sites report by 10:00" in flask("sites", "due").output
    changed = flask("sites", "due", "09:30")
    assert changed.exit_code == 0
    assert changed.output.splitlines() == [
        "today sites report by 10:00",
        "from tomorrow on sites report by 09:30",
    ]
    assert flask("sites", "due", "late").exit_code != 0
