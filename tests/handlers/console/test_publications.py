from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from core.clock import day_of
from core.people.staff.rules import Role
from core.risk.model import Publication, RiskScore
from core.risk.pausing import note_pause
from tests.console import District
from tests.h5 import csrf_of, submit, text_of
from tests.handlers.console.conftest import Enter
from tests.rulings import REASON, score

PATH = "/console/risk/publications"
REVIEWER = Role.DISTRICT_REVIEWER


def hold(district: District) -> str:
    """Score yesterday, and hold it because too much jumped; return the day as an address has it."""
    score(district)
    yesterday = day_of(district.now) - timedelta(days=1)
    with district.database.transaction() as session:
        session.execute(update(Publication).values(state="held", reason="jump", jump_count=120))
        session.execute(update(RiskScore).values(is_published=False))
    return yesterday.isoformat()


def is_published(district: District) -> set[bool]:
    with district.database.reading() as session:
        return set(session.scalars(select(RiskScore.is_published)))


def test_held_day_goes_out_once_somebody_says_why(come_in: Enter, district: District) -> None:
    day = hold(district)
    client = come_in(REVIEWER)
    page = text_of(client.get(PATH))
    assert "变色的小区太多" in page
    assert "会变色 120 个" in page
    empty = submit(client, PATH, to=f"{PATH}/release", day=day, reason=" ")
    assert (empty.status_code, "请写明原因" in empty.text) == (422, True)
    assert is_published(district) == {False}
    done = submit(client, PATH, to=f"{PATH}/release", day=day, reason=REASON)
    shown = text_of(client.get(done.location))
    assert "的结果已经放行" in shown
    assert "人工放行" in shown
    assert REASON in shown
    assert "王静，" in shown
    assert is_published(district) == {True}


def test_what_real_time_left_to_people_is_said_where_staff_look(
    come_in: Enter, district: District
) -> None:
    score(district)
    client = come_in(REVIEWER)
    for path in (PATH, "/console/risk"):
        assert "实时更新暂停" not in text_of(client.get(path))
    with district.database.transaction() as session:
        note_pause(session, community_count=251, now=district.now)
    for path in (PATH, "/console/risk"):
        page = text_of(client.get(path))
        assert "实时更新暂停" in page
        assert "有 251 个小区的风险应当上调" in page


def test_second_to_release_is_told_by_whom(come_in: Enter, district: District) -> None:
    day = hold(district)
    first, second = come_in(REVIEWER), come_in(REVIEWER, name="li", display_name="李明")
    csrf = csrf_of(second.get(PATH).text)
    submit(first, PATH, to=f"{PATH}/release", day=day, reason=REASON)
    fields = {"csrf": csrf, "day": day, "reason": "另一个理由"}
    late = second.post(f"{PATH}/release", data=fields)
    assert (late.status_code, "王静已经放行了这一天" in late.text) == (409, True)
    again = first.post(
        f"{PATH}/release", data=fields | {"csrf": csrf_of(first.get("/console/").text)}
    )
    assert again.status_code == 303, "a second click"


@pytest.mark.parametrize("day", ["", "x", "2020-01-01"])
def test_day_that_was_never_scored_is_not_found(
    come_in: Enter, district: District, day: str
) -> None:
    client = come_in(REVIEWER)
    csrf = csrf_of(client.get("/console/").text)
    answered = client.post(f"{PATH}/release", data={"csrf": csrf, "day": day, "reason": REASON})
    assert answered.status_code == 404


def test_auditor_reads_and_releases_nothing(come_in: Enter, district: District) -> None:
    client = come_in(Role.AUDITOR)
    assert "还没有计算过结果" in client.get(PATH).text
    hold(district)
    page = client.get(PATH).text
    assert "变色的小区太多" in page
    assert 'name="reason"' not in page
