"""Codes are issued once, rotated in one tap, found by hash alone, and end for a reason."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event, select, text
from sqlalchemy.orm import Session

from core.audit.model import AuditEntry
from core.codes.model import EntryCode
from core.codes.rules import CHECK_ALPHABET, CodeState, RetiredReason
from core.codes.service import (
    CodeExpiredError,
    CodeNotFoundError,
    CodeRetiredError,
    check_live,
    find_code_read_out,
    find_live_code,
    find_newest_code,
    get_code,
    issue_code,
    report_code,
    reseal_codes,
    retire_code,
    rotate_code,
    warn_users,
)
from core.db import Database, Keyring, install_keyring
from core.notices.model import Notice

SUBJECT, OTHER = "company:7", "company:8"
OWNER = "person:3"
OLD_KEY, NEW_KEY = bytes(range(32)), bytes(range(1, 33))


def actions(session: Session) -> list[str]:
    session.flush()
    return list(session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)))


def test_first_code_is_made_and_then_given_again(session: Session, now: datetime) -> None:
    card = issue_code(session, subject=SUBJECT, actor=OWNER, now=now)
    again = issue_code(session, subject=SUBJECT, actor=OWNER, now=now + timedelta(days=9))
    assert again == card
    assert card.is_live(now)
    assert set(card.check_code) <= set(CHECK_ALPHABET)
    assert len(card.check_code) == 6
    assert find_live_code(session, subject=SUBJECT, now=now) == card
    assert find_live_code(session, subject=OTHER, now=now) is None
    assert actions(session) == ["code_issued"]


def test_check_code_that_is_read_out_finds_the_live_code(session: Session, now: datetime) -> None:
    card = issue_code(session, subject=SUBJECT, actor=OWNER, now=now)
    spoken = f"{card.check_code[:3]} {card.check_code[3:]}".lower()
    for typed in (card.check_code, spoken, f" {card.check_code}\n"):
        assert find_code_read_out(session, check_code=typed, now=now) == card
    for typed in ("", "CFH", card.check_code + "C", "%" * 6, "请问登记吗"):
        assert find_code_read_out(session, check_code=typed, now=now) is None
    assert find_code_read_out(session, check_code=spoken, now=card.expires_at) is None
    retire_code(session, subject=SUBJECT, reason=RetiredReason.RETIRED, actor=OWNER, now=now)
    assert find_code_read_out(session, check_code=spoken, now=now) is None


def test_check_code_that_two_codes_share_finds_neither(session: Session, now: datetime) -> None:
    cards = [issue_code(session, subject=one, actor=OWNER, now=now) for one in (SUBJECT, OTHER)]
    for card in cards:
        session.get_one(EntryCode, card.id).check_code = "CFHJKM"
    session.flush()
    assert find_code_read_out(session, check_code="CFHJKM", now=now) is None


def test_code_is_found_by_its_token_alone(session: Session, now: datetime) -> None:
    card = issue_code(session, subject=SUBJECT, actor=OWNER, now=now)
    issue_code(session, subject=OTHER, actor=OWNER, now=now)
    assert get_code(session, token=card.token) == card
    for token in (card.token[::-1], card.token[:-1], "", "x" * 22, "x" * 10_000):
        with pytest.raises(CodeNotFoundError):
            get_code(session, token=token)


def test_database_and_log_do_not_hold_a_working_token(session: Session, now: datetime) -> None:
    card = issue_code(session, subject=SUBJECT, actor=OWNER, now=now)
    session.flush()
    (row,) = session.execute(text("SELECT * FROM entry_code")).all()
    stored = b"|".join(one if isinstance(one, bytes) else str(one).encode() for one in row)
    assert card.token.encode() not in stored
    assert card.token not in repr(card)
    facts = session.scalars(select(AuditEntry.facts)).all()
    assert card.token not in str(facts)
    assert card.check_code not in str(facts)


def test_rotation_ends_the_old_code_and_makes_another(session: Session, now: datetime) -> None:
    old = issue_code(session, subject=SUBJECT, actor=OWNER, now=now)
    later = now + timedelta(hours=1)
    new = rotate_code(session, subject=SUBJECT, code_id=old.id, actor=OWNER, now=later)
    assert new.token != old.token
    ended = get_code(session, token=old.token)
    assert (ended.retired_at, ended.retired_reason) == (later, RetiredReason.ROTATED)
    assert ended.state_at(later) is CodeState.RETIRED
    assert find_live_code(session, subject=SUBJECT, now=later) == new
    assert actions(session) == ["code_issued", "code_retired", "code_issued"]


def test_second_tap_does_not_end_the_code_that_the_first_made(
    session: Session, now: datetime
) -> None:
    old = issue_code(session, subject=SUBJECT, actor=OWNER, now=now)
    new = rotate_code(session, subject=SUBJECT, code_id=old.id, actor=OWNER, now=now)
    again = rotate_code(session, subject=SUBJECT, code_id=old.id, actor=OWNER, now=now)
    assert again == new
    assert rotate_code(session, subject=SUBJECT, actor=OWNER, now=now).id != new.id


def test_rotation_without_a_code_makes_one(session: Session, now: datetime) -> None:
    assert rotate_code(session, subject=SUBJECT, code_id=5, actor=OWNER, now=now).is_live(now)


def test_retired_code_says_why_and_a_new_one_may_follow(session: Session, now: datetime) -> None:
    card = issue_code(session, subject=SUBJECT, actor=OWNER, now=now)
    reason = RetiredReason.OWNER_CHANGED
    ended = retire_code(session, subject=SUBJECT, reason=reason, actor="operator:import", now=now)
    assert ended is not None
    assert (ended.id, ended.retired_reason) == (card.id, reason)
    assert retire_code(session, subject=SUBJECT, reason=reason, actor=OWNER, now=now) is None
    assert find_live_code(session, subject=SUBJECT, now=now) is None
    assert find_newest_code(session, subject=SUBJECT) == ended
    with pytest.raises(CodeRetiredError) as refused:
        check_live(ended, now=now)
    assert str(refused.value.facts["retired_on"]) == "2020-03-28"
    assert issue_code(session, subject=SUBJECT, actor=OWNER, now=now).id != card.id


def test_code_that_ran_out_is_replaced_and_says_that_its_time_was_over(
    session: Session, now: datetime
) -> None:
    card = issue_code(session, subject=SUBJECT, actor=OWNER, now=now)
    last = card.expires_at - timedelta(seconds=1)
    check_live(card, now=last)
    assert card.is_ending(last)
    assert not card.is_ending(now)
    with pytest.raises(CodeExpiredError) as refused:
        check_live(card, now=card.expires_at)
    assert str(refused.value.facts["expired_on"]) == "2020-06-26"
    assert find_live_code(session, subject=SUBJECT, now=card.expires_at) is None
    later = card.expires_at + timedelta(days=3)
    new = issue_code(session, subject=SUBJECT, actor=OWNER, now=later)
    ended = get_code(session, token=card.token)
    assert (ended.retired_at, ended.retired_reason) == (card.expires_at, RetiredReason.EXPIRED)
    assert ended.state_at(later) is CodeState.EXPIRED
    assert find_live_code(session, subject=SUBJECT, now=later) == new


def test_two_at_once_make_one_code(database: Database, now: datetime) -> None:
    made: list[int] = []
    start = threading.Barrier(4)

    def make() -> None:
        start.wait()
        with database.transaction() as session:
            made.append(issue_code(session, subject=SUBJECT, actor=OWNER, now=now).id)

    run_together(make, count=4)
    assert len(made) == 4
    assert len(set(made)) == 1


def test_two_rotations_at_once_leave_one_live_code(database: Database, now: datetime) -> None:
    with database.transaction() as session:
        old = issue_code(session, subject=SUBJECT, actor=OWNER, now=now)
    made: list[int] = []
    start = threading.Barrier(3)

    def rotate() -> None:
        start.wait()
        with database.transaction() as session:
            card = rotate_code(session, subject=SUBJECT, code_id=old.id, actor=OWNER, now=now)
            made.append(card.id)

    run_together(rotate, count=3)
    assert len(made) == 3
    assert len(set(made)) == 1
    with database.transaction() as session:
        rows = session.scalars(select(EntryCode).order_by(EntryCode.id)).all()
        assert [row.retired_at is None for row in rows] == [False, True]


def run_together(work: object, *, count: int) -> None:
    threads = [threading.Thread(target=work) for _ in range(count)]  # type: ignore[arg-type]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.sampled_from(["issue", "rotate", "retire", "wait"]), max_size=8))
def test_whatever_is_done_at_most_one_code_is_live(
    session: Session, now: datetime, steps: list[str]
) -> None:
    session.rollback()
    moment = now
    for step in steps:
        if step == "issue":
            card = issue_code(session, subject=SUBJECT, actor=OWNER, now=moment)
            assert card.is_live(moment)
        elif step == "rotate":
            before = find_live_code(session, subject=SUBJECT, now=moment)
            card = rotate_code(session, subject=SUBJECT, actor=OWNER, now=moment)
            assert card.is_live(moment)
            assert before is None or before.id != card.id
        elif step == "retire":
            reason = RetiredReason.RETIRED
            retire_code(session, subject=SUBJECT, reason=reason, actor=OWNER, now=moment)
            assert find_live_code(session, subject=SUBJECT, now=moment) is None
        else:
            moment += timedelta(days=91)
        session.flush()
        rows = session.scalars(select(EntryCode)).all()
        cards = [get_code(session, token=row.token) for row in rows]
        assert sum(card.is_live(moment) for card in cards) <= 1


def test_report_is_counted_and_the_company_hears_of_it_once_an_hour(
    session: Session, now: datetime
) -> None:
    card = issue_code(session, subject=SUBJECT, actor=OWNER, now=now)

    def report(at: datetime) -> None:
        report_code(
            session,
            card=card,
            name="上海诚川商务咨询有限公司",
            told=["o-1", "o-2", "o-1"],
            link="https://a.example/h5/company/7/code",
            actor="visitor:0",
            now=at,
        )

    report(now)
    report(now + timedelta(minutes=5))
    notices = session.scalars(select(Notice).order_by(Notice.id)).all()
    assert [(one.kind, one.openid) for one in notices] == [
        ("code_reported", "o-1"),
        ("code_reported", "o-2"),
    ]
    assert card.token not in str([(one.values, one.link) for one in notices])
    report(now + timedelta(hours=2))
    assert len(session.scalars(select(Notice)).all()) == 4
    found = get_code(session, token=card.token)
    assert (found.report_count, found.reported_at) == (3, now + timedelta(hours=2))
    assert found.is_live(now)
    assert actions(session).count("code_reported") == 3


def test_those_who_used_a_suspicious_code_are_warned_once(session: Session, now: datetime) -> None:
    card = issue_code(session, subject=SUBJECT, actor=OWNER, now=now)
    for _ in range(2):
        warn_users(session, card=card, name="上海", told=["o-1", "o-2"], link="x", now=now)
    notices = session.execute(select(Notice.kind, Notice.openid).order_by(Notice.id)).all()
    assert [tuple(one) for one in notices] == [("code_warning", "o-1"), ("code_warning", "o-2")]


def test_new_key_seals_codes_anew_and_they_are_found_meanwhile(
    session: Session, now: datetime
) -> None:
    install_keyring(Keyring([OLD_KEY]))
    card = issue_code(session, subject=SUBJECT, actor=OWNER, now=now)
    session.flush()
    session.expire_all()
    install_keyring(Keyring([NEW_KEY, OLD_KEY]))
    assert get_code(session, token=card.token).id == card.id
    assert reseal_codes(session) == 1
    session.flush()
    assert reseal_codes(session) == 0
    session.expire_all()
    install_keyring(Keyring([NEW_KEY]))
    assert get_code(session, token=card.token).id == card.id


def test_scan_costs_one_statement(session: Session, now: datetime) -> None:
    card = issue_code(session, subject=SUBJECT, actor=OWNER, now=now)
    session.flush()
    session.expunge_all()
    statements: list[str] = []
    event.listen(
        session.get_bind(), "before_cursor_execute", lambda *call: statements.append(call[2])
    )
    get_code(session, token=card.token)
    assert len(statements) == 1


def test_code_that_is_read_out_is_found_by_an_index(
    sqlite_database: Database, now: datetime
) -> None:
    asked: list[tuple[str, Any]] = []
    with sqlite_database.transaction() as session:

        def note(_: Any, __: Any, statement: str, parameters: Any, *___: Any) -> None:
            asked.append((statement, parameters))

        event.listen(sqlite_database.engine, "before_cursor_execute", note)
        find_code_read_out(session, check_code="CFHJKM", now=now)
        event.remove(sqlite_database.engine, "before_cursor_execute", note)
        statement, parameters = asked[-1]
        plan = session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
        assert "ix_entry_code_check_code" in str(plan.all())
