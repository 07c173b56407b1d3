"""What a reviewer sees of a company at a glance."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import event

from core.db import Database
from core.registry.model import Company, CompanyChange
from core.registry.rules import CompanyState
from core.resumption.filing.notes import FilingNotes, notes_of
from core.resumption.filing.rules import FilingVerdict
from core.resumption.filing.service import FilingCard, get_filing
from tests.core.resumption.filing.conftest import Desk


def note(desk: Desk, filing: FilingCard) -> FilingNotes:
    fresh = get_filing(desk.session, filing_id=filing.id)
    return notes_of(desk.session, filings=[fresh], now=desk.now)[filing.id]


def change(desk: Desk, filing: FilingCard, field: str, *, days_ago: int) -> None:
    at = desk.now - timedelta(days=days_ago)
    row = CompanyChange(company_id=filing.company.id, at=at, field=field, old=None, new=None)
    desk.session.add(row)
    desk.session.flush()


def test_an_ordinary_filing_is_quiet(desk: Desk) -> None:
    filing = desk.submit(desk.company())
    assert note(desk, filing).is_quiet
    change(desk, filing, "owner", days_ago=31)
    assert note(desk, filing).is_quiet


def test_recent_changes_of_the_register_are_named(desk: Desk) -> None:
    filing = desk.submit(desk.company())
    change(desk, filing, "owner", days_ago=9)
    change(desk, filing, "owner", days_ago=40)
    change(desk, filing, "address", days_ago=2)
    found = note(desk, filing)
    assert found.owner_changed_at == desk.now - timedelta(days=9)
    assert found.company_changed_at == desk.now - timedelta(days=2)
    assert not found.is_quiet


def test_what_was_sent_back_and_approved_before_is_counted(desk: Desk) -> None:
    company_id, staff_id = desk.company(), desk.staff()
    for verdict in (FilingVerdict.RETURN, FilingVerdict.REJECT, FilingVerdict.APPROVE):
        desk.decide(desk.submit(company_id, head_count=25), verdict, staff_id=staff_id)
    filing = desk.submit(company_id, head_count=99)
    found = note(desk, filing)
    assert (found.returned_count, found.approved_head_count) == (2, 25)
    assert found.has_jumped
    assert not found.is_quiet


def test_a_company_that_is_suspended_stands_out(desk: Desk) -> None:
    filing = desk.submit(desk.company())
    desk.session.get_one(Company, filing.company.id).state = "suspended"
    found = note(desk, filing)
    assert found.company_state is CompanyState.SUSPENDED
    assert not found.is_quiet


def test_notes_of_many_take_two_statements(database: Database, now: datetime) -> None:
    with database.transaction() as session:
        desk = Desk(session=session, now=now)
        filings = [desk.submit(desk.company(f"第{number}公司")) for number in range(10)]
    seen: list[str] = []
    event.listen(
        database.read_engine, "before_cursor_execute", lambda *arguments: seen.append(arguments[2])
    )
    with database.reading() as session:
        assert len(notes_of(session, filings=filings, now=now)) == 10
        assert notes_of(session, filings=[], now=now) == {}
    assert len(seen) == 4
