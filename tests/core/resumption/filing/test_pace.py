from __future__ import annotations

from datetime import timedelta

from core.clock import day_of
from core.people.staff.rules import Area
from core.resumption.filing.pace import DayPace, list_pace
from core.resumption.filing.rules import FilingVerdict
from tests.core.resumption.filing.conftest import Desk


def test_every_day_counts_what_came_and_what_was_decided(desk: Desk) -> None:
    staff_id = desk.staff()
    first = desk.submit(desk.company("甲有限公司"))
    desk.submit(desk.company("乙有限公司"))
    there = desk.submit(desk.company("丙有限公司", street="凌云路街道"))
    # The same evening in Shanghai, another day in UTC.
    desk.later(hours=15, minutes=59)
    desk.decide(first, FilingVerdict.RETURN, staff_id=staff_id)
    desk.later(minutes=1)
    desk.decide(there, FilingVerdict.APPROVE, staff_id=staff_id)
    desk.submit(first.company.id)
    today = day_of(desk.now)
    pace = list_pace(desk.session, area=Area(), today=today, day_count=3)
    assert pace == [
        DayPace(day=today - timedelta(days=2), submitted_count=0, decided_count=0),
        DayPace(day=today - timedelta(days=1), submitted_count=3, decided_count=1),
        DayPace(day=today, submitted_count=1, decided_count=1),
    ]
    street = Area(street_id=there.company.street_id)
    of_street = list_pace(desk.session, area=street, today=today, day_count=2)
    assert [(one.submitted_count, one.decided_count) for one in of_street] == [(1, 0), (0, 1)]
    nobody = list_pace(desk.session, area=Area(community_ids=frozenset({1})), today=today)
    assert {(one.submitted_count, one.decided_count) for one in nobody} == {(0, 0)}
    assert len(nobody) == 14
