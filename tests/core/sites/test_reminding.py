"""Reminders of the daily report: to those who have not, twice at most."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from core.sites.reminding import remind_sites
from core.sites.rules import Reminder, reminder_at
from tests.core.sites.conftest import Sites


def test_who_has_not_reported_is_reminded_twice_and_no_more(sites: Sites) -> None:
    sites.bind("o-zhao")
    sites.bind("o-qian", site=1)
    sites.report(10, site=1)
    told = []
    for _ in range(40):  # from 8:00 on, every quarter of an hour
        told.append(remind_sites(sites.session, now=sites.now))
        sites.later(minutes=15)
    assert sum(told) == 2
    first, second = sites.notices()
    assert {first.openid, second.openid} == {"o-zhao"}
    assert (first.values["is_over"], second.values["is_over"]) == (0, 1)
    assert first.link == f"/h5/site/{sites.ids[0]}"


def test_site_that_reported_between_hears_nothing_more(lite: Sites) -> None:
    lite.bind("o-zhao")
    lite.later(hours=1, minutes=45)
    assert remind_sites(lite.session, now=lite.now) == 1
    lite.report(10)
    lite.later(hours=2)
    assert remind_sites(lite.session, now=lite.now) == 0


@pytest.mark.parametrize(
    ("minutes", "reminder"),
    [
        (-31, None),
        (-30, Reminder.FIRST),
        (59, Reminder.FIRST),
        (60, Reminder.SECOND),
        (479, Reminder.SECOND),
        (480, None),
    ],
)
def test_reminder_depends_on_the_time_since_the_hour(
    now: datetime, minutes: int, reminder: Reminder | None
) -> None:
    due = now.replace(hour=10)
    assert reminder_at(due + timedelta(minutes=minutes)) is reminder
