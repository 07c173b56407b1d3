"""Use cases of somebody who signs in: password, code, own password, authenticator, leaving.

Hashing a password takes long, so it is done before the transaction; what it found is checked
again here, against the row.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, or_, select, update
from sqlalchemy.orm import Session

from core.audit.service import record
from core.db import keyring, lookup_hash
from core.errors import InvalidInputError
from core.people.staff.model import RecoveryCode, StaffAccount, StaffSession
from core.people.staff.rules import (
    MAX_IDLE,
    MAX_SESSION,
    Area,
    Role,
    Stage,
    is_locked,
    is_session_over,
    lock_for,
    login_name_of,
    needs_totp,
    password_fault_of,
    password_of,
    stage_of,
)
from core.people.staff.secrets import (
    find_totp_step,
    new_recovery_codes,
    new_token,
    new_totp_secret,
    recovery_code_of,
    token_hash_of,
)

_RECOVERY_COLUMN = "recovery_code.code_hash"


class WeakPasswordError(InvalidInputError):
    """A new password cannot be used; `fault` says why."""

    code = "weak_password"


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """What a password is compared with."""

    staff_id: int
    name: str
    password_hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """Somebody whose password was right, and how far their sign-in is.

    Attributes:
        staff_id: of the account.
        session_id: of the sign-in.
        name: login name.
        display_name: how pages call the person.
        role: what the account is for.
        area: of duty.
        stage: what they must do next.
        seen_at: when the sign-in was last noted as used.
    """

    staff_id: int
    session_id: int
    name: str
    display_name: str
    role: Role
    area: Area
    stage: Stage
    seen_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeCheck:
    """What became of a code: the new token if it was right; whether the account is locked now."""

    token: str | None = None
    is_locked: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolment:
    """An authenticator was set up: the new token, and the codes to put away."""

    token: str
    recovery_codes: list[str]


def find_credentials(session: Session, *, name: str) -> Credentials | None:
    """Return what the password of a login name is compared with; None if it is nobody's."""
    account = session.scalar(select(StaffAccount).where(StaffAccount.name == login_name_of(name)))
    if account is None:
        return None
    return Credentials(staff_id=account.id, name=account.name, password_hash=account.password_hash)


def sign_in(
    session: Session, *, credentials: Credentials | None, is_right: bool, now: datetime
) -> str | None:
    """Begin a sign-in and return its token, or None; why not is for the audit log alone.

    Args:
        session: of a transaction that is committed in either case.
        credentials: what the password was compared with; None if the name is nobody's.
        is_right: what the comparison gave.
        now: aware instant.
    """
    if credentials is None:
        _note(session, "visitor:0", "sign_in_failed", "staff:0", now=now)
        return None
    account = _locked_account(session, credentials.staff_id)
    # It may have been reset or disabled while the password was compared.
    is_same = account.password_hash == credentials.password_hash
    if is_locked(account.locked_until, now=now) or not account.is_active:
        _note_failure(session, account, now=now)
        return None
    if not (is_right and is_same):
        _count_failure(session, account, now=now)
        return None
    if needs_totp(Role(account.role)) and account.totp_enrolled_at is None:
        account.totp_secret = new_totp_secret()
    token = new_token()
    begun = StaffSession(
        staff_id=account.id, token_hash=token_hash_of(token), created_at=now, seen_at=now
    )
    session.add(begun)
    session.flush()
    _complete(session, account, begun, now=now)
    return token


def find_signed_in(session: Session, *, token: str, now: datetime) -> SignedIn | None:
    """Return whose token it is; None if the sign-in is over, was ended, or never was.

    Args:
        session: may be a reading one.
        token: from the cookie.
        now: aware instant.
    """
    row = session.execute(
        select(StaffSession, StaffAccount)
        .join(StaffAccount, StaffAccount.id == StaffSession.staff_id)
        .where(StaffSession.token_hash == token_hash_of(token), StaffAccount.is_active)
    ).one_or_none()
    if row is None:
        return None
    begun, account = row
    if is_session_over(created_at=begun.created_at, seen_at=begun.seen_at, now=now):
        return None
    return SignedIn(
        staff_id=account.id,
        session_id=begun.id,
        name=account.name,
        display_name=account.display_name,
        role=Role(account.role),
        area=account.area,
        stage=_stage_of(account, begun),
        seen_at=begun.seen_at,
    )


