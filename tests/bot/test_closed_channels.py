from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bot.closed_channels import ClosedChannels, reopens_at
from bot.error_codes import Action
from bot.store import open_store
from bot.transport import error_of
from core.clock import SHANGHAI
from core.db import Database
from core.notices.rules import Channel


@pytest.mark.parametrize(
    ("action", "now", "expected"),
    [
        pytest.param(Action.NEXT_MINUTE, "08:00:00", "08:01:01", id="the next minute"),
        pytest.param(Action.NEXT_MINUTE, "08:00:59", "08:01:01", id="even if it begins at once"),
        pytest.param(Action.TOMORROW, "00:00:00", "00:01:00+1", id="the next day in Shanghai"),
        pytest.param(Action.TOMORROW, "23:59:59", "00:01:00+1", id="even if it begins at once"),
        pytest.param(Action.CONFIG_ALARM, "08:00:00", "08:10:00", id="until somebody mended it"),
    ],
)
def test_channel_reopens(action: Action, now: str, expected: str) -> None:
    at = datetime.fromisoformat(f"2020-03-28T{now}").replace(tzinfo=SHANGHAI)
    clock, _, days = expected.partition("+")
    then = datetime.fromisoformat(f"2020-03-28T{clock}").replace(tzinfo=SHANGHAI)
    assert reopens_at(action, at.astimezone(UTC)) == then + timedelta(days=int(days or 0))


def test_fault_of_one_template_closes_its_kind_and_a_quota_closes_all(
    sqlite_database: Database,
) -> None:
    now = datetime.now(UTC)
    store = open_store("", sqlite_database)
    here, there = ClosedChannels(store), ClosedChannels(store)
    here.close(Channel.TEMPLATE, kind="colour_changed", error=error_of(40037, ""), now=now)
    here.close(Channel.CUSTOM, kind="colour_changed", error=error_of(45009, ""), now=now)
    there.load({"colour_changed", "late_reply"})
    for closed in (here, there):
        assert set(closed.for_kind("colour_changed", now=now)) == {
            Channel.TEMPLATE,
            Channel.CUSTOM,
        }
        assert set(closed.for_kind("late_reply", now=now)) == {Channel.CUSTOM}
        assert closed.for_kind("late_reply", now=now + timedelta(days=2)) == {}
