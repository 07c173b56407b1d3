"""The reviewers' queue: areas of duty, and one reviewer at a time on a filing."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event, select

from core.audit.model import AuditEntry
from core.db import Database
from core.people.staff.rules import Area
from core.resumption.filing.reviewing import (
    FilingChangedError,
    FilingHeldError,
    FilingPage,
    FilingQuery,
    count_filings,
    get_filing_of,
    hold_filing,
    list_filing_streets,
    list_filings,
    release_filing,
    take_over_filing,
)
from core.resumption.filing.rules import FilingState, FilingVerdict
from core.resumption.filing.service import FilingNotFoundError, get_filing
from tests.core.resumption.filing.conftest import Desk

DISTRICT = Area()
APPROVE, RETURN, REJECT = FilingVerdict


def listed(desk: Desk, **query: Any) -> list[str]:
    """Return the companies of the first page of a query."""
    asked = FilingQuery(**{"area": DISTRICT} | query)
    page = list_filings(desk.session, query=asked, now=desk.now)
    return [row.filing.company.name for row in page.rows]


# ---- the queue ------------------------------------------------------------------------------


def test_the_oldest_submission_comes_first_and_drafts_do_not(desk: Desk) -> None:
    for name in ("甲", "乙", "丙"):
        desk.later(minutes=1)
        desk.submit(desk.company(name))
    desk.draft(desk.company("丁"), head_count=3)
    assert listed(desk) == ["甲", "乙", "丙"]
    assert listed(desk, state=None) == ["甲", "乙", "丙"]
    assert listed(desk, state=FilingState.DRAFT) == []


def test_filters_narrow_the_queue(desk: Desk) -> None:
    staff_id = desk.staff()
    first = desk.submit(desk.company("田林100%电子", street="田林街道"))
    desk.submit(desk.company("徐汇电子", street="凌云路街道"))
    desk.decide(first, RETURN, staff_id=staff_id)
    assert listed(desk) == ["徐汇电子"]
    assert listed(desk, state=FilingState.RETURNED) == ["田林100%电子"]
    assert listed(desk, state=None, text="电子") == ["田林100%电子", "徐汇电子"]
    assert listed(desk, state=None, text="100%") == ["田林100%电子"]
    assert listed(desk, state=None, text="%") == ["田林100%电子"]
    assert listed(desk, state=None, text=str(first.number).lower()) == ["田林100%电子"]
    assert listed(desk, state=None, text=first.company.uscc.lower()) == ["田林100%电子"]
    assert listed(desk, state=None, street_id=desk.street("凌云路街道")) == ["徐汇电子"]
    assert count_filings(desk.session, area=DISTRICT) == {
        FilingState.SUBMITTED: 1,
        FilingState.RETURNED: 1,
        FilingState.APPROVED: 0,
        FilingState.REJECTED: 0,
    }


def test_nobody_sees_filings_outside_their_area(desk: Desk) -> None:
    mine = desk.submit(desk.company("甲", street="田林街道"))
    other = desk.submit(desk.company("乙", street="凌云路街道"))
    street = Area(street_id=desk.street("田林街道"))
    homes = Area(community_ids=frozenset({1}))
    assert listed(desk, area=street) == ["甲"]
    assert listed(desk, area=street, street_id=desk.street("凌云路街道")) == []
    assert listed(desk, area=homes) == []
    assert count_filings(desk.session, area=street)[FilingState.SUBMITTED] == 1
    assert [name for _, name in list_filing_streets(desk.session, area=street)] == ["田林街道"]
    assert len(list_filing_streets(desk.session, area=DISTRICT)) == 2
    found = get_filing_of(desk.session, filing_id=mine.id, area=street, now=desk.now)
    assert (found.filing, found.hold) == (mine, None)
    for area in (street, homes):
        with pytest.raises(FilingNotFoundError):
            get_filing_of(desk.session, filing_id=other.id, area=area, now=desk.now)


def test_nobody_acts_outside_their_area(desk: Desk) -> None:
    other = desk.submit(desk.company("乙", street="凌云路街道"))
    officer = desk.staff("wu", street="田林街道")
    with pytest.raises(FilingNotFoundError):
        hold_filing(desk.session, filing_id=other.id, staff_id=officer, now=desk.now)
    with pytest.raises(FilingNotFoundError):
        take_over_filing(desk.session, filing_id=other.id, staff_id=officer, now=desk.now)
    with pytest.raises(FilingNotFoundError):
        desk.decide(other, APPROVE, staff_id=officer)
    assert get_filing(desk.session, filing_id=other.id) == other


def test_nobody_opens_a_draft(desk: Desk) -> None:
    draft = desk.draft(desk.company(), head_count=3)
    with pytest.raises(FilingNotFoundError):
        hold_filing(desk.session, filing_id=draft.id, staff_id=desk.staff(), now=desk.now)
    with pytest.raises(FilingNotFoundError):
        get_filing_of(desk.session, filing_id=draft.id, area=DISTRICT, now=desk.now)


def test_pages_end_where_the_queue_ends(desk: Desk) -> None:
    for number in range(5):
        desk.submit(desk.company(f"第{number}公司"))

    def page(number: int) -> FilingPage:
        query = FilingQuery(area=DISTRICT)
        return list_filings(desk.session, query=query, now=desk.now, number=number, page_size=2)

    assert [len(page(number).rows) for number in (1, 2, 3)] == [2, 2, 1]
    assert (page(9).number, page(9).page_count, page(9).total) == (3, 3, 5)
    assert page(0).number == 1


def test_a_page_takes_the_same_few_statements_however_long(
    database: Database, now: datetime
) -> None:
    def count_for(rows: int) -> int:
        with database.transaction() as session:
            desk = Desk(session=session, now=now)
            desk.numbers = iter(range(rows * 100, rows * 200))  # type: ignore[assignment]
            for number in range(rows):
                desk.submit(desk.company(f"第{rows}-{number}公司"))
        seen: list[str] = []
        event.listen(
            database.read_engine,
            "before_cursor_execute",
            lambda *arguments: seen.append(arguments[2]),
        )
        with database.reading() as session:
            list_filings(session, query=FilingQuery(area=DISTRICT), now=now, page_size=100)
        return len(seen)

    assert count_for(2) == count_for(20)


# ---- one reviewer at a time -------------------------------------------------------------------


def test_opening_holds_for_ten_minutes(desk: Desk) -> None:
    filing, one, two = desk.submit(desk.company()), desk.staff("one"), desk.staff("two")
    hold_filing(desk.session, filing_id=filing.id, staff_id=one, now=desk.now)
    (row,) = list_filings(desk.session, query=FilingQuery(area=DISTRICT), now=desk.now).rows
    assert row.hold is not None
    assert (row.hold.staff_id, row.hold.name) == (one, "审核员one")
    assert row.hold.until == desk.now + timedelta(minutes=10)
    desk.later(minutes=9)
    with pytest.raises(FilingHeldError) as raised:
        hold_filing(desk.session, filing_id=filing.id, staff_id=two, now=desk.now)
    assert raised.value.facts == {"by": "审核员one", "until": row.hold.until}
    with pytest.raises(FilingHeldError):
        desk.decide(filing, APPROVE, staff_id=two)
    desk.later(minutes=1)
    hold_filing(desk.session, filing_id=filing.id, staff_id=two, now=desk.now)
    with pytest.raises(FilingHeldError):
        desk.decide(filing, APPROVE, staff_id=one)
    assert desk.decide(filing, APPROVE, staff_id=two).state is FilingState.APPROVED


def test_opening_again_prolongs_and_is_recorded_once(desk: Desk) -> None:
    filing, one, two = desk.submit(desk.company()), desk.staff("one"), desk.staff("two")
    for _ in range(3):
        hold_filing(desk.session, filing_id=filing.id, staff_id=one, now=desk.later(minutes=6))
    with pytest.raises(FilingHeldError):
        hold_filing(desk.session, filing_id=filing.id, staff_id=two, now=desk.now)
    assert desk.actions().count("filing_opened") == 1


def test_taking_over_is_allowed_and_recorded(desk: Desk) -> None:
    filing, one, two = desk.submit(desk.company()), desk.staff("one"), desk.staff("two")
    hold_filing(desk.session, filing_id=filing.id, staff_id=one, now=desk.now)
    take_over_filing(desk.session, filing_id=filing.id, staff_id=two, now=desk.now)
    take_over_filing(desk.session, filing_id=filing.id, staff_id=two, now=desk.now)
    with pytest.raises(FilingHeldError):
        desk.decide(filing, APPROVE, staff_id=one)
    desk.session.flush()
    (taken,) = desk.session.scalars(
        select(AuditEntry).where(AuditEntry.action == "filing_taken_over")
    )
    assert (taken.actor, taken.facts["held_by"]) == (f"staff:{two}", one)


def test_closing_lets_the_next_one_in(desk: Desk) -> None:
    filing, one, two = desk.submit(desk.company()), desk.staff("one"), desk.staff("two")
    hold_filing(desk.session, filing_id=filing.id, staff_id=one, now=desk.now)
    release_filing(desk.session, filing_id=filing.id, staff_id=two)
    assert desk.row(filing).held_by == one
    release_filing(desk.session, filing_id=filing.id, staff_id=one)
    release_filing(desk.session, filing_id=0, staff_id=one)
    hold_filing(desk.session, filing_id=filing.id, staff_id=two, now=desk.now)


def test_what_is_decided_is_not_opened(desk: Desk) -> None:
    filing, staff_id = desk.submit(desk.company()), desk.staff()
    desk.decide(filing, APPROVE, staff_id=staff_id)
    with pytest.raises(FilingChangedError):
        hold_filing(desk.session, filing_id=filing.id, staff_id=staff_id, now=desk.now)


def test_two_who_open_at_once_do_not_both_hold(database: Database, now: datetime) -> None:
    with database.transaction() as session:
        desk = Desk(session=session, now=now)
        filing = desk.submit(desk.company())
        staff_ids = [desk.staff(name) for name in ("one", "two", "three")]
    errors: list[str] = []
    start = threading.Barrier(len(staff_ids))

    def open_it(staff_id: int) -> None:
        start.wait()
        try:
            with database.transaction() as session:
                hold_filing(session, filing_id=filing.id, staff_id=staff_id, now=now)
        except FilingHeldError as error:
            errors.append(error.code)

    threads = [threading.Thread(target=open_it, args=(staff_id,)) for staff_id in staff_ids]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == ["filing_held"] * 2
