from __future__ import annotations

import threading
from datetime import datetime, timedelta

import pyotp
import pytest
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from core.audit.model import AuditEntry
from core.db import Database
from core.people.staff.model import RecoveryCode, StaffAccount, StaffSession
from core.people.staff.rules import MAX_IDLE, MAX_SESSION, Role, Stage
from core.people.staff.service import NewStaff, add_account, get_account
from core.people.staff.signing_in import (
    CodeCheck,
    Credentials,
    SignedIn,
    WeakPasswordError,
    change_password,
    check_code,
    enrol_totp,
    find_credentials,
    find_signed_in,
    find_totp_secret,
    mark_seen,
    sign_in,
    sign_out,
    sweep_sessions,
)

GOOD = "kites over the river"


def add(session: Session, now: datetime, role: Role = Role.AUDITOR) -> StaffAccount:
    staff = NewStaff(name="wang", role=role)
    account = add_account(session, staff=staff, password_hash="hash", now=now)
    account.must_change = False
    session.flush()
    return account


def enter(session: Session, now: datetime, *, is_right: bool = True) -> str | None:
    found = find_credentials(session, name="wang")
    return sign_in(session, credentials=found, is_right=is_right, now=now)


def must_enter(session: Session, now: datetime) -> SignedIn:
    token = enter(session, now)
    assert token is not None
    return must_find(session, token, now)


def must_find(session: Session, token: str, now: datetime) -> SignedIn:
    session.flush()
    found = find_signed_in(session, token=token, now=now)
    assert found is not None
    return found


def enrolled(session: Session, now: datetime) -> tuple[str, list[str]]:
    """Set an authenticator up and return its secret and the recovery codes."""
    signed_in = must_enter(session, now)
    secret = find_totp_secret(session, signed_in=signed_in)
    assert secret is not None
    done = enrol_totp(session, signed_in=signed_in, code=pyotp.TOTP(secret).at(now), now=now)
    assert done is not None
    return secret, done.recovery_codes


def actions(session: Session) -> list[str]:
    session.flush()
    rows = session.scalars(select(AuditEntry.action).order_by(AuditEntry.id))
    return [action for action in rows if action != "staff_added"]


def test_right_password_signs_in(session: Session, now: datetime) -> None:
    account = add(session, now)
    signed_in = must_enter(session, now)
    assert (signed_in.staff_id, signed_in.name, signed_in.role) == (account.id, "wang", "auditor")
    assert signed_in.stage is Stage.DONE
    assert account.last_signed_in_at == now
    assert actions(session) == ["signed_in"]


def test_token_itself_is_not_kept(session: Session, now: datetime) -> None:
    add(session, now)
    token = enter(session, now)
    assert token is not None
    assert token.encode() not in session.scalars(select(StaffSession.token_hash)).one()


def test_unknown_name_is_refused_and_not_kept(session: Session, now: datetime) -> None:
    assert find_credentials(session, name="my-password-by-mistake") is None
    assert sign_in(session, credentials=None, is_right=False, now=now) is None
    session.flush()
    entry = session.scalars(select(AuditEntry)).one()
    assert (entry.actor, entry.subject, entry.facts) == ("visitor:0", "staff:0", {})


def test_fifth_failure_locks_and_the_right_password_waits(session: Session, now: datetime) -> None:
    account = add(session, now)
    for _ in range(5):
        assert enter(session, now, is_right=False) is None
    assert account.locked_until == now + timedelta(minutes=15)
    assert enter(session, now) is None
    assert enter(session, now + timedelta(minutes=14, seconds=59)) is None
    assert account.failed_count == 5, "what is tried under a lock makes it no longer"
    assert actions(session)[4:6] == ["sign_in_failed", "staff_locked"]
    assert enter(session, now + timedelta(minutes=15)) is not None
    assert (account.failed_count, account.locked_until) == (0, None)


def test_second_lock_is_twice_as_long(session: Session, now: datetime) -> None:
    account = add(session, now)
    for _ in range(5):
        enter(session, now, is_right=False)
    later = now + timedelta(minutes=15)
    for _ in range(5):
        enter(session, later, is_right=False)
    assert account.locked_until == later + timedelta(minutes=30)