def mark_seen(session: Session, *, signed_in: SignedIn, now: datetime) -> None:
    """Note that a sign-in is in use."""
    session.execute(
        update(StaffSession).where(StaffSession.id == signed_in.session_id).values(seen_at=now)
    )


def sign_out(session: Session, *, signed_in: SignedIn, now: datetime) -> None:
    """End one sign-in."""
    session.execute(delete(StaffSession).where(StaffSession.id == signed_in.session_id))
    _note_own(session, signed_in.staff_id, "signed_out", now=now)


def check_code(session: Session, *, signed_in: SignedIn, code: str, now: datetime) -> CodeCheck:
    """Take the code of an authenticator, or a recovery code, as the second factor.

    A wrong one counts like a wrong password; at the fifth the account is locked and every sign-in
    that waits for a code is over.
    """
    account, begun = _locked(session, signed_in)
    if begun is None or is_locked(account.locked_until, now=now):
        return CodeCheck(is_locked=True)
    if not _takes_code(session, account, code=code, now=now):
        _count_failure(session, account, now=now)
        is_over = is_locked(account.locked_until, now=now)
        if is_over:
            _end_unverified(session, account)
        return CodeCheck(is_locked=is_over)
    begun.is_verified = True
    token = _rotate(begun)
    _complete(session, account, begun, now=now)
    return CodeCheck(token=token)


def change_password(
    session: Session, *, signed_in: SignedIn, password: str, password_hash: str, now: datetime
) -> str | None:
    """Replace the password, end the account's other sign-ins, and return the new token.

    Args:
        session: of a transaction.
        signed_in: whose password it is.
        password: the new one, checked already by `check_password`.
        password_hash: of it.
        now: aware instant.

    Returns:
        None if the sign-in ended meanwhile.
    """
    check_password(password, name=signed_in.name)
    account, begun = _locked(session, signed_in)
    if begun is None:
        return None
    account.password_hash, account.must_change = password_hash, False
    account.password_changed_at = now
    session.execute(
        delete(StaffSession).where(StaffSession.staff_id == account.id, StaffSession.id != begun.id)
    )
    _note_own(session, account.id, "password_changed", now=now)
    token = _rotate(begun)
    if signed_in.stage is not Stage.DONE:
        _complete(session, account, begun, now=now)
    return token


def check_password(password: str, *, name: str) -> None:
    """Refuse a new password that is too easy.

    Raises:
        WeakPasswordError: with the fault.
    """
    fault = password_fault_of(password_of(password), name=name)
    if fault is not None:
        raise WeakPasswordError(fault=fault.value)


def find_totp_secret(session: Session, *, signed_in: SignedIn) -> str | None:
    """Return the secret of an authenticator that is being set up; None once it is."""
    account = session.get_one(StaffAccount, signed_in.staff_id)
    return account.totp_secret if account.totp_enrolled_at is None else None


def enrol_totp(
    session: Session, *, signed_in: SignedIn, code: str, now: datetime
) -> Enrolment | None:
    """Set an authenticator up by its first code; None if the code is wrong."""
    account, begun = _locked(session, signed_in)
    if begun is None or account.totp_secret is None or account.totp_enrolled_at is not None:
        return None
    step = find_totp_step(account.totp_secret, code, now=now, after=account.totp_step)
    if step is None:
        return None
    account.totp_enrolled_at, account.totp_step = now, step
    codes = new_recovery_codes()
    session.execute(delete(RecoveryCode).where(RecoveryCode.staff_id == account.id))
    session.add_all(
        RecoveryCode(
            staff_id=account.id,
            code_hash=lookup_hash(recovery_code_of(one), column=_RECOVERY_COLUMN),
        )
        for one in codes
    )
    begun.is_verified = True
    _note_own(session, account.id, "totp_enrolled", now=now)
    token = _rotate(begun)
    _complete(session, account, begun, now=now)
    return Enrolment(token=token, recovery_codes=codes)


