"""Codes of the account: made once, kept sealed, gone with the entry code that they lead to."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import LargeBinary, select, type_coerce
from sqlalchemy.orm import Session

from core.audit.model import AuditEntry
from core.codes.account import (
    MadeCode,
    find_account_code,
    find_follow_code,
    is_account_code_due,
    is_follow_code_due,
    keep_account_code,
    keep_follow_code,
    reseal_account_codes,
)
from core.codes.model import AccountCode
from core.codes.rules import RetiredReason, scene_of
from core.codes.service import CodeCard, CodeRetiredError, get_code, issue_code, rotate_code
from core.db import Keyring, install_keyring
from tests.conftest import DATA_KEY

LASTING = MadeCode(address="http://weixin.qq.com/q/lasting")
SHORT = MadeCode(address="http://weixin.qq.com/q/short", lifetime=timedelta(days=30))


@pytest.fixture
def card(session: Session, now: datetime) -> CodeCard:
    return issue_code(session, subject="company:7", actor="person:1", now=now)


def _keep(session: Session, card: CodeCard, made: MadeCode, now: datetime) -> None:
    keep_follow_code(session, card=card, made=made, actor="person:1", now=now)


def test_the_accounts_own_code_is_made_once(session: Session, now: datetime) -> None:
    assert find_account_code(session, now=now) is None
    assert is_account_code_due(session, now=now)
    keep_account_code(session, made=LASTING, now=now)
    found = find_account_code(session, now=now)
    assert found is not None
    assert found.address == LASTING.address
    assert not is_account_code_due(session, now=now + timedelta(days=900))


def test_code_that_ends_is_due_before_it_does(session: Session, now: datetime) -> None:
    keep_account_code(session, made=SHORT, now=now)
    assert find_account_code(session, now=now + timedelta(days=30)) is None
    assert not is_account_code_due(session, now=now + timedelta(days=28))
    later = now + timedelta(days=29)
    assert is_account_code_due(session, now=later)
    keep_account_code(session, made=LASTING, now=later)
    session.expire_all()
    found = find_account_code(session, now=later)
    assert found is not None
    assert (found.address, found.expires_at) == (LASTING.address, None)


def test_company_code_of_the_account_is_kept_once_and_on_record(
    session: Session, now: datetime, card: CodeCard
) -> None:
    assert find_follow_code(session, card=card, now=now) is None
    assert is_follow_code_due(session, card=card, now=now)
    _keep(session, card, LASTING, now)
    assert not is_follow_code_due(session, card=card, now=now)
    found = find_follow_code(session, card=card, now=now)
    assert found is not None
    assert found.address == LASTING.address
    recorded = session.scalars(
        select(AuditEntry).where(AuditEntry.action == "follow_code_made")
    ).all()
    assert [(one.subject, one.facts) for one in recorded] == [("company:7", {"code_id": card.id})]


def test_new_entry_code_has_none_and_an_ended_one_gets_none(
    session: Session, now: datetime, card: CodeCard
) -> None:
    _keep(session, card, LASTING, now)
    newer = rotate_code(
        session, subject="company:7", reason=RetiredReason.ROTATED, actor="person:1", now=now
    )
    assert find_follow_code(session, card=newer, now=now) is None
    assert is_follow_code_due(session, card=newer, now=now)
    ended = get_code(session, token=card.token)
    with pytest.raises(CodeRetiredError):
        is_follow_code_due(session, card=ended, now=now)


def test_scene_of_a_code_is_short_enough_for_the_platform(card: CodeCard) -> None:
    assert len(scene_of(card.token)) <= 64


def test_last_day_is_that_of_whatever_ends_first(
    session: Session, now: datetime, card: CodeCard
) -> None:
    for made, last_day in ((SHORT, date(2020, 4, 27)), (LASTING, card.last_day)):
        _keep(session, card, made, now)
        session.expire_all()
        found = find_follow_code(session, card=card, now=now)
        assert found is not None
        assert found.last_day_with(card) == last_day


def test_whoever_reads_the_database_cannot_print_the_code_and_a_new_key_seals_it_anew(
    session: Session, now: datetime, card: CodeCard
) -> None:
    _keep(session, card, LASTING, now)
    address = LASTING.address
    stored = select(type_coerce(AccountCode.address, LargeBinary))
    assert address.encode() not in session.scalars(stored).one()
    install_keyring(Keyring([bytes(32), DATA_KEY]))
    assert (reseal_account_codes(session), reseal_account_codes(session)) == (1, 0)
    install_keyring(Keyring([bytes(32)]))
    session.expire_all()
    found = find_follow_code(session, card=card, now=now)
    assert found is not None
    assert found.address == address
