from __future__ import annotations

from dataclasses import replace

import pytest

from core.arrivals.rules import Fallback
from core.people.staff.rules import Role
from handlers.console import arrivals_grades
from tests.h5 import text_of
from tests.handlers.console.arrival_cases import compared, grade
from tests.handlers.console.conftest import Enter

PATH = "/console/arrivals/grades"


def test_days_are_listed_beside_simpler_forecasts_and_one_is_shown_slot_by_slot(
    come_in: Enter, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = grade()
    listed = [one, replace(one, day=one.day.replace(day=11), baselines={}, top2_hits=1)]
    shown = replace(compared(), grade=replace(one, flags=frozenset({Fallback.FEED_STALE})))
    monkeypatch.setattr(arrivals_grades, "list_grades", lambda *_, **__: listed)
    monkeypatch.setattr(
        arrivals_grades, "find_compared_day", lambda *_, day: shown if day == one.day else None
    )
    client = come_in(Role.STATION_MANAGER)
    said = text_of(client.get(PATH))
    assert "2 月 12 日 4,900 5,012 7.4% — — 11.9% 81% 94% 说中 2 3.5 / 0.5" in said
    assert "2 月 11 日 4,900 5,012 7.4% — — — 81% 94% 说中 1" in said
    assert "售票数据没有按时更新" in said
    assert "23:30 50 40–60 52 23:45 50 40–60 没有计数" in said
    assert "2 月 11 日没有核对过" in text_of(client.get(f"{PATH}?day=2020-02-11"))


def test_page_without_a_graded_day_says_when_there_will_be_one(
    come_in: Enter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arrivals_grades, "list_grades", lambda *_, **__: [])
    assert "还没有可以核对的日子" in text_of(come_in(Role.AUDITOR).get(PATH))
