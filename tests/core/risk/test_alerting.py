from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.clock import day_of
from core.notices.model import Notice
from core.people.staff.rules import Role
from core.risk.alerting import alert_held
from core.risk.pausing import note_pause
from core.risk.scoring import score_day
from tests.core.people.staff.test_wechat import add, bind
from tests.core.risk.values import DAY, put

DAILY = timedelta(days=1)


@pytest.fixture
def staff(session: Session, now: datetime) -> None:
    """A reviewer, an administrator and an auditor, who hear in WeChat."""
    for role in (Role.DISTRICT_REVIEWER, Role.ADMINISTRATOR, Role.AUDITOR):
        staff_id = add(session, now, role=role, name=role.value.replace("_", "-"))
        bind(session, staff_id, now, openid=role.value)


def told(session: Session) -> list[tuple[str, dict[str, object]]]:
    notices = session.scalars(select(Notice).order_by(Notice.id)).all()
    assert {one.kind for one in notices} <= {"risk_publication_held"}
    return [(one.openid, dict(one.values)) for one in notices]


def test_a_day_that_is_held_is_told_to_those_who_can_let_it_go(
    session: Session, staff: None, places: list[int], now: datetime
) -> None:
    put(session, 1, {"close": 0.0}, day=DAY)  # the required feed has not come
    for _ in range(2):
        score_day(session, day=DAY, now=now)
    values = {"day": DAY.isoformat(), "cause": "feed_missing", "count": 0}
    assert told(session) == [("district_reviewer", values), ("administrator", values)]


def test_a_day_of_long_ago_is_no_news_and_there_is_one_notice_in_a_local_day(
    session: Session, staff: None, now: datetime
) -> None:
    today = day_of(now)
    for back in (4, 3, 2, 1):
        alert_held(session, day=today - back * DAILY, cause="jump", count=120, now=now)
    first = {"day": (today - 3 * DAILY).isoformat(), "cause": "jump", "count": 120}
    assert [values for _, values in told(session)] == [first] * 2
    alert_held(session, day=today, cause="jump", count=9, now=now + DAILY)
    assert len(told(session)) == 4


def test_what_real_time_leaves_to_people_is_told_once_in_a_day(
    session: Session, staff: None, now: datetime
) -> None:
    alert_held(session, day=day_of(now) - DAILY, cause="jump", count=120, now=now)
    for count in (251, 251, 300):
        note_pause(session, community_count=count, now=now)
    paused = {"day": day_of(now).isoformat(), "cause": "paused", "count": 251}
    assert [values for _, values in told(session)][2:] == [paused] * 2
