from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.notices.model import Notice
from core.notices.service import queue_notice
from core.notices.staff import queue_for_staff
from core.people.staff.rules import Role
from core.people.staff.service import disable_account
from tests.core.people.staff.test_wechat import add, bind


def test_everybody_whom_it_concerns_is_told_once_of_a_matter(
    session: Session, now: datetime
) -> None:
    ids = [add(session, now, role=Role.STATION_MANAGER, name=name) for name in ("wang", "li")]
    add(session, now, role=Role.STATION_MANAGER, name="unbound")
    counts = [queue(session, now, key="peak:1")]
    for staff_id in ids:
        bind(session, staff_id, now, openid=f"o-{staff_id}")
    counts += [queue(session, now, key=key) for key in ("peak:1", "peak:1", "peak:2")]
    assert counts == [0, 2, 2, 2]
    notices = session.scalars(select(Notice).order_by(Notice.id)).all()
    assert [(one.openid, one.key) for one in notices] == [
        (f"o-{staff_id}", f"{matter}:staff:{staff_id}")
        for matter in ("peak:1", "peak:2")
        for staff_id in ids
    ]
    assert {(one.kind, one.link) for one in notices} == {("peak", "/console/")}
    assert notices[0].values == {"count": 3}


def test_what_waits_for_somebody_who_is_unbound_is_not_sent(
    session: Session, now: datetime
) -> None:
    ids = [add(session, now, role=Role.STATION_MANAGER, name=name) for name in ("wang", "li")]
    for staff_id in ids:
        bind(session, staff_id, now, openid=f"o-{staff_id}")
    queue(session, now, key="peak:1")
    queue_notice(
        session, now=now, kind="own", openid=f"o-{ids[0]}", key="own:1", values={"count": 1}
    )
    disable_account(session, name="wang", now=now)
    keys = session.scalars(select(Notice.key).order_by(Notice.id)).all()
    assert keys == [f"peak:1:staff:{ids[1]}", "own:1"]


def queue(session: Session, now: datetime, *, key: str) -> int:
    return queue_for_staff(
        session,
        kind="peak",
        roles=[Role.STATION_MANAGER],
        key=key,
        values={"count": 3},
        link="/console/",
        now=now,
    )