def sweep_sessions(session: Session, *, now: datetime) -> None:
    """Delete the sign-ins that are over."""
    session.execute(
        delete(StaffSession).where(
            or_(
                StaffSession.seen_at <= now - MAX_IDLE,
                StaffSession.created_at <= now - MAX_SESSION,
            )
        )
    )


def _locked_account(session: Session, staff_id: int) -> StaffAccount:
    statement = select(StaffAccount).where(StaffAccount.id == staff_id).with_for_update()
    return session.scalars(statement).one()


def _locked(session: Session, signed_in: SignedIn) -> tuple[StaffAccount, StaffSession | None]:
    account = _locked_account(session, signed_in.staff_id)
    return account, session.get(StaffSession, signed_in.session_id)


def _stage_of(account: StaffAccount, begun: StaffSession) -> Stage:
    return stage_of(
        role=Role(account.role),
        has_totp=account.totp_enrolled_at is not None,
        is_verified=begun.is_verified,
        must_change=account.must_change,
    )


def _rotate(begun: StaffSession) -> str:
    """Give a sign-in a new token: one that was seen before it was worth more is worth nothing."""
    token = new_token()
    begun.token_hash = token_hash_of(token)
    return token


def _complete(
    session: Session, account: StaffAccount, begun: StaffSession, *, now: datetime
) -> None:
    # Failures are forgotten only here: whoever has the password alone must not guess codes on.
    if _stage_of(account, begun) is Stage.DONE:
        account.unlock()
        account.last_signed_in_at = now
        _note_own(session, account.id, "signed_in", now=now)


def _takes_code(session: Session, account: StaffAccount, *, code: str, now: datetime) -> bool:
    if account.totp_secret is None:
        return False
    step = find_totp_step(account.totp_secret, code, now=now, after=account.totp_step)
    if step is not None:
        account.totp_step = step
        return True
    return _takes_recovery_code(session, account, code=code, now=now)


def _takes_recovery_code(
    session: Session, account: StaffAccount, *, code: str, now: datetime
) -> bool:
    hashes = keyring().lookup_hashes(recovery_code_of(code), column=_RECOVERY_COLUMN)
    used = session.scalar(
        update(RecoveryCode)
        .where(
            RecoveryCode.staff_id == account.id,
            RecoveryCode.code_hash.in_(hashes),
            RecoveryCode.used_at.is_(None),
        )
        .values(used_at=now)
        .returning(RecoveryCode.id)
    )
    if used is not None:
        _note_own(session, account.id, "recovery_code_used", now=now)
    return used is not None


def _count_failure(session: Session, account: StaffAccount, *, now: datetime) -> None:
    account.failed_count += 1
    lock = lock_for(account.failed_count)
    _note_failure(session, account, now=now)
    if lock:
        account.locked_until = now + lock
        minutes = int(lock.total_seconds() // 60)
        subject = f"staff:{account.id}"
        record(
            session,
            now=now,
            actor="system:sign_in",
            action="staff_locked",
            subject=subject,
            minutes=minutes,
        )


def _note_failure(session: Session, account: StaffAccount, *, now: datetime) -> None:
    _note(session, "visitor:0", "sign_in_failed", f"staff:{account.id}", now=now)


def _end_unverified(session: Session, account: StaffAccount) -> None:
    session.execute(
        delete(StaffSession).where(
            StaffSession.staff_id == account.id, StaffSession.is_verified.is_(False)
        )
    )


def _note_own(session: Session, staff_id: int, action: str, *, now: datetime) -> None:
    _note(session, f"staff:{staff_id}", action, f"staff:{staff_id}", now=now)


def _note(session: Session, actor: str, action: str, subject: str, *, now: datetime) -> None:
    record(session, now=now, actor=actor, action=action, subject=subject)