def test_failures_at_the_same_time_are_all_counted(database: Database, now: datetime) -> None:
    with database.transaction() as session:
        add(session, now)
    barrier = threading.Barrier(4)

    def fail() -> None:
        with database.reading() as session:
            found = find_credentials(session, name="wang")
        barrier.wait()
        with database.transaction() as session:
            sign_in(session, credentials=found, is_right=False, now=now)

    threads = [threading.Thread(target=fail) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.transaction() as session:
        assert get_account(session, name="wang").failed_count == 4


@pytest.mark.parametrize(
    ("later", "is_over"),
    [(MAX_IDLE - timedelta(seconds=1), False), (MAX_IDLE, True)],
)
def test_sign_in_that_is_not_used_is_over(
    session: Session, now: datetime, later: timedelta, is_over: bool
) -> None:
    add(session, now)
    token = enter(session, now)
    assert token is not None
    assert (find_signed_in(session, token=token, now=now + later) is None) is is_over


def test_sign_in_that_is_used_lasts_ten_hours(session: Session, now: datetime) -> None:
    add(session, now)
    token = enter(session, now)
    assert token is not None
    at = now
    while at - now < MAX_SESSION - timedelta(minutes=20):
        at += timedelta(minutes=20)
        mark_seen(session, signed_in=must_find(session, token, at), now=at)
        session.expire_all()
    assert find_signed_in(session, token=token, now=now + MAX_SESSION) is None
    sweep_sessions(session, now=now + MAX_SESSION)
    assert session.scalar(select(func.count()).select_from(StaffSession)) == 0


def test_sweep_leaves_those_that_are_in_use(session: Session, now: datetime) -> None:
    add(session, now)
    must_enter(session, now)
    sweep_sessions(session, now=now + timedelta(minutes=1))
    assert session.scalar(select(func.count()).select_from(StaffSession)) == 1


def test_signing_out_ends_one_sign_in(session: Session, now: datetime) -> None:
    add(session, now)
    stays, ends = enter(session, now), enter(session, now)
    assert stays is not None
    assert ends is not None
    sign_out(session, signed_in=must_find(session, ends, now), now=now)
    assert find_signed_in(session, token=ends, now=now) is None
    assert find_signed_in(session, token=stays, now=now) is not None
    assert actions(session)[-1] == "signed_out"


# --- the second factor --------------------------------------------------------------------------


def test_administrator_sets_an_authenticator_up_at_the_first_sign_in(
    session: Session, now: datetime
) -> None:
    account = add(session, now, Role.ADMINISTRATOR)
    signed_in = must_enter(session, now)
    assert signed_in.stage is Stage.ENROL
    assert "signed_in" not in actions(session)
    secret = find_totp_secret(session, signed_in=signed_in)
    assert secret is not None
    wrong = enrol_totp(session, signed_in=signed_in, code="000000x", now=now)
    assert wrong is None
    done = enrol_totp(session, signed_in=signed_in, code=pyotp.TOTP(secret).at(now), now=now)
    assert done is not None
    assert must_find(session, done.token, now).stage is Stage.DONE
    assert account.totp_enrolled_at == now
    assert len(done.recovery_codes) == 10
    assert find_totp_secret(session, signed_in=signed_in) is None, "it is shown while it is set up"
    assert actions(session) == ["totp_enrolled", "signed_in"]


def test_secret_and_recovery_codes_are_not_kept_as_they_are(
    session: Session, now: datetime
) -> None:
    add(session, now, Role.ADMINISTRATOR)
    secret, codes = enrolled(session, now)
    session.flush()
    kept = session.execute(text("SELECT totp_secret FROM staff_account")).scalar_one()
    assert secret.encode() not in bytes(kept)
    hashes = session.scalars(select(RecoveryCode.code_hash)).all()
    assert len(set(hashes)) == 10
    assert not any(code.encode() in kept_hash for code in codes for kept_hash in hashes)


def test_later_sign_in_needs_a_code_and_gets_another_token(session: Session, now: datetime) -> None:
    add(session, now, Role.ADMINISTRATOR)
    secret, _ = enrolled(session, now)
    later = now + timedelta(minutes=5)
    token = enter(session, later)
    assert token is not None
    waiting = must_find(session, token, later)
    assert waiting.stage is Stage.CODE
    checked = check_code(session, signed_in=waiting, code=pyotp.TOTP(secret).at(later), now=later)
    assert checked.token is not None
    assert must_find(session, checked.token, later).stage is Stage.DONE
    assert find_signed_in(session, token=token, now=later) is None, "the old token is worthless"


def test_code_is_not_taken_twice(session: Session, now: datetime) -> None:
    add(session, now, Role.ADMINISTRATOR)
    secret, _ = enrolled(session, now)
    code = pyotp.TOTP(secret).at(now)  # the one that set it up
    assert check_code(session, signed_in=must_enter(session, now), code=code, now=now) == (
        CodeCheck()
    )


def test_recovery_code_is_taken_once(session: Session, now: datetime) -> None:
    add(session, now, Role.ADMINISTRATOR)
    _, codes = enrolled(session, now)
    first = check_code(session, signed_in=must_enter(session, now), code=codes[3].upper(), now=now)
    again = check_code(session, signed_in=must_enter(session, now), code=codes[3], now=now)
    assert first.token is not None
    assert again.token is None
    assert "recovery_code_used" in actions(session)


def test_whoever_has_the_password_alone_is_locked_out_after_five_codes(
    session: Session, now: datetime
) -> None:
    account = add(session, now, Role.ADMINISTRATOR)
    enrolled(session, now)
    later = now + timedelta(minutes=1)
    for _ in range(4):
        waiting = must_enter(session, later)  # a right password forgets no failure
        assert not check_code(session, signed_in=waiting, code="x", now=later).is_locked
    waiting = must_enter(session, later)
    assert check_code(session, signed_in=waiting, code="x", now=later).is_locked
    assert account.locked_until == later + timedelta(minutes=15)
    left = session.scalars(select(StaffSession.is_verified)).all()
    assert left == [True], "those that waited for a code are over, the one in use is not"


# --- passwords ----------------------------------------------------------------------------------


def test_one_time_password_is_replaced_before_anything_else(
    session: Session, now: datetime
) -> None:
    account = add(session, now)
    account.must_change = True
    session.flush()
    signed_in = must_enter(session, now)
    assert signed_in.stage is Stage.PASSWORD
    token = change_password(
        session, signed_in=signed_in, password=GOOD, password_hash="new", now=now
    )
    assert token is not None
    assert must_find(session, token, now).stage is Stage.DONE
    assert (account.password_hash, account.must_change) == ("new", False)
    assert actions(session) == ["password_changed", "signed_in"]


def test_changing_the_password_ends_the_other_sign_ins(session: Session, now: datetime) -> None:
    add(session, now)
    other, own = enter(session, now), enter(session, now)
    assert other is not None
    assert own is not None
    token = change_password(
        session,
        signed_in=must_find(session, own, now),
        password=GOOD,
        password_hash="new",
        now=now,
    )
    session.flush()
    assert token is not None
    assert find_signed_in(session, token=other, now=now) is None
    assert find_signed_in(session, token=own, now=now) is None
    assert find_signed_in(session, token=token, now=now) is not None


def test_weak_password_is_refused_with_its_fault(session: Session, now: datetime) -> None:
    add(session, now)
    signed_in = must_enter(session, now)
    with pytest.raises(WeakPasswordError) as caught:
        change_password(
            session, signed_in=signed_in, password="short", password_hash="new", now=now
        )
    assert caught.value.facts == {"fault": "too_short"}


def test_whoever_was_signed_out_meanwhile_changes_nothing(session: Session, now: datetime) -> None:
    account = add(session, now, Role.ADMINISTRATOR)
    signed_in = must_enter(session, now)
    sign_out(session, signed_in=signed_in, now=now)
    session.flush()
    session.expire_all()
    assert (
        change_password(session, signed_in=signed_in, password=GOOD, password_hash="n", now=now)
        is None
    )
    assert enrol_totp(session, signed_in=signed_in, code="000000", now=now) is None
    assert check_code(session, signed_in=signed_in, code="000000", now=now).is_locked
    assert account.password_hash == "hash"


def test_credentials_hold_what_is_compared(session: Session, now: datetime) -> None:
    account = add(session, now)
    assert find_credentials(session, name=" WANG ") == Credentials(
        staff_id=account.id, name="wang", password_hash="hash"
    )
